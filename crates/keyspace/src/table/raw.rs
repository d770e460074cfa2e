//! The memory of one entry. All of the keyspace's unsafe code is here and in the two places that call it.
//!
//! ```text
//! byte 0      3      4         5          8
//!     +------+------+---------+----------+- - - - - - - - -+- - - - - - - - - -+- - - - - - -+
//!     | use  | kind | key len | val. len | expiry (8)      | key               | value       |
//!     +------+------+---------+----------+- - - - - - - - -+- - - - - - - - - -+- - - - - - -+
//! ```
//! The first eight bytes are one little-endian number. *Use*, 24 bits, is what an eviction policy knows of the key's
//! use. *Kind*: the two lowest bits tell how the value is kept (an integer of 8 bytes, the bytes themselves, the
//! address of a `Box<[u8]>`, the address of a `Box<Value>`), the third whether there is an expiry (Unix milliseconds),
//! the fourth whether the key is kept apart, as address and length of a `Box<[u8]>`. The next three tell what the bytes
//! themselves are: a string (0) or a small collection, a [`FlatKind`] and 1. Nothing behind the first 16 bytes is
//! aligned. The block has the length that the allocator would give anyway, so a value may grow within it; or, if the
//! highest bit of *kind* is set, the next length above: a collection has become shorter and may well grow again.
#![allow(unsafe_code)]

use super::defrag::Moves;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use tessera_values::allocation::block_len_bytes;
use tessera_values::{FlatKind, StringRef, StringValue, Value, ValueRef};

const HEADER_BYTES: usize = 8;
const EXPIRE_BYTES: usize = 8;
/// Address and length.
const APART_KEY_BYTES: usize = 16;
/// An integer or an address.
const WORD_BYTES: usize = 8;
/// Longer keys are kept apart.
const KEY_INLINE_MAX_BYTES: usize = u8::MAX as usize;
/// Of several cache lines anyway.
const LONG_VALUE_BYTES: usize = 256;
/// Longer strings are kept as a boxed value.
const VALUE_LEN_MAX_BYTES: usize = (1 << 24) - 1;
const ALIGNMENT: usize = 8;
/// Small collections of up to so many bytes are kept in the entry's block.
pub(super) const INLINE_COLLECTION_MAX_BYTES: usize = 512;

/// The bits of a key's use.
pub(crate) const USE_BITS: u32 = 24;

/// How a value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Inline,
    Apart,
    Boxed,
}

/// How a value is to be kept.
#[derive(Clone, Copy, Debug)]
struct Plan {
    kind: Kind,
    /// What a value that is inline is, if it is no string.
    flat: Option<FlatKind>,
    /// The length of a value that is inline, or of a string that is apart.
    value_len: usize,
}

impl Plan {
    const INTEGER: Plan = Plan { kind: Kind::Integer, flat: None, value_len: 0 };
    const BOXED: Plan = Plan { kind: Kind::Boxed, flat: None, value_len: 0 };

    fn flat(kind: FlatKind, value_len: usize) -> Plan {
        Plan { kind: Kind::Inline, flat: Some(kind), value_len }
    }

