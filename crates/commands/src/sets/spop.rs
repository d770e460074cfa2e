use super::answer;
use tessera_command::prelude::*;
use tessera_values::Set;
use tessera_values::listpack::Element;

/// So many members at most are in one recorded SREM.
const RECORDED_MEMBERS_MAX: usize = 1024;

pub struct SPop;

/// What the words ask for.
pub struct Request<'a> {
    key: &'a [u8],
    /// Without a count, one member is answered by itself.
    count: Option<usize>,
}

impl Write for SPop {
    const SPEC: Spec = Spec {
        name: "spop",
        summary: "Removes random members from a set and tells them.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1) without a count, O(N) in the count otherwise.",
        flags: Flags::FAST,
        categories: Categories::SET,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::SPop, Event::Del],
        grammar: &[key("key", 0), integer("count").optional().since("3.2.0")],
        history: &[("3.2.0", "Argument `count`.")],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        let key = words.word()?;
        if words.is_empty() {
            return Ok(Request { key, count: None });
        }
        if words.left() > 1 {
            return Err(Error::SYNTAX);
        }
        let count = words.integer().ok().and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or(Error::Text("ERR value is out of range, must be positive"))?;
        Ok(Request { key, count: Some(count) })
    }

    fn execute(request: &Request<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        match request.count {
            None => pop_one(request.key, db, reply),
            Some(count) => pop_some(request.key, count, db, reply),
        }
    }
}

fn pop_one(key: &[u8], db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
    let mut random = db.read().shard().random().fork();
    let mut popped = None;
    let found = db.change(key, Event::SPop, |set: &mut Set| {
        set.pop(&mut random, |member| {
            answer::member(member, reply);
            popped = Some(member.to_vec());
        });
        ((), true)
    })?;
    let Some(member) = popped.filter(|_| found.is_some()) else {
        reply.null();
        return Ok(Effect::None);
    };
    db.record(&[b"SREM", key, &member]);
    Ok(Effect::Rewritten)
}

/// What became of the set.
enum Popped {
    Nothing,
    /// These are gone, if anybody wants to know; and they may have left a large set to be freed.
    Some(Vec<Vec<u8>>, Option<Set>),
    /// They have all been told.
    All,
}

fn pop_some(key: &[u8], count: usize, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
    let thresholds = db.settings().thresholds;
    let mut random = db.read().shard().random().fork();
    let is_recording = db.effects().is_recording();
    let popped = db.change(key, Event::SPop, |set: &mut Set| {
        if count == 0 {
            reply.set(0);
            return (Popped::Nothing, false);
        }
        if count >= set.len() {
            answer::members(Some(set.as_ref()), reply);
            // The set goes whole, and is told of.
            return (Popped::All, true);
        }
        let mut members = Vec::new();
        reply.set(count);
        let old = set.pop_some(count, &thresholds, &mut random, |member: Element<'_>| {
            answer::member(member, reply);
            if is_recording {
                members.push(member.to_vec());
            }
        });
        (Popped::Some(members, old), true)
    })?;
    match popped {
        None => {
            reply.set(0);
            Ok(Effect::None)
        }
        Some(Popped::Nothing) => Ok(Effect::None),
        Some(Popped::Some(members, old)) => {
            if let Some(old) = old {
                db.shard_mut().free_in_pieces(old.into());
            }
            for some in members.chunks(RECORDED_MEMBERS_MAX) {
                let some = some.iter().map(Vec::as_slice);
                let words: Vec<&[u8]> = [b"SREM".as_slice(), key].into_iter().chain(some).collect();
                db.record(&words);
            }
            Ok(Effect::Rewritten)
        }
        Some(Popped::All) => {
            db.delete(key);
            db.record(&[b"DEL", key]);
            Ok(Effect::Rewritten)
        }
    }
}
