//! The way to an element, a cache miss at a time. See [`crate::Trail`].

use super::{HashTable, Part, inner_hash};
use std::ptr;

/// How far the way to the element of some hash was gone.
pub(crate) enum Way<'t, T> {
    /// Only the directory was looked at.
    Begun(&'t Part<T>, u64),
    /// The segment is to be looked at.
    Segment(&'t Part<T>, u64),
    /// The slot is to be looked at: of an element whose hash agrees as far as its segment tells.
    Slot(&'t T),
    /// There is nothing more to look at but what the element owns.
    End,
}

impl<T> HashTable<T> {
    /// The way to the element of that hash.
    #[inline]
    pub(crate) fn way(&self, hash: u64) -> Way<'_, T> {
        Way::Begun(self.part_at(hash), hash)
    }
}

impl<'t, T> Way<'t, T> {
    /// How often [`Way::advance`] leads on at most.
    pub(crate) const STEPS: usize = 3;

    /// Goes a step, which looks at the address named last. The address that the next one looks at, `None` at the end;
    /// `owned` tells it of what an element owns.
    #[inline]
    pub(crate) fn advance(&mut self, owned: impl FnOnce(&'t T) -> Option<*const u8>) -> Option<*const u8> {
        let (next, address) = match *self {
            Way::Begun(part, hash) => (Way::Segment(part, hash), Some(ptr::from_ref(part).cast())),
            Way::Segment(part, hash) => match part.elements.iter_hash(inner_hash(hash)).next() {
                Some(element) => (Way::Slot(element), Some(ptr::from_ref(element).cast())),
                None => (Way::End, None),
            },
            Way::Slot(element) => (Way::End, owned(element)),
            Way::End => (Way::End, None),
        };
        *self = next;
        address
    }
}
