//! A [`tessera_command::Gather`] command whose keys lie on several shards.
//!
//! Find on every owner, decide, change on every owner, reply. Between finding and changing nothing holds the
//! keys: another command may come between. The intents of the design's section 8 take their place around these
//! steps: acquired with the finds, released with the last change.

use crate::message::{Answer, Errand, ErrandKind, Ticket};
use crate::slots::{ShardId, SlotTable};
use tessera_command::gather::{Context, Steps, What};
use tessera_command::{Change, Command, Error, Found, Need, TextNeed, Transfer};
use tessera_keyspace::Expire;
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply};
use tessera_values::StringValue;

#[derive(Debug)]
struct Key {
    key: Box<[u8]>,
    db: u16,
    shard: ShardId,
    what: What,
    /// What was found there.
    answer: Answer,
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
    /// To decide.
    Find(usize),
    /// To decide, or to know what else to find: the texts of this shard.
    FindTexts(ShardId),
    /// To know that it happened.
    Change,
    /// To put what was taken at this key.
    MoveTo(usize),
    /// To give the element that was taken.
    Taken(Way),
    /// To know whether it was.
    Given(Way),
    /// To tell the client.
    Act,
}

/// How an element goes from one key to another.
#[derive(Clone, Copy, Debug)]
struct Way {
    from: usize,
    to: usize,
    transfer: &'static Transfer,
}

/// Errands to send, or the end.
#[derive(Debug)]
pub enum Step {
    /// Send these; answers will come. Perhaps none: then others are still out.
    Send(Vec<(ShardId, Errand)>),
    /// The whole reply.
    Done(Vec<u8>),
}

