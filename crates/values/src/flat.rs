//! Small collections whose content is one run of bytes, and which may be kept wherever bytes are.

use crate::listpack::{Listpack, Pack};
use crate::set::{IntSet, Integers};
use crate::{Hash, HashRef, List, ListRef, Set, SetRef, SortedSet, SortedSetRef, Value, ValueRef};

/// What a run of bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlatKind {
    /// A list's listpack.
    List,
    /// A hash's listpack without times.
    Hash,
    /// A hash's listpack with times.
    TimedHash,
    /// A set's integers.
    Integers,
    /// A set's listpack.
    Set,
    /// A sorted set's listpack.
    SortedSet,
}

impl<'a> ValueRef<'a> {
    /// The collection that `bytes` are, which [`ValueRef::as_flat`] or [`Value::into_flat_bytes`] of one of this kind
    /// gave. They are not looked at.
    #[inline]
    pub fn of_flat(kind: FlatKind, bytes: &'a [u8]) -> ValueRef<'a> {
        let pack = Pack::of_trusted(bytes);
        match kind {
            FlatKind::List => ValueRef::List(ListRef::Listpack(pack)),
            FlatKind::Hash => ValueRef::Hash(HashRef::Listpack(pack)),
            FlatKind::TimedHash => ValueRef::Hash(HashRef::TimedListpack(pack)),
            FlatKind::Integers => ValueRef::Set(SetRef::Integers(Integers::of_trusted(bytes))),
            FlatKind::Set => ValueRef::Set(SetRef::Listpack(pack)),
            FlatKind::SortedSet => ValueRef::SortedSet(SortedSetRef::Listpack(pack)),
        }
    }

    /// The run of bytes that it is, if it is a small collection.
    #[inline]
    pub fn as_flat(self) -> Option<(FlatKind, &'a [u8])> {
        match self {
            ValueRef::List(ListRef::Listpack(pack)) => Some((FlatKind::List, pack.as_bytes())),
            ValueRef::Hash(HashRef::Listpack(pack)) => Some((FlatKind::Hash, pack.as_bytes())),
            ValueRef::Hash(HashRef::TimedListpack(pack)) => Some((FlatKind::TimedHash, pack.as_bytes())),
            ValueRef::Set(SetRef::Integers(integers)) => Some((FlatKind::Integers, integers.as_bytes())),
            ValueRef::Set(SetRef::Listpack(pack)) => Some((FlatKind::Set, pack.as_bytes())),
            ValueRef::SortedSet(SortedSetRef::Listpack(pack)) => Some((FlatKind::SortedSet, pack.as_bytes())),
            ValueRef::String(_)
            | ValueRef::List(ListRef::Nodes(_))
            | ValueRef::Hash(HashRef::Table(_))
            | ValueRef::Set(SetRef::Table(_))
            | ValueRef::SortedSet(SortedSetRef::Ranked(_)) => None,
        }
    }
}

impl Value {
    /// As [`ValueRef::of_flat`], to be changed.
    #[inline]
    pub fn of_flat(kind: FlatKind, bytes: Vec<u8>) -> Value {
        match kind {
            FlatKind::List => Value::List(List::from_listpack(Listpack::of_trusted(bytes))),
            FlatKind::Hash => Value::Hash(Hash::from_listpack(Listpack::of_trusted(bytes))),
            FlatKind::TimedHash => Value::Hash(Hash::from_listpack_with_times(Listpack::of_trusted(bytes))),
            FlatKind::Integers => Value::Set(Set::of_integers(IntSet::of_trusted(bytes))),
            FlatKind::Set => Value::Set(Set::of_listpack(Listpack::of_trusted(bytes))),
            FlatKind::SortedSet => Value::SortedSet(SortedSet::from_listpack(Listpack::of_trusted(bytes))),
        }
    }

    /// The run of bytes that it is, for good, if it is a small collection.
    #[inline]
    pub fn into_flat_bytes(self) -> Option<Vec<u8>> {
        match self {
            Value::String(_) => None,
            Value::List(list) => list.into_flat_bytes(),
            Value::Hash(hash) => hash.into_flat_bytes(),
            Value::Set(set) => set.into_flat_bytes(),
            Value::SortedSet(sorted_set) => sorted_set.into_flat_bytes(),
        }
    }
}
