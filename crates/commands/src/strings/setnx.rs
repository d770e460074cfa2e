use tessera_command::prelude::*;

pub struct SetNx;

impl Write for SetNx {
    const SPEC: Spec = Spec {
        name: "setnx",
        summary: "Sets a key to a string, if the key is not there.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::OW.with(KeyFlags::INSERT))],
        events: &[Event::Set, Event::New],
        grammar: &[key("key", 0), string("value")],
        deprecated: Some(("2.6.12", "`SET` with `NX`")),
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
        if db.has_to_write(key) {
            reply.integer(0);
            return Ok(Effect::None);
        }
        db.put_string(key, value, Expire::Clear, Event::Set);
        reply.integer(1);
        Ok(Effect::Verbatim)
    }
}
