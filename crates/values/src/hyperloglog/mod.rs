//! HyperLogLogs: how many different elements were seen, about.
//!
//! A HyperLogLog is a string in Redis's own representation, so that values move between the two:
//!
//! ```text
//! +------+----------------+--------+-------------------+-----------------//
//! | HYLL | representation | unused | cached estimate   | registers
//! +------+----------------+--------+-------------------+-----------------//
//!    4           1            3       8, little endian
//! ```
//!
//! The highest bit of the cached estimate says that it is out of date. There are 16,384 registers of 6 bits: either all
//! of them ([`dense`]), or runs of equal ones ([`sparse`]). Strings come from clients, so any byte may be wrong: what
//! cannot be read is [`Corrupt`], or what the registers happen to say.

mod dense;
mod element;
mod estimate;
mod registers;
mod self_test;
mod sparse;
#[cfg(test)]
mod tests;

pub use registers::Registers;
pub use self_test::self_test;

use sparse::{Cursor, Raised};

/// How many registers there are.
const REGISTERS_LEN: usize = 1 << REGISTER_BITS;
/// Bits of an element's hash that choose its register.
const REGISTER_BITS: u32 = 14;
/// The largest value that an element gives its register, with a hash whose other bits are all zero.
const RANK_MAX: usize = 64 - REGISTER_BITS as usize + 1;
/// What comes before the registers.
const HEADER_LEN_BYTES: usize = 16;
const MAGIC: &[u8; 4] = b"HYLL";
const REPRESENTATION_AT: usize = 4;
const ESTIMATE_AT: usize = 8;
const OUT_OF_DATE_BIT: u64 = 1 << 63;

/// How the registers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation {
    /// Six bits for each.
    Dense,
    /// Runs of equal ones.
    Sparse,
}

/// The string does not begin like a HyperLogLog, or is not as long as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHyperLogLog;

/// The runs of a sparse HyperLogLog do not come to its registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// A HyperLogLog that nothing was added to.
pub fn empty() -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LEN_BYTES];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    bytes[REPRESENTATION_AT] = 1;
    bytes.extend(sparse::EMPTY);
    bytes
}

/// A HyperLogLog to look at.
#[derive(Clone, Copy, Debug)]
pub struct HyperLogLog<'a> {
    bytes: &'a [u8],
    representation: Representation,
}

impl<'a> HyperLogLog<'a> {
    /// What `bytes` say. The runs of a sparse one are not looked at yet.
    ///
    /// # Errors
    /// If they are no HyperLogLog.
    pub fn new(bytes: &'a [u8]) -> Result<HyperLogLog<'a>, NotHyperLogLog> {
        if bytes.len() < HEADER_LEN_BYTES || !bytes.starts_with(MAGIC) {
            return Err(NotHyperLogLog);
        }
        let representation = match bytes[REPRESENTATION_AT] {
            0 if bytes.len() == HEADER_LEN_BYTES + dense::LEN_BYTES => Representation::Dense,
            1 => Representation::Sparse,
            _ => return Err(NotHyperLogLog),
        };
        Ok(HyperLogLog { bytes, representation })
    }

    /// How the registers are kept.
    pub fn representation(self) -> Representation {
        self.representation
    }

    fn registers(self) -> &'a [u8] {
        &self.bytes[HEADER_LEN_BYTES..]
    }

    /// The estimate as it was computed last, unless registers have changed since.
    pub fn cached_estimate(self) -> Option<u64> {
        let bytes = self.bytes[ESTIMATE_AT..HEADER_LEN_BYTES].try_into().expect("eight bytes");
        Some(u64::from_le_bytes(bytes)).filter(|cached| cached & OUT_OF_DATE_BIT == 0)
    }

    /// How many different elements were added, about.
    ///
    /// # Errors
    /// If it is corrupt.
    pub fn estimate(self) -> Result<u64, Corrupt> {
        let histogram = match self.representation {
            Representation::Dense => dense::histogram(self.registers()),
            Representation::Sparse => sparse::histogram(self.registers())?,
        };
        Ok(estimate::estimate(&histogram))
    }

    /// Raises `registers` to those of this one where these are higher.
    ///
    /// # Errors
    /// If it is corrupt; some of `registers` may have been raised then.
    pub fn merge_into(self, registers: &mut Registers) -> Result<(), Corrupt> {
        match self.representation {
            Representation::Dense => {
                for (value, other) in registers.iter_mut().zip(dense::values(self.registers())) {
                    *value = other.max(*value);
                }
                Ok(())
            }
            Representation::Sparse => sparse::visit_values(self.registers(), |first, len, value| {
                for register in &mut registers[first..first + len] {
                    *register = value.max(*register);
                }
            }),
        }
    }

