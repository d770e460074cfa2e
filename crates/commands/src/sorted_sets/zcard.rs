use tessera_command::prelude::*;
use tessera_values::SortedSet;

pub struct ZCard;

impl Read for ZCard {
    const SPEC: Spec = Spec {
        name: "zcard",
        summary: "Counts the members of a sorted set.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(db.collection::<SortedSet>(key)?.map_or(0, |set| set.len() as i64));
        Ok(())
    }
}
