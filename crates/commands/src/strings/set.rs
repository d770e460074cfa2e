use tessera_command::prelude::*;

pub struct Set;

impl Write for Set {
    const SPEC: Spec = Spec {
        name: "set",
        summary: "Sets a key to a string, whatever it held.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        spread: Spread::OneShard,
        flags: Flags::DENY_OOM,
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::OW.with(KeyFlags::UPDATE))],
        grammar: &[key("key", 0), string("value")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let args = (words.word()?, words.word()?);
        words.end()?;
        Ok(args)
    }

    fn execute(
        (key, value): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        db.put(key, StringValue::new(value), Expire::Clear);
        reply.ok();
        Ok(Effect::Verbatim)
    }
}
