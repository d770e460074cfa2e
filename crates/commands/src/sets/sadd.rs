use tessera_command::prelude::*;
use tessera_values::Set;
use tessera_values::listpack::Element;

pub struct SAdd;

impl Write for SAdd {
    const SPEC: Spec = Spec {
        name: "sadd",
        summary: "Adds members to a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1) for each member.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        history: &[("2.4.0", "Several members.")],
        categories: Categories::SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::INSERT))],
        events: &[Event::SAdd, Event::New],
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
        let thresholds = db.settings().thresholds;
        let added = db.change_or_create(key, Event::SAdd, |set: &mut Set| {
            if set.is_empty() {
                let first = members.get(0).unwrap_or_default();
                *set = Set::for_members(Element::new(first), members.len(), &thresholds);
            } else {
                set.reserve(members.len(), &thresholds);
            }
            let added = members.iter().filter(|member| set.add(Element::new(member), &thresholds)).count();
            (added, added > 0)
        })?;
        reply.integer(added as i64);
        Ok(if added > 0 { Effect::Verbatim } else { Effect::None })
    }
}
