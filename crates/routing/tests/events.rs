//! Commands over several shards tell of each key what a real server told of it: see `crates/commands/tests/events`.

#[path = "../../commands/tests/support/event_differences.rs"]
mod event_differences;

use event_differences::expected;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use tessera_command::gather::Context;
use tessera_command::spec::Spread;
use tessera_command::{BlockingSteps, Command, Registry, Run};
use tessera_golden::events::{Line, Recording, Step as Recorded};
use tessera_golden::{find_recordings, load_recording};
use tessera_keyspace::{EventClass, EvictionPolicy, Shard, ShardSettings};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply};
use tessera_routing::{GatherAsker, Gathering, SlotTable, Step, TransactionId, split};

const BEGIN_MS: i64 = 1_800_000_000_000;
const DATABASES: u16 = 16;

/// Steps after which several shards tell something else than one: the file, the line, and what they tell.
const ON_SEVERAL_SHARDS: &[(&str, &str, &str)] = &[
    // What is stored is recorded by its value, so a replica need not know that a field was over which it was made
    // without.
    ("of_redis_8", "> SORT list GET w_*->f STORE sorted", "  0 new sorted\n  0 sortstore sorted\n"),
];

/// Events by database and key, in order.
type Told = BTreeMap<(u16, Vec<u8>), Vec<String>>;

/// Several shards without nodes around them.
struct Cluster {
    registry: &'static Registry,
    table: SlotTable,
    shards: Vec<Shard>,
    now_ms: i64,
    /// The client's database.
    db: u16,
}

impl Cluster {
    fn new(shards_len: u16) -> Cluster {
        let table = SlotTable::even(shards_len);
        let shard = |number: u16| {
            let mut shard = Shard::new(DATABASES, u64::from(number));
            let table = table.clone();
            shard.set_owned_keys(Box::new(move |key| table.owner_of(key) == number));
            shard.set_now_ms(BEGIN_MS);
            shard.events_mut().set_listened(true);
            shard
        };
        let shards = (0..shards_len).map(shard).collect();
        let registry = Box::leak(Box::new(Registry::new(&tessera_commands::COMMANDS)));
        Cluster { registry, table, shards, now_ms: BEGIN_MS, db: 0 }
    }

    fn step(&mut self, step: &Recorded) {
        match step {
            Recorded::None => {}
            Recorded::EndOfCase => {
                self.shards.iter_mut().for_each(|shard| (0..DATABASES).for_each(|db| shard.flush(db, false)));
                self.db = 0;
            }
            Recorded::Command { words, .. } => {
                let words = OwnedArgs::from_words(words);
                let args = words.as_args();
                let command = self.registry.resolve(args).unwrap_or_else(|_| panic!("a command: {words:?}"));
                if command.takes(args.len()) {
                    self.run(command, args);
                }
            }
            Recorded::Time { duration_ms } => {
                self.now_ms += *duration_ms as i64;
                self.shards.iter_mut().for_each(|shard| shard.set_now_ms(self.now_ms));
            }
            Recorded::Expire => {
                self.shards.iter_mut().for_each(|shard| while shard.expire_cycle(|| true) > 0 {});
            }
            Recorded::Evict => self.shards.iter_mut().for_each(evict_all),
        }
        self.shards.iter_mut().for_each(Shard::remove_met_expired);
    }

    fn run(&mut self, command: &'static Command, args: Args<'_>) {
        if (command.check)(args).is_err() {
            return;
        }
        match (command.run, command.spread) {
            (Run::Session(_), _) => {
                assert_eq!(command.full_name, "select", "no other is needed");
                self.db = String::from_utf8_lossy(&args[1]).parse().expect("a database");
            }
            (Run::Gather(steps), _) => {
                let context = Context::of(&self.shards[0], self.db);
                let Ok(owners) = Gathering::owners(&steps, args, context, &self.table) else { return };
                match owners.iter().all(|owner| owner == &owners[0]) {
                    true => self.run_on(usize::from(owners[0]), command, args),
                    false => {
                        let started = Gathering::start(
                            command,
                            steps,
                            args,
                            GatherAsker { context, protocol: Protocol::Resp2, touch: true, me: 0 },
                            (TransactionId::default(), None),
                            &self.table,
                        );
                        if let Ok((gathering, step)) = started {
                            self.carry_out(gathering, step);
                        }
                    }
                }
            }
            (Run::Blocking(steps), _) => self.run_blocking(command, steps, args),
            (_, Spread::ByKey(_)) => {
                let (first, step) = split::key_run(command).expect("keys that can be split");
                for part in split::split(args, first, step, &self.table).parts {
                    self.run_on(usize::from(part.shard), command, part.words.as_args());
                }
            }
            (_, Spread::OneShard) => {
                let key = command.lookup(args).expect("a key").key;
                self.run_on(usize::from(self.table.owner_of(key)), command, args);
            }
            _ => (0..self.shards.len()).for_each(|shard| self.run_on(shard, command, args)),
        }
    }

