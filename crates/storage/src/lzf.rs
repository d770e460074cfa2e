//! LZF, the compression of strings in RDB.
//!
//! A compressed run of bytes is a sequence of
//! ```text
//!     000LLLLL, then L + 1 bytes                 these bytes (1 to 32)
//!     LLLooooo oooooooo                          L + 2 bytes (3 to 8) from o + 1 bytes back in what came out so far
//!     111ooooo LLLLLLLL oooooooo                 L + 9 bytes (9 to 264) from o + 1 bytes back
//! ```
//! Any choice of repetitions makes a valid run. Compression makes the ones that LibLZF makes as Redis builds it, which
//! is what lets DUMP be compared to the byte. Redis does not clear its table of places between two runs, so that once
//! in a while it finds a repetition that this does not find. (Source: the format and the order of steps in `lzf_c.c`
//! and `lzf_d.c` of Valkey 7.2.7.)

use std::fmt;

/// Most bytes of a sequence that are there as they are.
const LITERAL_MAX_LEN: usize = 32;
/// The farthest back that a repetition may begin, in bytes.
const OFFSET_MAX: usize = 1 << 13;
/// Longest repetition, in bytes.
const REPETITION_MAX_LEN: usize = 264;
/// Longest repetition whose length is in its first byte.
const SHORT_REPETITION_MAX_LEN: usize = 8;
/// By how much the longest repetition is longer than the three bytes that say so.
const EXPANSION_MAX: usize = REPETITION_MAX_LEN / 3;
/// Shorter runs are looked up in a table of 256 chains, in bytes.
const SHORT_LEN: usize = 128;
/// Shorter runs are looked up in a table of 4,096 chains, in bytes.
const MEDIUM_LEN: usize = 2048;
/// Shorter runs are looked up in a table of 16,384 chains, in bytes.
const LONG_LEN: usize = 16_384;
/// Hashes of three bytes have 16 bits.
const HASHES_LEN: usize = 1 << 16;

/// The last place of each hash of three bytes. 0 stands for none, which means that nothing repeats what is at 0.
trait Places {
    /// The place that is known for a hash, which is `now` from then on.
    fn replace(&mut self, input: &[u8], hash: u16, now: usize) -> usize;
}

/// A place for every hash.
struct AllPlaces(Vec<u32>);

impl Places for AllPlaces {
    #[inline]
    fn replace(&mut self, _: &[u8], hash: u16, now: usize) -> usize {
        std::mem::replace(&mut self.0[usize::from(hash)], now as u32) as usize
    }
}

/// The places of a run of less than `LEN` bytes, in chains of those whose hashes have the same lowest bits. It tells
/// the same as [`AllPlaces`] and is ready sooner. A hash is in its chain once, so that whatever the run is a chain has
/// no more than 65,536 / `HEADS` places.
struct ChainedPlaces<const HEADS: usize, const LEN: usize> {
    /// The first place of each chain; 0 ends it.
    heads: [u16; HEADS],
    /// What follows each place.
    next: [u16; LEN],
}

impl<const HEADS: usize, const LEN: usize> ChainedPlaces<HEADS, LEN> {
    fn new() -> ChainedPlaces<HEADS, LEN> {
        ChainedPlaces { heads: [0; HEADS], next: [0; LEN] }
    }
}

impl<const HEADS: usize, const LEN: usize> Places for ChainedPlaces<HEADS, LEN> {
    #[inline]
    fn replace(&mut self, input: &[u8], hash: u16, now: usize) -> usize {
        if now == 0 {
            return 0;
        }
        let head = usize::from(hash) % HEADS;
        let first = usize::from(self.heads[head]);
        let (mut known, mut before) = (first, 0);
        while known != 0 && hash_of(three_at(input, known)) != hash {
            (before, known) = (known, usize::from(self.next[known]));
        }
        // It goes to the front of the chain; the one that it replaces goes.
        let behind = usize::from(self.next[known]);
        match (known, before) {
            (0, _) => self.next[now] = first as u16,
            (_, 0) => self.next[now] = behind as u16,
            (_, before) => {
                self.next[before] = behind as u16;
                self.next[now] = first as u16;
            }
        }
        self.heads[head] = now as u16;
        known
    }
}

/// Three bytes as one number.
#[inline]
fn three_at(input: &[u8], at: usize) -> u32 {
    match input[at..at + 3] {
        [first, second, third] => u32::from(first) << 16 | u32::from(second) << 8 | u32::from(third),
        _ => 0,
    }
}

#[inline]
fn hash_of(three: u32) -> u16 {
    (three >> 8).wrapping_sub(three.wrapping_mul(5)) as u16
}

