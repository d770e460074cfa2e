use super::access::change_or_create;
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::Hash;
use tessera_values::hash::FieldExpire;
use tessera_values::listpack::Element;

const NOT_AN_INTEGER: Error = Error::Text("ERR hash value is not an integer");
const OVERFLOW: Error = Error::Text("ERR increment or decrement would overflow");

pub struct HIncrBy;

impl Write for HIncrBy {
    const SPEC: Spec = Spec {
        name: "hincrby",
        summary: "Adds a number to the integer in a field of a hash; a missing field counts as 0.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::HIncrBy, Event::New],
        element: Some(2),
        grammar: &[key("key", 0), string("field"), integer("increment")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8], i64);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?, words.integer()?))
    }

    fn execute(
        (key, field, increment): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let (now_ms, thresholds) = (db.now_ms(), db.settings().thresholds);
        let add = |hash: &mut Hash| {
            let before = match hash.as_ref().get(field, now_ms) {
                None => 0,
                Some(Element::Integer(value)) => value,
                Some(Element::Bytes(bytes)) => parse_i64(bytes).ok_or(NOT_AN_INTEGER)?,
            };
            let sum = before.checked_add(*increment).ok_or(OVERFLOW)?;
            let mut digits = Digits::new();
            hash.set(field, digits.format(sum).as_bytes(), FieldExpire::Keep, &thresholds);
            Ok::<i64, Error>(sum)
        };
        let sum = change_or_create(db, key, std::iter::once(*field), Event::HIncrBy, |hash| {
            let sum = add(hash);
            let has_changed = sum.is_ok();
            (sum, has_changed)
        })??;
        reply.integer(sum);
        Ok(Effect::Verbatim)
    }
}
