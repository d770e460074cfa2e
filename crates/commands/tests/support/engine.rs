//! Commands on one shard in this process, without a node around it.

// Each test binary uses its part of this.
#![allow(dead_code)]

use tessera_command::host::{
    Action, Actions, ClientInfo, Clients, CommandTable, CommandTotals, Configuration, ConnectionInfo,
    Debugging, Diagnostics, ErrorStats, Facts, LatencyMonitor, Pause, Process, Saving, Slowlog, Statistics,
    UnblockReason, WallClock,
};
use tessera_command::registry::Unknown;
use tessera_command::{Client, Command, Error, Registry, Run, SessionContext};
use tessera_config::Config;
use tessera_keyspace::{Effect, Shard};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Reply};

/// Databases of the shard.
pub const DATABASES: u16 = 16;

struct NodeStub {
    registry: &'static Registry,
    config: Config,
    now_ms: i64,
}

/// The commands that these tests are about ask for nothing else.
fn not_asked_for() -> ! {
    panic!("no command under test asks for this");
}

impl WallClock for NodeStub {
    fn unix_us(&self) -> i64 {
        self.now_ms * 1000
    }
}

impl CommandTable for NodeStub {
    fn registry(&self) -> &'static Registry {
        self.registry
    }
}

impl Actions for NodeStub {
    fn act(&mut self, _: Action) {
        not_asked_for()
    }
}

impl Clients for NodeStub {
    fn caller_connection(&self) -> ConnectionInfo {
        not_asked_for()
    }

    fn visit_clients(&self, _: &mut dyn FnMut(&ClientInfo<'_>)) {
        not_asked_for()
    }

    fn close_client(&mut self, _: u64) {
        not_asked_for()
    }

    fn unblock_client(&mut self, _: u64, _: UnblockReason) -> bool {
        not_asked_for()
    }

    fn pause_mut(&mut self) -> &mut Pause {
        not_asked_for()
    }
}

impl Configuration for NodeStub {
    fn config(&self) -> &Config {
        &self.config
    }

    fn config_set(&mut self, _: &[(&[u8], &[u8])], _: bool) -> Result<(), Error> {
        not_asked_for()
    }

    fn config_rewrite(&mut self) -> Result<(), Error> {
        not_asked_for()
    }
}

impl Statistics for NodeStub {
    fn facts(&self) -> Facts {
        not_asked_for()
    }

    fn command_totals(&self) -> CommandTotals {
        not_asked_for()
    }

    fn error_stats(&self) -> ErrorStats {
        not_asked_for()
    }

    fn reset_statistics(&mut self) {
        not_asked_for()
    }

    fn note_authentication_failure(&mut self) {
        not_asked_for()
    }
}

impl Diagnostics for NodeStub {
    fn with_slowlog(&mut self, _: &mut dyn FnMut(&mut Slowlog)) {
        not_asked_for()
    }

    fn with_latency_monitor(&mut self, _: &mut dyn FnMut(&mut LatencyMonitor)) {
        not_asked_for()
    }
}

impl Saving for NodeStub {
    fn begin_snapshot(&mut self, _in_background: bool) -> bool {
        not_asked_for()
    }
}

impl Process for NodeStub {
    fn end_server(&mut self, _save: Option<bool>, _force: bool) {
        not_asked_for()
    }

    fn log(&mut self, _: &[u8]) {
        not_asked_for()
    }

    fn purge_memory(&mut self) {
        not_asked_for()
    }

    fn allocator_report(&self) -> Option<String> {
        not_asked_for()
    }
}

impl Debugging for NodeStub {
    fn sleep(&mut self, _: u64) {
        not_asked_for()
    }

    fn set_active_expire(&mut self, _: bool) {
        not_asked_for()
    }

    fn shard(&self) -> &tessera_keyspace::Shard {
        not_asked_for()
    }

    fn set_list_large_len(&mut self, _: u32) {
        not_asked_for()
    }

