//! What EXEC comes down to: which shards have a share in it, what it wants of their keys, and what they do by
//! themselves.
//!
//! As all words are known, and nobody comes between, commands on different shards may run in any order, and so may
//! parts of one. If all that is queued consists of such parts the transaction is *plain*: each shard is told at once
//! what it has to do. Otherwise all keys of all commands are held first; then the commands run one after the other,
//! those that consist of parts without waiting for each other.

use crate::cursor::Walk;
use crate::gather::Gathering;
use crate::intents::{Access, Wants};
use crate::merge::{Assembly, Merging};
use crate::message::{Part, WatchedKey};
use crate::parts::{Mode, Share};
use crate::slots::{ShardId, SlotTable};
use crate::split;
use std::collections::BTreeMap;
use tessera_command::gather::Context;
use tessera_command::keys::{KeyAt, find_keys};
use tessera_command::{Command, KeyFlags, Run, Spread};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol};

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

/// For whom, and where from.
#[derive(Clone, Copy, Debug)]
pub struct ExecAsker<'a> {
    /// What there is to know of shards.
    pub context: Context,
    /// What the client speaks.
    pub protocol: Protocol,
    /// The home's own shard.
    pub me: ShardId,
    /// Where keys are.
    pub table: &'a SlotTable,
}

/// What one shard does of a command.
#[derive(Debug)]
pub struct StepPart {
    /// Who runs it.
    pub shard: ShardId,
    /// The words.
    pub words: OwnedArgs,
}

/// One of the commands.
#[derive(Debug)]
pub enum ExecStep {
    /// It consists of what shards do by themselves, and that is how their replies become one.
    Parts(Vec<StepPart>, Merging),
    /// It is about the client or the server, or brings keys of several shards together.
    Alone,
}

/// A key, and what it is wanted for.
type Wanted = (Box<[u8]>, Access);

/// See the module.
#[derive(Debug, Default)]
pub struct ExecPlan {
    /// What is wanted of each shard.
    keys: BTreeMap<ShardId, Vec<Wanted>>,
    /// All shards are wanted whole.
    whole: Option<Access>,
    /// What becomes of the commands, in their order.
    pub steps: Vec<ExecStep>,
    is_write: bool,
}

/// What a command does with a key.
fn access_at(command: &Command, flags: KeyFlags) -> Access {
    if command.is_write() && !flags.has(KeyFlags::RO) { Access::Write } else { Access::Read }
}

fn access_of(command: &Command) -> Access {
    if command.is_write() { Access::Write } else { Access::Read }
}

/// Whether a shard has all that these commands want, or they want nothing of any: then no plan is needed.
pub fn is_only_on<'a>(
    shard: ShardId,
    commands: impl IntoIterator<Item = Planned<'a>>,
    context: Context,
    table: &SlotTable,
) -> bool {
    let mut found = Vec::new();
    commands.into_iter().all(|Planned { command, args, db }| match command.spread {
        Spread::Nowhere => true,
        Spread::AllNodes(_) | Spread::AllShards(_) | Spread::AnyShard | Spread::Cursor { .. } => false,
        Spread::Gather => match command.run {
            Run::Gather(steps) => Gathering::owners(&steps, args, Context { db, ..context }, table)
                .is_ok_and(|owners| owners.iter().all(|owner| *owner == shard)),
            _ => false,
        },
        Spread::OneShard | Spread::ByKey(_) | Spread::Blocking => {
            found.clear();
            // A command whose words do not tell its keys fails wherever it runs.
            find_keys(command, args, &mut found);
            let mut keys = found.iter().filter_map(|found| args.get(found.index));
            keys.all(|key| table.owner_of(key) == shard)
        }
    })
}

