use tessera_command::prelude::*;
use tessera_values::Set;
use tessera_values::listpack::Element;

pub struct SRem;

impl Write for SRem {
    const SPEC: Spec = Spec {
        name: "srem",
        summary: "Removes members from a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) in the number of members to be removed.",
        flags: Flags::FAST,
        history: &[("2.4.0", "Several members.")],
        categories: Categories::SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::DELETE))],
        events: &[Event::SRem, Event::Del],
        element: Some(2),
        grammar: &[key("key", 0), string("member").multiple()],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Args<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.rest()))
    }

    fn execute(
        (key, members): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let removed = db.change(key, Event::SRem, |set: &mut Set| {
            let removed = members.iter().filter(|member| set.remove(Element::new(member))).count();
            (removed, removed > 0)
        })?;
        let removed = removed.unwrap_or(0);
        reply.integer(removed as i64);
        Ok(if removed > 0 { Effect::Verbatim } else { Effect::None })
    }
}