    /// Its bits of a header.
    fn bits(self) -> u64 {
        debug_assert!(self.value_len <= VALUE_LEN_MAX_BYTES);
        let flat = match self.flat {
            None => 0,
            Some(FlatKind::List) => 1,
            Some(FlatKind::Hash) => 2,
            Some(FlatKind::TimedHash) => 3,
            Some(FlatKind::Integers) => 4,
            Some(FlatKind::Set) => 5,
            Some(FlatKind::SortedSet) => 6,
        };
        (self.kind as u64) << USE_BITS
            | flat << Header::FLAT_SHIFT
            | (self.value_len as u64) << Header::VALUE_LEN_SHIFT
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Header(u64);

impl Header {
    const USE_MASK: u64 = (1 << USE_BITS) - 1;
    const VOLATILE: u64 = 1 << 26;
    const KEY_APART: u64 = 1 << 27;
    const FLAT_SHIFT: u32 = 28;
    const ROOMY: u64 = 1 << 31;
    const KEY_LEN_SHIFT: u32 = 32;
    const VALUE_LEN_SHIFT: u32 = 40;
    /// What tells nothing about the value.
    const KEPT_MASK: u64 = Self::USE_MASK | Self::VOLATILE | Self::KEY_APART | 0xff << Self::KEY_LEN_SHIFT;

    fn new(usage: u32, plan: Plan, volatile: bool, key_len: usize) -> Header {
        debug_assert!(u64::from(usage) <= Self::USE_MASK);
        let key_bits = if key_len > KEY_INLINE_MAX_BYTES {
            Self::KEY_APART
        } else {
            (key_len as u64) << Self::KEY_LEN_SHIFT
        };
        let volatile = if volatile { Self::VOLATILE } else { 0 };
        Header(u64::from(usage) | plan.bits() | volatile | key_bits)
    }

    /// The header of the same entry with another value.
    #[inline]
    fn with_plan(self, plan: Plan) -> Header {
        Header(self.0 & Self::KEPT_MASK | plan.bits())
    }

    #[inline]
    fn kind(self) -> Kind {
        match self.0 >> USE_BITS & 3 {
            0 => Kind::Integer,
            1 => Kind::Inline,
            2 => Kind::Apart,
            _ => Kind::Boxed,
        }
    }

    /// What a value that is inline is, if it is no string.
    #[inline]
    fn flat_kind(self) -> Option<FlatKind> {
        Some(match self.0 >> Self::FLAT_SHIFT & 7 {
            0 => return None,
            1 => FlatKind::List,
            2 => FlatKind::Hash,
            3 => FlatKind::TimedHash,
            4 => FlatKind::Integers,
            5 => FlatKind::Set,
            _ => FlatKind::SortedSet,
        })
    }

    #[inline]
    fn is_volatile(self) -> bool {
        self.0 & Self::VOLATILE != 0
    }

    #[inline]
    fn key_is_apart(self) -> bool {
        self.0 & Self::KEY_APART != 0
    }

    /// Of a key that is not apart.
    #[inline]
    fn key_len(self) -> usize {
        (self.0 >> Self::KEY_LEN_SHIFT) as usize & 0xff
    }

    /// Of a value that is inline, or a string that is apart.
    #[inline]
    fn value_len(self) -> usize {
        (self.0 >> Self::VALUE_LEN_SHIFT) as usize
    }

    #[inline]
    fn key_offset(self) -> usize {
        if self.is_volatile() { HEADER_BYTES + EXPIRE_BYTES } else { HEADER_BYTES }
    }

    #[inline]
    fn value_offset(self) -> usize {
        self.key_offset() + if self.key_is_apart() { APART_KEY_BYTES } else { self.key_len() }
    }

    #[inline]
    fn value_bytes(self) -> usize {
        if self.kind() == Kind::Inline { self.value_len() } else { WORD_BYTES }
    }

    #[inline]
    fn block_bytes(self) -> usize {
        let needed = block_len_bytes(self.value_offset() + self.value_bytes());
        if self.0 & Self::ROOMY != 0 { block_len_bytes(needed + 1) } else { needed }
    }

    /// The same with a block of the next length.
    #[inline]
    fn roomy(self) -> Header {
        Header(self.0 | Self::ROOMY)
    }

    fn layout(self) -> Layout {
        Layout::from_size_align(self.block_bytes(), ALIGNMENT)
            .expect("an entry's length is far below the limit")
    }
}

/// What a new entry is to hold.
pub(crate) enum Content<'a> {
    /// An integer.
    Integer(i64),
    /// A string set whole, to be copied.
    Bytes(&'a [u8]),
    /// A small collection of up to [`INLINE_COLLECTION_MAX_BYTES`], to be copied.
    Flat(FlatKind, &'a [u8]),
    /// Anything.
    Owned(Value),
}

impl Content<'_> {
    /// How it is kept behind `before` other bytes.
    fn plan(&self, before: usize) -> Plan {
        let value_len = match self {
            Content::Integer(_) | Content::Owned(Value::String(StringValue::Integer(_))) => {
                return Plan::INTEGER;
            }
            Content::Bytes(bytes) => bytes.len(),
            Content::Owned(Value::String(StringValue::Fixed(bytes))) => bytes.len(),
            Content::Flat(kind, bytes) => return Plan::flat(*kind, bytes.len()),
            Content::Owned(value) => {
                return match value.as_ref().as_flat() {
                    Some((kind, bytes)) if bytes.len() <= INLINE_COLLECTION_MAX_BYTES => {
                        Plan::flat(kind, bytes.len())
                    }
                    _ => Plan::BOXED,
                };
            }
        };
        if value_len > VALUE_LEN_MAX_BYTES {
            return Plan::BOXED;
        }
        // Apart costs a cache miss, but may waste less: blocks come in coarse lengths. The longer the value, the less
        // the miss matters.
        let inline = block_len_bytes(before + value_len);
        let apart = block_len_bytes(before + WORD_BYTES) + block_len_bytes(value_len);
        let worth_bytes = if value_len < LONG_VALUE_BYTES { apart / 8 } else { apart / 16 };
        let kind = if inline > apart + worth_bytes { Kind::Apart } else { Kind::Inline };
        Plan { kind, flat: None, value_len }
    }

    fn into_value(self) -> Value {
        match self {
            Content::Integer(value) => Value::String(StringValue::Integer(value)),
            Content::Bytes(bytes) => Value::String(StringValue::Fixed(bytes.into())),
            Content::Flat(kind, bytes) => Value::of_flat(kind, bytes.to_vec()),
            Content::Owned(value) => value,
        }
    }
}

/// An entry's address, without a word on who owns it or how long it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawEntry(NonNull<u8>);

impl RawEntry {
    #[inline]
    pub(super) fn expose_address(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }

    /// The entry whose address was exposed; `None` for 0.
    #[inline]
    pub(super) fn from_exposed_address(address: u64) -> Option<RawEntry> {
        NonNull::new(ptr::with_exposed_provenance_mut(address as usize)).map(RawEntry)
    }

    /// # Safety
    /// The entry lives for all of `'a`, and nobody changes or frees it meanwhile, except for its use.
    #[inline]
    pub(super) unsafe fn borrow<'a>(self) -> Entry<'a> {
        Entry { raw: self, lifetime: PhantomData }
    }

    /// # Safety
    /// The caller owns the entry and will not use this address any more.
    #[inline]
    pub(super) unsafe fn own(self) -> OwnedEntry {
        OwnedEntry(self)
    }

    #[inline]
    fn header(self) -> Header {
        // SAFETY: a `RawEntry` that is used is that of a living entry, see `borrow` and `own`; its first eight bytes
        // are the header, aligned. Nobody else has a reference to them.
        Header(unsafe { self.0.cast::<u64>().read() })
    }

    #[inline]
    fn set_header(self, header: Header) {
        // SAFETY: as for `header`. The entry was allocated for writing.
        unsafe { self.0.cast::<u64>().write(header.0) };
    }

    /// # Safety
    /// The entry's block has `offset + size_of::<T>()` bytes, and they hold a `T`.
    #[inline]
    unsafe fn read<T: Copy>(self, offset: usize) -> T {
        // SAFETY: the caller's promise; the read may be unaligned.
        unsafe { self.0.add(offset).cast::<T>().read_unaligned() }
    }

    /// # Safety
    /// The entry's block has `offset + size_of::<T>()` bytes, to which there is no reference.
    #[inline]
    unsafe fn write<T: Copy>(self, offset: usize, value: T) {
        // SAFETY: the caller's promise; the write may be unaligned.
        unsafe { self.0.add(offset).cast::<T>().write_unaligned(value) };
    }

    /// # Safety
    /// The entry's block has room for `bytes` at `offset`, to which there is no reference.
    #[inline]
    unsafe fn write_bytes(self, offset: usize, bytes: &[u8]) {
        // SAFETY: the caller's promise. `bytes` are borrowed, so they are not that room.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.as_ptr().add(offset), bytes.len()) };
    }

    /// The value's address in an entry whose value is apart or boxed.
    ///
    /// # Safety
    /// The value is of that kind.
    #[inline]
    unsafe fn value_address<T>(self, header: Header) -> *mut T {
        // SAFETY: such entries keep an address there, put by `OwnedEntry::new`.
        ptr::with_exposed_provenance_mut(unsafe { self.read::<usize>(header.value_offset()) })
    }

    /// The bytes of a value that is inline.
    ///
    /// # Safety
    /// The value is inline, and the entry lives and stays as it is for all of `'a`.
    #[inline]
    unsafe fn inline_value<'a>(self, header: Header) -> &'a [u8] {
        // SAFETY: the block has the value's bytes there, written by `write_value` or a change in place.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(header.value_offset()), header.value_len()) }
    }

    /// Where the bytes of a value that is apart are.
    ///
    /// # Safety
    /// The value is apart.
    #[inline]
    unsafe fn apart_value(self, header: Header) -> *mut [u8] {
        // SAFETY: the value is of the kind that has an address.
        ptr::slice_from_raw_parts_mut(unsafe { self.value_address(header) }, header.value_len())
    }

    /// Where the bytes of a key that is apart are.
    ///
    /// # Safety
    /// The key is apart.
    unsafe fn apart_key(self, header: Header) -> *mut [u8] {
        let offset = header.key_offset();
        // SAFETY: such entries keep address and length of a `Box<[u8]>` there, put by `OwnedEntry::new`.
        let (address, len): (usize, usize) = unsafe { (self.read(offset), self.read(offset + WORD_BYTES)) };
        ptr::slice_from_raw_parts_mut(ptr::with_exposed_provenance_mut(address), len)
    }
}

/// Has the processor load the cache line at an address. Any address will do.
#[inline]
pub fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: prefetching reads nothing and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// A key with what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    raw: RawEntry,
    lifetime: PhantomData<&'a Value>,
}

impl<'a> Entry<'a> {
    /// The key's bytes.
    #[inline]
    pub fn key(self) -> &'a [u8] {
        let header = self.raw.header();
        // SAFETY: the entry lives and stays as it is for 'a; the key is where its header says.
        unsafe {
            if header.key_is_apart() {
                return &*self.raw.apart_key(header).cast_const();
            }
            std::slice::from_raw_parts(self.raw.0.as_ptr().add(header.key_offset()), header.key_len())
        }
    }

