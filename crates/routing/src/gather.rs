//! A [`tessera_command::Gather`] command whose keys lie on several shards.
//!
//! Look on every owner, decide, change on every owner, reply. All keys are held from the first look to the last change,
//! see [`crate::intents`]: nothing comes between, and nobody sees a part of it. A command that finds the names of
//! further texts on its way, as SORT does, reads all shards whole.

use crate::intents::{Access, TransactionId, Wants};
use crate::message::{Acquire, Answer, Errand, ErrandKind, Look, Progress, Seen, Ticket, When, Work};
use crate::slots::{ShardId, SlotTable};
use crate::transaction::{Step, Transaction};
use std::collections::BTreeMap;
use tessera_command::gather::{Context, Steps, What};
use tessera_command::{Change, Command, Error, Found, Need, TextNeed, Transfer};
use tessera_keyspace::{Event, Expire, Shard};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply};
use tessera_values::{StringValue, Type, ValueRef};

#[derive(Debug)]
struct Key {
    key: Box<[u8]>,
    db: u16,
    shard: ShardId,
    what: What,
    /// What was found there.
    seen: Seen,
}

impl Key {
    /// What it holds, which was seen there: a value that stays where it is, and is held, is as it was.
    fn value<'a>(&'a self, asker: &GatherAsker, near: &'a Shard) -> Option<ValueRef<'a>> {
        match &self.seen.value {
            None if self.shard == asker.me && self.seen.present => {
                near.database(self.db).table().get(&self.key).map(|entry| entry.value())
            }
            value => value.as_ref().map(|value| value.as_ref()),
        }
    }

    fn is_value_needed(&self) -> bool {
        matches!(self.what, What::Value | What::Enlarged)
    }

    fn found<'a>(&'a self, asker: &GatherAsker, near: &'a Shard) -> Found<'a> {
        let Seen { present, value_type, expire_at_ms, .. } = self.seen;
        let value = if self.is_value_needed() { self.value(asker, near) } else { None };
        Found { present, value, value_type, expire_at_ms }
    }
}

/// A text that the command found to need.
#[derive(Debug)]
struct Text {
    shard: ShardId,
    value: Option<StringValue>,
}

/// What the answer to an errand is for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// To decide: what there is at the keys of this shard.
    Look(ShardId),
    /// To decide, or to know what else to find: the texts of this shard.
    FindTexts(ShardId),
    /// To know that it happened.
    Change,
    /// To put what was taken at this key.
    MoveTo(usize),
    /// To give the element that was taken.
    Taken(ElementMove),
    /// To know whether it was.
    Given(ElementMove),
    /// To tell the client.
    Act,
}

/// How an element goes from one key to another.
#[derive(Clone, Copy, Debug)]
struct ElementMove {
    from: usize,
    to: usize,
    transfer: &'static Transfer,
}

/// Who decides.
#[derive(Clone, Copy)]
enum Plan {
    /// The command.
    Steps(Steps),
    /// An element is moved from the first key to the second, if these are of this type or not there.
    Moving(&'static Transfer, Type),
}

/// For whom such a command is.
#[derive(Clone, Copy, Debug)]
pub struct GatherAsker {
    /// What there is to know of shards, and the client's database.
    pub context: Context,
    /// What the client speaks.
    pub protocol: Protocol,
    /// Uses of keys are noted.
    pub touch: bool,
    /// The home's own shard, where values are read without being copied.
    pub me: ShardId,
}

/// What a command that may write does with its keys, whichever it is; one that only reads reads them all.
fn access_of(command: &Command) -> Access {
    if command.is_write() { Access::Write } else { Access::Read }
}

/// What is wanted of each shard, by the keys there.
fn wants_of<'a>(keys: impl Iterator<Item = (ShardId, &'a [u8])>, access: Access) -> BTreeMap<ShardId, Wants> {
    let mut by_shard: BTreeMap<ShardId, Vec<(&[u8], Access)>> = BTreeMap::new();
    keys.for_each(|(shard, key)| by_shard.entry(shard).or_default().push((key, access)));
    by_shard.into_iter().map(|(shard, keys)| (shard, Wants::keys(keys))).collect()
}

