//! Registers of six bits, packed from the lowest bit of the first byte on:
//!
//! ```text
//! +--------+--------+--------+------//
//! |11000000|22221111|33333322|55444444
//! +--------+--------+--------+------//
//! ```

use super::REGISTERS_LEN;
use super::estimate::Histogram;

const VALUE_BITS: usize = 6;
const VALUE_MASK: u16 = (1 << VALUE_BITS) - 1;
/// How long all of them are.
pub const LEN_BYTES: usize = REGISTERS_LEN * VALUE_BITS / 8;

/// The byte in which a register begins, and the bit there.
fn place(register: usize) -> (usize, usize) {
    (register * VALUE_BITS / 8, register * VALUE_BITS % 8)
}

/// Two bytes from `byte` on, of which the second one counts as zero behind the end.
fn pair(bytes: &[u8], byte: usize) -> u16 {
    u16::from_le_bytes([bytes[byte], bytes.get(byte + 1).copied().unwrap_or(0)])
}

/// The value of one register.
pub fn get(bytes: &[u8], register: usize) -> u8 {
    let (byte, bit) = place(register);
    (pair(bytes, byte) >> bit & VALUE_MASK) as u8
}

/// Sets one register.
pub fn set(bytes: &mut [u8], register: usize, value: u8) {
    let (byte, bit) = place(register);
    let cleared = pair(bytes, byte) & !(VALUE_MASK << bit);
    let [low, high] = (cleared | (u16::from(value) & VALUE_MASK) << bit).to_le_bytes();
    bytes[byte] = low;
    if let Some(next) = bytes.get_mut(byte + 1) {
        *next = high;
    }
}

/// Sets one register if it is lower. True if it was.
pub fn raise(bytes: &mut [u8], register: usize, value: u8) -> bool {
    let is_lower = get(bytes, register) < value;
    if is_lower {
        set(bytes, register, value);
    }
    is_lower
}

/// All registers in order.
pub fn values(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.as_chunks::<3>().0.iter().flat_map(|[first, second, third]| {
        [first & 63, (first >> 6 | second << 2) & 63, (second >> 4 | third << 4) & 63, third >> 2]
    })
}

/// How many registers have which value.
pub fn histogram(bytes: &[u8]) -> Histogram {
    let mut histogram = [0; 64];
    for value in values(bytes) {
        histogram[usize::from(value)] += 1;
    }
    histogram
}
