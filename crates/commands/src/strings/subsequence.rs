//! The longest common subsequence of two strings, by dynamic programming.
//!
//! `best(i, j)`, the length of the longest common subsequence of the first `i` bytes of one string and the first
//! `j` of the other, is computed row by row. To walk back through the table it is enough to know of each cell
//! whether the neighbour above is larger than the one to the left: a bit instead of the number.

use std::ops::RangeInclusive;

/// A run of bytes that both strings have, as part of the subsequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// Where it is in the first string.
    pub first: RangeInclusive<usize>,
    /// Where it is in the second string.
    pub second: RangeInclusive<usize>,
}

/// Computes one row after the other into `row`, whose cell `j` is `best(i, j)`. `visit` is told of each cell from
/// `(1, 1)` on, except those where the strings' bytes are the same: above, left, and the cell's number counted
/// row by row.
fn fill(first: &[u8], second: &[u8], mut visit: impl FnMut(u32, u32, usize)) -> u32 {
    let mut row = vec![0u32; second.len() + 1];
    let mut cell = 0;
    for byte in first {
        let (mut diagonal, mut left) = (0, 0);
        for (other, here) in second.iter().zip(&mut row[1..]) {
            let above = *here;
            let best = if byte == other {
                diagonal + 1
            } else {
                visit(above, left, cell);
                above.max(left)
            };
            (diagonal, left, *here) = (above, best, best);
            cell += 1;
        }
    }
    row[second.len()]
}

/// The length of the longest common subsequence, in bytes.
pub(super) fn len_bytes(first: &[u8], second: &[u8]) -> u32 {
    fill(first, second, |_, _, _| {})
}

/// The longest common subsequence, as its runs from the last to the first. Of several that are equally long it is
/// the one that Redis finds.
pub(super) fn matches(first: &[u8], second: &[u8], mut found: impl FnMut(Match)) -> u32 {
    let mut above_is_larger = vec![0u64; (first.len() * second.len()).div_ceil(64)];
    let len_bytes = fill(first, second, |above, left, cell| {
        above_is_larger[cell / 64] |= u64::from(above > left) << (cell % 64);
    });
    let (mut i, mut j) = (first.len(), second.len());
    let mut end = None;
    while i > 0 && j > 0 {
        if first[i - 1] == second[j - 1] {
            end.get_or_insert((i - 1, j - 1));
            (i, j) = (i - 1, j - 1);
            if i > 0 && j > 0 {
                continue;
            }
        }
        if let Some((first_end, second_end)) = end.take() {
            found(Match { first: i..=first_end, second: j..=second_end });
            continue;
        }
        let cell = (i - 1) * second.len() + j - 1;
        if above_is_larger[cell / 64] >> (cell % 64) & 1 == 1 {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    len_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(first: &[u8], second: &[u8]) -> Vec<(usize, usize, usize)> {
        let mut runs = Vec::new();
        let len = matches(first, second, |found| {
            let (start, end) = found.first.into_inner();
            assert_eq!(end - start, found.second.end() - found.second.start());
            runs.push((start, *found.second.start(), end - start + 1));
        });
        assert_eq!(runs.iter().map(|run| run.2).sum::<usize>(), len as usize);
        assert_eq!(len, len_bytes(first, second));
        runs
    }

    #[test]
    fn the_documented_example() {
        // From the LCS page of Redis's documentation.
        assert_eq!(runs(b"ohmytext", b"mynewtext"), [(4, 5, 4), (2, 0, 2)]);
    }

    #[test]
    fn nothing_in_common() {
        assert_eq!(runs(b"", b"abc"), []);
        assert_eq!(runs(b"abc", b""), []);
        assert_eq!(runs(b"abc", b"xyz"), []);
    }

    #[test]
    fn agrees_with_trying_all_subsequences() {
        // All strings of up to 6 letters of 2 kinds, against each other.
        let words: Vec<Vec<u8>> = (0..=6u32)
            .flat_map(|len| {
                (0..1u32 << len).map(move |bits| (0..len).map(|at| b'a' + (bits >> at & 1) as u8).collect())
            })
            .collect();
        let is_within = |part: &[u8], whole: &[u8]| {
            let mut rest = whole.iter();
            part.iter().all(|byte| rest.any(|other| other == byte))
        };
        for first in &words {
            for second in words.iter().filter(|second| second.len() <= first.len()) {
                let best = words.iter().filter(|part| is_within(part, first) && is_within(part, second));
                let best = best.map(Vec::len).max().unwrap();
                assert_eq!(len_bytes(first, second) as usize, best);
                runs(first, second);
            }
        }
    }
}
