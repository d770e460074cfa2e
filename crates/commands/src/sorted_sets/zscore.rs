use tessera_command::prelude::*;
use tessera_values::SortedSet;

pub struct ZScore;

impl Read for ZScore {
    const SPEC: Spec = Spec {
        name: "zscore",
        summary: "Tells the score of a member.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        element: Some(2),
        grammar: &[key("key", 0), string("member")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn execute((key, member): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        match db.collection::<SortedSet>(key)?.and_then(|set| set.score(member)) {
            Some(score) => reply.double(score),
            None => reply.null(),
        }
        Ok(())
    }
}
