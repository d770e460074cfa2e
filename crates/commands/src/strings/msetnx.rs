use tessera_command::prelude::*;

pub struct MSetNx;

impl Gather for MSetNx {
    const SPEC: Spec = Spec {
        name: "msetnx",
        summary: "Sets several keys to strings, if none of the keys is there.",
        since: "1.0.1",
        group: Group::String,
        complexity: "O(N) with N the number of keys.",
        flags: Flags::DENY_OOM,
        categories: Categories::STRING,
        keys: &[KeySpec::range(1, -1, 2, KeyFlags::OW.with(KeyFlags::INSERT))],
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

    fn needs<'a>(pairs: &Args<'a>, _context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        needs.extend(pairs.iter().step_by(2).map(|key| Need { key, db: None, what: What::Presence }));
        Ok(())
    }

    fn decide(
        pairs: &Args<'_>,
        _context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let none = !found.iter().any(|found| found.present);
        if none {
            let values = pairs.iter().skip(1).step_by(2).enumerate();
            changes.extend(values.map(|(index, bytes)| Change::Put {
                index,
                value: StringValue::new(bytes).into(),
                expire: Expire::Clear,
                event: Event::Set,
            }));
        }
        reply.integer(i64::from(none));
        Ok(())
    }
}
