//! Registers as runs of equal ones:
//!
//! | bytes | run |
//! |---|---|
//! | `00llllll` | zero, `l` + 1 registers |
//! | `01llllll llllllll` | zero, `l` + 1 registers |
//! | `1vvvvvll` | `v` + 1, `l` + 1 registers |
//!
//! The bytes of a string are those that the same elements in the same order lead to in Redis. A run of two bytes whose
//! second one is missing is read as if that were zero, also as in Redis.

use super::estimate::Histogram;
use super::{Corrupt, HEADER_LEN_BYTES, REGISTERS_LEN};
use std::fmt::Write;

/// All registers zero.
pub const EMPTY: [u8; 2] = long_zeros(REGISTERS_LEN);

/// Highest value of a run.
const VALUE_MAX: u8 = 32;
/// Longest run of a value.
const VALUES_MAX_LEN: usize = 4;
/// Longest run of zeros in one byte.
const ZEROS_MAX_LEN: usize = 64;
/// After a change, so many runs are looked at for neighbours with the same value.
const JOINED_MAX_LEN: usize = 5;

const fn long_zeros(len: usize) -> [u8; 2] {
    let [high, low] = ((len - 1) as u16).to_be_bytes();
    [0b0100_0000 | high, low]
}

fn values(value: u8, len: usize) -> u8 {
    0b1000_0000 | (value - 1) << 2 | (len - 1) as u8
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Zeros,
    LongZeros,
    Values(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    kind: Kind,
    /// In registers.
    len: usize,
}

impl Run {
    /// The run that begins at `at`, where there must be a byte.
    fn read(bytes: &[u8], at: usize) -> Run {
        let byte = bytes[at];
        let low_bits = usize::from(byte & 0b0011_1111);
        match byte >> 6 {
            0 => Run { kind: Kind::Zeros, len: low_bits + 1 },
            1 => {
                let low = bytes.get(at + 1).copied().unwrap_or(0);
                Run { kind: Kind::LongZeros, len: (low_bits << 8 | usize::from(low)) + 1 }
            }
            _ => Run { kind: Kind::Values((byte >> 2 & 0b1_1111) + 1), len: usize::from(byte & 0b11) + 1 },
        }
    }

    fn len_bytes(self) -> usize {
        if self.kind == Kind::LongZeros { 2 } else { 1 }
    }
}

/// The runs in order.
fn runs(bytes: &[u8]) -> impl Iterator<Item = Run> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let run = (at < bytes.len()).then(|| Run::read(bytes, at))?;
        at += run.len_bytes();
        Some(run)
    })
}

/// Visits first register, length and value of each run that is not zero. What comes behind a run of a value that begins
/// or ends beyond the last register is not looked at.
pub fn visit_values(bytes: &[u8], mut visit: impl FnMut(usize, usize, u8)) -> Result<(), Corrupt> {
    let mut first = 0;
    for run in runs(bytes) {
        if let Kind::Values(value) = run.kind {
            if first + run.len > REGISTERS_LEN {
                break;
            }
            visit(first, run.len, value);
        }
        first += run.len;
    }
    if first == REGISTERS_LEN { Ok(()) } else { Err(Corrupt) }
}

/// How many registers have which value.
pub fn histogram(bytes: &[u8]) -> Result<Histogram, Corrupt> {
    let (mut histogram, mut total) = ([0; 64], 0);
    for run in runs(bytes) {
        total += run.len;
        if total > REGISTERS_LEN {
            break;
        }
        let value = if let Kind::Values(value) = run.kind { value } else { 0 };
        histogram[usize::from(value)] += run.len as u32;
    }
    if total == REGISTERS_LEN { Ok(histogram) } else { Err(Corrupt) }
}

/// `z` and `Z` for runs of zeros in one and two bytes, `v` for those of a value.
pub fn decode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for Run { kind, len } in runs(bytes) {
        let written = match kind {
            Kind::Zeros => write!(text, "z:{len} "),
            Kind::LongZeros => write!(text, "Z:{len} "),
            Kind::Values(value) => write!(text, "v:{value},{len} "),
        };
        written.expect("a string takes all text");
    }
    text.pop();
    text
}

/// What became of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raised {
    /// It was high enough.
    Not,
    /// It is as high now.
    Yes,
    /// It cannot be kept in a sparse HyperLogLog, or that would be too long.
    OnlyDense,
}

