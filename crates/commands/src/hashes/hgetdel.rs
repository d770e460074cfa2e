use super::access::{bulk, change, nulls};
use super::expiry::{self, FIELDS, NOT_POSITIVE, Request};
use tessera_command::prelude::*;

pub struct HGetDel;

impl Write for HGetDel {
    const SPEC: Spec = Spec {
        name: "hgetdel",
        summary: "Answers the values of fields of a hash and removes the fields.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::HDel, Event::Del],
        element: Some(4),
        grammar: &[key("key", 0), FIELDS],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        expiry::parse(words)
    }

    fn execute(
        (key, words): &Request<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let now_ms = db.now_ms();
        expiry::check_type(key, db)?;
        let fields = expiry::fields(&mut { *words }, NOT_POSITIVE)?;
        let mut removed: Vec<&[u8]> = vec![b"HDEL", key];
        let found = change(db, key, fields.iter(), Event::HDel, |hash| {
            reply.array(fields.len());
            for field in fields.iter() {
                match hash.as_ref().get(field, now_ms) {
                    Some(value) => {
                        bulk(reply, value);
                        hash.remove(field);
                        removed.push(field);
                    }
                    None => reply.null(),
                }
            }
            ((), removed.len() > 2)
        })?;
        if found.is_none() {
            nulls(reply, fields.len());
        }
        if removed.len() == 2 {
            return Ok(Effect::None);
        }
        db.record(&removed);
        Ok(Effect::Rewritten)
    }
}