    /// What the key holds.
    #[inline]
    pub fn value(self) -> ValueRef<'a> {
        let header = self.raw.header();
        // SAFETY: the entry lives and stays as it is for 'a; the value is what and where its header says.
        unsafe {
            match header.kind() {
                Kind::Integer => ValueRef::String(StringRef::Integer(self.raw.read(header.value_offset()))),
                Kind::Inline => {
                    let bytes = self.raw.inline_value(header);
                    match header.flat_kind() {
                        None => ValueRef::String(StringRef::Fixed(bytes)),
                        Some(kind) => ValueRef::of_flat(kind, bytes),
                    }
                }
                Kind::Apart => {
                    ValueRef::String(StringRef::Fixed(&*self.raw.apart_value(header).cast_const()))
                }
                Kind::Boxed => (*self.raw.value_address::<Value>(header).cast_const()).as_ref(),
            }
        }
    }

    /// The value has a box of its own.
    #[inline]
    pub(crate) fn is_boxed(self) -> bool {
        self.raw.header().kind() == Kind::Boxed
    }

    /// The bytes of a small collection that is kept in the entry's block.
    #[inline]
    pub(super) fn inline_flat(self) -> Option<(FlatKind, &'a [u8])> {
        let header = self.raw.header();
        let kind = header.flat_kind()?;
        // SAFETY: the entry lives and stays as it is for 'a. Only headers of values that are inline tell of a
        // collection.
        Some((kind, unsafe { self.raw.inline_value(header) }))
    }

    /// What it holds, to be copied into another entry; `None` if it is in a box of its own, which may move.
    pub(super) fn copied_content(self) -> Option<Content<'a>> {
        match (self.raw.header().kind(), self.value()) {
            (Kind::Integer, ValueRef::String(StringRef::Integer(value))) => Some(Content::Integer(value)),
            (Kind::Inline, ValueRef::String(StringRef::Fixed(bytes))) => Some(Content::Bytes(bytes)),
            (Kind::Inline, value) => value.as_flat().map(|(kind, bytes)| Content::Flat(kind, bytes)),
            (Kind::Integer | Kind::Apart | Kind::Boxed, _) => None,
        }
    }

    /// When the key expires, in Unix milliseconds, if it does.
    #[inline]
    pub fn expire_at_ms(self) -> Option<i64> {
        // SAFETY: a volatile entry has its expiry right behind the header.
        self.raw.header().is_volatile().then(|| unsafe { self.raw.read(HEADER_BYTES) })
    }

    /// The key's time is over. (At its very millisecond it still lives, as in Redis.)
    #[inline]
    pub(crate) fn is_expired(self, now_ms: i64) -> bool {
        self.expire_at_ms().is_some_and(|at_ms| now_ms > at_ms)
    }

    /// What is known of the key's use: [`USE_BITS`] bits.
    #[inline]
    pub(crate) fn usage_bits(self) -> u32 {
        (self.raw.header().0 & Header::USE_MASK) as u32
    }

    /// Notes a use, also where the entry is only being looked at. The table is not shared between threads.
    #[inline]
    pub(crate) fn set_usage_bits(self, bits: u32) {
        debug_assert!(bits >> USE_BITS == 0);
        let header = self.raw.header();
        self.raw.set_header(Header(header.0 & !Header::USE_MASK | u64::from(bits)));
    }

    /// Memory that the key takes with all that belongs to it, in bytes, as the allocator counts.
    pub fn allocated_bytes(self) -> usize {
        let header = self.raw.header();
        // SAFETY: the entry lives and stays as it is; key and value are what and where its header says.
        let apart = unsafe {
            match header.kind() {
                Kind::Integer | Kind::Inline => 0,
                Kind::Apart => block_len_bytes(header.value_len()),
                Kind::Boxed => {
                    block_len_bytes(size_of::<Value>())
                        + (*self.raw.value_address::<Value>(header).cast_const()).allocated_bytes()
                }
            }
        };
        let key_apart = if header.key_is_apart() { block_len_bytes(self.key().len()) } else { 0 };
        header.block_bytes() + apart + key_apart
    }
}

