use super::listing::{self, Shown};
use tessera_command::prelude::*;

pub struct HVals;

impl Read for HVals {
    const SPEC: Spec = Spec {
        name: "hvals",
        summary: "Answers the values of all fields of a hash.",
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
        listing::execute(key, Shown::Values, db, reply)
    }
}

impl Streamed for HVals {
    fn stream<'a>(
        key: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        listing::stream(key, Shown::Values, db, reply)
    }
}
