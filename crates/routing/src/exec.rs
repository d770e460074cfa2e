//! What a transaction (MULTI ... EXEC) wants of which shards, and in which steps its commands go out.

use crate::slots::{ShardId, SlotTable};
use std::collections::BTreeMap;
use std::ops::Range;
use tessera_command::keys::find_keys_with_flags;
use tessera_command::{Command, KeyFlags, Run, Spread};
use tessera_resp::Args;

/// A queued command.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    /// Which.
    pub command: &'static Command,
    /// Its words.
    pub args: Args<'a>,
    /// The database that it will work on.
    pub db: u16,
}

/// What is wanted of one shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    /// Its keys, each once, and whether they may be changed.
    pub keys: BTreeMap<Box<[u8]>, bool>,
}

/// Commands that follow upon each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// These run on one shard each, or in parts by key, and need nothing of each other: they go out together, in one
    /// message to each shard.
    Together(Range<usize>),
    /// This one is a step of its own: over several shards, about the client, or for all nodes.
    Alone(usize),
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecPlan {
    /// What is wanted, by shard.
    pub participants: BTreeMap<ShardId, Participant>,
    /// All of all shards is wanted, and whether it may be changed.
    pub whole: Option<bool>,
    /// Some command is for all nodes.
    pub for_all_nodes: bool,
    /// The steps, in order.
    pub stages: Vec<Stage>,
}

/// Where one command runs.
enum Place {
    Shards,
    Alone,
}

impl ExecPlan {
    /// Of these commands.
    pub fn of<'a>(commands: impl Iterator<Item = Planned<'a>>, table: &SlotTable) -> ExecPlan {
        let mut plan = ExecPlan::default();
        for (index, planned) in commands.enumerate() {
            let place = plan.place(planned, table);
            match (place, plan.stages.last_mut()) {
                (Place::Shards, Some(Stage::Together(range))) => range.end = index + 1,
                (Place::Shards, _) => plan.stages.push(Stage::Together(index..index + 1)),
                (Place::Alone, _) => plan.stages.push(Stage::Alone(index)),
            }
        }
        plan
    }

    /// One shard has all that is wanted, if anything is.
    pub fn is_only_on(&self, shard: ShardId) -> bool {
        self.whole.is_none() && !self.for_all_nodes && self.participants.keys().all(|other| *other == shard)
    }

    fn place(&mut self, planned: Planned<'_>, table: &SlotTable) -> Place {
        let Planned { command, args, .. } = planned;
        match command.spread {
            Spread::Nowhere => Place::Alone,
            Spread::AllNodes(_) => {
                self.for_all_nodes = true;
                Place::Alone
            }
            Spread::AllShards(_) | Spread::AnyShard | Spread::Cursor { .. } => self.want_all(command),
            Spread::OneShard | Spread::ByKey(_) => {
                self.want_keys(planned, table);
                Place::Shards
            }
            Spread::Gather => {
                let more = match command.run {
                    Run::Gather(steps) => (steps.needs_more)(args),
                    _ => false,
                };
                if more { self.want_all(command) } else { self.want_together(planned, table) }
            }
            Spread::Blocking => self.want_together(planned, table),
        }
    }

    fn want_all(&mut self, command: &Command) -> Place {
        self.whole = Some(self.whole.unwrap_or(false) | command.is_write());
        Place::Alone
    }

    /// Adds the keys of a command. Returns of how many shards they are.
    fn want_keys(&mut self, planned: Planned<'_>, table: &SlotTable) -> usize {
        let Planned { command, args, .. } = planned;
        let mut found = Vec::new();
        // A command whose words do not tell its keys fails where it runs.
        find_keys_with_flags(command, args, &mut found);
        let mut shards = Vec::new();
        for key in found {
            let Some(name) = args.get(key.index) else { continue };
            let shard = table.owner_of(name);
            let writes = command.is_write() && !key.flags.has(KeyFlags::RO);
            *self.participants.entry(shard).or_default().keys.entry(name.into()).or_default() |= writes;
            shards.push(shard);
        }
        shards.sort_unstable();
        shards.dedup();
        shards.len()
    }

    /// The same for a command that wants them on one shard, or else takes steps.
    fn want_together(&mut self, planned: Planned<'_>, table: &SlotTable) -> Place {
        match self.want_keys(planned, table) {
            0 | 1 => Place::Shards,
            _ => Place::Alone,
        }
    }
}
