//! Hashs.

use crate::listpack::Listpack;
use crate::{Collection, Value, ValueRef};

/// A hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hash {
    elements: Listpack,
}

impl Collection for Hash {
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

    fn of_ref(value: ValueRef<'_>) -> Option<&Hash> {
        if let ValueRef::Hash(value) = value { Some(value) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Hash> {
        if let Value::Hash(value) = value { Some(value) } else { None }
    }
}