/// One such command under way.
pub struct Gathering {
    command: &'static Command,
    plan: Plan,
    words: OwnedArgs,
    asker: GatherAsker,
    /// Connection and sequence of the command; the part counts its errands.
    ticket: Ticket,
    keys: Vec<Key>,
    transaction: Transaction,
    /// The moment, in Unix milliseconds, of the transaction that holds the keys for this command and others.
    moment_ms: Option<i64>,
    texts: Vec<Text>,
    /// From which of them on answers have yet to come.
    texts_found: usize,
    /// By errand number.
    purposes: Vec<Purpose>,
    out: usize,
    decided: bool,
    reply: Vec<u8>,
}

impl Gathering {
    /// The shards of the command's keys, as far as it reads its words; for seeing whether it is one. All of them, if
    /// there may be keys that are not known yet.
    ///
    /// # Errors
    /// What the client is told instead.
    pub fn owners(
        steps: &Steps,
        args: Args<'_>,
        context: Context,
        table: &SlotTable,
    ) -> Result<Vec<ShardId>, Error> {
        let mut needs = Vec::new();
        (steps.needs)(args, context, &mut needs)?;
        if (steps.needs_more)(args) {
            return Ok((0..table.shards()).collect());
        }
        Ok(needs.iter().map(|need| table.owner_of(need.key)).collect())
    }

    /// Begins: the first errands. `transaction`: its name at the owners; and at which moment, in Unix milliseconds, if
    /// it holds the keys there already.
    ///
    /// # Errors
    /// What the client is told instead.
    pub fn start(
        command: &'static Command,
        steps: Steps,
        args: Args<'_>,
        mut asker: GatherAsker,
        (transaction, moment_ms): (TransactionId, Option<i64>),
        table: &SlotTable,
    ) -> Result<(Gathering, Step), Error> {
        asker.context.now_ms = moment_ms.unwrap_or(asker.context.now_ms);
        let mut needs: Vec<Need<'_>> = Vec::new();
        (steps.needs)(args, asker.context, &mut needs)?;
        let keys = needs.iter().map(|need| Key {
            key: need.key.into(),
            db: need.db.unwrap_or(asker.context.db),
            shard: table.owner_of(need.key),
            what: need.what,
            seen: Seen::default(),
        });
        let keys: Vec<Key> = keys.collect();
        let wants = if (steps.needs_more)(args) {
            let names = keys.iter().map(|key| (key.shard, &*key.key));
            let mut wants = wants_of(names, access_of(command));
            let mut of_shard = |shard| wants.remove(&shard).unwrap_or_default().and_whole(Access::Read);
            (0..table.shards()).map(|shard| (shard, of_shard(shard))).collect()
        } else {
            wants_of(keys.iter().map(|key| (key.shard, &*key.key)), access_of(command))
        };
        let plan = Plan::Steps(steps);
        let words = OwnedArgs::from_words(args.iter());
        let transaction = Transaction::new(transaction, wants);
        let mut gathering = Gathering::new(command, plan, words, asker, keys, transaction);
        let step = gathering.acquire(moment_ms);
        Ok((gathering, step))
    }

    /// Begins to move an element for a blocking command, whose turn it is at the source's owner. Whether there is one
    /// left is seen when both keys are held.
    pub fn start_moving(
        command: &'static Command,
        [from, to]: [&[u8]; 2],
        transfer: &'static Transfer,
        value_type: Type,
        asker: GatherAsker,
        (transaction, moment_ms): (TransactionId, Option<i64>),
        table: &SlotTable,
    ) -> (Gathering, Step) {
        let keys = [from, to].map(|key| Key {
            key: key.into(),
            db: asker.context.db,
            shard: table.owner_of(key),
            what: What::Type,
            seen: Seen::default(),
        });
        let wants = wants_of(keys.iter().map(|key| (key.shard, &*key.key)), Access::Write);
        let plan = Plan::Moving(transfer, value_type);
        let words = OwnedArgs::new();
        let transaction = Transaction::new(transaction, wants);
        let mut gathering = Gathering::new(command, plan, words, asker, keys.into(), transaction);
        let step = gathering.acquire(moment_ms);
        (gathering, step)
    }

