//! A key's bytes, within the entry if they are few.

/// Longer keys have an allocation of their own, in bytes. With this an entry is one cache line.
const INLINE_MAX_LEN_BYTES: usize = 22;

/// The bytes of a key.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    /// The first `len` of these.
    Inline { len: u8, bytes: [u8; INLINE_MAX_LEN_BYTES] },
    /// Elsewhere.
    Apart(Box<[u8]>),
}

impl Key {
    #[inline]
    pub(crate) fn new(key: &[u8]) -> Key {
        if key.len() > INLINE_MAX_LEN_BYTES {
            return Key::Apart(key.into());
        }
        let mut bytes = [0; INLINE_MAX_LEN_BYTES];
        bytes[..key.len()].copy_from_slice(key);
        Key::Inline { len: key.len() as u8, bytes }
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Key::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Key::Apart(bytes) => bytes,
        }
    }

    /// Memory beyond the `Key` itself, in bytes.
    pub(crate) fn allocated_bytes(&self) -> usize {
        match self {
            Key::Inline { .. } => 0,
            Key::Apart(bytes) => bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_come_back() {
        for len in 0..=64u8 {
            let bytes: Vec<u8> = (0..len).collect();
            let key = Key::new(&bytes);
            assert_eq!(key.as_bytes(), bytes);
            assert_eq!(key.allocated_bytes() == 0, usize::from(len) <= INLINE_MAX_LEN_BYTES);
        }
    }

    #[test]
    fn an_entry_is_a_cache_line() {
        assert_eq!(size_of::<crate::Entry>(), 64);
    }
}
