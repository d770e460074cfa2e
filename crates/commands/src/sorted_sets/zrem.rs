use tessera_command::prelude::*;
use tessera_values::SortedSet;

pub struct ZRem;

impl Write for ZRem {
    const SPEC: Spec = Spec {
        name: "zrem",
        summary: "Removes members from a sorted set.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) with N the members there are and M those to be removed.",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::DELETE))],
        events: &[Event::ZRem, Event::Del],
        element: Some(2),
        grammar: &[key("key", 0), string("member").multiple()],
        history: &[("2.4.0", "Several members.")],
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
        let removed = db.change(key, Event::ZRem, |set: &mut SortedSet| {
            let removed = members.iter().filter(|member| set.remove(member).is_some()).count();
            (removed, removed > 0)
        })?;
        let removed = removed.unwrap_or(0);
        reply.integer(removed as i64);
        Ok(if removed > 0 { Effect::Verbatim } else { Effect::None })
    }
}
