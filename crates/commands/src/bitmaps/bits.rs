//! Counting and finding bits, eight bytes at a time.

/// Bits of `bytes` that are set.
fn count_all(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let whole: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    whole + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// The bits of the first and of the last byte that lie between bits `start` and `end`.
fn edge_masks(start: u64, end: u64) -> (u8, u8) {
    (0xff >> (start % 8), 0xff << (7 - end % 8))
}

/// Bits that are set from bit `start` to bit `end`, which must lie in `bytes`, `start` not behind `end`.
pub(super) fn count(bytes: &[u8], start: u64, end: u64) -> u64 {
    let (first, last) = ((start / 8) as usize, (end / 8) as usize);
    let (first_mask, last_mask) = edge_masks(start, end);
    if first == last {
        return u64::from((bytes[first] & first_mask & last_mask).count_ones());
    }
    u64::from((bytes[first] & first_mask).count_ones())
        + count_all(&bytes[first + 1..last])
        + u64::from((bytes[last] & last_mask).count_ones())
}

/// The first bit from `start` to `end` that is set, or if not `set`, that is clear. The bits must lie in `bytes`,
/// `start` not behind `end`.
pub(super) fn find(bytes: &[u8], start: u64, end: u64, set: bool) -> Option<u64> {
    let (first, last) = ((start / 8) as usize, (end / 8) as usize);
    let (first_mask, last_mask) = edge_masks(start, end);
    // What is looked for is set from here on.
    let flip = if set { 0 } else { 0xff };
    let in_byte = |index: usize, mask: u8| {
        let byte = (bytes[index] ^ flip) & mask;
        (byte != 0).then(|| index as u64 * 8 + u64::from(byte.leading_zeros()))
    };
    if first == last {
        return in_byte(first, first_mask & last_mask);
    }
    in_byte(first, first_mask)
        .or_else(|| {
            let skipped = u64::from_ne_bytes([flip; 8]);
            let (words, _) = bytes[first + 1..last].as_chunks::<8>();
            let words_len = words.iter().take_while(|word| u64::from_ne_bytes(**word) == skipped).count();
            (first + 1 + words_len * 8..last).find_map(|index| in_byte(index, 0xff))
        })
        .or_else(|| in_byte(last, last_mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strings with few bits of one kind, and all ranges in them.
    fn each_range(mut check: impl FnMut(&[u8], &[bool], u64, u64)) {
        for background in [0u8, 0xff] {
            for odd in [None, Some(0), Some(9), Some(63), Some(71), Some(100), Some(143)] {
                let mut bytes = [background; 18];
                if let Some(odd) = odd {
                    bytes[odd / 8] ^= 0x80 >> (odd % 8);
                }
                let bits: Vec<bool> = (0..144).map(|at| bytes[at / 8] >> (7 - at % 8) & 1 == 1).collect();
                for start in 0..144 {
                    for end in start..144 {
                        check(&bytes, &bits, start, end);
                    }
                }
            }
        }
    }

    #[test]
    fn counting_agrees_with_one_bit_at_a_time() {
        each_range(|bytes, bits, start, end| {
            let naive = bits[start as usize..=end as usize].iter().filter(|bit| **bit).count();
            assert_eq!(count(bytes, start, end), naive as u64, "{bytes:?} {start} {end}");
        });
    }

    #[test]
    fn finding_agrees_with_one_bit_at_a_time() {
        each_range(|bytes, bits, start, end| {
            for set in [false, true] {
                let naive = (start..=end).find(|at| bits[*at as usize] == set);
                assert_eq!(find(bytes, start, end, set), naive, "{bytes:?} {start} {end} {set}");
            }
        });
    }
}
