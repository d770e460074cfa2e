//! A [`tessera_command::Gather`] command whose keys lie on several shards.
//!
//! Look on every owner, decide, change on every owner, reply. Who may change anything holds its keys from the first
//! look to the last change, see [`crate::held_keys`]: nothing comes between, and nobody sees a part of it. The texts
//! that SORT finds the names of on its way are not held.
//!
//! Whoever changes whole databases does the same with whole shards, see [`Gathering::start_on_all_shards`].

use crate::merge::Assembly;
use crate::message::{Answer, Errand, ErrandKind, HoldMode, Look, Seen, Ticket};
use crate::slots::{ShardId, SlotTable};
use tessera_command::gather::{Context, Steps, What};
use tessera_command::{Change, Command, Error, Found, Merge, Need, TextNeed, Transfer};
use tessera_keyspace::{Event, Expire};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply};
use tessera_values::{StringValue, Type};

#[derive(Debug)]
struct Key {
    key: Box<[u8]>,
    db: u16,
    shard: ShardId,
    what: What,
    /// What was found there.
    seen: Seen,
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
    /// To make one reply of all parts.
    Part(u32),
}

/// How an element goes from one key to another.
#[derive(Clone, Copy, Debug)]
struct ElementMove {
    from: usize,
    to: usize,
    transfer: &'static Transfer,
}

/// Errands to send, or the end. None is answered of those that [`ErrandKind::Release`] keys.
#[derive(Debug)]
pub enum Step {
    /// Send these; answers will come. Perhaps none: then others are still out.
    Send(Vec<(ShardId, Errand)>),
    /// The whole reply, and the last errands.
    Done(Vec<u8>, Vec<(ShardId, Errand)>),
    /// There was no element to move, see [`Gathering::start_moving`]; and the last errands.
    Absent(Vec<(ShardId, Errand)>),
}

/// Who decides.
#[derive(Clone, Copy)]
enum Plan {
    /// The command.
    Steps(Steps),
    /// An element is moved from the first key to the second, if these are of this type or not there.
    Moving(&'static Transfer, Type),
    /// Every shard does its part, with nobody between them.
    Parts,
}

/// How the shards are asked for their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    /// All at once, and none of them waits.
    AtOnce,
    /// One after the other: so many have answered.
    InOrder(usize),
}

/// One such command under way.
pub struct Gathering {
    command: &'static Command,
    plan: Plan,
    words: OwnedArgs,
    context: Context,
    protocol: Protocol,
    touch: bool,
    /// Connection and sequence of the command; the part counts its errands.
    ticket: Ticket,
    keys: Vec<Key>,
    /// The shards of the keys, in order, each once.
    shards: Vec<ShardId>,
    /// The keys are held from the first look on.
    holds: bool,
    asking: Asking,
    /// Which shards hold keys for it.
    holding: Vec<ShardId>,
    /// A shard has refused to hold its keys.
    is_refused: bool,
    texts: Vec<Text>,
    /// From which of them on answers have yet to come.
    texts_found: usize,
    /// By errand number.
    purposes: Vec<Purpose>,
    out: usize,
    decided: bool,
    /// The replies of [`Plan::Parts`].
    assembly: Option<Assembly>,
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

    /// Begins: the first errands.
    ///
    /// # Errors
    /// What the client is told instead.
    #[expect(clippy::too_many_arguments, reason = "everything that the command was sent with")]
    pub fn start(
        command: &'static Command,
        steps: Steps,
        args: Args<'_>,
        context: Context,
        protocol: Protocol,
        touch: bool,
        ticket: Ticket,
        table: &SlotTable,
    ) -> Result<(Gathering, Step), Error> {
        let mut needs: Vec<Need<'_>> = Vec::new();
        (steps.needs)(args, context, &mut needs)?;
        let keys = needs.iter().map(|need| Key {
            key: need.key.into(),
            db: need.db.unwrap_or(context.db),
            shard: table.owner_of(need.key),
            what: need.what,
            seen: Seen::default(),
        });
        let keys = keys.collect();
        let plan = Plan::Steps(steps);
        let mut gathering = Gathering::new(
            command,
            plan,
            OwnedArgs::from_words(args.iter()),
            context,
            protocol,
            ticket,
            keys,
        );
        gathering.touch = touch;
        let step = gathering.look();
        Ok((gathering, step))
    }

    /// Begins to move an element for a blocking command, whose turn it is at the source's owner. Whether there is one
    /// left is seen when both keys are held.
    #[expect(clippy::too_many_arguments, reason = "everything that there is to know of the move")]
    pub fn start_moving(
        command: &'static Command,
        [from, to]: [&[u8]; 2],
        transfer: &'static Transfer,
        value_type: Type,
        context: Context,
        protocol: Protocol,
        touch: bool,
        ticket: Ticket,
        table: &SlotTable,
    ) -> (Gathering, Step) {
        let keys = [from, to].map(|key| Key {
            key: key.into(),
            db: context.db,
            shard: table.owner_of(key),
            what: What::Type,
            seen: Seen::default(),
        });
        let plan = Plan::Moving(transfer, value_type);
        let words = OwnedArgs::new();
        let mut gathering = Gathering::new(command, plan, words, context, protocol, ticket, keys.into());
        gathering.touch = touch;
        let step = gathering.look();
        (gathering, step)
    }

