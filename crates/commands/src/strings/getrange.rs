use super::substring;
use tessera_command::prelude::*;

pub struct GetRange;

impl Read for GetRange {
    const SPEC: Spec = Spec {
        name: "getrange",
        summary: "Answers a part of the string at a key.",
        since: "2.4.0",
        group: Group::String,
        complexity: "O(N) with N the length of the answer.",
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0), integer("start"), integer("end")],
        ..Spec::BASE
    };
    type Args<'a> = substring::Range<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        substring::parse(words)
    }

    fn execute(range: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        substring::answer(range, db, reply)
    }
}

impl Streamed for GetRange {
    fn stream<'a>(
        range: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        substring::stream(range, db, reply)
    }
}
