//! The checksum of RDB and of the manifest: CRC-64 with Jones's polynomial, as Redis has it.

use crc::{CRC_64_REDIS, Crc, Digest, Table};

/// Sixteen bytes are looked up at a time.
static CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_REDIS);

/// The checksum of bytes that come one piece after the other.
#[derive(Clone)]
pub struct Crc64 {
    digest: Digest<'static, u64, Table<16>>,
}

impl Default for Crc64 {
    fn default() -> Crc64 {
        Crc64 { digest: CRC.digest() }
    }
}

impl Crc64 {
    /// Of no bytes.
    pub fn new() -> Crc64 {
        Crc64::default()
    }

    /// Goes on with that of bytes that came before.
    pub fn resume(value: u64) -> Crc64 {
        // The crate wants the initial value as the algorithm's definition writes it, before it is reflected.
        Crc64 { digest: CRC.digest_with_initial(value.reverse_bits()) }
    }

    /// Takes in the next bytes.
    #[inline]
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
    }

    /// The checksum of all bytes so far.
    pub fn value(&self) -> u64 {
        self.digest.clone().finalize()
    }
}

impl std::fmt::Debug for Crc64 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crc64({:016x})", self.value())
    }
}

/// The checksum of `bytes`.
pub fn crc64(bytes: &[u8]) -> u64 {
    CRC.checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that Redis's own test of its checksum has.
    #[test]
    fn it_is_that_of_redis() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(b""), 0);
    }

    #[test]
    fn pieces_come_to_the_same() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let bytes: Vec<u8> = (0..random.usize(..500)).map(|_| random.u8(..)).collect();
            let mut rest = &bytes[..];
            let mut crc = Crc64::new();
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at(random.usize(1..=rest.len()));
                crc.update(piece);
                if random.bool() {
                    crc = Crc64::resume(crc.value());
                }
                rest = behind;
            }
            assert_eq!(crc.value(), crc64(&bytes));
        }
    }
}
