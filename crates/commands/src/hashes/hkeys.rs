use super::listing::{self, Shown};
use tessera_command::prelude::*;

pub struct HKeys;

impl Read for HKeys {
    const SPEC: Spec = Spec {
        name: "hkeys",
        summary: "Answers the names of all fields of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields.",
        categories: Categories::HASH,
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        listing::execute(key, Shown::Fields, db, reply)
    }
}

impl Streamed for HKeys {
    fn stream<'a>(
        key: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        listing::stream(key, Shown::Fields, db, reply)
    }
}
