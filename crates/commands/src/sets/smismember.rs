use tessera_command::prelude::*;
use tessera_values::Set;
use tessera_values::listpack::Element;

pub struct SMIsMember;

impl Read for SMIsMember {
    const SPEC: Spec = Spec {
        name: "smismember",
        summary: "Tells of each of several members whether a set has it.",
        since: "6.2.0",
        group: Group::Set,
        complexity: "O(N) in the number of members asked for.",
        flags: Flags::FAST,
        categories: Categories::SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        element: Some(2),
        grammar: &[key("key", 0), string("member").multiple()],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Args<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.rest()))
    }

    fn execute((key, members): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<Set>(key)?;
        reply.array(members.len());
        for member in members.iter() {
            reply.integer(i64::from(set.is_some_and(|set| set.contains(Element::new(member)))));
        }
        Ok(())
    }
}
