use tessera_command::prelude::*;
use tessera_values::Set;
use tessera_values::listpack::Element;

pub struct SIsMember;

impl Read for SIsMember {
    const SPEC: Spec = Spec {
        name: "sismember",
        summary: "Tells whether a set has a member.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::SET,
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        element: Some(2),
        grammar: &[key("key", 0), string("member")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn execute((key, member): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<Set>(key)?;
        reply.integer(i64::from(set.is_some_and(|set| set.contains(Element::new(member)))));
        Ok(())
    }
}
