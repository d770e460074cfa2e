use tessera_command::prelude::*;
use tessera_values::SortedSet;

pub struct ZMScore;

impl Read for ZMScore {
    const SPEC: Spec = Spec {
        name: "zmscore",
        summary: "Tells the scores of several members.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N) with N the members asked for.",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
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
        let set = db.collection::<SortedSet>(key)?;
        reply.array(members.len());
        for member in members.iter() {
            match set.and_then(|set| set.score(member)) {
                Some(score) => reply.double(score),
                None => reply.null(),
            }
        }
        Ok(())
    }
}
