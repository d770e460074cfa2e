//! Looking at lists, wherever they are kept.

use super::nodes::Place;
use super::quicklist::Quicklist;
use super::walk::{Range, RangeBack};
use super::{End, Form, List};
use crate::collection::CollectionRef;
use crate::listpack::{Element, Pack};

/// A list to look at, and how it is kept.
#[derive(Clone, Copy)]
pub enum ListRef<'a> {
    /// All elements.
    Listpack(&'a Pack),
    /// Some elements each.
    Nodes(ListNodes<'a>),
}

/// The nodes of a long list.
#[derive(Clone, Copy)]
pub struct ListNodes<'a>(pub(super) &'a Quicklist);

/// Where one of them is. Good until the list changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodePlace(Place);

impl<'a> ListNodes<'a> {
    /// How many.
    #[expect(clippy::len_without_is_empty, reason = "a key does not hold an empty list")]
    pub fn len(self) -> usize {
        self.0.nodes().nodes_len()
    }

    /// What `list-max-listpack-size` was when the list got several nodes.
    pub fn setting(self) -> i32 {
        self.0.limit().setting()
    }

    /// The place of the first.
    pub fn first(self) -> Option<NodePlace> {
        self.0.nodes().end(End::Front).map(NodePlace)
    }

    /// The place behind another.
    pub fn next(self, place: NodePlace) -> Option<NodePlace> {
        self.0.nodes().next(place.0).map(NodePlace)
    }

    /// The elements of a node, or the only one if it is too large for a listpack.
    ///
    /// # Errors
    /// With that element.
    pub fn get(self, place: NodePlace) -> Result<&'a Pack, &'a [u8]> {
        self.0.nodes().get(place.0).listpack().map(|listpack| &**listpack)
    }
}

impl std::fmt::Debug for ListNodes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} nodes", self.len())
    }
}

impl<'a> ListRef<'a> {
    /// The element with this index.
    pub fn get(self, index: usize) -> Option<Element<'a>> {
        match self {
            ListRef::Listpack(listpack) => listpack.seek(index).map(|position| listpack.get(position)),
            ListRef::Nodes(_) => self.range(index, 1).next(),
        }
    }

    /// `count` elements, or as many as there are, from index `start` on.
    pub fn range(self, start: usize, count: usize) -> Range<'a> {
        Range::new(self, start, count)
    }

    /// `count` elements, or as many as there are, from the last one on towards the front.
    pub fn range_back(self, count: usize) -> RangeBack<'a> {
        RangeBack::new(self, count)
    }

    /// A list of its own.
    pub fn to_list(self) -> List {
        let form = match self {
            ListRef::Listpack(pack) => Form::Packed(pack.to_listpack()),
            ListRef::Nodes(ListNodes(quicklist)) => Form::Quick(Box::new(quicklist.clone())),
        };
        List { form }
    }

    /// All elements.
    pub fn iter(self) -> Range<'a> {
        self.range(0, usize::MAX)
    }
}

impl CollectionRef for ListRef<'_> {
    #[inline]
    fn len(self) -> usize {
        match self {
            ListRef::Listpack(listpack) => listpack.len(),
            ListRef::Nodes(ListNodes(quicklist)) => quicklist.nodes().len(),
        }
    }

    #[inline]
    fn is_empty(self) -> bool {
        match self {
            ListRef::Listpack(listpack) => listpack.is_empty(),
            ListRef::Nodes(ListNodes(quicklist)) => quicklist.nodes().len() == 0,
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            ListRef::Listpack(_) => "listpack",
            ListRef::Nodes(_) => "quicklist",
        }
    }

    fn content_bytes(self) -> usize {
        match self {
            ListRef::Listpack(listpack) => listpack.len_bytes(),
            ListRef::Nodes(ListNodes(quicklist)) => quicklist.nodes().allocated_bytes(),
        }
    }
}

/// Equal lists have equal elements, whatever their form.
impl PartialEq for ListRef<'_> {
    fn eq(&self, other: &ListRef<'_>) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for ListRef<'_> {}

impl std::fmt::Debug for ListRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
