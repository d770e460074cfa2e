//! Sets.

use crate::listpack::Listpack;
use crate::{Collection, Value, ValueRef};

/// A set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    elements: Listpack,
}

impl Collection for Set {
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

    fn of_ref(value: ValueRef<'_>) -> Option<&Set> {
        if let ValueRef::Set(value) = value { Some(value) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Set> {
        if let Value::Set(value) = value { Some(value) } else { None }
    }
}
