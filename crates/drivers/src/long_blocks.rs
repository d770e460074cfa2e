//! The longest blocks of memory, each of them a mapping of its own: the kernel makes such a block longer by moving its
//! pages, where an allocator would copy all of it. A string of 500 MB that grows by a megabyte would else stop its
//! shard for most of a second.

use std::alloc::Layout;
use tessera_values::allocation::block_len_bytes;

/// From how many bytes on a block is a mapping of its own. Below, copying takes less than some ten milliseconds.
const LONG_MIN_LEN_BYTES: usize = 32 * 1024 * 1024;
/// To this a mapping is aligned at least, in bytes: the smallest page that there is.
const MAPPING_ALIGNMENT: usize = 4096;

/// Whether blocks of this layout are mappings. It follows from the layout alone, so that whoever frees a block knows,
/// too.
#[inline]
pub(crate) fn is_long(layout: Layout) -> bool {
    layout.size() >= LONG_MIN_LEN_BYTES && layout.align() <= MAPPING_ALIGNMENT
}

/// A block, all of it zero, or null if there is no memory for it.
#[cold]
pub(crate) fn map(layout: Layout) -> *mut u8 {
    // What is counted for it: a multiple of the length of a page.
    let len_bytes = block_len_bytes(layout.size());
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address that the kernel chooses touches nothing that is there.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), len_bytes, protection, flags, -1, 0) };
    if address == libc::MAP_FAILED { std::ptr::null_mut() } else { address.cast() }
}

/// Gives a block back.
///
/// # Safety
/// The block must come from [`map`] or [`remap`] with this layout, and nobody may use it any more.
#[cold]
pub(crate) unsafe fn unmap(block: *mut u8, layout: Layout) {
    // SAFETY: it is all of a mapping that was made here, of the length that follows from its layout.
    let result = unsafe { libc::munmap(block.cast(), block_len_bytes(layout.size())) };
    debug_assert_eq!(result, 0);
}

/// Makes a block longer or shorter; it may be elsewhere then. Null if there is no memory, and the block is as it was.
///
/// # Safety
/// The block must come from [`map`] or [`remap`] with this layout, the new layout must be [long](is_long) as well, and
/// nobody may use the old address any more if the result is not null.
#[cold]
pub(crate) unsafe fn remap(block: *mut u8, layout: Layout, new_len_bytes: usize) -> *mut u8 {
    let (old, new) = (block_len_bytes(layout.size()), block_len_bytes(new_len_bytes));
    // SAFETY: it is all of a mapping that was made here, and the kernel may move it.
    let address = unsafe { libc::mremap(block.cast(), old, new, libc::MREMAP_MAYMOVE) };
    if address == libc::MAP_FAILED { std::ptr::null_mut() } else { address.cast() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_have_is_refused() {
        for len_bytes in [1 << 50, isize::MAX as usize - MAPPING_ALIGNMENT] {
            let layout = Layout::from_size_align(len_bytes, MAPPING_ALIGNMENT).unwrap();
            assert!(is_long(layout) && map(layout).is_null());
        }
        let layout = Layout::from_size_align(LONG_MIN_LEN_BYTES, 1).unwrap();
        let block = map(layout);
        // SAFETY: it is mapped, and freed as it was mapped. What cannot be made longer stays as it was.
        unsafe {
            *block = 1;
            assert!(remap(block, layout, 1 << 50).is_null());
            assert_eq!(*block, 1);
            unmap(block, layout);
        }
    }

    #[test]
    fn the_layout_alone_says_what_is_long() {
        let is_long_one = |len_bytes, align| is_long(Layout::from_size_align(len_bytes, align).unwrap());
        assert!(is_long_one(LONG_MIN_LEN_BYTES, 1) && is_long_one(LONG_MIN_LEN_BYTES, MAPPING_ALIGNMENT));
        assert!(
            !is_long_one(LONG_MIN_LEN_BYTES - 1, 1)
                && !is_long_one(LONG_MIN_LEN_BYTES, 2 * MAPPING_ALIGNMENT)
        );
    }
}
