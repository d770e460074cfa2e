use super::bitfield::answer_reads;
use super::field::Operations;
use tessera_command::prelude::*;

pub struct BitFieldRo;

impl Read for BitFieldRo {
    const SPEC: Spec = Spec {
        name: "bitfield_ro",
        summary: "Reads integers of any width within a string.",
        since: "6.0.0",
        group: Group::Bitmap,
        complexity: "O(1) for each operation.",
        flags: Flags::FAST,
        categories: Categories::BITMAP,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            block("get-block", &[string("encoding"), integer("offset")])
                .after("GET")
                .optional()
                .multiple_token(),
        ],
        ..Spec::BASE
    };
    /// The key and the words of the operations.
    type Args<'a> = (&'a [u8], Words<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, *words))
    }

    fn execute((key, words): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let operations = Operations::new(*words, db.settings());
        let (count, last_written) = operations.survey()?;
        if last_written.is_some() {
            return Err(Error::Text("ERR BITFIELD_RO only supports the GET subcommand"));
        }
        answer_reads(key, operations, count, db, reply)
    }
}