impl ExecPlan {
    /// Of these commands. `by_chance`: all shards, in the order in which they are preferred if any would do, for this
    /// database.
    pub fn of<'a>(
        commands: impl IntoIterator<Item = Planned<'a>>,
        asker: ExecAsker<'_>,
        mut by_chance: impl FnMut(u16) -> Vec<ShardId>,
    ) -> ExecPlan {
        let mut plan = ExecPlan::default();
        for planned in commands {
            plan.is_write |= planned.command.is_write();
            let step = plan.step(planned, asker, &mut by_chance);
            plan.steps.push(step);
        }
        plan
    }

    fn step(
        &mut self,
        planned: Planned<'_>,
        asker: ExecAsker<'_>,
        by_chance: &mut impl FnMut(u16) -> Vec<ShardId>,
    ) -> ExecStep {
        let Planned { command, args, db } = planned;
        match command.spread {
            Spread::Nowhere | Spread::AllNodes(_) => ExecStep::Alone,
            Spread::OneShard => {
                let key = command.first_key().and_then(|index| args.get(index));
                let owner = key.map_or(asker.me, |key| asker.table.owner_of(key));
                self.want_found(planned, |_| owner);
                on_one(owner, args)
            }
            Spread::ByKey(_) => self.by_key(planned, asker),
            Spread::Gather => self.gather(planned, asker),
            Spread::Blocking => self.block(planned, asker),
            Spread::AllShards(merge) => {
                self.want_whole(access_of(command));
                let parts =
                    (0..asker.table.shards()).map(|shard| (shard, OwnedArgs::from_words(args.iter())));
                let parts: Vec<StepPart> = parts.map(StepPart::from).collect();
                let assembly = Assembly::new(merge, parts.len(), Vec::new());
                ExecStep::Parts(parts, Merging::Assembly(assembly))
            }
            Spread::AnyShard => {
                self.want_whole(access_of(command));
                let parts =
                    by_chance(db).into_iter().map(|shard| (shard, OwnedArgs::from_words(args.iter())));
                let parts: Vec<StepPart> = parts.map(StepPart::from).collect();
                let assembly = Assembly::of_first_present(parts.len());
                ExecStep::Parts(parts, Merging::Assembly(assembly))
            }
            Spread::Cursor { cursor, count } => {
                self.want_whole(access_of(command));
                let words = OwnedArgs::from_words(args.iter());
                let mut walk = Walk::new(words, cursor, count, asker.protocol, asker.table.shards());
                let parts = walk.restart().into_iter().map(StepPart::from).collect();
                ExecStep::Parts(parts, Merging::Walk(Box::new(walk)))
            }
        }
    }

    fn want_whole(&mut self, access: Access) {
        self.whole = Some(self.whole.map_or(access, |other| other.max(access)));
    }

    fn want(&mut self, shard: ShardId, key: &[u8], access: Access) {
        self.keys.entry(shard).or_default().push((key.into(), access));
    }

    /// Wants the keys that the words of a command name, where `owner_of` says.
    fn want_found(&mut self, planned: Planned<'_>, owner_of: impl Fn(&[u8]) -> ShardId) {
        let Planned { command, args, .. } = planned;
        let mut found: Vec<KeyAt> = Vec::new();
        find_keys(command, args, &mut found);
        for KeyAt { index, flags } in found {
            if let Some(key) = args.get(index) {
                self.want(owner_of(key), key, access_at(command, flags));
            }
        }
    }

    fn by_key(&mut self, planned: Planned<'_>, asker: ExecAsker<'_>) -> ExecStep {
        let Planned { command, args, .. } = planned;
        let run = split::key_run(command).filter(|(first, _)| args.len() > *first);
        let (Some((first, step)), Ok(()), Spread::ByKey(merge)) =
            (run, (command.check)(args), command.spread)
        else {
            // It says what is wrong with it wherever it runs.
            return on_one(asker.me, args);
        };
        self.want_found(planned, |key| asker.table.owner_of(key));
        let split = split::split(args, first, step, asker.table);
        let merging = match split.parts.len() {
            1 => Merging::Only,
            len => Merging::Assembly(Assembly::new(merge, len, split.order)),
        };
        let parts = split.parts.into_iter().map(|part| StepPart { shard: part.shard, words: part.words });
        ExecStep::Parts(parts.collect(), merging)
    }

    fn gather(&mut self, planned: Planned<'_>, asker: ExecAsker<'_>) -> ExecStep {
        let Planned { command, args, db } = planned;
        let Run::Gather(steps) = command.run else { return on_one(asker.me, args) };
        let context = Context { db, ..asker.context };
        let mut needs = Vec::new();
        if (steps.needs)(args, context, &mut needs).is_err() {
            return on_one(asker.me, args);
        }
        let keys: Vec<&[u8]> = needs.iter().map(|need| need.key).collect();
        let step = self.together(&keys, planned, asker);
        if (steps.needs_more)(args) {
            self.want_whole(Access::Read);
            return ExecStep::Alone;
        }
        step
    }

    fn block(&mut self, planned: Planned<'_>, asker: ExecAsker<'_>) -> ExecStep {
        let Run::Blocking(steps) = planned.command.run else { return on_one(asker.me, planned.args) };
        let Ok(wait) = (steps.wait)(planned.args) else { return on_one(asker.me, planned.args) };
        let target = wait.target.as_ref().map(|target| target.key);
        let keys: Vec<&[u8]> = wait.keys.iter().copied().chain(target).collect();
        self.together(&keys, planned, asker)
    }

    /// A command that runs on one shard if that has all of its keys.
    fn together(&mut self, keys: &[&[u8]], planned: Planned<'_>, asker: ExecAsker<'_>) -> ExecStep {
        let access = access_of(planned.command);
        let owners: Vec<ShardId> = keys.iter().map(|key| asker.table.owner_of(key)).collect();
        keys.iter().zip(&owners).for_each(|(key, owner)| self.want(*owner, key, access));
        let first = owners.first().copied().unwrap_or(asker.me);
        if owners.iter().all(|owner| *owner == first) { on_one(first, planned.args) } else { ExecStep::Alone }
    }

    /// Each shard can do its own by itself.
    pub fn is_plain(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, ExecStep::Parts(..)))
    }

    /// What becomes of the parts of its shares.
    pub fn mode(&self) -> Mode {
        match (self.is_plain(), self.is_write) {
            (false, _) => Mode::Hold,
            (true, true) => Mode::Write,
            (true, false) => Mode::Read,
        }
    }

    /// What is wanted of each shard, with those keys that are watched, and what each has to do: nothing but to hold its
    /// keys, if the transaction is not plain. `commands`: those that the plan is of.
    pub fn shares<'a>(
        &mut self,
        commands: impl IntoIterator<Item = &'static Command>,
        watched: impl IntoIterator<Item = (ShardId, WatchedKey)>,
        asker: ExecAsker<'a>,
    ) -> Vec<Share> {
        let mut parts: BTreeMap<ShardId, Vec<Part>> = BTreeMap::new();
        if self.is_plain() {
            let mut number = 0;
            for (command, step) in commands.into_iter().zip(&mut self.steps) {
                let ExecStep::Parts(of_step, _) = step else { continue };
                for part in of_step {
                    let words = std::mem::take(&mut part.words);
                    let of_shard = parts.entry(part.shard).or_default();
                    of_shard.push(Part { number, command, words, protocol: asker.protocol });
                    number += 1;
                }
            }
        }
        let mut by_shard: BTreeMap<ShardId, Vec<WatchedKey>> = BTreeMap::new();
        watched.into_iter().for_each(|(shard, key)| by_shard.entry(shard).or_default().push(key));
        let mut shards: Vec<ShardId> =
            self.keys.keys().chain(parts.keys()).chain(by_shard.keys()).copied().collect();
        if self.whole.is_some() {
            shards = (0..asker.table.shards()).collect();
        }
        shards.sort_unstable();
        shards.dedup();
        let share = |shard| {
            let keys = self.keys.remove(&shard).unwrap_or_default();
            let watched = by_shard.remove(&shard).unwrap_or_default();
            let wanted = keys.iter().map(|(key, access)| (&**key, *access));
            let wants = Wants::keys(wanted.chain(watched.iter().map(|key| (&*key.key, Access::Read))));
            let wants = match self.whole {
                Some(access) => wants.and_whole(access),
                None => wants,
            };
            Share { shard, wants, watched, parts: parts.remove(&shard).unwrap_or_default() }
        };
        shards.into_iter().map(share).collect()
    }
}

impl From<(ShardId, OwnedArgs)> for StepPart {
    fn from((shard, words): (ShardId, OwnedArgs)) -> StepPart {
        StepPart { shard, words }
    }
}

/// A command that one shard runs whole.
fn on_one(shard: ShardId, args: Args<'_>) -> ExecStep {
    let words = OwnedArgs::from_words(args.iter());
    ExecStep::Parts(vec![StepPart { shard, words }], Merging::Only)
}
