//! The allocator, and what it has given out.

use crate::huge_pages::{FirstAddresses, ShrinkingHeap};
use crate::long_blocks;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tessera_values::allocation::block_len_bytes;

/// Threads with a counter of their own; those beyond share the last.
const COUNTERS: usize = 64;

/// A counter alone in its cache line, so that threads do not slow each other down.
#[repr(align(128))]
struct Counter(AtomicI64);

static ALLOCATED_BYTES: [Counter; COUNTERS] = [const { Counter(AtomicI64::new(0)) }; COUNTERS];
static NEXT_COUNTER: AtomicUsize = AtomicUsize::new(0);
/// Stands for a thread that has no counter yet.
const NONE: usize = usize::MAX;

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(NONE) };
}

#[inline]
fn count(bytes: i64) {
    // While a thread ends its locals may be gone; it then counts with those that share.
    let mine = MINE.try_with(|mine| {
        if mine.get() == NONE {
            mine.set(NEXT_COUNTER.fetch_add(1, Ordering::Relaxed).min(COUNTERS - 1));
        }
        mine.get()
    });
    let index = mine.unwrap_or(COUNTERS - 1);
    if bytes >= LARGE_BLOCK_BYTES {
        return count_large(index, bytes);
    }
    add(index, bytes);
}