/// Appends `input` compressed to `out`, if that takes at most `max_len` bytes. False, and `out` as it was, if it takes
/// more.
pub fn compress(input: &[u8], max_len: usize, out: &mut Vec<u8>) -> bool {
    if input.len() < 3 || input.len() > u32::MAX as usize || max_len == 0 {
        return false;
    }
    let start = out.len();
    let fits = match input.len() {
        ..SHORT_LEN => compress_with(&mut ChainedPlaces::<256, SHORT_LEN>::new(), input, max_len, out),
        SHORT_LEN..MEDIUM_LEN => {
            compress_with(&mut ChainedPlaces::<4096, MEDIUM_LEN>::new(), input, max_len, out)
        }
        MEDIUM_LEN..LONG_LEN => {
            compress_with(&mut ChainedPlaces::<16_384, LONG_LEN>::new(), input, max_len, out)
        }
        _ => compress_with(&mut AllPlaces(vec![0; HASHES_LEN]), input, max_len, out),
    };
    if !fits {
        out.truncate(start);
    }
    fits
}

/// What is written. Bytes that are there as they are wait until it is known how many they are.
struct Written<'a> {
    out: &'a mut Vec<u8>,
    /// Length in bytes with those that wait, and with the byte before them that is to be their number.
    len: usize,
}

impl Written<'_> {
    /// Writes bytes that waited, if there are any, with their number. The byte for the next number is taken.
    #[inline]
    fn push_literals(&mut self, literals: &[u8]) {
        self.out.push((literals.len() - 1) as u8);
        self.out.extend_from_slice(literals);
        self.len += 1;
    }

    /// Writes a repetition behind `literals`, which may be none.
    fn push_repetition(&mut self, literals: &[u8], back: usize, len: usize) {
        if !literals.is_empty() {
            self.push_literals(literals);
        }
        // The byte for the next number is used for this.
        self.len -= 1;
        let (high, low) = (((back - 1) >> 8) as u8, (back - 1) as u8);
        if len <= SHORT_REPETITION_MAX_LEN {
            self.out.extend_from_slice(&[high | ((len - 2) as u8) << 5, low]);
            self.len += 2 + 1;
        } else {
            self.out.extend_from_slice(&[high | 7 << 5, (len - 9) as u8, low]);
            self.len += 3 + 1;
        }
    }
}

/// Three bytes and what follows are at `known` as at `at`: how many. The bounds are LibLZF's, which seldom goes to the
/// end.
#[inline]
fn repetition_len(input: &[u8], known: usize, at: usize) -> usize {
    let max = (input.len() - at - 2).min(REPETITION_MAX_LEN);
    let same = |len: usize| input[known + len] == input[at + len];
    let mut len = 3;
    if max > 16 {
        while len <= 18 && same(len) {
            len += 1;
        }
    }
    while len < max && same(len) {
        len += 1;
    }
    len
}

#[inline]
fn compress_with(places: &mut impl Places, input: &[u8], max_len: usize, out: &mut Vec<u8>) -> bool {
    let mut written = Written { out, len: 1 };
    // Where the bytes that wait begin.
    let (mut at, mut waiting, end) = (0, 0, input.len() - 2);
    while at < end {
        let three = three_at(input, at);
        let known = places.replace(input, hash_of(three), at);
        let repeats = known != 0 && at - known <= OFFSET_MAX && three_at(input, known) == three;
        if !repeats {
            if written.len >= max_len {
                return false;
            }
            (at, written.len) = (at + 1, written.len + 1);
            if at - waiting == LITERAL_MAX_LEN {
                written.push_literals(&input[waiting..at]);
                waiting = at;
            }
            continue;
        }
        if written.len - usize::from(waiting == at) + 4 >= max_len {
            return false;
        }
        let len = repetition_len(input, known, at);
        written.push_repetition(&input[waiting..at], at - known, len);
        at += len;
        waiting = at;
        if at >= end {
            break;
        }
        // Of the places that were passed over only the last two are kept.
        places.replace(input, hash_of(three_at(input, at - 2)), at - 2);
        places.replace(input, hash_of(three_at(input, at - 1)), at - 1);
    }
    if written.len + 3 > max_len {
        return false;
    }
    for literals in input[waiting..].chunks(LITERAL_MAX_LEN) {
        written.push_literals(literals);
    }
    true
}

/// Why a compressed run cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LzfError {
    /// It ends within a sequence.
    Truncated,
    /// A repetition begins before the start.
    OffsetOutOfRange,
    /// It comes to more or fewer bytes than was said.
    WrongLength,
}

impl fmt::Display for LzfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LzfError::Truncated => "the compressed string is truncated",
            LzfError::OffsetOutOfRange => "the compressed string repeats what is before its start",
            LzfError::WrongLength => "the compressed string has not the length that was said",
        })
    }
}

impl std::error::Error for LzfError {}

/// The longest that so many compressed bytes may come to, in bytes.
pub fn decompressed_max_len(compressed_len: usize) -> usize {
    compressed_len.saturating_mul(EXPANSION_MAX)
}

