//! LMOVE, RPOPLPUSH, BLMOVE, BRPOPLPUSH: an element from one list to another, or to the other end of the same.

use super::{check_type, form_setting};
use tessera_command::gather;
use tessera_command::prelude::*;
use tessera_values::List;
use tessera_values::list::{End, Taken};

/// The keys of all four.
pub(super) const KEYS: &[KeySpec] = &[
    KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE)),
    KeySpec::at(2, KeyFlags::RW.with(KeyFlags::INSERT)),
];

/// What RPOPLPUSH and BRPOPLPUSH may tell.
pub(super) const EVENTS_OF_BACK_TO_FRONT: &[Event] = &[Event::RPop, Event::LPush, Event::Del, Event::New];

/// What LMOVE and BLMOVE may tell.
pub(super) const EVENTS: &[Event] =
    &[Event::LPop, Event::RPop, Event::LPush, Event::RPush, Event::Del, Event::New];

/// Which element goes where.
#[derive(Clone, Copy, Debug)]
pub struct Moving<'a> {
    /// The list that it is taken from.
    pub(super) source: &'a [u8],
    /// The list that it goes to.
    pub(super) destination: &'a [u8],
    /// From which end.
    pub(super) from: End,
    /// To which end.
    pub(super) to: End,
}

/// RPOPLPUSH and BRPOPLPUSH take their element from the back and put it to the front.
impl<'a> Moving<'a> {
    pub(super) fn from_back_to_front(words: &mut Words<'a>) -> Result<Moving<'a>, Error> {
        let (source, destination) = (words.word()?, words.word()?);
        Ok(Moving { source, destination, from: End::Back, to: End::Front })
    }

    /// Reads two keys and two ends.
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Moving<'a>, Error> {
        let (source, destination) = (words.word()?, words.word()?);
        Ok(Moving { source, destination, from: super::end(words)?, to: super::end(words)? })
    }

    /// The way over shards.
    pub(super) fn transfer(&self) -> &'static Transfer {
        match (self.from, self.to) {
            (End::Front, End::Front) => &FRONT_TO_FRONT,
            (End::Front, End::Back) => &FRONT_TO_BACK,
            (End::Back, End::Front) => &BACK_TO_FRONT,
            (End::Back, End::Back) => &BACK_TO_BACK,
        }
    }

    pub(super) fn needs(&self, needs: &mut Vec<Need<'a>>) {
        needs.extend([self.source, self.destination].map(|key| Need { key, db: None, what: What::Type }));
    }

    pub(super) fn decide(
        &self,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        if !check_type(&found[0])? {
            reply.null();
            return Ok(());
        }
        check_type(&found[1])?;
        changes.push(if self.source == self.destination {
            let what = [self.from, self.to].map(|end| u8::from(end == End::Back));
            Change::Act { index: 0, what: what.into(), act: rotate }
        } else {
            Change::Transfer { from: 0, to: 1, what: Box::default(), transfer: self.transfer() }
        });
        Ok(())
    }

    /// Records the move, which is done, as LMOVE.
    pub(super) fn record(&self, db: &mut ViewMut<'_>) -> Effect {
        let [from, to] = [self.from, self.to].map(super::end_word);
        db.record(&[b"LMOVE", self.source, self.destination, from, to]);
        Effect::Rewritten
    }

    /// Moves the element, both keys being on this shard. `None` if there is no source.
    pub(super) fn serve(&self, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Option<Effect>, Error> {
        let setting = form_setting(db.settings());
        if self.source == self.destination {
            // As in Redis, the push is told before the pop.
            let event = super::push_event(self.to);
            let moved = db.change(self.source, event, |list: &mut List| {
                let moved = list.rotate(self.from, self.to, setting);
                let has_changed = moved.is_some();
                (moved, has_changed)
            })?;
            let Some(bytes) = moved.flatten() else { return Ok(None) };
            db.tell_more(self.source, super::pop_event(self.from));
            reply.bulk(&bytes);
            return Ok(Some(Effect::Verbatim));
        }
        if !is_list(db, self.source)? {
            return Ok(None);
        }
        is_list(db, self.destination)?;
        let start = db.shard_mut().events_mut().len();
        let Some(taken) = take(db, self.source, self.from)? else { return Ok(None) };
        let end = db.shard_mut().events_mut().len();
        give(db, self.destination, self.to, &taken)?;
        db.shard_mut().events_mut().tell_last(start, end);
        reply.bulk(&taken.bytes);
        Ok(Some(Effect::Verbatim))
    }
}

