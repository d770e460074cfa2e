//! Integers in ascending order, in one run of bytes. The format is the one of Redis and of its snapshots:
//!
//! ```text
//! byte 0                  4          8
//!     +------------------+----------+---------+---------+- - -
//!     | bytes an integer | integers | integer | integer |
//!     +------------------+----------+---------+---------+- - -
//! ```
//! An integer takes 2, 4 or 8 bytes, whatever the widest one that was ever in the set needs. All numbers are
//! little-endian.

use crate::allocation::block_len_bytes;
use crate::listpack::Malformed;
use ref_cast::RefCast;
use std::ops::Deref;

const HEADER_BYTES: usize = 8;
/// Below this capacity an allocation stays as long as it is, as in a listpack.
const SHRINK_MIN_BYTES: usize = 1024;
/// What the narrowest integers take.
const WIDTH_MIN_BYTES: usize = 2;

/// Integers, each once, to look at: the bytes of such a set.
#[derive(PartialEq, Eq, RefCast)]
#[repr(transparent)]
pub struct Integers([u8]);

/// Integers, each once, that may be changed. What there is to look at is in [`Integers`].
#[derive(Clone, PartialEq, Eq)]
pub struct IntSet {
    bytes: Vec<u8>,
}

impl Default for IntSet {
    fn default() -> IntSet {
        IntSet::new()
    }
}

/// How many bytes an integer takes.
fn width_of(integer: i64) -> usize {
    if i16::try_from(integer).is_ok() {
        2
    } else if i32::try_from(integer).is_ok() {
        4
    } else {
        8
    }
}

#[inline]
fn read(bytes: &[u8], width: usize, index: usize) -> i64 {
    let at = HEADER_BYTES + index * width;
    let mut wide = [0; 8];
    wide[8 - width..].copy_from_slice(&bytes[at..at + width]);
    i64::from_le_bytes(wide) >> (64 - 8 * width)
}

fn write(bytes: &mut [u8], width: usize, index: usize, integer: i64) {
    let at = HEADER_BYTES + index * width;
    bytes[at..at + width].copy_from_slice(&integer.to_le_bytes()[..width]);
}

fn header(width: usize, len: usize) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&(width as u32).to_le_bytes());
    header[4..].copy_from_slice(&(len as u32).to_le_bytes());
    header
}

impl Integers {
    /// Those that `bytes` are. They are known to be in the format and not looked at: of others, anything may be read,
    /// or a panic come.
    #[inline]
    pub fn of_trusted(bytes: &[u8]) -> &Integers {
        Integers::ref_cast(bytes)
    }

    /// The whole run of bytes, as it stands in a snapshot.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    #[inline]
    fn width(&self) -> usize {
        usize::from(self.0[0])
    }

    /// How many integers.
    #[inline]
    pub fn len(&self) -> usize {
        (self.0.len() - HEADER_BYTES) / self.width()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.len() == HEADER_BYTES
    }