/// An entry, freed when it is dropped.
#[derive(Debug)]
pub(crate) struct OwnedEntry(RawEntry);

// Whoever owns an entry may free it on any thread: all of it is plain data.
const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<Value>();
};

impl OwnedEntry {
    /// An entry with `usage_bits` as what is known of its use.
    pub(crate) fn new(
        key: &[u8],
        content: Content<'_>,
        expire_at_ms: Option<i64>,
        usage_bits: u32,
    ) -> OwnedEntry {
        let volatile = expire_at_ms.is_some();
        let before = HEADER_BYTES
            + if volatile { EXPIRE_BYTES } else { 0 }
            + if key.len() > KEY_INLINE_MAX_BYTES { APART_KEY_BYTES } else { key.len() };
        let header = Header::new(usage_bits, content.plan(before), volatile, key.len());
        debug_assert_eq!(header.value_offset(), before);
        let layout = header.layout();
        // SAFETY: the layout's length is not 0, there is always a header.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let raw = RawEntry(block);
        raw.set_header(header);
        // SAFETY: the block is ours, and `header` says where it has room for what. Boxes are given up to the entry.
        unsafe {
            if let Some(at_ms) = expire_at_ms {
                raw.write(HEADER_BYTES, at_ms);
            }
            if header.key_is_apart() {
                let address = Box::into_raw(Box::<[u8]>::from(key)).cast::<u8>().expose_provenance();
                raw.write(header.key_offset(), address);
                raw.write(header.key_offset() + WORD_BYTES, key.len());
            } else {
                raw.write_bytes(header.key_offset(), key);
            }
            raw.write_value(header, content);
        }
        OwnedEntry(raw)
    }