    fn new(
        command: &'static Command,
        plan: Plan,
        words: OwnedArgs,
        asker: GatherAsker,
        keys: Vec<Key>,
        transaction: Transaction,
    ) -> Gathering {
        let TransactionId { connection, sequence, .. } = transaction.id();
        Gathering {
            command,
            plan,
            words,
            asker,
            ticket: Ticket { connection, sequence, part: 0 },
            keys,
            transaction,
            moment_ms: None,
            texts: Vec::new(),
            texts_found: 0,
            purposes: Vec::new(),
            out: 0,
            decided: false,
            reply: Vec::new(),
        }
    }

    /// Asks all owners for their keys, and what is there; or only for that, if they are held and let go of by others.
    fn acquire(&mut self, moment_ms: Option<i64>) -> Step {
        self.moment_ms = moment_ms;
        if moment_ms.is_some() {
            self.transaction.decide();
            return self.look_again();
        }
        let shards: Vec<ShardId> = self.transaction.shards().collect();
        Step::Send(shards.into_iter().map(|shard| self.ask(shard)).collect())
    }

    fn ask(&mut self, shard: ShardId) -> (ShardId, Errand) {
        let wants = self.transaction.ask(shard);
        let work = Work::Look(self.looks_at(shard));
        let kind =
            ErrandKind::Acquire(Box::new(Acquire { wants, watched: Vec::new(), work, when: When::Held }));
        self.errand_to(shard, kind, Purpose::Look(shard))
    }

    fn looks_at(&self, shard: ShardId) -> Vec<Look> {
        let of_shard = self.keys.iter().filter(|key| key.shard == shard);
        let stays = shard == self.asker.me;
        of_shard.map(|key| Look { key: key.key.clone(), db: key.db, what: key.what, stays }).collect()
    }

    /// Looks at the keys, which are held. Perhaps once more: one is no longer what it was when it was looked at,
    /// because its time is over. Nothing else can have come between.
    fn look_again(&mut self) -> Step {
        self.purposes.clear();
        self.texts.clear();
        self.texts_found = 0;
        self.decided = false;
        let mut shards: Vec<ShardId> = self.keys.iter().map(|key| key.shard).collect();
        shards.sort_unstable();
        shards.dedup();
        let look = |shard| {
            let looks = self.looks_at(shard);
            self.errand_to(shard, ErrandKind::Look(looks), Purpose::Look(shard))
        };
        Step::Send(shards.into_iter().map(look).collect())
    }

    /// An older transaction wants what this shard holds for this one.
    pub fn yield_at(&mut self, shard: ShardId) -> Step {
        if !self.transaction.must_yield(shard) {
            return Step::Send(Vec::new());
        }
        let release = self.errand_with(self.ticket, ErrandKind::Release);
        Step::Send(vec![(shard, release), self.ask(shard)])
    }

    /// Takes in what was seen at the keys of a shard. All that were asked may have answered.
    fn take_seen(&mut self, shard: ShardId, answer: Answer, table: &SlotTable, near: &Shard) -> Step {
        let of_shard = self.keys.iter_mut().filter(|key| key.shard == shard);
        of_shard.zip(answer.seen).for_each(|(key, seen)| key.seen = seen);
        if answer.progress == Some(Progress::Held) && self.transaction.note_held(shard) {
            self.transaction.decide();
        }
        if self.out == 0 && self.transaction.is_decided() {
            return self.go_on(table, near);
        }
        Step::Send(Vec::new())
    }

    /// Lets go of all keys.
    fn release(&mut self) -> Vec<(ShardId, Errand)> {
        let shards = self.transaction.let_go();
        shards.into_iter().map(|shard| (shard, self.errand_with(self.ticket, ErrandKind::Release))).collect()
    }

    fn done(&mut self) -> Step {
        let reply = std::mem::take(&mut self.reply);
        Step::Done(reply, self.release())
    }