#[inline]
fn add(index: usize, bytes: i64) {
    let counter = &ALLOCATED_BYTES[index].0;
    if index < COUNTERS - 1 {
        // Only this thread writes here.
        counter.store(counter.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    } else {
        counter.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A block of so many bytes may be what makes the peak.
const LARGE_BLOCK_BYTES: i64 = 256 * 1024;

/// The most that was ever allocated, as far as somebody looked.
static PEAK_BYTES: AtomicU64 = AtomicU64::new(0);

#[cold]
fn count_large(index: usize, bytes: i64) {
    add(index, bytes);
    note_peak();
}

/// Looks whether more is allocated than ever before. Large blocks see to it by themselves; for what many small ones
/// come to, somebody has to look from time to time.
pub fn note_peak() {
    PEAK_BYTES.fetch_max(allocated_bytes(), Ordering::Relaxed);
}

/// The most that was ever allocated, in bytes.
pub fn peak_bytes() -> u64 {
    note_peak();
    PEAK_BYTES.load(Ordering::Relaxed)
}

/// Bytes that are allocated now, in whole blocks, over all threads.
pub fn allocated_bytes() -> u64 {
    // Memory freed by another thread than took it makes single counters negative, never the sum.
    let in_use = NEXT_COUNTER.load(Ordering::Relaxed).min(COUNTERS - 1);
    let last = &ALLOCATED_BYTES[COUNTERS - 1..];
    let sum: i64 =
        ALLOCATED_BYTES[..in_use].iter().chain(last).map(|counter| counter.0.load(Ordering::Relaxed)).sum();
    sum.max(0).unsigned_abs()
}

/// How often memory that nobody uses is given back to the system, in milliseconds.
const GIVE_BACK_EVERY_MS: u64 = 1000;
/// How often it is looked at whether the heap is worth huge pages, until it is, in milliseconds.
const LOOK_EVERY_MS: u64 = 50;
/// mimalloc's option `purge_delay`, in milliseconds, which `libmimalloc-sys` does not name.
const OPTION_PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// And its option `generic_collect`: after so many requests that no page at hand could serve, a thread looks at all of
/// its pages.
const OPTION_GENERIC_COLLECT: libmimalloc_sys::mi_option_t = 34;
/// As rarely as it can be told to. With 17,000 pages, of ten million keys, a look takes two milliseconds.
const COLLECT_EVERY_REQUESTS: libc::c_long = 1_000_000;
/// Far away.
const NEVER_BY_ITSELF_MS: libc::c_long = 24 * 3600 * 1000;

/// Starts a thread that gives memory which nobody uses back to the system, and has mimalloc leave other threads alone:
/// it would do such work on the thread that happens to allocate or free, all at once, and have its commands wait for
/// milliseconds. The same thread says from when on the heap may have huge pages.
///
/// # Errors
/// If there can be no more threads.
pub fn start_giving_back() -> std::io::Result<()> {
    // SAFETY: setting an option is allowed at any time.
    unsafe {
        libmimalloc_sys::mi_option_set(OPTION_PURGE_DELAY, NEVER_BY_ITSELF_MS);
        libmimalloc_sys::mi_option_set(OPTION_GENERIC_COLLECT, COLLECT_EVERY_REQUESTS);
    }
    let mut without_huge_pages = FirstAddresses::without_huge_pages();
    let mut shrinking = ShrinkingHeap::default();
    std::thread::Builder::new().name("give-back".to_owned()).spawn(move || {
        loop {
            let mut slept_ms = 0;
            while slept_ms < GIVE_BACK_EVERY_MS {
                let sleep_ms = if without_huge_pages.is_some() { LOOK_EVERY_MS } else { GIVE_BACK_EVERY_MS };
                std::thread::sleep(Duration::from_millis(sleep_ms));
                slept_ms += sleep_ms;
                without_huge_pages.take_if(|heap| heap.allow_if_worth_it(allocated_bytes()));
            }
            purge();
            let resident_bytes = Resident::of_process().heap_bytes();
            RESIDENT_HEAP_BYTES.store(resident_bytes, Ordering::Relaxed);
            shrinking.follow(allocated_bytes(), resident_bytes);
        }
    })?;
    Ok(())
}

/// As of the last time that memory was given back.
static RESIDENT_HEAP_BYTES: AtomicU64 = AtomicU64::new(0);

/// How much of the heap was resident when memory was last given back, in bytes: a second ago at most. 0 before the
/// first time. Asking costs nothing, but to ask the system takes it a twentieth of a millisecond.
pub fn resident_heap_bytes() -> u64 {
    RESIDENT_HEAP_BYTES.load(Ordering::Relaxed)
}

/// The process's pages in memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resident {
    /// All of them.
    pub all_bytes: u64,
    /// Of these, those that are a file's or shared.
    pub shared_bytes: u64,
}

impl Resident {
    /// As they are now, from `/proc/self/statm`; 0 if that cannot be read.
    pub fn of_process() -> Resident {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let mut pages = text.split(' ').skip(1).map(|pages| pages.parse::<u64>().unwrap_or(0));
        let mut next_bytes = || pages.next().unwrap_or(0) * rustix::param::page_size() as u64;
        Resident { all_bytes: next_bytes(), shared_bytes: next_bytes() }
    }

    /// Heap, and a little that is the kernel's way of keeping threads.
    pub fn heap_bytes(self) -> u64 {
        self.all_bytes.saturating_sub(self.shared_bytes)
    }
}

/// Gives pages that this thread's share of the allocator does not use back to the system, and those that no thread has
/// a share in.
pub fn purge() {
    // SAFETY: any thread may call it at any time.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

/// A block on a page of whose blocks so many are used, in percent, or fewer, had better be moved: to gain a page, no
/// more than four have to be filled then.
const SPARSE_MAX_PERCENT: usize = 80;

/// Whether a block had better be moved, so that its page may be given back: few of the page's blocks are used, and the
/// page is not the one that this thread takes the next block of that length from. `address` is one in a block that this
/// thread has allocated; for any other the answer may be wrong. An address that is no block's is not sparse.
pub fn is_sparse(address: *const u8) -> bool {
    // SAFETY: the function looks the page up in a map of all pages, so it may be asked of any address; it reads the
    // page's counters. If these are another thread's it may read them while they change, which makes for a wrong answer
    // at worst: pages are described where they are, and remain as long as any of their blocks is used.
    unsafe {
        libmimalloc_sys::mi_unsafe_heap_page_is_under_utilized(
            std::ptr::null_mut(),
            address.cast_mut().cast(),
            SPARSE_MAX_PERCENT,
        )
    }
}

/// mimalloc, counted in the blocks that it gives out.
#[derive(Debug, Default)]
pub struct Allocator;

/// Every block is aligned to this, or to its own length if that is less, in bytes: `MI_MAX_ALIGN_SIZE`.
const NATURAL_ALIGNMENT: usize = 16;

/// Whether mimalloc aligns a block as `layout` asks without being told to. Asked for an alignment it takes a larger
/// block where the length is no power of two, even for one that it would have given anyway.
#[inline]
fn is_aligned_anyway(layout: Layout) -> bool {
    layout.align() <= NATURAL_ALIGNMENT && layout.align() <= layout.size()
}

fn block_bytes(len_bytes: usize) -> i64 {
    block_len_bytes(len_bytes) as i64
}

impl Allocator {
    /// A block that is not counted yet.
    ///
    /// # Safety
    /// As of [`GlobalAlloc::alloc`].
    #[inline]
    unsafe fn take(layout: Layout) -> *mut u8 {
        if long_blocks::is_long(layout) {
            return long_blocks::map(layout);
        }
        // SAFETY: any length and any power of two are allowed.
        unsafe {
            if is_aligned_anyway(layout) {
                libmimalloc_sys::mi_malloc(layout.size()).cast()
            } else {
                libmimalloc_sys::mi_malloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    /// Frees a block that is not counted any more.
    ///
    /// # Safety
    /// As of [`GlobalAlloc::dealloc`].
    #[inline]
    unsafe fn give_back(pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's block comes from one of the functions here, and which follows from its layout.
        unsafe {
            if long_blocks::is_long(layout) {
                long_blocks::unmap(pointer, layout);
            } else {
                libmimalloc_sys::mi_free(pointer.cast());
            }
        }
    }

    /// Makes a long block longer or shorter, or a block long that was not, or the other way round.
    ///
    /// # Safety
    /// As of [`GlobalAlloc::realloc`].
    #[cold]
    unsafe fn change_long(pointer: *mut u8, layout: Layout, new_layout: Layout) -> *mut u8 {
        // SAFETY: the block comes from one of the functions here; only one of the two layouts may be no long one; what
        // is copied lies within both blocks, which are different ones.
        unsafe {
            if long_blocks::is_long(layout) && long_blocks::is_long(new_layout) {
                return long_blocks::remap(pointer, layout, new_layout.size());
            }
            let block = Allocator::take(new_layout);
            if !block.is_null() {
                std::ptr::copy_nonoverlapping(pointer, block, layout.size().min(new_layout.size()));
                Allocator::give_back(pointer, layout);
            }
            block
        }
    }
}

// SAFETY: the functions of mimalloc do what those of the trait promise, for the same blocks; blocks that it is not told
// to align are aligned well enough, see `is_aligned_anyway`. So do mappings for the longest blocks, and which block is
// one follows from its layout. Counting neither allocates nor panics.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(block_bytes(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { Allocator::take(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(block_bytes(layout.size()));
        if long_blocks::is_long(layout) {
            return long_blocks::map(layout);
        }
        // SAFETY: any length and any power of two are allowed.
        unsafe {
            if is_aligned_anyway(layout) {
                libmimalloc_sys::mi_zalloc(layout.size()).cast()
            } else {
                libmimalloc_sys::mi_zalloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-block_bytes(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { Allocator::give_back(pointer, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_len_bytes: usize) -> *mut u8 {
        count(block_bytes(new_len_bytes) - block_bytes(layout.size()));
        // SAFETY: the caller promises that the new length with this alignment is a layout, too; the rest as for
        // `dealloc` and `alloc`.
        unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_len_bytes, layout.align());
            if long_blocks::is_long(layout) || long_blocks::is_long(new_layout) {
                return Allocator::change_long(pointer, layout, new_layout);
            }
            if layout.align() <= NATURAL_ALIGNMENT && layout.align() <= new_len_bytes {
                libmimalloc_sys::mi_realloc(pointer.cast(), new_len_bytes).cast()
            } else {
                libmimalloc_sys::mi_realloc_aligned(pointer.cast(), new_len_bytes, layout.align()).cast()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_that_of_blocks_that_are_long_gone() {
        let before_bytes = peak_bytes();
        let layout = Layout::from_size_align(before_bytes as usize + (64 << 20), 8).unwrap();
        // SAFETY: the length is not 0, and the block is freed as it was allocated.
        unsafe {
            let block = Allocator.alloc(layout);
            Allocator.dealloc(block, layout);
        }
        assert!(peak_bytes() >= before_bytes + (64 << 20));
    }

    #[test]
    fn the_options_are_those_that_are_meant() {
        // SAFETY: options may be read at any time.
        unsafe {
            // mimalloc's defaults.
            assert_eq!(libmimalloc_sys::mi_option_get(OPTION_PURGE_DELAY), 1000);
            assert_eq!(libmimalloc_sys::mi_option_get(OPTION_GENERIC_COLLECT), 10_000);
            start_giving_back().unwrap();
            assert_eq!(libmimalloc_sys::mi_option_get(OPTION_PURGE_DELAY), NEVER_BY_ITSELF_MS);
        }
    }

    #[test]
    fn blocks_are_as_long_as_they_are_counted_and_aligned() {
        for len_bytes in (1..2000).chain([4096, 5000, 100_000, 524_288]) {
            for align in [1, 2, 4, 8, 16, 64] {
                let layout = Layout::from_size_align(len_bytes, align).unwrap();
                // SAFETY: the length is not 0, and the block is freed as it was allocated.
                unsafe {
                    let block = Allocator.alloc(layout);
                    assert!(block.addr().is_multiple_of(align), "{layout:?}");
                    let usable = libmimalloc_sys::mi_usable_size(block.cast());
                    if is_aligned_anyway(layout) {
                        assert_eq!(usable, block_len_bytes(len_bytes), "{layout:?}");
                    }
                    let block = Allocator.realloc(block, layout, len_bytes + 40);
                    assert!(block.addr().is_multiple_of(align), "{layout:?}");
                    Allocator.dealloc(block, Layout::from_size_align(len_bytes + 40, align).unwrap());
                }
            }
        }
    }

    #[test]
    fn what_is_in_a_block_stays_however_long_it_becomes() {
        const MIB: usize = 1024 * 1024;
        // Into mappings and out of them again.
        let lens_bytes = [
            31 * MIB + 5,
            33 * MIB,
            40 * MIB + 1,
            300 * MIB,
            300 * MIB + 70_000,
            35 * MIB,
            20 * MIB,
            32 * MIB,
        ];
        for align in [1, 16, 4096, 8192] {
            let mut layout = Layout::from_size_align(lens_bytes[0], align).unwrap();
            let before_bytes = allocated_bytes();
            // SAFETY: the length is not 0, what is read and written lies within the block, and it is freed as it was
            // allocated last.
            unsafe {
                let mut block = Allocator.alloc_zeroed(layout);
                let marks = [0, 4095, 1_000_000, 20 * MIB - 1];
                marks.iter().enumerate().for_each(|(number, at)| *block.add(*at) = number as u8 + 1);
                for len_bytes in &lens_bytes[1..] {
                    block = Allocator.realloc(block, layout, *len_bytes);
                    layout = Layout::from_size_align(*len_bytes, align).unwrap();
                    assert!(block.addr().is_multiple_of(align), "{layout:?}");
                    *block.add(len_bytes - 1) = 9;
                    for (number, at) in marks.iter().enumerate().take(3) {
                        assert_eq!(*block.add(*at), number as u8 + 1, "{layout:?}");
                    }
                }
                Allocator.dealloc(block, layout);
            }
            // Other tests allocate meanwhile.
            assert!(allocated_bytes().abs_diff(before_bytes) < 20 * MIB as u64);
        }
    }
}