    /// Gives the entry up to whoever keeps the address.
    #[inline]
    pub(super) fn into_raw(self) -> RawEntry {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }

    /// The entry to look at.
    #[inline]
    pub(crate) fn as_entry(&self) -> Entry<'_> {
        // SAFETY: the entry lives as long as `self`, and changing it takes `&mut self`.
        unsafe { self.0.borrow() }
    }

    /// The value and the expiry in Unix milliseconds.
    pub(crate) fn into_parts(mut self) -> (Value, Option<i64>) {
        let expire_at_ms = self.as_entry().expire_at_ms();
        (self.take_value(), expire_at_ms)
    }

    /// The value. What the entry holds afterwards is of no use to anybody.
    pub(crate) fn take_value(&mut self) -> Value {
        let header = self.0.header();
        match header.kind() {
            Kind::Integer | Kind::Inline => self.as_entry().value().to_value(),
            Kind::Apart | Kind::Boxed => {
                // SAFETY: the value is of that kind. It becomes ours: an integer takes its place in the entry.
                unsafe {
                    let value = self.0.take_boxed(header);
                    self.0.write(header.value_offset(), 0i64);
                    self.0.set_header(header.with_plan(Plan::INTEGER));
                    value
                }
            }
        }
    }
}

impl RawEntry {
    /// # Safety
    /// The entry is the caller's; `header` is its header and was planned for `content`. There is no value yet.
    #[inline]
    unsafe fn write_value(self, header: Header, content: Content<'_>) {
        let offset = header.value_offset();
        // SAFETY: `header` says that there is room for a value of its kind.
        unsafe {
            match (header.kind(), content) {
                (Kind::Integer, Content::Integer(value))
                | (Kind::Integer, Content::Owned(Value::String(StringValue::Integer(value)))) => {
                    self.write(offset, value);
                }
                (Kind::Inline, Content::Bytes(bytes) | Content::Flat(_, bytes)) => {
                    self.write_bytes(offset, bytes);
                }
                (Kind::Inline, Content::Owned(Value::String(StringValue::Fixed(bytes)))) => {
                    self.write_bytes(offset, &bytes);
                }
                (Kind::Inline, Content::Owned(value)) => match value.as_ref().as_flat() {
                    Some((_, bytes)) => self.write_bytes(offset, bytes),
                    None => unreachable!("planned otherwise"),
                },
                (Kind::Apart, Content::Bytes(bytes)) => {
                    let address = Box::into_raw(Box::<[u8]>::from(bytes)).cast::<u8>();
                    self.write(offset, address.expose_provenance());
                }
                (Kind::Apart, Content::Owned(Value::String(StringValue::Fixed(bytes)))) => {
                    self.write(offset, Box::into_raw(bytes).cast::<u8>().expose_provenance());
                }
                (Kind::Boxed, content) => {
                    let address = Box::into_raw(Box::new(content.into_value()));
                    self.write(offset, address.expose_provenance());
                }
                (Kind::Integer | Kind::Inline | Kind::Apart, _) => unreachable!("planned otherwise"),
            }
        }
    }

