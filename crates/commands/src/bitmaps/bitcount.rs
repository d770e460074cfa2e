use super::bits;
use tessera_command::prelude::*;

pub struct BitCount;

impl Read for BitCount {
    const SPEC: Spec = Spec {
        name: "bitcount",
        summary: "Counts the bits that are set in a string or in a part of it.",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N)",
        categories: Categories::BITMAP,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            block(
                "range",
                &[
                    integer("start"),
                    integer("end"),
                    one_of("unit", &[token("byte", "BYTE"), token("bit", "BIT")]).optional().since("7.0.0"),
                ],
            )
            .optional(),
        ],
        history: &[("7.0.0", "`BYTE` and `BIT`.")],
        ..Spec::BASE
    };
    /// The key and the words of the range. Nothing is said against the range if the key is not there.
    type Args<'a> = (&'a [u8], Words<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, *words))
    }

    fn execute((key, range): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let count = match db.string(key)? {
            None => 0,
            Some(string) => {
                let mut digits = Digits::new();
                let bytes = string.as_bytes(&mut digits);
                parse_range(*range, bytes.len() as i64)?
                    .map_or(0, |(start, end)| bits::count(bytes, start, end))
            }
        };
        reply.integer(count as i64);
        Ok(())
    }
}

/// First and last bit of a range in a string of `len_bytes`; `None` if it is empty.
fn parse_range(mut words: Words<'_>, len_bytes: i64) -> Result<Option<(u64, u64)>, Error> {
    let (start, end, unit_bits) = match words.left() {
        0 => (0, -1, 8),
        2 | 3 => {
            let (start, end) = (words.integer()?, words.integer()?);
            if start < 0 && end < 0 && start > end {
                return Ok(None);
            }
            (start, end, if words.is_empty() { 8 } else { super::range::unit_bits(&mut words)? })
        }
        _ => return Err(Error::SYNTAX),
    };
    Ok(super::range::clamp(start, end, unit_bits, len_bytes))
}
