//! What an element does to the registers.

use super::{REGISTER_BITS, REGISTERS_LEN};

/// Redis's.
const SEED: u64 = 0xadc8_3b19;
const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
const SHIFT: u32 = 47;

/// MurmurHash64A.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let (blocks, tail) = bytes.as_chunks::<8>();
    for block in blocks {
        let mut block = u64::from_le_bytes(*block).wrapping_mul(MULTIPLIER);
        block ^= block >> SHIFT;
        hash = (hash ^ block.wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !tail.is_empty() {
        let mut block = [0; 8];
        block[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u64::from_le_bytes(block)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ hash >> SHIFT).wrapping_mul(MULTIPLIER);
    hash ^ hash >> SHIFT
}

/// The register of an element and the value that it raises that to: the place of the lowest bit that is set among those
/// which do not choose the register, counted from one.
pub fn register_and_rank(element: &[u8]) -> (usize, u8) {
    let hash = hash(element);
    let rest = hash >> REGISTER_BITS | 1 << (u64::BITS - REGISTER_BITS);
    (hash as usize % REGISTERS_LEN, rest.trailing_zeros() as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::hash;

    /// From the reference implementation, compiled with this seed.
    #[test]
    fn the_hash_is_murmur_hash_64a() {
        for (text, expected) in HASHES {
            assert_eq!(hash(text.as_bytes()), expected, "{text}");
        }
    }

    const HASHES: [(&str, u64); 4] = [
        ("", 0xd8df_ea65_85bc_9732),
        ("a", 0x53d2_470a_9b43_b1a7),
        ("12345678", 0x95eb_b863_8913_2953),
        ("a long element, 27 bytes...", 0xe48b_a82b_beed_ae33),
    ];
}
