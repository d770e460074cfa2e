//! SortedSets.

use crate::listpack::Listpack;
use crate::{Collection, Value, ValueRef};

/// A zset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortedSet {
    elements: Listpack,
}

impl Collection for SortedSet {
    fn len(&self) -> usize {
        self.elements.len()
    }

    fn encoding_name(&self) -> &'static str {
        "listpack"
    }

    fn allocated_bytes(&self) -> usize {
        self.elements.allocated_bytes()
    }

    fn free_some(&mut self) -> bool {
        false
    }

    fn of_ref(value: ValueRef<'_>) -> Option<&SortedSet> {
        if let ValueRef::SortedSet(value) = value { Some(value) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut SortedSet> {
        if let Value::SortedSet(value) = value { Some(value) } else { None }
    }
}
