//! Changing an entry where it is, with all books kept.

use super::branch::Branch;
use super::raw::{Content, Entry, INLINE_COLLECTION_MAX_BYTES, OwnedEntry, RawEntry};
use super::segment::Place;
use super::slot::Slot;
use super::{Totals, borrow};
use tessera_values::string::make_room;
use tessera_values::{Collection, StringRef, StringValue, Value, ValueRef};

/// A collection in a box moves into the entry's block when it has become as short as this.
const BACK_INLINE_MAX_BYTES: usize = INLINE_COLLECTION_MAX_BYTES / 2;
/// Small collections are changed in a buffer of this capacity, which mostly is enough for what is added. Listpacks do
/// not make one of this capacity smaller.
const SCRATCH_BYTES: usize = 2 * INLINE_COLLECTION_MAX_BYTES;

/// An entry that may be changed.
#[derive(Debug)]
pub struct EntryMut<'a> {
    branch: &'a mut Branch,
    segment: usize,
    place: Place,
    totals: &'a mut Totals,
    scratch: &'a mut Vec<u8>,
}

impl<'a> EntryMut<'a> {
    /// The entry at a place that holds one.
    #[inline]
    pub(super) fn new(
        branch: &'a mut Branch,
        segment: usize,
        place: Place,
        totals: &'a mut Totals,
        scratch: &'a mut Vec<u8>,
    ) -> EntryMut<'a> {
        EntryMut { branch, segment, place, totals, scratch }
    }

    #[inline]
    fn slot(&self) -> Slot {
        self.branch.segments[self.segment].slot(self.place)
    }

    #[inline]
    fn raw(&self) -> RawEntry {
        self.slot().entry().expect("an entry that may be changed is in its slot")
    }

    /// The entry to look at.
    #[inline]
    #[allow(unsafe_code)]
    pub fn as_entry(&self) -> Entry<'_> {
        // SAFETY: the table owns the entry and is borrowed mutably by `self`, which is not changed meanwhile.
        unsafe { borrow(self.slot()) }.expect("an entry that may be changed is in its slot")
    }

    /// The string to look at; `None` if it is no string.
    #[inline]
    pub fn string(&self) -> Option<StringRef<'_>> {
        match self.as_entry().value() {
            ValueRef::String(string) => Some(string),
            _ => None,
        }
    }

    /// Has the key expire at `at_ms`, in Unix milliseconds, or never.
    #[allow(unsafe_code)]
    pub(crate) fn set_expire(&mut self, at_ms: Option<i64>) {
        let before_ms = self.as_entry().expire_at_ms();
        match (before_ms, at_ms) {
            (None, None) => {}
            (Some(before_ms), Some(at_ms)) => {
                self.totals.expire_sum_ms += i128::from(at_ms) - i128::from(before_ms);
                // SAFETY: `self` is the only one that uses the entry.
                unsafe { self.raw().set_expire_in_place(at_ms) };
                self.note_due(at_ms);
            }
            _ => self.rebuild(at_ms),
        }
    }

    /// Puts the same value and another expiry into a new block. A value in a box of its own moves with it.
    #[allow(unsafe_code)]
    fn rebuild(&mut self, at_ms: Option<i64>) {
        let slot = self.slot();
        // SAFETY: the table owns the entry, whose address leaves the slot before anything else happens.
        let mut old = unsafe { self.raw().own() };
        *self.branch.segments[self.segment].slot_mut(self.place) = Slot::EMPTY;
        self.totals.subtract(old.as_entry());
        let usage_bits = old.as_entry().usage_bits();
        let new = if let Some(content) = old.as_entry().copied_content() {
            OwnedEntry::new(old.as_entry().key(), content, at_ms, usage_bits)
        } else {
            let value = old.take_value();
            OwnedEntry::new(old.as_entry().key(), Content::Owned(value), at_ms, usage_bits)
        };
        self.totals.add(new.as_entry());
        self.settle(slot, new);
    }

    /// Puts an entry where `slot` was.
    fn settle(&mut self, slot: Slot, new: OwnedEntry) {
        let at_ms = new.as_entry().expire_at_ms();
        let segment = &mut self.branch.segments[self.segment];
        segment.volatile_len -= u16::from(slot.is_volatile());
        segment.volatile_len += u16::from(at_ms.is_some());
        let settled = Slot::new(slot.tag(), new.into_raw(), at_ms.is_some());
        *segment.slot_mut(self.place) = settled.with_done(slot.is_done());
        if let Some(at_ms) = at_ms {
            self.note_due(at_ms);
        }
    }

    /// The search for expired keys must not come later than this.
    fn note_due(&mut self, at_ms: i64) {
        let segment = &mut self.branch.segments[self.segment];
        segment.next_due_ms = segment.next_due_ms.min(at_ms);
        self.branch.next_due_ms = self.branch.next_due_ms.min(at_ms);
    }

    /// Puts another value and expiry in the place of the old, in a new block. The old entry.
    #[allow(unsafe_code)]
    fn replace(&mut self, content: Content<'_>, expire_at_ms: Option<i64>) -> OwnedEntry {
        let (entry, slot) = (self.as_entry(), self.slot());
        let new = OwnedEntry::new(entry.key(), content, expire_at_ms, entry.usage_bits());
        let old = self.raw();
        *self.branch.segments[self.segment].slot_mut(self.place) = Slot::EMPTY;
        // SAFETY: the table owned it, and its address is no longer in the slot.
        let old = unsafe { old.own() };
        // In this order: what both have in common is there afterwards.
        self.totals.subtract(old.as_entry());
        self.totals.add(new.as_entry());
        self.settle(slot, new);
        old
    }

    /// Has the key hold something else and expire at `expire_at_ms`, in Unix milliseconds, or never. The old entry, if
    /// it could not be used again.
    #[inline]
    #[allow(unsafe_code)]
    pub(crate) fn put(&mut self, content: Content<'_>, expire_at_ms: Option<i64>) -> Option<OwnedEntry> {
        let is_volatile = self.slot().is_volatile();
        // SAFETY: `self` is the only one that uses the entry.
        if is_volatile == expire_at_ms.is_some() && unsafe { self.raw().set_in_place(&content) } {
            if expire_at_ms.is_some() {
                self.set_expire(expire_at_ms);
            }
            // The block is the same, and so is that of a value kept apart.
            return None;
        }
        Some(self.replace(content, expire_at_ms))
    }

    /// Has the key hold another string and expire when it did.
    pub fn set_string(&mut self, string: StringValue) {
        let expire_at_ms = self.as_entry().expire_at_ms();
        match string {
            StringValue::Integer(value) => drop(self.put(Content::Integer(value), expire_at_ms)),
            StringValue::Fixed(_) | StringValue::Growing(_) => {
                self.replace(Content::Owned(Value::String(string)), expire_at_ms);
            }
        }
    }

    /// Has `change` work on the collection, if the entry holds one of this kind, and tells whether it is empty then. An
    /// entry whose collection is empty must be removed: what it holds is of no use to anybody.
    #[inline]
    pub(crate) fn change_collection<C: Collection, T>(
        &mut self,
        change: impl FnOnce(&mut C) -> T,
    ) -> Option<(T, bool)> {
        let Some((kind, bytes)) = self.as_entry().inline_flat() else { return self.change_boxed(change) };
        C::of_ref(ValueRef::of_flat(kind, bytes))?;
        let mut value = self.copy_out();
        let collection = C::of_mut(&mut value)?;
        let result = change(collection);
        let is_empty = collection.is_empty();
        if is_empty {
            self.keep_scratch(value);
        } else {
            self.put_back(value);
        }
        Some((result, is_empty))
    }

    /// A copy of the collection that is kept in the entry's block.
    fn copy_out(&mut self) -> Value {
        let mut copy = std::mem::take(self.scratch);
        let (kind, bytes) = self.as_entry().inline_flat().expect("the collection is in the entry's block");
        copy.clear();
        copy.reserve_exact(SCRATCH_BYTES);
        copy.extend_from_slice(bytes);
        Value::of_flat(kind, copy)
    }

    /// Puts a collection that was copied out and changed in the place of what it was.
    #[allow(unsafe_code)]
    fn put_back(&mut self, value: Value) {
        let expire_at_ms = self.as_entry().expire_at_ms();
        let Some((kind, bytes)) = value.as_ref().as_flat() else {
            self.replace(Content::Owned(value), expire_at_ms);
            return;
        };
        if bytes.len() > SCRATCH_BYTES {
            // It had to grow, and has no more room than it should.
            self.replace(Content::Owned(value), expire_at_ms);
            return;
        }
        if bytes.len() > INLINE_COLLECTION_MAX_BYTES {
            self.replace(Content::Owned(value.as_ref().to_value()), expire_at_ms);
        } else {
            let before_ms = self.as_entry().next_field_expire_at_ms();
            // SAFETY: `self` is the only one that uses the entry, and `bytes` are a copy.
            if unsafe { self.raw().set_flat_in_place(kind, bytes) } {
                self.note_field_deadline(before_ms);
            } else {
                self.replace(Content::Flat(kind, bytes), expire_at_ms);
            }
        }
        self.keep_scratch(value);
    }

    /// Keeps the memory of a collection that nobody needs any more for the next one.
    fn keep_scratch(&mut self, value: Value) {
        if let Some(bytes) = value.into_flat_bytes()
            && bytes.capacity() <= SCRATCH_BYTES
        {
            *self.scratch = bytes;
        }
    }

    /// The next field of a hash may expire at another time than before.
    fn note_field_deadline(&mut self, before_ms: Option<i64>) {
        let after_ms = self.as_entry().next_field_expire_at_ms();
        if before_ms != after_ms {
            let key = self.as_entry().key().to_vec();
            self.totals.field_deadlines.change(&key, (before_ms, after_ms));
        }
    }

    /// As [`EntryMut::change_collection`] for a collection in a box of its own.
    #[allow(unsafe_code)]
    fn change_boxed<C: Collection, T>(&mut self, change: impl FnOnce(&mut C) -> T) -> Option<(T, bool)> {
        let before = self.as_entry();
        let (before_bytes, before_ms) = (before.allocated_bytes(), before.next_field_expire_at_ms());
        // SAFETY: `self` is the only one that uses the entry, and is borrowed as long as the value is.
        let collection = C::of_mut(unsafe { self.raw().boxed_mut() }?)?;
        let result = change(collection);
        let is_empty = collection.is_empty();
        self.note_boxed_change(before_bytes, before_ms, is_empty);
        Some((result, is_empty))
    }

    /// Keeps the books of a change to a collection in a box, which goes into the entry's block if it has become short.
    fn note_boxed_change(&mut self, before_bytes: usize, before_ms: Option<i64>, is_empty: bool) {
        let after = self.as_entry();
        let is_short = after.value().as_flat().is_some_and(|(_, bytes)| bytes.len() <= BACK_INLINE_MAX_BYTES);
        let expire_at_ms = after.expire_at_ms();
        self.totals.entry_bytes = self.totals.entry_bytes + after.allocated_bytes() - before_bytes;
        self.note_field_deadline(before_ms);
        if is_short && !is_empty {
            self.rebuild(expire_at_ms);
        }
    }

    /// Has `change` work on the bytes of a string, which is raw from then on.
    pub fn change_raw<T>(&mut self, change: impl FnOnce(&mut Vec<u8>) -> T) -> Option<T> {
        self.change_raw_to(0, change)
    }

    /// The same, with room for `len_bytes` in all: see [`make_room`]. `change` makes it no longer than that, or takes
    /// care itself.
    #[allow(unsafe_code)]
    pub fn change_raw_to<T>(
        &mut self,
        len_bytes: usize,
        change: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> Option<T> {
        let string = self.string()?;
        if !matches!(string, StringRef::Growing(_)) {
            let (mut digits, mut bytes) = (tessera_values::Digits::new(), Vec::new());
            let held = string.as_bytes(&mut digits);
            // Before they are copied: a long string should not be copied twice.
            match len_bytes > held.len() {
                true => make_room(&mut bytes, len_bytes),
                false => bytes.reserve_exact(held.len()),
            }
            bytes.extend_from_slice(held);
            let expire_at_ms = self.as_entry().expire_at_ms();
            self.replace(Content::Owned(Value::String(StringValue::Growing(bytes))), expire_at_ms);
        }
        let before_bytes = self.as_entry().allocated_bytes();
        // SAFETY: `self` is the only one that uses the entry, and is borrowed as long as the value is.
        let Some(Value::String(StringValue::Growing(bytes))) = (unsafe { self.raw().boxed_mut() }) else {
            unreachable!("a growing string is kept in a box");
        };
        make_room(bytes, len_bytes);
        let result = change(bytes);
        self.totals.entry_bytes = self.totals.entry_bytes + self.as_entry().allocated_bytes() - before_bytes;
        Some(result)
    }
}
