//! The buffers that received bytes land in, shared with the kernel.

use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;
use rustix::mm::{MapFlags, ProtFlags};

/// The one buffer group of a ring.
pub(crate) const GROUP: u16 = 0;

/// Added to the distance of two buffers. Buffers that are a large power of two apart would all begin in
/// the same set of the processor's caches, and small requests only ever touch the beginning.
const STAGGER: usize = 64;

/// Buffers that the kernel gets at first. It uses all that it has in turn, so more would only mean more memory, in the
/// process and in the processor's caches, until so many messages wait at once.
const FIRST_COUNT: u16 = 64;

/// A provided buffer ring: a queue of free buffers that the kernel takes one from whenever bytes
/// arrive, and the buffers themselves. All of it is mapped, so buffers that were never used cost
/// address space only.
///
/// A buffer is either the kernel's (in the queue) or ours (between a completion that names it and
/// [`BufferRing::give_back`]); only ours are ever read.
#[derive(Debug)]
pub(crate) struct BufferRing {
    queue: Mapping,
    memory: Mapping,
    count: u16,
    /// The first so many are in use: the kernel's or ours.
    in_use: u16,
    buffer_len: usize,
    tail: u16,
}

impl BufferRing {
    /// Maps `count` buffers of `buffer_len` bytes, registers them with `ring` and gives the first of them to the
    /// kernel. `count` must be a power of two, at most 32768.
    ///
    /// # Errors
    /// `EINVAL` if the kernel is older than 5.19, `ENOMEM` when there is no memory.
    pub(crate) fn register(ring: &IoUring, count: u16, buffer_len: u32) -> io::Result<Self> {
        let buffer_len = buffer_len as usize;
        let mut buffers = Self {
            queue: Mapping::new(usize::from(count) * size_of::<BufRingEntry>())?,
            memory: Mapping::new(usize::from(count) * (buffer_len + STAGGER))?,
            count,
            in_use: 0,
            buffer_len,
            tail: 0,
        };
        // SAFETY: the queue is page-aligned, holds `count` entries and stays mapped until it is
        // unregistered in `unregister`, or for ever if that fails.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                buffers.queue.start.as_ptr() as u64,
                count,
                GROUP,
                0,
            )?;
        }
        buffers.use_up_to(FIRST_COUNT.min(count));
        Ok(buffers)
    }

    /// Gives the kernel as many more as it has, up to the number there are. For when it had none left.
    pub(crate) fn use_more(&mut self) {
        self.use_up_to(self.in_use.saturating_mul(2).min(self.count));
    }

    fn use_up_to(&mut self, count: u16) {
        for buffer in self.in_use..count {
            self.give_back(buffer);
        }
        self.in_use = self.in_use.max(count);
    }

    /// The first `len` bytes of a buffer that a completion has named and that was not given back since.
    #[inline]
    pub(crate) fn bytes(&self, buffer: u16, len: usize) -> &[u8] {
        debug_assert!(buffer < self.count && len <= self.buffer_len);
        if buffer >= self.count {
            return &[];
        }
        // SAFETY: in bounds of the mapping, by the check above and by `min`. Anonymous mappings are
        // zeroed, so every byte is initialised. The kernel does not write to a buffer between naming it
        // in a completion and getting it back, and `give_back` needs `&mut self`.
        unsafe { std::slice::from_raw_parts(self.at(buffer), len.min(self.buffer_len)) }
    }

    /// Returns a buffer to the kernel.
    #[inline]
    pub(crate) fn give_back(&mut self, buffer: u16) {
        if buffer >= self.count {
            return;
        }
        let entries = self.queue.start.cast::<BufRingEntry>().as_ptr();
        // SAFETY: `count` is a power of two and the place is below it, so the entry is within the
        // mapping. The kernel reads entries only below the tail, which is published after.
        let entry = unsafe { &mut *entries.add(usize::from(self.tail & (self.count - 1))) };
        entry.set_addr(self.at(buffer) as u64);
        #[expect(clippy::cast_possible_truncation, reason = "came as a u32")]
        entry.set_len(self.buffer_len as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `entries` is the start of the registered queue; the tail lies within its first entry, in
        // a field that the setters above leave alone, and is aligned for a u16. The kernel only reads it.
        let tail = unsafe { &*BufRingEntry::tail(entries).cast::<AtomicU16>() };
        tail.store(self.tail, Ordering::Release);
    }

    #[inline]
    fn at(&self, buffer: u16) -> *mut u8 {
        debug_assert!(buffer < self.count);
        // Both factors are bounded by the size of the mapping; callers have checked `buffer`.
        self.memory.start.as_ptr().wrapping_add(usize::from(buffer) * (self.buffer_len + STAGGER))
    }

    /// Takes the buffers away from the kernel. Only when no receive is in flight any more.
    pub(crate) fn unregister(&mut self, ring: &IoUring) {
        if ring.submitter().unregister_buf_ring(GROUP).is_err() {
            self.leak();
        }
    }

    /// Leaves the memory mapped for ever, because the kernel may still write to it.
    pub(crate) fn leak(&mut self) {
        self.queue.leaked = true;
        self.memory.leaked = true;
    }
}

/// An anonymous private mapping.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    len: usize,
    leaked: bool,
}

impl Mapping {
    fn new(len: usize) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice; it overlaps nothing.
        let start = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), len, protection, flags) }?;
        let start = NonNull::new(start.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        // A forked child must not share pages that the kernel writes to.
        // SAFETY: the range is exactly the mapping just made.
        unsafe { rustix::mm::madvise(start.as_ptr().cast(), len, rustix::mm::Advice::LinuxDontFork) }?;
        Ok(Self { start, len, leaked: false })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if !self.leaked {
            // SAFETY: the mapping is ours, nothing borrows from it any more, and the kernel has been told
            // to leave it alone.
            let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.len) };
        }
    }
}