    /// Integer number `index` in ascending order.
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| read(&self.0, self.width(), index))
    }

    /// The smallest.
    pub fn first(&self) -> Option<i64> {
        self.get(0)
    }

    /// The largest.
    pub fn last(&self) -> Option<i64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All in ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i64> {
        let width = self.width();
        (0..self.len()).map(move |index| read(&self.0, width, index))
    }

    /// Which number `integer` has, or would have.
    fn search(&self, integer: i64) -> Result<usize, usize> {
        let width = self.width();
        let (mut low, mut high) = (0, self.len());
        // Mostly they come in ascending order.
        if self.last().is_none_or(|last| last < integer) {
            return Err(high);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match read(&self.0, width, middle).cmp(&integer) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// Whether `integer` is in it.
    pub fn contains(&self, integer: i64) -> bool {
        self.search(integer).is_ok()
    }
}

impl IntSet {
    /// No integers.
    pub fn new() -> IntSet {
        IntSet { bytes: header(WIDTH_MIN_BYTES, 0).to_vec() }
    }

    /// Integers that are in ascending order, each once.
    pub fn from_sorted(integers: &[i64]) -> IntSet {
        let ends = [integers.first(), integers.last()];
        let width = ends.into_iter().flatten().map(|end| width_of(*end)).max().unwrap_or(WIDTH_MIN_BYTES);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + integers.len() * width);
        bytes.extend_from_slice(&header(width, integers.len()));
        for integer in integers {
            bytes.extend_from_slice(&integer.to_le_bytes()[..width]);
        }
        IntSet { bytes }
    }

    /// Takes over integers as they stand in a snapshot. All of them are looked at.
    ///
    /// # Errors
    /// If they are not in the format, or not in ascending order, each once.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<IntSet, Malformed> {
        let Some(([a, b, c, d, e, f, g, h], content)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(Malformed::at(0, "it is too short for a set of integers"));
        };
        let width = match u32::from_le_bytes([*a, *b, *c, *d]) {
            width @ (2 | 4 | 8) => width as usize,
            _ => return Err(Malformed::at(0, "integers take 2, 4 or 8 bytes")),
        };
        let len = u32::from_le_bytes([*e, *f, *g, *h]) as usize;
        if len.checked_mul(width) != Some(content.len()) {
            return Err(Malformed::at(4, "the number of integers is not what there is"));
        }
        let integers = IntSet { bytes };
        let mut before = None;
        for (index, integer) in integers.iter().enumerate() {
            if before >= Some(integer) {
                let offset = HEADER_BYTES + index * width;
                return Err(Malformed::at(offset, "the integers are not in ascending order, each once"));
            }
            before = Some(integer);
        }
        Ok(integers)
    }

    /// The set that `bytes` are. They are known to be in the format and not looked at.
    #[inline]
    pub fn of_trusted(bytes: Vec<u8>) -> IntSet {
        IntSet { bytes }
    }

    /// The run of bytes for good.
    #[inline]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Memory beyond the `IntSet` itself, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        block_len_bytes(self.bytes.capacity())
    }

    /// Makes the run of bytes `len_bytes` long, and gives memory back where there is much too much of it.
    fn resize(&mut self, len_bytes: usize) {
        if len_bytes > self.bytes.capacity() {
            // Blocks come in coarse lengths: whatever the next one has to spare is ours anyway.
            self.bytes.reserve_exact(block_len_bytes(len_bytes) - self.bytes.len());
        }
        self.bytes.resize(len_bytes, 0);
        if self.bytes.capacity() > SHRINK_MIN_BYTES
            && block_len_bytes(len_bytes) < block_len_bytes(self.bytes.capacity())
        {
            self.bytes.shrink_to(block_len_bytes(len_bytes));
        }
    }

    /// Adds `integer`. False if it is there already.
    pub fn insert(&mut self, integer: i64) -> bool {
        let (width, len) = (self.width(), self.len());
        let needed = width_of(integer);
        if needed > width {
            self.widen(needed, integer);
            return true;
        }
        let Err(index) = self.search(integer) else { return false };
        let (at, end) = (HEADER_BYTES + index * width, self.bytes.len());
        self.resize(end + width);
        self.bytes.copy_within(at..end, at + width);
        self.bytes[..HEADER_BYTES].copy_from_slice(&header(width, len + 1));
        write(&mut self.bytes, width, index, integer);
        true
    }

    /// Adds an integer that needs more bytes than those that are there, so it lies before or behind them all.
    fn widen(&mut self, width: usize, integer: i64) {
        let (old_width, len) = (self.width(), self.len());
        self.resize(HEADER_BYTES + (len + 1) * width);
        let shift = usize::from(integer < 0);
        // From the last on: none is written over before it is read.
        for index in (0..len).rev() {
            let old = read(&self.bytes, old_width, index);
            write(&mut self.bytes, width, index + shift, old);
        }
        self.bytes[..HEADER_BYTES].copy_from_slice(&header(width, len + 1));
        write(&mut self.bytes, width, if integer < 0 { 0 } else { len }, integer);
    }

    /// Takes `integer` away. False if it is not there.
    pub fn remove(&mut self, integer: i64) -> bool {
        let Ok(index) = self.search(integer) else { return false };
        let (width, len) = (self.width(), self.len());
        let at = HEADER_BYTES + index * width;
        self.bytes.copy_within(at + width.., at);
        self.resize(self.bytes.len() - width);
        self.bytes[..HEADER_BYTES].copy_from_slice(&header(width, len - 1));
        true
    }

    /// Keeps those for which `keep` holds, which is asked for each in ascending order. None becomes narrower.
    pub fn retain(&mut self, mut keep: impl FnMut(i64) -> bool) {
        let (width, len) = (self.width(), self.len());
        let mut kept = 0;
        for index in 0..len {
            let integer = read(&self.bytes, width, index);
            if keep(integer) {
                write(&mut self.bytes, width, kept, integer);
                kept += 1;
            }
        }
        self.resize(HEADER_BYTES + kept * width);
        self.bytes[..HEADER_BYTES].copy_from_slice(&header(width, kept));
    }
}

impl Deref for IntSet {
    type Target = Integers;

    #[inline]
    fn deref(&self) -> &Integers {
        Integers::of_trusted(&self.bytes)
    }
}

impl std::fmt::Debug for Integers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl std::fmt::Debug for IntSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}
