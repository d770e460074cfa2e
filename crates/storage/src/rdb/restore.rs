//! Payloads of DUMP and RESTORE: one value by itself.
//!
//! ```text
//!     +----------+- - - - -+-------------+--------------+
//!     | type (1) |  value  | version (2) | checksum (8) |
//!     +----------+- - - - -+-------------+--------------+
//! ```
//! Both numbers are little-endian. The checksum is over all that is before it.

use super::decode::{DecodeOptions, Decoded, Reader, Stop, ValueDecoder};
use super::opcodes::{VERSION_READ_MAX, ValueType};
use crate::checksum::crc64;
use std::fmt;
use tessera_values::{Thresholds, Value};

/// Why a payload is not restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// It is shorter than version and checksum, of a version later than what is read, or its checksum is another.
    Footer,
    /// It holds no value that can be read.
    Data {
        /// Where, in bytes from the beginning.
        offset_bytes: usize,
        /// What is wrong, in words.
        problem: String,
    },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Footer => f.write_str("the version or the checksum is wrong"),
            RestoreError::Data { offset_bytes, problem } => write!(f, "at byte {offset_bytes}: {problem}"),
        }
    }
}

impl std::error::Error for RestoreError {}

/// The value that a payload holds, in the encoding that Redis would give it.
///
/// # Errors
/// If it is not whole and sound.
pub fn restore(payload: &[u8], thresholds: &Thresholds) -> Result<Value, RestoreError> {
    restore_checked_if(payload, thresholds, true)
}

/// The same; the checksum is compared only if `verify_checksum`.
///
/// # Errors
/// If it is not whole and sound.
pub fn restore_checked_if(
    payload: &[u8],
    thresholds: &Thresholds,
    verify_checksum: bool,
) -> Result<Value, RestoreError> {
    let content = check_footer(payload, verify_checksum).ok_or(RestoreError::Footer)?;
    let mut reader = Reader::new(content, 0);
    let result = read(&mut reader, thresholds);
    let problem = match result {
        Ok(Decoded::Value(value)) if reader.at() == content.len() => return Ok(value),
        Ok(Decoded::Value(_)) => "there is more behind the value".to_owned(),
        Ok(Decoded::Empty) => "it is a collection without elements".to_owned(),
        Err(Stop::More) => "it ends too early".to_owned(),
        Err(Stop::Bad(problem) | Stop::Unsupported(problem)) => problem,
    };
    Err(RestoreError::Data { offset_bytes: reader.at(), problem })
}

fn read(reader: &mut Reader<'_>, thresholds: &Thresholds) -> Result<Decoded, Stop> {
    let number = reader.byte()?;
    let Some(value_type) = ValueType::from_number(number) else {
        return Err(Stop::Bad(format!("a value of unknown type {number}")));
    };
    let options = DecodeOptions { thresholds: *thresholds, ..DecodeOptions::default() };
    ValueDecoder::new(value_type, options).resume(reader)
}

/// What is before the footer, if that is right.
fn check_footer(payload: &[u8], verify_checksum: bool) -> Option<&[u8]> {
    let (summed, checksum) = payload.split_last_chunk::<8>()?;
    let (content, version) = summed.split_last_chunk::<2>()?;
    let is_right = u32::from(u16::from_le_bytes(*version)) <= VERSION_READ_MAX
        && (!verify_checksum || u64::from_le_bytes(*checksum) == crc64(summed));
    is_right.then_some(content)
}