    /// # Safety
    /// The caller owns the entry, whose value is apart or boxed, and sees to it that the value is not used again.
    unsafe fn take_boxed(self, header: Header) -> Value {
        // SAFETY: the addresses come from boxes of these types, given up in `write_value`.
        unsafe {
            if header.kind() == Kind::Apart {
                Value::String(StringValue::Fixed(Box::from_raw(self.apart_value(header))))
            } else {
                *Box::from_raw(self.value_address::<Value>(header))
            }
        }
    }
}

impl Drop for OwnedEntry {
    fn drop(&mut self) {
        let header = self.0.header();
        // SAFETY: the entry is ours and not used again. Its boxes come from `Box::into_raw`, its block from `alloc`
        // with the layout that the header still tells: changes in place keep the block's length.
        unsafe {
            if matches!(header.kind(), Kind::Apart | Kind::Boxed) {
                drop(self.0.take_boxed(header));
            }
            if header.key_is_apart() {
                drop(Box::from_raw(self.0.apart_key(header)));
            }
            dealloc(self.0.0.as_ptr(), header.layout());
        }
    }
}

/// Changes in place, for whoever has the entry to himself.
impl RawEntry {
    /// Sets the expiry of an entry that has one.
    ///
    /// # Safety
    /// Nobody else uses the entry.
    pub(super) unsafe fn set_expire_in_place(self, at_ms: i64) {
        debug_assert!(self.header().is_volatile());
        // SAFETY: a volatile entry has its expiry right behind the header.
        unsafe { self.write(HEADER_BYTES, at_ms) };
    }

    /// Has an entry that holds a string hold one set whole or an integer, if its block is as long as a new one would
    /// be. False if nothing was done.
    ///
    /// # Safety
    /// Nobody else uses the entry.
    #[inline]
    pub(super) unsafe fn set_in_place(self, content: &Content<'_>) -> bool {
        let header = self.header();
        if header.kind() == Kind::Boxed || header.flat_kind().is_some() {
            return false;
        }
        let plan = content.plan(header.value_offset());
        let after = header.with_plan(plan);
        // SAFETY: the caller has the entry to himself. Its block has the length that `after` calls for, and a value
        // that is apart is overwritten only by one of its length.
        unsafe {
            match (header.kind(), plan.kind, content) {
                (Kind::Apart, Kind::Apart, Content::Bytes(bytes)) if plan.value_len == header.value_len() => {
                    (*self.apart_value(header)).copy_from_slice(bytes);
                }
                (Kind::Integer | Kind::Inline, Kind::Integer, Content::Integer(value))
                    if after.block_bytes() == header.block_bytes() =>
                {
                    self.write(after.value_offset(), *value);
                    self.set_header(after);
                }
                (Kind::Integer | Kind::Inline, Kind::Inline, Content::Bytes(bytes))
                    if after.block_bytes() == header.block_bytes() =>
                {
                    self.write_bytes(after.value_offset(), bytes);
                    self.set_header(after);
                }
                _ => return false,
            }
        }
        true
    }