    fn new(
        command: &'static Command,
        plan: Plan,
        words: OwnedArgs,
        context: Context,
        protocol: Protocol,
        ticket: Ticket,
        keys: Vec<Key>,
    ) -> Gathering {
        let mut shards: Vec<ShardId> = keys.iter().map(|key| key.shard).collect();
        shards.sort_unstable();
        shards.dedup();
        Gathering {
            command,
            plan,
            words,
            context,
            protocol,
            touch: true,
            ticket,
            keys,
            shards,
            holds: command.is_write(),
            asking: Asking::AtOnce,
            holding: Vec::new(),
            is_refused: false,
            texts: Vec::new(),
            texts_found: 0,
            purposes: Vec::new(),
            out: 0,
            decided: false,
            assembly: None,
            reply: Vec::new(),
        }
    }

    /// Begins a command that every shard does a part of: the first errands. Each is held whole from before the first
    /// part until after the last, so that whoever changes keys of several shards comes before all of it or behind.
    pub fn start_on_all_shards(
        command: &'static Command,
        merge: Merge,
        args: Args<'_>,
        context: Context,
        protocol: Protocol,
        ticket: Ticket,
        table: &SlotTable,
    ) -> (Gathering, Step) {
        let words = OwnedArgs::from_words(args.iter());
        let mut gathering =
            Gathering::new(command, Plan::Parts, words, context, protocol, ticket, Vec::new());
        gathering.shards = (0..table.shards()).collect();
        gathering.assembly = Some(Assembly::new(merge, gathering.shards.len(), Vec::new()));
        gathering.asking = Asking::InOrder(0);
        let step = gathering.look();
        (gathering, step)
    }

    /// Has the owners look at the keys.
    fn look(&mut self) -> Step {
        self.purposes.clear();
        self.texts.clear();
        self.texts_found = 0;
        self.decided = false;
        let shards = match self.asking {
            Asking::AtOnce => self.shards.clone(),
            Asking::InOrder(done) => self.shards.get(done).copied().into_iter().collect(),
        };
        let hold = match (self.holds, self.asking) {
            (false, _) => HoldMode::Not,
            (true, Asking::AtOnce) => HoldMode::OrRefuse,
            (true, Asking::InOrder(_)) => HoldMode::Wait,
        };
        let errands = shards.into_iter().map(|shard| self.look_at(shard, hold));
        Step::Send(errands.collect())
    }

    /// Looks at all keys of a shard.
    fn look_at(&mut self, shard: ShardId, hold: HoldMode) -> (ShardId, Errand) {
        if matches!(self.plan, Plan::Parts) {
            return self.errand_to(shard, ErrandKind::HoldAll, Purpose::Look(shard));
        }
        let of_shard = self.keys.iter().filter(|key| key.shard == shard);
        let needs = of_shard.map(|key| Look { key: key.key.clone(), db: key.db, what: key.what }).collect();
        let kind = ErrandKind::Look { needs, hold };
        self.errand_to(shard, kind, Purpose::Look(shard))
    }

    /// A key is no longer what it was when it was looked at: its time is over. It is still held, so nothing else can
    /// have come between.
    fn look_again(&mut self) -> Step {
        self.asking = Asking::AtOnce;
        self.look()
    }

    /// Takes in what was seen at the keys of a shard.
    fn take_seen(&mut self, shard: ShardId, seen: Option<Vec<Seen>>) {
        let Some(seen) = seen else {
            self.is_refused = true;
            return;
        };
        if self.holds && !self.holding.contains(&shard) {
            self.holding.push(shard);
        }
        let of_shard = self.keys.iter_mut().filter(|key| key.shard == shard);
        of_shard.zip(seen).for_each(|(key, seen)| key.seen = seen);
    }

    /// All that were asked for keys have answered.
    fn have_looked(&mut self, table: &SlotTable) -> Step {
        if std::mem::take(&mut self.is_refused) {
            let mut errands = self.release();
            self.asking = Asking::InOrder(0);
            if let Step::Send(first) = self.look() {
                errands.extend(first);
            }
            return Step::Send(errands);
        }
        if let Asking::InOrder(done) = self.asking {
            self.asking = Asking::InOrder(done + 1);
            if done + 1 < self.shards.len() {
                return self.look();
            }
        }
        self.go_on(table)
    }

