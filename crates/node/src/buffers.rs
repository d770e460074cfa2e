//! Buffers used again.

/// Larger buffers are given back to the allocator, in bytes.
const KEEP_MAX_LEN_BYTES: usize = 16 * 1024;
/// More buffers than this are not kept.
const KEEP_MAX_BUFFERS: usize = 256;
/// What a new buffer has room for, in bytes.
const NEW_LEN_BYTES: usize = 4 * 1024;

/// Empty buffers for replies.
#[derive(Debug, Default)]
pub struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    /// An empty buffer.
    #[inline]
    pub fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_else(|| Vec::with_capacity(NEW_LEN_BYTES))
    }

    /// Takes a buffer back.
    #[inline]
    pub fn give_back(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= KEEP_MAX_LEN_BYTES && self.0.len() < KEEP_MAX_BUFFERS {
            buffer.clear();
            self.0.push(buffer);
        }
    }
}