/// One such command under way.
pub struct Gathering {
    command: &'static Command,
    steps: Steps,
    words: OwnedArgs,
    context: Context,
    protocol: Protocol,
    touch: bool,
    /// Connection and sequence of the command; the part counts its errands.
    ticket: Ticket,
    keys: Vec<Key>,
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
    /// The shards of the command's keys, as far as it reads its words; for seeing whether it is one. All of them, if there
    /// may be keys that are not known yet.
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
        let keys = needs
            .iter()
            .map(|need| Key {
                key: need.key.into(),
                db: need.db.unwrap_or(context.db),
                shard: table.owner_of(need.key),
                what: need.what,
                answer: Answer::default(),
            })
            .collect();
        let mut gathering = Gathering {
            command,
            steps,
            words: OwnedArgs::from_words(args.iter()),
            context,
            protocol,
            touch,
            ticket,
            keys,
            texts: Vec::new(),
            texts_found: 0,
            purposes: Vec::new(),
            out: 0,
            decided: false,
            reply: Vec::new(),
        };
        let step = gathering.look(table);
        Ok((gathering, step))
    }

    /// Has the owners look at the keys.
    fn look(&mut self, table: &SlotTable) -> Step {
        self.purposes.clear();
        self.texts.clear();
        self.texts_found = 0;
        self.decided = false;
        let mut errands = Vec::new();
        for index in 0..self.keys.len() {
            let what = self.keys[index].what;
            if what != What::Nothing {
                let kind = ErrandKind::Find { what, touch: self.touch };
                errands.push(self.errand(index, kind, Purpose::Find(index)));
            }
        }
        if errands.is_empty() { self.go_on(table) } else { Step::Send(errands) }
    }

    /// Has the owners look for further texts if there are any to look for; decides if not.
    fn go_on(&mut self, table: &SlotTable) -> Step {
        self.texts_found = self.texts.len();
        let mut needs = Vec::new();
        if (self.steps.needs_more)(self.words.as_args()) {
            (self.steps.text_needs)(self.words.as_args(), self.context, &self.found(), &mut needs);
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
            let part = self.purposes.len() as u32;
            self.purposes.push(Purpose::FindTexts(shard));
            self.out += 1;
            let kind = ErrandKind::FindTexts { needs, touch: self.touch };
            let ticket = Ticket { part, ..self.ticket };
            errands.push((shard, Errand { ticket, db: self.context.db, key: Box::default(), kind }));
        }
        Step::Send(errands)
    }

    /// All that was found so far.
    fn found(&self) -> Vec<Found<'_>> {
        let texts = self.texts[..self.texts_found].iter();
        let texts = texts.map(|text| Found::of_text(text.value.as_ref().map(StringValue::as_ref)));
        self.keys.iter().map(found_at).chain(texts).collect()
    }

    fn errand(&mut self, index: usize, kind: ErrandKind, purpose: Purpose) -> (ShardId, Errand) {
        let part = self.purposes.len() as u32;
        self.purposes.push(purpose);
        self.out += 1;
        let key = &self.keys[index];
        let ticket = Ticket { part, ..self.ticket };
        (key.shard, Errand { ticket, db: key.db, key: key.key.clone(), kind })
    }

    /// Takes in the answer to errand number `part`.
    pub fn answer(&mut self, part: u32, answer: Answer, table: &SlotTable) -> Step {
        let Some(purpose) = self.purposes.get(part as usize).copied() else {
            return Step::Send(Vec::new());
        };
        self.out -= 1;
        match purpose {
            Purpose::Find(index) => self.keys[index].answer = answer,
            Purpose::FindTexts(shard) => {
                let awaited = self.texts[self.texts_found..].iter_mut().filter(|text| text.shard == shard);
                awaited.zip(answer.texts).for_each(|(text, found)| text.value = found);
            }
            Purpose::Change => {}
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
                // Somebody came between. That is progress for them, so this will not go on for ever.
                None => return self.look(table),
            },
            Purpose::MoveTo(to) => {
                if let Some(value) = answer.value {
                    let expire = answer.expire_at_ms.map_or(Expire::Clear, Expire::AtMs);
                    return Step::Send(vec![self.errand(
                        to,
                        ErrandKind::Put(value, expire),
                        Purpose::Change,
                    )]);
                }
            }
        }
        match (self.out, self.decided) {
            (0, false) => self.go_on(table),
            (0, true) => Step::Done(std::mem::take(&mut self.reply)),
            _ => Step::Send(Vec::new()),
        }
    }

    fn write_reply(&mut self, write: impl FnOnce(&mut Reply<'_>)) {
        self.reply.clear();
        write(&mut Reply::new(&mut self.reply, self.protocol));
    }

    fn decide(&mut self) -> Step {
        self.decided = true;
        let (mut changes, mut out) = (Vec::new(), Vec::new());
        let found = self.found();
        let mut reply = Reply::new(&mut out, self.protocol);
        if let Err(error) =
            (self.steps.decide)(self.words.as_args(), self.context, &found, &mut changes, &mut reply)
        {
            out.clear();
            Reply::new(&mut out, self.protocol).error(error.text(self.command.full_name));
            changes.clear();
        }
        self.reply = out;
        let errands: Vec<_> = changes.into_iter().map(|change| self.change(change)).collect();
        if errands.is_empty() { Step::Done(std::mem::take(&mut self.reply)) } else { Step::Send(errands) }
    }

    fn change(&mut self, change: Change) -> (ShardId, Errand) {
        match change {
            Change::Put { index, value, expire } => {
                self.errand(index, ErrandKind::Put(value, expire), Purpose::Change)
            }
            Change::Remove { index } => self.errand(index, ErrandKind::Remove, Purpose::Change),
            Change::Move { from, to } => self.errand(from, ErrandKind::Take, Purpose::MoveTo(to)),
            Change::Transfer { from, to, what, transfer } => {
                let kind = ErrandKind::TakeElement(what, transfer);
                self.errand(from, kind, Purpose::Taken(Way { from, to, transfer }))
            }
            Change::Act { index, what, act } => {
                let kind = ErrandKind::Act { what, act, protocol: self.protocol };
                self.errand(index, kind, Purpose::Act)
            }
        }
    }
}

fn found_at(key: &Key) -> Found<'_> {
    let Answer { present, value, type_name, expire_at_ms, .. } = &key.answer;
    Found {
        present: *present,
        value: value.as_ref().map(|value| value.as_ref()),
        type_name: *type_name,
        expire_at_ms: *expire_at_ms,
    }
}