    /// The values of all registers of a dense one, in order.
    pub fn dense_values(self) -> Option<impl Iterator<Item = u8>> {
        (self.representation == Representation::Dense).then(|| dense::values(self.registers()))
    }

    /// The runs of a sparse one as text.
    pub fn decode(self) -> Option<String> {
        (self.representation == Representation::Sparse).then(|| sparse::decode(self.registers()))
    }
}

/// A HyperLogLog to change.
#[derive(Debug)]
pub struct HyperLogLogMut<'a> {
    bytes: &'a mut Vec<u8>,
    representation: Representation,
}

impl<'a> HyperLogLogMut<'a> {
    /// What `bytes` say. The runs of a sparse one are not looked at yet.
    ///
    /// # Errors
    /// If they are no HyperLogLog.
    pub fn new(bytes: &'a mut Vec<u8>) -> Result<HyperLogLogMut<'a>, NotHyperLogLog> {
        let representation = HyperLogLog::new(bytes)?.representation;
        Ok(HyperLogLogMut { bytes, representation })
    }

    /// The HyperLogLog to look at.
    pub fn as_ref(&self) -> HyperLogLog<'_> {
        HyperLogLog { bytes: self.bytes, representation: self.representation }
    }

    /// Adds an element. True if that raised a register. A sparse one that had to become longer than `sparse_max_bytes`
    /// becomes dense.
    ///
    /// # Errors
    /// If it is corrupt; nothing is changed then.
    pub fn add(&mut self, element: &[u8], sparse_max_bytes: u64) -> Result<bool, Corrupt> {
        let (register, rank) = element::register_and_rank(element);
        self.raise(register, rank, sparse_max_bytes, &mut Cursor::default())
    }

    /// Raises a register to `value` if it is lower. True if it was.
    fn raise(
        &mut self,
        register: usize,
        value: u8,
        sparse_max_bytes: u64,
        cursor: &mut Cursor,
    ) -> Result<bool, Corrupt> {
        if self.representation == Representation::Sparse {
            match sparse::raise(self.bytes, cursor, register, value, sparse_max_bytes)? {
                Raised::Not => return Ok(false),
                Raised::Yes => {
                    self.mark_out_of_date();
                    return Ok(true);
                }
                Raised::OnlyDense => self.make_dense().map(drop)?,
            }
        }
        Ok(dense::raise(&mut self.bytes[HEADER_LEN_BYTES..], register, value))
    }

    /// Raises all registers to those of `registers` that are higher. Where that cannot be done in a corrupt one, it is
    /// not.
    pub fn raise_all(&mut self, registers: &Registers, sparse_max_bytes: u64) {
        let mut cursor = Cursor::default();
        for (register, &value) in registers.iter().enumerate() {
            if value > 0 {
                // Redis goes on as well: this is reached only with runs behind the last register, which count for
                // nothing.
                let _ = self.raise(register, value, sparse_max_bytes, &mut cursor);
            }
        }
    }

    /// Makes a sparse one dense. False if it was.
    ///
    /// # Errors
    /// If it is corrupt; nothing is changed then.
    pub fn make_dense(&mut self) -> Result<bool, Corrupt> {
        if self.representation == Representation::Dense {
            return Ok(false);
        }
        let mut bytes = vec![0; HEADER_LEN_BYTES + dense::LEN_BYTES];
        let (header, registers) = bytes.split_at_mut(HEADER_LEN_BYTES);
        sparse::visit_values(&self.bytes[HEADER_LEN_BYTES..], |first, len, value| {
            for register in first..first + len {
                dense::set(registers, register, value);
            }
        })?;
        header.copy_from_slice(&self.bytes[..HEADER_LEN_BYTES]);
        header[REPRESENTATION_AT] = 0;
        *self.bytes = bytes;
        self.representation = Representation::Dense;
        Ok(true)
    }

    /// Keeps the estimate until a register changes.
    pub fn cache_estimate(&mut self, estimate: u64) {
        self.bytes[ESTIMATE_AT..HEADER_LEN_BYTES].copy_from_slice(&estimate.to_le_bytes());
    }

    /// Has the estimate computed anew the next time.
    pub fn mark_out_of_date(&mut self) {
        self.bytes[HEADER_LEN_BYTES - 1] |= (OUT_OF_DATE_BIT >> 56) as u8;
    }
}
