//! How much memory an allocation really takes.

/// Blocks above this are whole multiples of [`SLICE_BYTES`].
const CLASSES_MAX_BYTES: usize = 512 * 1024;
/// What the allocator takes its largest blocks in, in bytes.
const SLICE_BYTES: usize = 64 * 1024;

/// The length of the block that an allocation of `len_bytes` gets from mimalloc 3: whole multiples of 16 bytes up to
/// 64, then four sizes for each doubling. (`mi_bin` in its `page-queue.c`.)
#[inline]
pub const fn block_len_bytes(len_bytes: usize) -> usize {
    if len_bytes <= 8 {
        return if len_bytes == 0 { 0 } else { 8 };
    }
    if len_bytes <= 64 {
        return len_bytes.next_multiple_of(16);
    }
    if len_bytes > CLASSES_MAX_BYTES {
        return len_bytes.next_multiple_of(SLICE_BYTES);
    }
    let step = 1 << ((len_bytes - 1).ilog2() - 2);
    len_bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::block_len_bytes;

    #[test]
    fn lengths_round_up_to_blocks() {
        for (len_bytes, block) in [
            (0, 0),
            (1, 8),
            (9, 16),
            (17, 32),
            (64, 64),
            (65, 80),
            (128, 128),
            (129, 160),
            (513, 640),
            (4096, 4096),
            (4097, 5120),
            (524_288, 524_288),
            (524_289, 589_824),
        ] {
            assert_eq!(block_len_bytes(len_bytes), block, "{len_bytes}");
        }
    }
}
