//! From when on the heap may have huge pages.
//!
//! They make a large keyspace cheaper to look at, see decision 0011. But each is 2 MiB at once, and every thread and
//! every length of block has pages of its own: a server that holds nothing yet would hold seven of them, nearly empty.
//! mimalloc asks for them when it reserves addresses, the first gigabyte of which before `main`. So they are taken back
//! at the start, and asked for again when the heap has become worth it.
//!
//! And the kernel makes huge pages behind our back (`khugepaged`) of anything that is in use to a small part, for which
//! it gives the process the rest once more: what was given back is there again within minutes. So a heap that is much
//! smaller than it has been, and has holes therefore, goes without new ones.

use std::fs::File;
use std::io::{BufRead, BufReader};

/// Heaps smaller than this have ordinary pages, in bytes.
const WORTH_IT_FROM_BYTES: u64 = 16 * 1024 * 1024;

/// The addresses that the heap's first blocks come from, without huge pages.
#[derive(Debug)]
pub(crate) struct FirstAddresses {
    start: usize,
    len_bytes: usize,
}

impl FirstAddresses {
    /// Has the heap's addresses go without huge pages. `None` if they are not found, or the kernel has none to give
    /// anyway.
    pub(crate) fn without_huge_pages() -> Option<FirstAddresses> {
        // mimalloc takes the blocks of all lengths from the same addresses.
        let block = Box::new(0u64);
        let maps = BufReader::new(File::open("/proc/self/maps").ok()?);
        let (start, end) = mapping_around(std::ptr::from_ref(&*block).addr(), maps)?;
        let addresses = FirstAddresses { start, len_bytes: end - start };
        addresses.advise(libc::MADV_NOHUGEPAGE).then_some(addresses)
    }

    /// Lets them have huge pages if that much is allocated. True if they may now.
    pub(crate) fn allow_if_worth_it(&self, allocated_bytes: u64) -> bool {
        allocated_bytes >= WORTH_IT_FROM_BYTES && self.advise(libc::MADV_HUGEPAGE)
    }

    #[allow(unsafe_code)]
    fn advise(&self, advice: libc::c_int) -> bool {
        let start = std::ptr::without_provenance_mut(self.start);
        // SAFETY: these two advices change no contents, whatever is mapped there by now.
        unsafe { libc::madvise(start, self.len_bytes, advice) == 0 }
    }
}

/// Of what the heap has been so much is out of use when no more huge pages are made, in bytes; or a quarter, if that is
/// more.
const SHRUNK_MIN_BYTES: u64 = 32 * 1024 * 1024;

/// Whether the heap is much smaller than it has been.
#[derive(Debug, Default)]
pub(crate) struct ShrinkingHeap {
    has_shrunk: bool,
    /// The most that was resident as long as it had not.
    peak_bytes: u64,
}

impl ShrinkingHeap {
    /// Looks at the heap: what is given out, and what is resident. Allows huge pages or forbids them if that is to
    /// change.
    pub(crate) fn follow(&mut self, used_bytes: u64, resident_bytes: u64) {
        if let Some(has_shrunk) = self.change(used_bytes, resident_bytes) {
            allow_new_huge_pages(!has_shrunk);
        }
    }

    /// Whether the heap has shrunk, if that has changed.
    fn change(&mut self, used_bytes: u64, resident_bytes: u64) -> Option<bool> {
        if used_bytes < WORTH_IT_FROM_BYTES {
            // All but empty, as after FLUSHALL: there is little that could stand between holes, and what comes is a new
            // heap.
            let had_shrunk = self.has_shrunk;
            *self = ShrinkingHeap::default();
            return had_shrunk.then_some(false);
        }
        if !self.has_shrunk {
            self.peak_bytes = self.peak_bytes.max(resident_bytes);
        }
        let shrunk_bytes = (self.peak_bytes / 4).max(SHRUNK_MIN_BYTES);
        if self.has_shrunk {
            // It has to grow by half of that, so that this does not go to and fro.
            if used_bytes + shrunk_bytes / 2 < self.peak_bytes {
                return None;
            }
            *self = ShrinkingHeap { has_shrunk: false, peak_bytes: resident_bytes };
            return Some(false);
        }
        self.has_shrunk = used_bytes + shrunk_bytes < self.peak_bytes;
        self.has_shrunk.then_some(true)
    }
}

/// Allows the kernel to make huge pages, or forbids it, for the whole process. Those that there are stay.
#[allow(unsafe_code)]
fn allow_new_huge_pages(allowed: bool) {
    // SAFETY: it takes numbers only. Where it is not to be had all stays as it was, which is no error.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, libc::c_ulong::from(!allowed), 0, 0, 0) };
}

/// First and last address but one of the mapping with `address`, of those that `/proc/self/maps` lists.
fn mapping_around(address: usize, maps: impl BufRead) -> Option<(usize, usize)> {
    maps.lines().map_while(Result::ok).find_map(|line| {
        let (start, rest) = line.split_once('-')?;
        let (end, _) = rest.split_once(' ')?;
        let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        (start..end).contains(&address).then_some((start, end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_that_is_much_smaller_than_it_was_has_shrunk_until_it_has_grown_again() {
        const MB: u64 = 1 << 20;
        let mut heap = ShrinkingHeap::default();
        for (used_mb, resident_mb, expected) in [
            (20, 40, None),
            (900, 1000, None),
            (760, 1000, None),
            // A quarter is out of use, whether it was given back or not.
            (740, 1000, Some(true)),
            (100, 130, None),
            (740, 750, None),
            (870, 880, None),
            (880, 890, Some(false)),
            // That is the peak from now on.
            (680, 890, None),
            (660, 700, Some(true)),
            (890, 900, Some(false)),
            (500, 900, Some(true)),
            // All is gone.
            (10, 900, Some(false)),
            (300, 400, None),
            (200, 400, Some(true)),
        ] {
            assert_eq!(heap.change(used_mb * MB, resident_mb * MB), expected, "{used_mb} of {resident_mb}");
        }
        let mut small = ShrinkingHeap::default();
        assert_eq!(small.change(17 * MB, 48 * MB), None, "there is not much to gain");
    }

    #[test]
    fn a_mapping_is_found_by_any_address_in_it() {
        let maps = "55d0c000-55d0e000 r--p 00000000 fe:00 123 /bin/server\n\
                    7f0000000000-7f0040000000 rw-p 00000000 00:00 0 \n\
                    7f0040000000-7f0040001000 ---p 00000000 00:00 0 [anon: guard]\n";
        let found = |address| mapping_around(address, maps.as_bytes());
        assert_eq!(found(0x7f00_0000_0000), Some((0x7f00_0000_0000, 0x7f00_4000_0000)));
        assert_eq!(found(0x7f00_3fff_ffff), Some((0x7f00_0000_0000, 0x7f00_4000_0000)));
        assert_eq!(found(0x7f00_4000_0000), Some((0x7f00_4000_0000, 0x7f00_4000_1000)));
        assert_eq!(found(0x55d0_e000), None);
    }
}
