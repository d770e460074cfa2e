use super::substring;
use tessera_command::prelude::*;

pub struct SubStr;

impl Read for SubStr {
    const SPEC: Spec = Spec {
        name: "substr",
        summary: "Answers a part of the string at a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(N) with N the length of the answer.",
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0), integer("start"), integer("end")],
        deprecated: Some(("2.0.0", "`GETRANGE`")),
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

impl Streamed for SubStr {
    fn stream<'a>(
        range: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        substring::stream(range, db, reply)
    }
}