/// False if there is no such key.
fn is_list(db: &ViewMut<'_>, key: &[u8]) -> Result<bool, Error> {
    match db.read().peek(key) {
        None => Ok(false),
        Some(entry) => match entry.value() {
            ValueRef::List(_) => Ok(true),
            _ => Err(Error::WRONG_TYPE),
        },
    }
}

fn take(db: &mut ViewMut<'_>, key: &[u8], end: End) -> Result<Option<Taken>, WrongType> {
    let setting = form_setting(db.settings());
    let taken = db.change(key, super::pop_event(end), |list: &mut List| {
        let taken = list.pop(end, setting);
        let has_changed = taken.is_some();
        (taken, has_changed)
    });
    taken.map(Option::flatten)
}

fn give(db: &mut ViewMut<'_>, key: &[u8], end: End, taken: &Taken) -> Result<(), WrongType> {
    let setting = form_setting(db.settings());
    db.change_or_create(key, super::push_event(end), |list: &mut List| {
        list.push_taken(end, taken, setting);
        ((), true)
    })
}

/// Moves an element within one list.
fn rotate(
    db: &mut ViewMut<'_>,
    key: &[u8],
    what: &[u8],
    reply: &mut Reply<'_>,
) -> Result<Option<Effect>, Error> {
    let end = |index: usize| if what.get(index) == Some(&0) { End::Front } else { End::Back };
    let moving = Moving { source: key, destination: key, from: end(0), to: end(1) };
    let effect = moving.serve(db, reply)?;
    Ok(effect.map(|_| moving.record(db)))
}

const fn transfer<const FROM_FRONT: bool, const TO_FRONT: bool>() -> Transfer {
    Transfer {
        take: take_to_send::<FROM_FRONT>,
        taken: |key, _| vec![if FROM_FRONT { b"LPOP" } else { b"RPOP" }, key],
        give: give_at::<TO_FRONT>(),
        give_back: give_at::<FROM_FRONT>(),
        tells_target_first: true,
        reply: answer_sent,
    }
}

const fn give_at<const IS_FRONT: bool>() -> Give {
    let given: gather::ElementEffect = |key, sent| {
        let push: &[u8] = if IS_FRONT { b"LPUSH" } else { b"RPUSH" };
        [push, key].into_iter().chain(sent.split_last().map(|(_, bytes)| bytes)).collect()
    };
    Give { run: give_sent::<IS_FRONT>, given }
}

static FRONT_TO_FRONT: Transfer = transfer::<true, true>();
static FRONT_TO_BACK: Transfer = transfer::<true, false>();
static BACK_TO_FRONT: Transfer = transfer::<false, true>();
static BACK_TO_BACK: Transfer = transfer::<false, false>();

const fn end_of(is_front: bool) -> End {
    if is_front { End::Front } else { End::Back }
}

/// Sent are the element's bytes, and behind them whether its length counts.
fn take_to_send<const IS_FRONT: bool>(db: &mut ViewMut<'_>, key: &[u8], _: &[u8]) -> Option<Vec<u8>> {
    let Taken { mut bytes, counts } = take(db, key, end_of(IS_FRONT)).ok().flatten()?;
    bytes.push(u8::from(counts));
    Some(bytes)
}

fn give_sent<const IS_FRONT: bool>(db: &mut ViewMut<'_>, key: &[u8], sent: &[u8]) -> Result<(), WrongType> {
    let Some((counts, bytes)) = sent.split_last() else { return Ok(()) };
    give(db, key, end_of(IS_FRONT), &Taken { bytes: bytes.to_vec(), counts: *counts == 1 })
}

fn answer_sent(sent: Option<&[u8]>, reply: &mut Reply<'_>) {
    reply.bulk_or_null(sent.and_then(|sent| sent.split_last()).map(|(_, bytes)| bytes));
}
