//! Counting what the allocator gives out.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

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
    let counter = &ALLOCATED_BYTES[index].0;
    if index < COUNTERS - 1 {
        // Only this thread writes here.
        counter.store(counter.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    } else {
        counter.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Bytes that are allocated now, as they were asked for, over all threads.
pub fn allocated_bytes() -> u64 {
    // Memory freed by another thread than took it makes single counters negative, never the sum.
    let sum: i64 = ALLOCATED_BYTES.iter().map(|counter| counter.0.load(Ordering::Relaxed)).sum();
    sum.max(0).unsigned_abs()
}

/// Gives pages that this thread's share of the allocator does not use back to the system: mimalloc does so by itself
/// only as more is allocated and freed.
pub fn purge() {
    // SAFETY: any thread may call it at any time.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

/// An allocator that counts and otherwise leaves the work to another.
#[derive(Debug, Default)]
pub struct CountingAllocator<A>(pub A);

// SAFETY: every call goes to `A` with the arguments as they came, and what it returns is returned; counting neither
// allocates nor panics.
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAllocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are those of `A::alloc`.
        unsafe { self.0.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are those of `A::alloc_zeroed`.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller's promises are those of `A::dealloc`.
        unsafe { self.0.dealloc(pointer, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_len_bytes: usize) -> *mut u8 {
        count(new_len_bytes as i64 - layout.size() as i64);
        // SAFETY: the caller's promises are those of `A::realloc`.
        unsafe { self.0.realloc(pointer, layout, new_len_bytes) }
    }
}
