use tessera_command::prelude::*;

pub struct MSet;

impl Write for MSet {
    const SPEC: Spec = Spec {
        name: "mset",
        summary: "Sets several keys to strings, whatever they held.",
        since: "1.0.1",
        group: Group::String,
        complexity: "O(N) with N the number of keys.",
        spread: Some(Spread::ByKey(Merge::AllOk)),
        always_succeeds: true,
        flags: Flags::DENY_OOM,
        categories: Categories::STRING,
        keys: &[KeySpec::range(1, -1, 2, KeyFlags::OW.with(KeyFlags::UPDATE))],
        events: &[Event::Set, Event::New],
        grammar: &[block("data", &[key("key", 0), string("value")]).multiple()],
        ..Spec::BASE
    };
    /// Keys and values in turn.
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        let pairs = words.rest();
        if pairs.len().is_multiple_of(2) { Ok(pairs) } else { Err(Error::Arity) }
    }

    fn execute(pairs: &Args<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        for at in (0..pairs.len()).step_by(2) {
            db.put_string(&pairs[at], &pairs[at + 1], Expire::Clear, Event::Set);
        }
        reply.ok();
        Ok(Effect::Verbatim)
    }
}
