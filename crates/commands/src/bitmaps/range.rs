//! Ranges of bytes or bits in a string: BITCOUNT, BITPOS.

use tessera_command::prelude::*;

/// Reads BYTE or BIT: how many bits the unit of a range has.
///
/// # Errors
/// A syntax error if it is neither.
pub(super) fn unit_bits(words: &mut Words<'_>) -> Result<i64, Error> {
    if words.take("BIT") {
        Ok(1)
    } else if words.take("BYTE") {
        Ok(8)
    } else {
        Err(Error::SYNTAX)
    }
}

/// First and last bit of the range from unit `start` to unit `end`, both included, in a string of `len_bytes`;
/// negative numbers count from its end. `None` if nothing of the string is in the range.
pub(super) fn clamp(start: i64, end: i64, unit_bits: i64, len_bytes: i64) -> Option<(u64, u64)> {
    let len = len_bytes * 8 / unit_bits;
    let from_front = |index: i64| if index < 0 { (len + index).max(0) } else { index };
    let (start, end) = (from_front(start), from_front(end).min(len - 1));
    (start <= end).then(|| ((start * unit_bits) as u64, (end * unit_bits + unit_bits - 1) as u64))
}

#[cfg(test)]
mod tests {
    use super::clamp;

    #[test]
    fn ranges_are_clamped_to_the_string() {
        for (start, end, unit_bits, range) in [
            (0, -1, 8, Some((0, 23))),
            (1, 1, 8, Some((8, 15))),
            (1, 1, 1, Some((1, 1))),
            (-2, 100, 8, Some((8, 23))),
            (-2, 100, 1, Some((22, 23))),
            (3, 9, 8, None),
            (2, 1, 8, None),
            (i64::MIN, i64::MAX, 1, Some((0, 23))),
            (i64::MAX, i64::MIN, 1, None),
            (i64::MIN, i64::MIN, 8, Some((0, 7))),
        ] {
            assert_eq!(clamp(start, end, unit_bits, 3), range, "{start} {end} {unit_bits}");
        }
        assert_eq!(clamp(0, -1, 8, 0), None);
    }
}
