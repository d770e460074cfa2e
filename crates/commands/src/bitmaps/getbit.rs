use super::offset;
use tessera_command::prelude::*;

pub struct GetBit;

impl Read for GetBit {
    const SPEC: Spec = Spec {
        name: "getbit",
        summary: "Answers one bit of the string at a key.",
        since: "2.2.0",
        group: Group::Bitmap,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::BITMAP,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0), integer("offset")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], u64);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, offset::parse(words.word()?, None)?))
    }

    fn execute((key, offset): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        offset::check(*offset, db.settings())?;
        let mut digits = Digits::new();
        let bytes = db.string(key)?.map_or(b"".as_slice(), |string| string.as_bytes(&mut digits));
        let byte = bytes.get((offset / 8) as usize).copied().unwrap_or(0);
        reply.integer(i64::from(byte >> (7 - offset % 8) & 1));
        Ok(())
    }
}
