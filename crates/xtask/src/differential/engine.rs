//! Tessera's engine in this process: one shard, and a second one that only replays the first one's effects.

use super::equality::{sorted, sorted_pairs};
use tessera_command::{BlockingSteps, Error, Registry, Run};
use tessera_keyspace::{Effect, Shard, ShardSettings, ViewMut};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply};
use tessera_values::{Thresholds, Type};

/// What a key holds: the reply of the command that reads all of it, encoding, expiry in Unix milliseconds.
pub type State = Option<(Vec<u8>, &'static str, Option<i64>)>;

/// Puts the elements of a reply that has no order into one that they have everywhere.
pub type Normal = fn(&[u8]) -> Vec<u8>;

/// Two shards.
pub struct Engine {
    registry: Registry,
    shard: Shard,
    replica: Shard,
}

impl Engine {
    /// Empty shards that let strings become this long, and have collections change where these thresholds say.
    pub fn new(string_max_len_bytes: u64, thresholds: Thresholds) -> Engine {
        let mut engine = Engine {
            registry: Registry::new(&tessera_commands::COMMANDS),
            shard: Shard::new(16, 1),
            replica: Shard::new(16, 2),
        };
        for shard in [&mut engine.shard, &mut engine.replica] {
            shard.set_settings(ShardSettings {
                string_max_len_bytes,
                thresholds,
                ..ShardSettings::default()
            });
        }
        engine.shard.effects_mut().set_recording(true);
        engine
    }

    /// Tells both shards the time.
    pub fn set_now_ms(&mut self, now_ms: i64) {
        self.shard.set_now_ms(now_ms);
        self.replica.set_now_ms(now_ms);
    }

    /// Runs a command and replays its effect. Returns the reply; `None` if the command has no such subcommand.
    pub fn run(&mut self, words: &[Vec<u8>], protocol: Protocol) -> Option<Vec<u8>> {
        let owned = OwnedArgs::from_words(words);
        assert!(self.registry.find(&words[0]).is_some(), "{:?} is no command", owned.as_args());
        let (reply, effect) = run_on(&self.registry, &mut self.shard, 0, owned.as_args(), protocol)?;
        self.shard.remove_met_expired();
        for (db, recorded) in self.shard.effects_mut().take() {
            replay(&self.registry, &mut self.replica, db, recorded.as_args());
        }
        if effect == Effect::Verbatim {
            replay(&self.registry, &mut self.replica, 0, owned.as_args());
        }
        Some(reply)
    }

    /// The type of what `key` holds.
    pub fn value_type(&self, key: &[u8]) -> Option<Type> {
        self.shard.view(0, false).peek(key).map(|entry| entry.value().value_type())
    }

    /// What `key` holds, and what it holds after replaying the effects.
    pub fn states(&mut self, key: &[u8], protocol: Protocol) -> (State, State) {
        let Engine { registry, shard, replica } = self;
        (state(registry, shard, key, protocol), state(registry, replica, key, protocol))
    }
}

/// The words that read all of a value of this type, and what makes their replies comparable.
pub fn reading(value_type: Type, key: &[u8]) -> (Vec<Vec<u8>>, Normal) {
    let as_it_is: Normal = <[u8]>::to_vec;
    let (words, normal): (&[&str], Normal) = match value_type {
        Type::String => (&["GET"], as_it_is),
        Type::List => (&["LRANGE", "0", "-1"], as_it_is),
        Type::Hash => (&["HGETALL"], sorted_pairs),
        Type::Set => (&["SMEMBERS"], sorted),
        Type::SortedSet => (&["ZRANGE", "0", "-1", "WITHSCORES"], as_it_is),
    };
    let mut words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    words.insert(1, key.to_vec());
    (words, normal)
}

fn state(registry: &Registry, shard: &mut Shard, key: &[u8], protocol: Protocol) -> State {
    let entry = shard.view(0, false).peek(key)?;
    let (encoding, at_ms) = (entry.value().encoding_name(), entry.expire_at_ms());
    let (words, normal) = reading(entry.value().value_type(), key);
    let words = OwnedArgs::from_words(&words);
    let (reply, _) = run_on(registry, shard, 0, words.as_args(), protocol)?;
    Some((normal(&reply), encoding, at_ms))
}

fn run_on(
    registry: &Registry,
    shard: &mut Shard,
    db: u16,
    args: Args<'_>,
    protocol: Protocol,
) -> Option<(Vec<u8>, Effect)> {
    let command = registry.resolve(args).ok()?;
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, protocol);
    let result = if !command.takes(args.len()) {
        Err(tessera_command::Error::Arity)
    } else {
        match command.run {
            Run::Read(run) => run(args, shard.view(db, true), &mut reply).map(|()| Effect::None),
            Run::Write(run) => run(args, &mut shard.view_mut(db, true), &mut reply),
            Run::Gather(steps) => steps.run_on_one_shard(args, shard, db, true, &mut reply),
            Run::Blocking(steps) => run_in_vain(&steps, args, &mut shard.view_mut(db, true), &mut reply),
            Run::Session(_) | Run::Transaction(_) | Run::Everywhere(_) | Run::Container => return None,
        }
    };
    let effect = result.unwrap_or_else(|error| {
        assert_eq!(reply.position(), 0, "{args:?} wrote a reply and failed");
        reply.error(error.text(command.full_name));
        error.effect()
    });
    Some((out, effect))
}

/// What a client is told that finds nothing, and whose time is over before anything comes.
fn run_in_vain(
    steps: &BlockingSteps,
    args: Args<'_>,
    db: &mut ViewMut<'_>,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    let wait = (steps.wait)(args)?;
    wait.check(db.now_ms())?;
    let served = steps.try_keys(args, &wait.keys, db, reply)?;
    Ok(served.unwrap_or_else(|| {
        (steps.give_up)(reply);
        Effect::None
    }))
}

/// Carries out what a log would hold.
fn replay(registry: &Registry, shard: &mut Shard, db: u16, args: Args<'_>) {
    assert!(run_on(registry, shard, db, args, Protocol::Resp2).is_some(), "{args:?} cannot be replayed");
}
