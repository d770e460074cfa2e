//! From when on the heap may have huge pages.
//!
//! They make a large keyspace cheaper to look at, see decision 0011. But each is 2 MiB at once, and every thread and every
//! length of block has pages of its own: a server that holds nothing yet would hold seven of them, nearly empty. mimalloc
//! asks for them when it reserves addresses, the first gigabyte of which before `main`. So they are taken back at the start,
//! and asked for again when the heap has become worth it.

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
    /// Has the heap's addresses go without huge pages. `None` if they are not found, or the kernel has none to give anyway.
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
