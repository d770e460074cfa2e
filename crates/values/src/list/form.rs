//! How a list is kept, for whoever writes it down.

use super::nodes::{Nodes, Place};
use super::{End, Form, List};
use crate::listpack::Listpack;

/// See [`List::form`].
#[derive(Clone, Copy, Debug)]
pub enum ListForm<'a> {
    /// All elements.
    Listpack(&'a Listpack),
    /// Some elements each.
    Nodes(ListNodes<'a>),
}

/// The nodes of a long list.
#[derive(Clone, Copy)]
pub struct ListNodes<'a>(&'a Nodes);

/// Where one of them is. Good until the list changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodePlace(Place);

impl<'a> ListNodes<'a> {
    /// How many.
    #[expect(clippy::len_without_is_empty, reason = "a key does not hold an empty list")]
    pub fn len(self) -> usize {
        self.0.nodes_len()
    }

    /// The place of the first.
    pub fn first(self) -> Option<NodePlace> {
        self.0.end(End::Front).map(NodePlace)
    }

    /// The place behind another.
    pub fn next(self, place: NodePlace) -> Option<NodePlace> {
        self.0.next(place.0).map(NodePlace)
    }

    /// The elements of a node, or the only one if it is too large for a listpack.
    ///
    /// # Errors
    /// With that element.
    pub fn get(self, place: NodePlace) -> Result<&'a Listpack, &'a [u8]> {
        self.0.get(place.0).listpack()
    }
}

impl std::fmt::Debug for ListNodes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} nodes", self.len())
    }
}

impl List {
    /// How it is kept.
    pub fn form(&self) -> ListForm<'_> {
        match &self.form {
            Form::Packed(listpack) => ListForm::Listpack(listpack),
            Form::Quick(quicklist) => ListForm::Nodes(ListNodes(quicklist.nodes())),
        }
    }
}