    /// Has the owners look for further texts if there are any to look for; decides if not.
    fn go_on(&mut self, table: &SlotTable, near: &Shard) -> Step {
        self.texts_found = self.texts.len();
        let mut needs = Vec::new();
        if let Plan::Steps(steps) = self.plan
            && (steps.needs_more)(self.words.as_args())
        {
            (steps.text_needs)(self.words.as_args(), self.asker.context, &self.found(near), &mut needs);
        }
        if needs.is_empty() {
            return self.decide(near);
        }
        // One errand for each shard, however many texts it has.
        let mut by_shard: Vec<Vec<TextNeed>> = vec![Vec::new(); usize::from(table.shards())];
        for need in needs {
            let shard = table.owner_of(&need.key);
            self.texts.push(Text { shard, value: None });
            by_shard[usize::from(shard)].push(need);
        }
        let mut errands = Vec::new();
        for (shard, needs) in (0..).zip(by_shard).filter(|(_, needs)| !needs.is_empty()) {
            let kind = ErrandKind::FindTexts { needs };
            errands.push(self.errand_to(shard, kind, Purpose::FindTexts(shard)));
        }
        Step::Send(errands)
    }

    /// All that was found so far.
    fn found<'a>(&'a self, near: &'a Shard) -> Vec<Found<'a>> {
        let texts = self.texts[..self.texts_found].iter();
        let texts = texts.map(|text| Found::of_text(text.value.as_ref().map(StringValue::as_ref)));
        self.keys.iter().map(|key| key.found(&self.asker, near)).chain(texts).collect()
    }

    /// An errand about the key at `index`, which counts the command's own needs.
    fn errand(&mut self, index: usize, kind: ErrandKind, purpose: Purpose) -> (ShardId, Errand) {
        let Key { shard, db, ref key, .. } = self.keys[index];
        let key = key.clone();
        let (shard, errand) = self.errand_to(shard, kind, purpose);
        (shard, Errand { db, key, ..errand })
    }

    fn errand_to(&mut self, shard: ShardId, kind: ErrandKind, purpose: Purpose) -> (ShardId, Errand) {
        let part = self.purposes.len() as u32;
        self.purposes.push(purpose);
        self.out += 1;
        let ticket = Ticket { part, ..self.ticket };
        (shard, self.errand_with(ticket, kind))
    }

    /// An errand that is about no key.
    fn errand_with(&self, ticket: Ticket, kind: ErrandKind) -> Errand {
        let GatherAsker { context, touch, .. } = self.asker;
        Errand {
            transaction: self.transaction.id(),
            ticket,
            db: context.db,
            touch,
            moment_ms: self.moment_ms,
            key: Box::default(),
            kind,
        }
    }

    /// Takes in the answer to errand number `part`. `near`: the home's own shard.
    pub fn answer(&mut self, part: u32, answer: Answer, table: &SlotTable, near: &Shard) -> Step {
        let Some(purpose) = self.purposes.get(part as usize).copied() else {
            return Step::Send(Vec::new());
        };
        self.out -= 1;
        match purpose {
            Purpose::Look(shard) => return self.take_seen(shard, answer, table, near),
            Purpose::FindTexts(shard) => {
                let awaited = self.texts[self.texts_found..].iter_mut().filter(|text| text.shard == shard);
                awaited.zip(answer.texts).for_each(|(text, found)| text.value = found);
            }
            Purpose::Change => {}
            Purpose::Taken(_) if answer.element.is_none() && matches!(self.plan, Plan::Moving(..)) => {
                return Step::Absent(self.release());
            }
            Purpose::Taken(way) => {
                self.write_reply(|reply| (way.transfer.reply)(answer.element.as_deref(), reply));
                if let Some(element) = answer.element {
                    let kind = ErrandKind::GiveElement(element, way.transfer.give);
                    return Step::Send(vec![self.errand(way.to, kind, Purpose::Given(way))]);
                }
            }
            Purpose::Given(way) => {
                if let Some(element) = answer.element {
                    // The target has become something else since it was looked at.
                    let name = self.command.full_name;
                    self.write_reply(|reply| reply.error(Error::WRONG_TYPE.text(name)));
                    let kind = ErrandKind::GiveElement(element, way.transfer.give_back);
                    return Step::Send(vec![self.errand(way.from, kind, Purpose::Change)]);
                }
            }
            Purpose::Act => match answer.reply {
                Some(Ok(written)) => self.reply = written,
                Some(Err(error)) => {
                    let name = self.command.full_name;
                    self.write_reply(|reply| reply.error(error.text(name)));
                }
                None => return self.look_again(),
            },
            Purpose::MoveTo(to) => {
                let Some((value, expire_at_ms)) = answer.taken else { return self.look_again() };
                let expire = expire_at_ms.map_or(Expire::Clear, Expire::AtMs);
                return Step::Send(vec![self.errand(
                    to,
                    ErrandKind::Put(value, expire, Event::RenameTo),
                    Purpose::Change,
                )]);
            }
        }
        match (self.out, self.decided) {
            (0, false) => self.go_on(table, near),
            (0, true) => self.done(),
            _ => Step::Send(Vec::new()),
        }
    }

