//! Lists.

use crate::listpack::Listpack;
use crate::{Collection, Value, ValueRef};

/// A list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    elements: Listpack,
}

impl Collection for List {
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

    fn of_ref(value: ValueRef<'_>) -> Option<&List> {
        if let ValueRef::List(value) = value { Some(value) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut List> {
        if let Value::List(value) = value { Some(value) } else { None }
    }
}
