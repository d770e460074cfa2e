//! One slot of a bucket: where an entry lies, and some bits of its key's hash.

use super::raw::{RawEntry, prefetch};

/// Low bits of an entry's address, which are free because entries are aligned.
const FLAG_BITS: u64 = 0b111;
/// Set if the entry has an expiry, so that a search for expired ones need not look at the others.
const VOLATILE: u64 = 0b001;
/// Set if the walk that is under way must not visit the entry: see [`super::walk`].
const DONE: u64 = 0b010;
const ADDRESS_BITS: u32 = 48;
const ADDRESS_MASK: u64 = (1 << ADDRESS_BITS) - 1 - FLAG_BITS;

/// Sixteen bits of a hash: those right behind the leading ones that all keys of a segment share. They say both in which
/// bucket of the segment an entry belongs, and, nearly surely, which of a bucket's entries is meant.
pub(super) type Tag = u16;

/// Empty, or one entry, which the table that the slot is in owns.
///
/// ```text
///  63            48 47                              3   2      1      0
/// +----------------+---------------------------------+------+------+----------+
/// | tag            | address                         | free | done | volatile |
/// +----------------+---------------------------------+------+------+----------+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct Slot(u64);

impl Slot {
    /// Nothing. An entry's address is never 0.
    pub(super) const EMPTY: Slot = Slot(0);

    #[inline]
    pub(super) fn new(tag: Tag, entry: RawEntry, volatile: bool) -> Slot {
        let address = entry.expose_address();
        assert!(address & !ADDRESS_MASK == 0, "an address of more than {ADDRESS_BITS} bits, or not aligned");
        Slot(u64::from(tag) << ADDRESS_BITS | address | u64::from(volatile))
    }

    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(super) fn tag(self) -> Tag {
        (self.0 >> ADDRESS_BITS) as Tag
    }

    #[inline]
    pub(super) fn with_tag(self, tag: Tag) -> Slot {
        Slot(self.0 & ((1 << ADDRESS_BITS) - 1) | u64::from(tag) << ADDRESS_BITS)
    }

    #[inline]
    pub(super) fn is_volatile(self) -> bool {
        self.0 & VOLATILE != 0
    }

    #[inline]
    pub(super) fn is_done(self) -> bool {
        self.0 & DONE != 0
    }

    /// The same entry, done or not. The slot is not empty.
    #[inline]
    pub(super) fn with_done(self, is_done: bool) -> Slot {
        Slot(self.0 & !DONE | if is_done { DONE } else { 0 })
    }

    /// Has the processor load the start of the entry: three cache lines, which for small ones is all of it, and without
    /// the third a collection of ten short elements takes longer to change than it would in a block of its own.
    #[inline]
    pub(super) fn prefetch(self) {
        let first: *const u8 = std::ptr::without_provenance((self.0 & ADDRESS_MASK) as usize);
        prefetch(first);
        prefetch(first.wrapping_add(64));
        prefetch(first.wrapping_add(128));
    }

    /// The entry; `None` if the slot is empty.
    #[inline]
    pub(super) fn entry(self) -> Option<RawEntry> {
        RawEntry::from_exposed_address(self.0 & ADDRESS_MASK)
    }
}
