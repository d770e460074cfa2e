use super::get;
use tessera_command::prelude::*;

pub struct GetSet;

impl Write for GetSet {
    const SPEC: Spec = Spec {
        name: "getset",
        summary: "Sets a key to a string and answers the string it held before.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::Set, Event::New],
        grammar: &[key("key", 0), string("value")],
        deprecated: Some(("6.2.0", "`SET` with `!GET`")),
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn execute(
        (key, value): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        get::answer_before(key, db, reply)?;
        db.put_string(key, value, Expire::Clear, Event::Set);
        db.record(&[b"SET", key, value]);
        Ok(Effect::Rewritten)
    }
}
