use super::offset::{self, Written};
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

pub struct SetBit;

/// The parsed words of SETBIT.
pub struct SetBitArgs<'a> {
    key: &'a [u8],
    offset: u64,
    /// Looked at once the offset is known to be in range.
    bit: &'a [u8],
}

impl Write for SetBit {
    const SPEC: Spec = Spec {
        name: "setbit",
        summary: "Sets or clears one bit of the string at a key, which grows as needed.",
        since: "2.2.0",
        group: Group::Bitmap,
        complexity: "O(1)",
        flags: Flags::DENY_OOM,
        categories: Categories::BITMAP,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::SetBit, Event::New],
        grammar: &[key("key", 0), integer("offset"), integer("value")],
        ..Spec::BASE
    };
    type Args<'a> = SetBitArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<SetBitArgs<'a>, Error> {
        let (key, offset) = (words.word()?, offset::parse(words.word()?, None)?);
        Ok(SetBitArgs { key, offset, bit: words.word()? })
    }

    fn execute(args: &SetBitArgs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        offset::check(args.offset, db.settings())?;
        let bit = match parse_i64(args.bit) {
            Some(bit @ 0..=1) => bit as u8,
            _ => return Err(Error::Text("ERR bit is not an integer or out of range")),
        };
        let (before, grown) = offset::with_room(db, args.key, args.offset, |bytes| {
            let byte = &mut bytes[(args.offset / 8) as usize];
            let shift = 7 - args.offset % 8;
            let before = *byte >> shift & 1;
            *byte = *byte & !(1 << shift) | bit << shift;
            (before, if before == bit { Written::Same } else { Written::Other })
        })?;
        reply.integer(i64::from(before));
        Ok(if grown || before != bit { Effect::Verbatim } else { Effect::None })
    }
}
