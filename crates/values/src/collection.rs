//! What lists, hashes, sets and sorted sets have in common.

use crate::{Value, ValueRef};

/// A value of many elements. A key that holds one without elements does not exist: it goes with its last element.
pub trait Collection: Clone + Into<Value> {
    /// One to look at. It may be of another place than a collection of its own: see [`crate::FlatKind`].
    type Ref<'a>: CollectionRef;

    /// The collection to look at.
    fn as_ref(&self) -> Self::Ref<'_>;

    /// See [`CollectionRef::len`].
    #[inline]
    fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// See [`CollectionRef::is_empty`].
    #[inline]
    fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }

    /// See [`CollectionRef::encoding_name`].
    fn encoding_name(&self) -> &'static str {
        self.as_ref().encoding_name()
    }

    /// Memory beyond the value itself, in bytes. Takes constant time: it is asked before and after each change.
    fn allocated_bytes(&self) -> usize;

    /// Frees some hundred elements at most. False if that were the last, and dropping the rest takes no time to speak
    /// of. Nothing else may be done with the value afterwards.
    fn free_some(&mut self) -> bool;

    /// The collection, if `value` is one of this kind.
    fn of_ref(value: ValueRef<'_>) -> Option<Self::Ref<'_>>;

    /// The collection, if `value` is one of this kind, to be changed.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
}

/// A value of many elements to look at.
pub trait CollectionRef: Copy {
    /// How many elements (fields, members).
    fn len(self) -> usize;

    /// There is none. Never takes a walk, as `len` does in a listpack that has more elements than it counts.
    fn is_empty(self) -> bool;

    /// The name that OBJECT ENCODING answers.
    fn encoding_name(self) -> &'static str;

    /// About how much memory its content takes, in bytes. Takes constant time.
    fn content_bytes(self) -> usize;
}
