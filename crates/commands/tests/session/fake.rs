//! A server of one node that keeps what commands do to it.

use std::sync::LazyLock;
use tessera_command::command::Run;
use tessera_command::host::{
    Action, Actions, ClientInfo, Clients, CommandStats, CommandTable, CommandTotals, Configuration,
    ConnectionInfo, Debugging, Diagnostics, ErrorStats, Facts, LatencyMonitor, NodePart, Pause, Process,
    Saving, SessionContext, Slowlog, Statistics, UnblockReason, WallClock, admit,
};
use tessera_command::{Client, Error, Registry};
use tessera_config::Config;
use tessera_resp::Reply;
use tessera_resp::args::OwnedArgs;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::new(&tessera_commands::COMMANDS));

/// What the server is made of, and what was asked of it.
pub struct FakeHost {
    pub now_us: i64,
    pub config: Config,
    pub facts: Facts,
    pub stats: CommandStats,
    pub errors: ErrorStats,
    pub slowlog: Slowlog,
    pub latency: LatencyMonitor,
    pub pause: Pause,
    pub others: Vec<(Client, ConnectionInfo)>,
    pub connection: ConnectionInfo,
    pub actions: Vec<Action>,
    pub closed: Vec<u64>,
    pub asleep_us: Vec<u64>,
    pub active_expire: bool,
    pub log: Vec<u8>,
    pub resets: usize,
    pub purges: usize,
    /// A snapshot is asked for or under way.
    pub is_saving: bool,
    /// How the server was told to end: with a snapshot, and also if that fails.
    pub ends: Vec<(Option<bool>, bool)>,
}

impl WallClock for FakeHost {
    fn unix_us(&self) -> i64 {
        self.now_us
    }
}

impl CommandTable for FakeHost {
    fn registry(&self) -> &'static Registry {
        &REGISTRY
    }
}

impl Actions for FakeHost {
    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }
}

impl Clients for FakeHost {
    fn caller_connection(&self) -> ConnectionInfo {
        self.connection.clone()
    }

    fn visit_clients(&self, visit: &mut dyn FnMut(&ClientInfo<'_>)) {
        for (client, connection) in &self.others {
            visit(&ClientInfo { client, connection: connection.clone() });
        }
    }

    fn close_client(&mut self, id: u64) {
        self.closed.push(id);
    }

    fn unblock_client(&mut self, id: u64, _reason: UnblockReason) -> bool {
        self.others.iter().any(|(client, connection)| client.id == id && connection.blocked)
    }

    fn pause_mut(&mut self) -> &mut Pause {
        &mut self.pause
    }
}

impl Configuration for FakeHost {
    fn config(&self) -> &Config {
        &self.config
    }

    fn config_set(&mut self, pairs: &[(&[u8], &[u8])], caller_is_local: bool) -> Result<(), Error> {
        match self.config.set(pairs, caller_is_local) {
            Ok((config, _)) => {
                self.config = config;
                Ok(())
            }
            Err(error) => Err(Error::built([b"ERR ", error.message().as_slice()].concat())),
        }
    }

    fn config_rewrite(&mut self) -> Result<(), Error> {
        Err(Error::Text("ERR The server is running without a config file"))
    }
}

impl Statistics for FakeHost {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn command_totals(&self) -> CommandTotals {
        let mut totals = CommandTotals::default();
        self.stats.add_to(&mut totals);
        totals
    }

    fn error_stats(&self) -> ErrorStats {
        self.errors.clone()
    }

    fn reset_statistics(&mut self) {
        self.stats.reset();
        self.errors.reset();
        self.resets += 1;
    }

    fn note_authentication_failure(&mut self) {
        self.facts.stats.authentication_failures += 1;
    }
}

impl Diagnostics for FakeHost {
    fn with_slowlog(&mut self, work: &mut dyn FnMut(&mut Slowlog)) {
        work(&mut self.slowlog);
    }

    fn with_latency_monitor(&mut self, work: &mut dyn FnMut(&mut LatencyMonitor)) {
        work(&mut self.latency);
    }
}

impl Saving for FakeHost {
    fn begin_snapshot(&mut self, _in_background: bool) -> bool {
        !std::mem::replace(&mut self.is_saving, true)
    }
}

impl Process for FakeHost {
    fn end_server(&mut self, save: Option<bool>, force: bool) {
        self.ends.push((save, force));
    }

    fn log(&mut self, text: &[u8]) {
        self.log.extend_from_slice(text);
        self.log.push(b'\n');
    }

    fn purge_memory(&mut self) {
        self.purges += 1;
    }

    fn allocator_report(&self) -> Option<String> {
        None
    }
}

impl Debugging for FakeHost {
    fn sleep(&mut self, duration_us: u64) {
        self.asleep_us.push(duration_us);
    }

    fn set_active_expire(&mut self, enabled: bool) {
        self.active_expire = enabled;
    }

    fn shard(&self) -> &tessera_keyspace::Shard {
        panic!("no transcript looks at keys")
    }

    fn set_list_large_len(&mut self, _: u32) {
        panic!("no transcript has lists")
    }

    fn set_skip_checksums(&mut self, _: bool) {
        panic!("no transcript restores keys")
    }
}

/// The server and one client.
pub struct Conversation {
    pub host: FakeHost,
    pub client: Client,
}

impl Conversation {
    /// A client that has just connected.
    pub fn new(id: u64) -> Conversation {
        Conversation {
            host: FakeHost {
                now_us: 1_700_000_000_123_456,
                config: Config::default(),
                facts: Facts::default(),
                stats: CommandStats::new(REGISTRY.numbered().len()),
                errors: ErrorStats::default(),
                slowlog: Slowlog::default(),
                latency: LatencyMonitor::default(),
                pause: Pause::default(),
                others: Vec::new(),
                connection: ConnectionInfo::default(),
                actions: Vec::new(),
                closed: Vec::new(),
                asleep_us: Vec::new(),
                active_expire: true,
                log: Vec::new(),
                resets: 0,
                purges: 0,
                is_saving: false,
                ends: Vec::new(),
            },
            client: Client { is_local: true, ..Client::new(id, true, 1_700_000_000_000) },
        }
    }

    /// The reply to these words, nothing if there is none.
    pub fn ask_bytes(&mut self, words: &[Vec<u8>]) -> Vec<u8> {
        let owned = OwnedArgs::from_words(words);
        let args = owned.as_args();
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, self.client.protocol);
        let (name, result) = match admit(&REGISTRY, args, &self.client, &self.host.config) {
            Err(refused) => (refused.command.map_or("", |command| command.full_name), Err(refused.error)),
            Ok(command) => {
                let result = match command.run {
                    Run::Session(run) => run(
                        args,
                        &mut SessionContext { client: &mut self.client, host: &mut self.host },
                        &mut reply,
                    ),
                    Run::Everywhere(run) => {
                        let caller = (self.client.clone(), self.host.connection.clone());
                        self.host.others.push(caller);
                        let mut part = NodePart { caller_id: self.client.id, host: &mut self.host };
                        let result = run(args, &mut part, &mut reply);
                        self.host.others.pop();
                        result
                    }
                    _ => panic!("{} is of another family", command.full_name),
                };
                (command.full_name, result)
            }
        };
        if let Err(error) = result {
            reply.error(error.text(name));
        }
        if self.client.reply_mode.end_command() { out } else { Vec::new() }
    }

    /// The same with a typed line and an escaped reply.
    pub fn ask(&mut self, line: &str) -> String {
        let words = tessera_resp::words::split_words(line.as_bytes()).expect("quotes that balance");
        self.ask_bytes(&words).escape_ascii().to_string()
    }
}
