use super::access::change_or_create;
use tessera_command::prelude::*;
use tessera_values::hash::FieldExpire;

pub struct HSetNx;

impl Write for HSetNx {
    const SPEC: Spec = Spec {
        name: "hsetnx",
        summary: "Sets a field of a hash if there is no such field.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::INSERT))],
        events: &[Event::HSet, Event::New],
        element: Some(2),
        grammar: &[key("key", 0), string("field"), string("value")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?, words.word()?))
    }

    fn execute(
        (key, field, value): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let (now_ms, thresholds) = (db.now_ms(), db.settings().thresholds);
        let is_new = change_or_create(db, key, std::iter::once(*field), Event::HSet, |hash| {
            let is_new = hash.as_ref().get(field, now_ms).is_none();
            if is_new {
                hash.set(field, value, FieldExpire::Clear, &thresholds);
            }
            (is_new, is_new)
        })?;
        reply.integer(i64::from(is_new));
        Ok(if is_new { Effect::Verbatim } else { Effect::None })
    }
}