/// A run's place in the string, from where a search for a register may begin.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    /// The register where it begins.
    first: usize,
    /// Where the run before it begins.
    before: Option<usize>,
}

/// Where to look for the next register, which must not be lower than the one before: so that many of them are raised in
/// one pass.
#[derive(Clone, Copy, Debug)]
pub struct Cursor(Place);

impl Default for Cursor {
    /// The first run.
    fn default() -> Cursor {
        Cursor(Place { at: HEADER_LEN_BYTES, first: 0, before: None })
    }
}

/// Raises a register to `value` if it is lower. `bytes` are those of the whole string, which becomes no longer than
/// `max_bytes`.
pub fn raise(
    bytes: &mut Vec<u8>,
    cursor: &mut Cursor,
    register: usize,
    value: u8,
    max_bytes: u64,
) -> Result<Raised, Corrupt> {
    if value > VALUE_MAX {
        return Ok(Raised::OnlyDense);
    }
    let (place, run) = find(bytes, cursor, register)?;
    let Place { at, first, before } = place;
    match run.kind {
        Kind::Values(there) if there >= value => return Ok(Raised::Not),
        Kind::Values(_) | Kind::Zeros if run.len == 1 => bytes[at] = values(value, 1),
        _ => {
            let mut parts = Parts::default();
            parts.push(run.kind, register - first);
            parts.push(Kind::Values(value), 1);
            parts.push(run.kind, first + run.len - 1 - register);
            let len_bytes = bytes.len() + parts.len_bytes - run.len_bytes();
            if len_bytes > bytes.len() && len_bytes as u64 > max_bytes {
                return Ok(Raised::OnlyDense);
            }
            if len_bytes > bytes.capacity() {
                // Like Redis: in steps that are small when many HyperLogLogs are small.
                bytes.reserve_exact(len_bytes.min(300) + len_bytes - bytes.len());
            }
            let end = (at + run.len_bytes()).min(bytes.len());
            bytes.splice(at..end, parts.bytes[..parts.len_bytes].iter().copied());
            // If the second byte of a run was missing, the last one now is.
            bytes.truncate(len_bytes);
        }
    }
    join(bytes, before.unwrap_or(HEADER_LEN_BYTES));
    if cursor.0.at == at && before.is_some() {
        // The run may have been joined to the one before it.
        *cursor = Cursor::default();
    }
    Ok(Raised::Yes)
}

/// The run that a register is in. The cursor goes to the run before it.
fn find(bytes: &[u8], cursor: &mut Cursor, register: usize) -> Result<(Place, Run), Corrupt> {
    let mut place = cursor.0;
    while place.at < bytes.len() {
        let run = Run::read(bytes, place.at);
        if register < place.first + run.len {
            return Ok((place, run));
        }
        cursor.0 = place;
        place =
            Place { at: place.at + run.len_bytes(), first: place.first + run.len, before: Some(place.at) };
    }
    Err(Corrupt)
}

/// The bytes of what one run becomes: at most two bytes before, one for the register and two behind.
#[derive(Default)]
struct Parts {
    bytes: [u8; 5],
    len_bytes: usize,
}

impl Parts {
    /// Adds a run of this kind, or nothing if its length is zero.
    fn push(&mut self, kind: Kind, len: usize) {
        let part: &[u8] = match kind {
            _ if len == 0 => &[],
            Kind::Values(value) => &[values(value, len)],
            Kind::Zeros | Kind::LongZeros if len <= ZEROS_MAX_LEN => &[(len - 1) as u8],
            Kind::Zeros | Kind::LongZeros => &long_zeros(len),
        };
        self.bytes[self.len_bytes..self.len_bytes + part.len()].copy_from_slice(part);
        self.len_bytes += part.len();
    }
}

/// Makes one run of neighbours with the same value, from the run at `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOINED_MAX_LEN {
        if at >= bytes.len() {
            return;
        }
        let run = Run::read(bytes, at);
        let next = (at + 1 < bytes.len()).then(|| Run::read(bytes, at + 1));
        match (run.kind, next) {
            (Kind::Values(value), Some(next))
                if next.kind == run.kind && run.len + next.len <= VALUES_MAX_LEN =>
            {
                bytes[at + 1] = values(value, run.len + next.len);
                bytes.remove(at);
            }
            _ => at += run.len_bytes(),
        }
    }
}