    fn write_reply(&mut self, write: impl FnOnce(&mut Reply<'_>)) {
        self.reply.clear();
        write(&mut Reply::new(&mut self.reply, self.asker.protocol));
    }

    fn decide(&mut self, near: &Shard) -> Step {
        self.decided = true;
        let (mut changes, mut out) = (Vec::new(), Vec::new());
        let decided = match self.plan {
            Plan::Steps(steps) => {
                let mut reply = Reply::new(&mut out, self.asker.protocol);
                let (words, found) = (self.words.as_args(), self.found(near));
                (steps.decide)(words, self.asker.context, &found, &mut changes, &mut reply)
            }
            Plan::Moving(transfer, value_type) => {
                let is_there = |index: usize| {
                    let held = self.keys.get(index).and_then(|key: &Key| key.seen.value_type);
                    match held {
                        Some(held) if held != value_type => Err(Error::WRONG_TYPE),
                        held => Ok(held.is_some()),
                    }
                };
                match (is_there(0), is_there(1)) {
                    (Ok(false), _) => return Step::Absent(self.release()),
                    (Ok(true), Ok(_)) => {
                        changes.push(Change::Transfer { from: 0, to: 1, what: Box::default(), transfer });
                        Ok(())
                    }
                    (Err(error), _) | (_, Err(error)) => Err(error),
                }
            }
        };
        if let Err(error) = decided {
            out.clear();
            Reply::new(&mut out, self.asker.protocol).error(error.text(self.command.full_name));
            changes.clear();
        }
        self.reply = out;
        let errands: Vec<_> = changes.into_iter().filter_map(|change| self.change(change, near)).collect();
        if errands.is_empty() { self.done() } else { Step::Send(errands) }
    }

    fn change(&mut self, change: Change, near: &Shard) -> Option<(ShardId, Errand)> {
        let (index, kind, purpose) = match change {
            Change::Put { index, value, expire, event } => {
                (index, ErrandKind::Put(value, expire, event), Purpose::Change)
            }
            Change::Copy { from, to, expire, event } => {
                let sent = self.keys[from].seen.value.take();
                let copy = || self.keys[from].value(&self.asker, near).map(ValueRef::to_value);
                (to, ErrandKind::Put(sent.or_else(copy)?, expire, event), Purpose::Change)
            }
            Change::Remove { index } => (index, ErrandKind::Remove, Purpose::Change),
            Change::Move { from, to } => (from, ErrandKind::Take, Purpose::MoveTo(to)),
            Change::Transfer { from, to, what, transfer } => {
                let kind = ErrandKind::TakeElement(what, transfer);
                (from, kind, Purpose::Taken(ElementMove { from, to, transfer }))
            }
            Change::Act { index, what, act } => {
                (index, ErrandKind::Act { what, act, protocol: self.asker.protocol }, Purpose::Act)
            }
        };
        Some(self.errand(index, kind, purpose))
    }
}
