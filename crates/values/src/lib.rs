//! What keys hold, and how much memory that takes.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod allocation;
pub mod collection;
pub mod double;
pub mod extended;
pub mod flat;
pub mod geo;
pub mod glob;
pub mod hash;
pub mod hyperloglog;
pub mod list;
pub mod listpack;
pub mod partial_sort;
pub mod set;
pub mod sorted_set;
pub mod string;
pub mod table;
pub mod thresholds;
pub mod trail;
pub mod value_type;

#[cfg(test)]
mod churn_tests;
#[cfg(test)]
mod listpack_bound_tests;

pub use collection::{Collection, CollectionRef};
pub use flat::FlatKind;
pub use hash::{Hash, HashRef};
pub use list::{List, ListRef};
pub use set::{Set, SetRef};
pub use sorted_set::{SortedSet, SortedSetRef};
pub use string::{Digits, StringRef, StringValue};
pub use thresholds::Thresholds;
pub use trail::Trail;
pub use value_type::Type;

/// The value of one key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Bytes, or an integer that was given as its decimal digits.
    String(StringValue),
    /// Elements in an order.
    List(List),
    /// Fields with values.
    Hash(Hash),
    /// Members, each once.
    Set(Set),
    /// Members in the order of their scores.
    SortedSet(SortedSet),
}

// It is kept in a block of its own; the next length up would be 48.
const _: () = assert!(size_of::<Value>() <= 32);

impl Value {
    /// The value to look at.
    #[inline]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::String(string) => ValueRef::String(string.as_ref()),
            Value::List(list) => ValueRef::List(list.as_ref()),
            Value::Hash(hash) => ValueRef::Hash(hash.as_ref()),
            Value::Set(set) => ValueRef::Set(set.as_ref()),
            Value::SortedSet(sorted_set) => ValueRef::SortedSet(sorted_set.as_ref()),
        }
    }

    /// Memory beyond the `Value` itself, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        match self {
            Value::String(string) => string.allocated_bytes(),
            Value::List(list) => list.allocated_bytes(),
            Value::Hash(hash) => hash.allocated_bytes(),
            Value::Set(set) => set.allocated_bytes(),
            Value::SortedSet(sorted_set) => sorted_set.allocated_bytes(),
        }
    }

    /// See [`Collection::free_some`]. A string is freed at once.
    pub fn free_some(&mut self) -> bool {
        match self {
            Value::String(_) => false,
            Value::List(list) => list.free_some(),
            Value::Hash(hash) => hash.free_some(),
            Value::Set(set) => set.free_some(),
            Value::SortedSet(sorted_set) => sorted_set.free_some(),
        }
    }
}

/// A value to look at, however it is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// See [`Value::String`].
    String(StringRef<'a>),
    /// See [`Value::List`].
    List(ListRef<'a>),
    /// See [`Value::Hash`].
    Hash(HashRef<'a>),
    /// See [`Value::Set`].
    Set(SetRef<'a>),
    /// See [`Value::SortedSet`].
    SortedSet(SortedSetRef<'a>),
}

impl ValueRef<'_> {
    /// Its type.
    pub fn value_type(self) -> Type {
        match self {
            ValueRef::String(_) => Type::String,
            ValueRef::List(_) => Type::List,
            ValueRef::Hash(_) => Type::Hash,
            ValueRef::Set(_) => Type::Set,
            ValueRef::SortedSet(_) => Type::SortedSet,
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(self) -> &'static str {
        match self {
            ValueRef::String(string) => string.encoding().name(),
            ValueRef::List(list) => list.encoding_name(),
            ValueRef::Hash(hash) => hash.encoding_name(),
            ValueRef::Set(set) => set.encoding_name(),
            ValueRef::SortedSet(sorted_set) => sorted_set.encoding_name(),
        }
    }

    /// How many elements it has; a string is one.
    pub fn elements_len(self) -> usize {
        match self {
            ValueRef::String(_) => 1,
            ValueRef::List(list) => list.len(),
            ValueRef::Hash(hash) => hash.len(),
            ValueRef::Set(set) => set.len(),
            ValueRef::SortedSet(sorted_set) => sorted_set.len(),
        }
    }

    /// A value of its own.
    pub fn to_value(self) -> Value {
        match self {
            ValueRef::String(string) => Value::String(string.to_string_value()),
            ValueRef::List(list) => Value::List(list.to_list()),
            ValueRef::Hash(hash) => Value::Hash(hash.to_hash()),
            ValueRef::Set(set) => Value::Set(set.to_set()),
            ValueRef::SortedSet(sorted_set) => Value::SortedSet(sorted_set.to_sorted_set()),
        }
    }
}

macro_rules! from {
    ($($inner:ident => $variant:ident),*) => {$(
        impl From<$inner> for Value {
            fn from(inner: $inner) -> Value {
                Value::$variant(inner)
            }
        }
    )*};
}

from!(StringValue => String, List => List, Hash => Hash, Set => Set, SortedSet => SortedSet);
