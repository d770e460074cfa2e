//! What DUMP answers and RESTORE takes.
//!
//! ```text
//!     type (1) | value | version (2) | checksum (8)
//! ```
//! Type and value are those of a file. Both numbers are little-endian; the checksum is that of all that is before it.

use super::encode::put_dumped;
use crate::checksum::crc64;
use tessera_values::ValueRef;

/// What DUMP answers for `value`: to the byte what Redis 7.2 answers, where it has no choice (members of hash tables
/// are in an order of each server's own). A hash some field of which expires has the version of Redis 7.4.
pub fn dump(value: ValueRef<'_>, compress: bool) -> Vec<u8> {
    let mut out = Vec::new();
    put_dumped(&mut out, value, compress);
    let checksum = crc64(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}
