//! What the effects of a shard lead to where they are replayed, as a log or a replica of that shard alone would.
//!
//! A replica decides by what it is told, as one of Redis does: for it no key's time is ever over, and a key or a field
//! goes when an effect says so. It is therefore to hold to the byte what its shard holds, with all that the shard has
//! found over and not removed yet.

use crate::world::registry;
use std::collections::BTreeMap;
use tessera_command::Run;
use tessera_keyspace::{Effect, Shard};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply};
use tessera_values::Value;

/// A write that was recorded: its database and its words.
pub type Recorded = (u16, OwnedArgs);

/// What a shard holds: by database and key, the value and the expiry.
type Contents = BTreeMap<(u16, Vec<u8>), (Value, Option<i64>)>;

/// A shard that is told nothing but effects.
pub struct Replica {
    shard: Shard,
    /// What it was told since it was last compared.
    told: Vec<Recorded>,
}

impl Replica {
    /// One that holds what `original` holds now.
    pub fn of(original: &Shard) -> Replica {
        // Its clock stands still at 0, where the time of no key is over.
        let mut shard = Shard::new(original.databases_len() as u16, 1);
        for ((db, key), (value, expire_at_ms)) in contents(original) {
            shard.insert_loaded(db, &key, value, expire_at_ms, None, None);
        }
        Replica { shard, told: Vec::new() }
    }

    /// Replays what `original` has recorded since the last call, and panics unless that leads to what it holds.
    pub fn follow(&mut self, original: &Shard, recorded: Vec<Recorded>) {
        self.shard.set_settings(original.settings());
        for (db, words) in recorded {
            let _ = run(&mut self.shard, db, words.as_args());
            self.told.push((db, words));
        }
        self.compare(original);
        self.told.clear();
    }

    fn compare(&self, original: &Shard) {
        let (expected, got) = (contents(original), contents(&self.shard));
        for place in expected.keys().chain(got.keys()) {
            if expected.get(place) == got.get(place) {
                continue;
            }
            let (db, key) = place;
            panic!(
                "after a replay, {} of database {db} differs:\n  is          {:?}\n  replayed is {:?}\nrecorded of \
                    it:\n{}",
                key.escape_ascii(),
                expected.get(place),
                got.get(place),
                self.told_of(key)
            );
        }
    }

    fn told_of(&self, key: &[u8]) -> String {
        let is_about = |(_, words): &&Recorded| {
            let is_of_all = registry().resolve(words.as_args()).is_ok_and(|command| !command.has_keys());
            is_of_all || words.as_args().iter().any(|word| word == key)
        };
        let about = self.told.iter().filter(is_about);
        let lines: Vec<String> =
            about.map(|(db, words)| format!("  db {db}: {:?}", words.as_args())).collect();
        lines.join("\n")
    }
}

/// Runs a write on a shard by itself. An effect to be replayed word by word is the caller's to record.
pub fn run(shard: &mut Shard, db: u16, args: Args<'_>) -> Effect {
    let Ok(command) = registry().resolve(args) else { return Effect::None };
    if !command.takes(args.len()) {
        return Effect::None;
    }
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, Protocol::Resp2);
    let result = match command.run {
        Run::Write(run) => run(args, &mut shard.view_mut(db, true), &mut reply),
        Run::Gather(steps) => steps.run_on_one_shard(args, shard, db, true, &mut reply),
        Run::Blocking(steps) => steps.run_without_waiting(args, &mut shard.view_mut(db, true), &mut reply),
        _ => panic!("{} is recorded, but is no write", command.full_name),
    };
    result.unwrap_or_else(|error| error.effect())
}

fn contents(shard: &Shard) -> Contents {
    let mut contents = Contents::new();
    for db in 0..shard.databases_len() as u16 {
        for entry in shard.database(db).table().iter() {
            contents.insert((db, entry.key().to_vec()), (entry.value().to_value(), entry.expire_at_ms()));
        }
    }
    contents
}
