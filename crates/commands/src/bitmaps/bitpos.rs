use super::{bits, range};
use tessera_command::prelude::*;

pub struct BitPos;

/// The parsed words of BITPOS.
pub struct BitPosArgs<'a> {
    key: &'a [u8],
    set: bool,
    /// Nothing is said against the range if the key is not there.
    range: Words<'a>,
}

impl Read for BitPos {
    const SPEC: Spec = Spec {
        name: "bitpos",
        summary: "Finds the first bit that is set, or clear, in a string or in a part of it.",
        since: "2.8.7",
        group: Group::Bitmap,
        complexity: "O(N)",
        categories: Categories::BITMAP,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            integer("bit"),
            block(
                "range",
                &[
                    integer("start"),
                    block(
                        "end-unit-block",
                        &[
                            integer("end"),
                            one_of("unit", &[token("byte", "BYTE"), token("bit", "BIT")])
                                .optional()
                                .since("7.0.0"),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ],
        history: &[("7.0.0", "`BYTE` and `BIT`.")],
        ..Spec::BASE
    };
    type Args<'a> = BitPosArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<BitPosArgs<'a>, Error> {
        let key = words.word()?;
        let set = match words.integer()? {
            0 => false,
            1 => true,
            _ => return Err(Error::Text("ERR The bit argument must be 1 or 0.")),
        };
        Ok(BitPosArgs { key, set, range: *words })
    }

    fn execute(args: &BitPosArgs<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let position = match db.string(args.key)? {
            // A missing key is clear bits without end.
            None => (!args.set).then_some(0),
            Some(string) => {
                let mut digits = Digits::new();
                find(string.as_bytes(&mut digits), args.set, args.range)?
            }
        };
        reply.integer(position.map_or(-1, |position| position as i64));
        Ok(())
    }
}

fn find(bytes: &[u8], set: bool, mut words: Words<'_>) -> Result<Option<u64>, Error> {
    let words_len = words.left();
    if words_len > 3 {
        return Err(Error::SYNTAX);
    }
    let start = if words_len > 0 { words.integer()? } else { 0 };
    let end_word = words.next_word();
    // The unit is looked at before the end.
    let unit_bits = if words.is_empty() { 8 } else { range::unit_bits(&mut words)? };
    let end = end_word.map_or(Some(-1), tessera_resp::number::parse_i64).ok_or(Error::NOT_AN_INTEGER)?;
    let Some((first, last)) = range::clamp(start, end, unit_bits, bytes.len() as i64) else {
        return Ok(None);
    };
    let found = bits::find(bytes, first, last, set);
    // Without an end, clear bits are thought to follow the string.
    Ok(found.or_else(|| (!set && end_word.is_none()).then(|| bytes.len() as u64 * 8)))
}