    /// Lets go of all keys.
    fn release(&mut self) -> Vec<(ShardId, Errand)> {
        let holding = std::mem::take(&mut self.holding);
        let errand = |shard| (shard, self.errand_with(self.ticket, ErrandKind::Release));
        holding.into_iter().map(errand).collect()
    }

    fn done(&mut self) -> Step {
        let reply = std::mem::take(&mut self.reply);
        Step::Done(reply, self.release())
    }

    /// Has the owners look for further texts if there are any to look for; decides if not.
    fn go_on(&mut self, table: &SlotTable) -> Step {
        self.texts_found = self.texts.len();
        let mut needs = Vec::new();
        if let Plan::Steps(steps) = self.plan
            && (steps.needs_more)(self.words.as_args())
        {
            (steps.text_needs)(self.words.as_args(), self.context, &self.found(), &mut needs);
        }
        if needs.is_empty() {
            return self.decide();
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
    fn found(&self) -> Vec<Found<'_>> {
        let texts = self.texts[..self.texts_found].iter();
        let texts = texts.map(|text| Found::of_text(text.value.as_ref().map(StringValue::as_ref)));
        self.keys.iter().map(found_at).chain(texts).collect()
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
        Errand { ticket, db: self.context.db, touch: self.touch, key: Box::default(), kind }
    }

    /// Takes in the answer to errand number `part`.
    pub fn answer(&mut self, part: u32, answer: Answer, table: &SlotTable) -> Step {
        let Some(purpose) = self.purposes.get(part as usize).copied() else {
            return Step::Send(Vec::new());
        };
        self.out -= 1;
        match purpose {
            Purpose::Look(shard) => {
                self.take_seen(shard, answer.seen);
                return if self.out == 0 { self.have_looked(table) } else { Step::Send(Vec::new()) };
            }
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
            Purpose::Part(number) => {
                let part = answer.reply.and_then(Result::ok).unwrap_or_default();
                if let Some(assembly) = &mut self.assembly
                    && assembly.take(number, &part)
                {
                    self.reply.clear();
                    assembly.finish(&mut self.reply, self.protocol);
                }
            }
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
            (0, false) => self.go_on(table),
            (0, true) => self.done(),
            _ => Step::Send(Vec::new()),
        }
    }

    fn write_reply(&mut self, write: impl FnOnce(&mut Reply<'_>)) {
        self.reply.clear();
        write(&mut Reply::new(&mut self.reply, self.protocol));
    }

    fn decide(&mut self) -> Step {
        self.decided = true;
        if matches!(self.plan, Plan::Parts) {
            let shards = self.shards.clone();
            return Step::Send(
                shards.into_iter().zip(0..).map(|(shard, number)| self.part(shard, number)).collect(),
            );
        }
        let (mut changes, mut out) = (Vec::new(), Vec::new());
        let decided = match self.plan {
            Plan::Steps(steps) => {
                let mut reply = Reply::new(&mut out, self.protocol);
                let (words, found) = (self.words.as_args(), self.found());
                (steps.decide)(words, self.context, &found, &mut changes, &mut reply)
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
            Plan::Parts => Ok(()),
        };
        if let Err(error) = decided {
            out.clear();
            Reply::new(&mut out, self.protocol).error(error.text(self.command.full_name));
            changes.clear();
        }
        self.reply = out;
        let errands: Vec<_> = changes.into_iter().map(|change| self.change(change)).collect();
        if errands.is_empty() { self.done() } else { Step::Send(errands) }
    }

    fn part(&mut self, shard: ShardId, number: u32) -> (ShardId, Errand) {
        let kind =
            ErrandKind::Part { command: self.command, words: self.words.clone(), protocol: self.protocol };
        self.errand_to(shard, kind, Purpose::Part(number))
    }

    fn change(&mut self, change: Change) -> (ShardId, Errand) {
        match change {
            Change::Put { index, value, expire, event } => {
                self.errand(index, ErrandKind::Put(value, expire, event), Purpose::Change)
            }
            Change::Remove { index } => self.errand(index, ErrandKind::Remove, Purpose::Change),
            Change::Move { from, to } => self.errand(from, ErrandKind::Take, Purpose::MoveTo(to)),
            Change::Transfer { from, to, what, transfer } => {
                let kind = ErrandKind::TakeElement(what, transfer);
                self.errand(from, kind, Purpose::Taken(ElementMove { from, to, transfer }))
            }
            Change::Act { index, what, act } => {
                let kind = ErrandKind::Act { what, act, protocol: self.protocol };
                self.errand(index, kind, Purpose::Act)
            }
        }
    }
}

fn found_at(key: &Key) -> Found<'_> {
    let Seen { present, value, value_type, expire_at_ms } = &key.seen;
    Found {
        present: *present,
        value: value.as_ref().map(|value| value.as_ref()),
        value_type: *value_type,
        expire_at_ms: *expire_at_ms,
    }
}