    /// Runs a command on one shard. What it answers is for other tests.
    fn run_on(&mut self, shard: usize, command: &Command, args: Args<'_>) {
        let (shard, db, mut out) = (&mut self.shards[shard], self.db, Vec::new());
        let mut reply = Reply::new(&mut out, Protocol::Resp2);
        let _ = match command.run {
            Run::Read(run) => run(args, shard.view(db, true), &mut reply).err(),
            Run::Write(run) => run(args, &mut shard.view_mut(db, true), &mut reply).err(),
            Run::Gather(steps) => steps.run_on_one_shard(args, shard, db, true, &mut reply).err(),
            _ => panic!("no command of a shard"),
        };
    }

    /// Does all errands of a command, in the order in which they are sent.
    fn carry_out(&mut self, mut gathering: Gathering, mut step: Step) {
        let mut out = VecDeque::new();
        while let Step::Send(errands) = step {
            out.extend(errands);
            let (shard, errand) = out.pop_front().expect("it is not done");
            let part = errand.ticket.part;
            let answer = errand.run(&mut self.shards[usize::from(shard)]);
            step = gathering.answer(part, answer, &self.table, &self.shards[0]);
        }
    }

    /// Looks at the keys in order, and waits for nothing.
    fn run_blocking(&mut self, command: &'static Command, steps: BlockingSteps, args: Args<'_>) {
        let wait = (steps.wait)(args).expect("it was checked");
        for key in wait.keys {
            let owner = usize::from(self.table.owner_of(key));
            if let Some(target) = wait.target
                && usize::from(self.table.owner_of(target.key)) != owner
            {
                let context = Context::of(&self.shards[0], self.db);
                let (gathering, step) = Gathering::start_moving(
                    command,
                    [key, target.key],
                    target.transfer,
                    steps.waits_for,
                    GatherAsker { context, protocol: Protocol::Resp2, touch: true, me: 0 },
                    (TransactionId::default(), None),
                    &self.table,
                );
                return self.carry_out(gathering, step);
            }
            let mut out = Vec::new();
            let mut view = self.shards[owner].view_mut(self.db, true);
            let mut reply = Reply::new(&mut out, Protocol::Resp2);
            if !matches!(steps.try_keys(args, &[key], &mut view, &mut reply), Ok(None)) {
                return;
            }
        }
    }

    fn told(&mut self) -> Told {
        let mut told = Told::new();
        for event in self.shards.iter_mut().flat_map(|shard| shard.events_mut().take()) {
            if event.event.class() != EventClass::Unpublished {
                let place = (event.db, event.key.into());
                told.entry(place).or_default().push(event.event.name().to_owned());
            }
        }
        told
    }
}

fn evict_all(shard: &mut Shard) {
    let settings = shard.settings();
    shard.set_settings(ShardSettings { eviction_policy: EvictionPolicy::AllKeysLru, ..settings });
    while shard.evict().is_some() {}
    shard.set_settings(settings);
}

/// What is to be told of each key after a step.
fn expected_events(file: &str, line: &Line) -> Told {
    let known = ON_SEVERAL_SHARDS.iter().find(|(in_file, at, _)| *in_file == file && *at == line.source);
    let events = known.map_or_else(|| expected(file, line), |(.., told)| (*told).to_owned());
    let text = format!("> PING\n{events}");
    let mut told = Told::new();
    for event in Recording::parse(&text).expect("a step").lines.remove(0).outcome.events {
        told.entry((event.db, event.key)).or_default().push(event.name);
    }
    told
}

/// The cases of a recording in which nobody waits: that is a matter of nodes.
fn cases(recording: &Recording) -> impl Iterator<Item = &[Line]> {
    let others =
        |line: &Line| matches!(&line.step, Recorded::Command { connection, .. } if connection != "main");
    recording
        .lines
        .split_inclusive(|line| line.step == Recorded::EndOfCase)
        .filter(move |case| !case.iter().any(others))
}

#[test]
fn keys_on_several_shards_are_told_of_as_keys_on_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../commands/tests/events");
    let mut differences = Vec::new();
    for shards_len in [2, 5] {
        let mut cluster = Cluster::new(shards_len);
        for path in find_recordings(&folder).expect("the folder") {
            let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let recording = load_recording(&path).expect("a recording");
            for line in cases(&recording).flatten() {
                cluster.step(&line.step);
                let (expected, got) = (expected_events(&file, line), cluster.told());
                if got != expected {
                    differences.push(format!(
                        "{file}:{} on {shards_len} shards: {}\n expected: {expected:?}\n got:      {got:?}",
                        line.number, line.source
                    ));
                }
            }
            cluster.step(&Recorded::EndOfCase);
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