    fn set_skip_checksums(&mut self, _: bool) {
        not_asked_for()
    }
}

/// A shard and a client.
pub struct Engine {
    /// The keys.
    pub shard: Shard,
    /// Who sends the commands.
    pub client: Client,
    /// What the last command came down to.
    pub effect: Effect,
    node: NodeStub,
}

impl Engine {
    /// An empty shard at that time.
    pub fn new(now_ms: i64) -> Engine {
        let mut shard = Shard::new(DATABASES, 1);
        shard.set_now_ms(now_ms);
        shard.effects_mut().set_recording(true);
        let registry = Box::leak(Box::new(Registry::new(&tessera_commands::COMMANDS)));
        Engine {
            shard,
            client: Client::new(1, true, now_ms),
            effect: Effect::None,
            node: NodeStub { registry, config: Config::default(), now_ms },
        }
    }

    /// Sets the time.
    pub fn set_now_ms(&mut self, now_ms: i64) {
        self.shard.set_now_ms(now_ms);
        self.node.now_ms = now_ms;
    }

    /// The command of this name.
    pub fn resolve(&self, words: &[&[u8]]) -> &'static Command {
        let owned = OwnedArgs::from_words(words);
        self.node.registry.resolve(owned.as_args()).unwrap_or_else(|_| panic!("a command: {words:?}"))
    }

    /// Runs the words of a line, which blanks separate, and returns the reply's bytes with `\r\n` as a blank.
    pub fn run(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        String::from_utf8_lossy(&self.run_words(&words)).replace("\r\n", " ").trim_end().to_owned()
    }

    /// Runs a command and returns the reply's bytes.
    pub fn run_words(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let owned = OwnedArgs::from_words(words);
        let args = owned.as_args();
        let mut out = Vec::new();
        self.effect = Effect::None;
        let Ok(command) = self.node.registry.resolve(args) else {
            return unknown(self.node.registry.resolve(args).err(), words, out);
        };
        let protocol = self.client.protocol;
        let result = if command.takes(words.len()) {
            self.execute(command.run, args, &mut Reply::new(&mut out, protocol))
        } else {
            Err(Error::Arity)
        };
        self.shard.remove_met_expired();
        match result {
            Ok(effect) => self.effect = effect,
            Err(error) => {
                assert!(out.is_empty(), "a failing command has written no reply");
                self.effect = error.effect();
                Reply::new(&mut out, protocol).error(error.text(command.full_name));
            }
        }
        out
    }

    fn execute(&mut self, run: Run, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let db = self.client.db;
        match run {
            Run::Read(run) => run(args, self.shard.view(db, true), reply).map(|()| Effect::None),
            Run::Write(run) => run(args, &mut self.shard.view_mut(db, true), reply),
            Run::Gather(steps) => steps.run_on_one_shard(args, &mut self.shard, db, true, reply),
            Run::Blocking(steps) => {
                steps.run_without_waiting(args, &mut self.shard.view_mut(db, true), reply)
            }
            Run::Session(run) => {
                let mut session = SessionContext { client: &mut self.client, host: &mut self.node };
                run(args, &mut session, reply).map(|()| Effect::None)
            }
            Run::Transaction(_) | Run::Everywhere(_) | Run::Container => unreachable!("not under test"),
        }
    }

    /// The rewritten effects recorded since the last call, as lines.
    pub fn recorded(&mut self) -> Vec<String> {
        let line = |words: Args<'_>| {
            let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            words.join(" ")
        };
        self.shard.effects_mut().take().iter().map(|(_, words)| line(words.as_args())).collect()
    }
}

fn unknown(why: Option<Unknown>, words: &[&[u8]], mut out: Vec<u8>) -> Vec<u8> {
    out.extend_from_slice(b"-unknown: ");
    out.extend_from_slice(format!("{why:?}").as_bytes());
    out.extend(words.iter().flat_map(|word| [b" ", *word].concat()));
    out
}