/// What was compressed, `len` bytes. No memory is taken for a length that `input` cannot come to.
///
/// # Errors
/// If `input` is no compressed run of so many bytes.
pub fn decompress(input: &[u8], len: usize) -> Result<Vec<u8>, LzfError> {
    if len > decompressed_max_len(input.len()) {
        return Err(LzfError::WrongLength);
    }
    let mut out = Vec::with_capacity(len);
    let mut rest = input;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if usize::from(first) < LITERAL_MAX_LEN {
            let (literals, behind) =
                rest.split_at_checked(usize::from(first) + 1).ok_or(LzfError::Truncated)?;
            rest = behind;
            if len - out.len() < literals.len() {
                return Err(LzfError::WrongLength);
            }
            out.extend_from_slice(literals);
            continue;
        }
        let mut count = usize::from(first >> 5) + 2;
        if first >> 5 == 7 {
            let (&more, behind) = rest.split_first().ok_or(LzfError::Truncated)?;
            rest = behind;
            count += usize::from(more);
        }
        let (&low, behind) = rest.split_first().ok_or(LzfError::Truncated)?;
        rest = behind;
        let back = (usize::from(first & 0x1f) << 8 | usize::from(low)) + 1;
        let from = out.len().checked_sub(back).ok_or(LzfError::OffsetOutOfRange)?;
        if len - out.len() < count {
            return Err(LzfError::WrongLength);
        }
        repeat(&mut out, from, count);
    }
    if out.len() == len { Ok(out) } else { Err(LzfError::WrongLength) }
}

/// Appends `count` bytes from `from` on, which may reach into what is appended.
fn repeat(out: &mut Vec<u8>, from: usize, count: usize) {
    let mut left = count;
    while left > 0 {
        // What is there from `from` on repeats itself.
        let here = left.min(out.len() - from);
        out.extend_from_within(from..from + here);
        left -= here;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compressed(input: &[u8], max_len: usize) -> Option<Vec<u8>> {
        let mut out = b"before".to_vec();
        let fits = compress(input, max_len, &mut out);
        assert_eq!(&out[..6], b"before");
        assert!(fits || out.len() == 6);
        fits.then(|| out.split_off(6))
    }

    fn random_input(random: &mut fastrand::Rng) -> Vec<u8> {
        let len = match random.u8(..4) {
            0 => random.usize(..40),
            1 => random.usize(..300),
            2 => random.usize(1900..2200),
            3 if random.bool() => random.usize(16_300..16_500),
            _ => random.usize(..30_000),
        };
        let letters = random.u8(1..=40);
        let mut input: Vec<u8> = Vec::with_capacity(len);
        while input.len() < len {
            if input.len() > 10 && random.u8(..5) == 0 {
                let from = random.usize(..input.len());
                let count = random.usize(1..400).min(input.len() - from);
                input.extend_from_within(from..from + count);
            } else {
                input.push(random.u8(..letters));
            }
        }
        input.truncate(len);
        input
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut shorter = 0;
        for _ in 0..2000 {
            let input = random_input(&mut random);
            let max_len = input.len().saturating_sub(4);
            if let Some(out) = compressed(&input, max_len) {
                shorter += 1;
                assert!(out.len() <= max_len);
                assert_eq!(decompress(&out, input.len()).as_ref(), Ok(&input));
                assert_eq!(decompress(&out, input.len() + 1), Err(LzfError::WrongLength));
                assert_eq!(decompress(&out, input.len() - 1), Err(LzfError::WrongLength));
                // Its own length is room enough, one byte less need not be.
                assert_eq!(compressed(&input, input.len()), Some(out));
            }
        }
        assert!(shorter > 1000, "{shorter}");
    }

    /// Tables of different lengths know the same.
    #[test]
    fn short_runs_are_compressed_as_long_ones() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..2000 {
            let mut input = random_input(&mut random);
            input.truncate(LONG_LEN - 1);
            if input.len() > 4 {
                let mut out = Vec::new();
                let mut places = AllPlaces(vec![0; HASHES_LEN]);
                let fits = compress_with(&mut places, &input, input.len() - 4, &mut out);
                assert_eq!(compressed(&input, input.len() - 4), fits.then_some(out));
            }
        }
    }

    #[test]
    fn damaged_runs_are_refused() {
        assert_eq!(decompress(b"", 0), Ok(Vec::new()));
        assert_eq!(decompress(b"\x02ab", 3), Err(LzfError::Truncated));
        assert_eq!(decompress(b"\x00a\x20\x00", 4), Ok(b"aaaa".to_vec()));
        assert_eq!(decompress(b"\x00a\x20\x01", 4), Err(LzfError::OffsetOutOfRange));
        assert_eq!(decompress(b"\x00a\x20", 4), Err(LzfError::Truncated));
        assert_eq!(decompress(b"\x00a\xe0", 10), Err(LzfError::Truncated));
        assert_eq!(decompress(b"\x00a", usize::MAX), Err(LzfError::WrongLength));
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..20_000 {
            let input: Vec<u8> = (0..random.usize(..30)).map(|_| random.u8(..) >> random.u8(..8)).collect();
            let len = random.usize(..500);
            assert!(
                decompress(&input, len).is_ok_and(|out| out.len() == len) || decompress(&input, len).is_err()
            );
        }
    }
}