    /// Has an entry whose value is inline hold a small collection, if its block is as long as a new one would be, or
    /// little longer. False if nothing was done.
    ///
    /// # Safety
    /// Nobody else uses the entry, and `bytes` are not its own.
    #[inline]
    pub(super) unsafe fn set_flat_in_place(self, kind: FlatKind, bytes: &[u8]) -> bool {
        let header = self.header();
        let block_bytes = header.block_bytes();
        let mut after = header.with_plan(Plan::flat(kind, bytes.len()));
        if after.block_bytes() != block_bytes {
            after = after.roomy();
        }
        if header.kind() != Kind::Inline || after.block_bytes() != block_bytes {
            return false;
        }
        // SAFETY: the caller has the entry to himself, and its block has the length that `after` calls for.
        unsafe { self.write_bytes(after.value_offset(), bytes) };
        self.set_header(after);
        true
    }

    /// The boxed value, if it is one.
    ///
    /// # Safety
    /// Nobody else uses the entry for all of `'a`.
    pub(super) unsafe fn boxed_mut<'a>(self) -> Option<&'a mut Value> {
        let header = self.header();
        // SAFETY: the caller's promise; the address is that of the entry's `Box<Value>`.
        (header.kind() == Kind::Boxed).then(|| unsafe { &mut *self.value_address::<Value>(header) })
    }
}

/// Moving, for whoever has the entry to himself.
impl RawEntry {
    /// Moves the entry, the key and the value that are apart, and the `Value` that is boxed, each into a block of the
    /// same length, as far as `moves` says that they should move. The entry's address from now on.
    ///
    /// # Safety
    /// Nobody else uses the entry, and nobody will use the old address.
    pub(super) unsafe fn relocate(self, moves: &mut Moves<'_>) -> RawEntry {
        let header = self.header();
        // SAFETY: the addresses come from boxes of these types, given up to the entry, which gets those of other boxes
        // with the same contents. The old block comes from `alloc` with the layout that the header tells; so does the
        // new one, which has all of its bytes.
        unsafe {
            if header.key_is_apart() {
                let key = self.apart_key(header);
                if moves.should_move(key.cast(), key.len()) {
                    self.write(header.key_offset(), move_bytes(key));
                }
            }
            if header.kind() == Kind::Apart {
                let value = self.apart_value(header);
                if moves.should_move(value.cast(), value.len()) {
                    self.write(header.value_offset(), move_bytes(value));
                }
            } else if header.kind() == Kind::Boxed {
                let value = self.value_address::<Value>(header);
                if moves.should_move(value.cast(), size_of::<Value>()) {
                    let moved = Box::into_raw(Box::new(*Box::from_raw(value)));
                    self.write(header.value_offset(), moved.expose_provenance());
                }
            }
            let layout = header.layout();
            if !moves.should_move(self.0.as_ptr(), layout.size()) {
                return self;
            }
            // Without memory it stays where it is.
            let Some(block) = NonNull::new(alloc(layout)) else { return self };
            ptr::copy_nonoverlapping(self.0.as_ptr(), block.as_ptr(), layout.size());
            dealloc(self.0.as_ptr(), layout);
            RawEntry(block)
        }
    }
}

/// The address of a copy of `bytes`, which are freed.
///
/// # Safety
/// They were a `Box<[u8]>`, and nobody uses them any more.
unsafe fn move_bytes(bytes: *mut [u8]) -> usize {
    // SAFETY: the caller's promise.
    let old = unsafe { Box::from_raw(bytes) };
    Box::into_raw(old.clone()).cast::<u8>().expose_provenance()
}
