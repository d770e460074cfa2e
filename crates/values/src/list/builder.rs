//! Lists that are put together from what a snapshot has of them.

use super::node::Node;
use super::quicklist::Quicklist;
use super::{End, Form, List, ListSetting};
use crate::listpack::Listpack;

/// A list to which elements and whole nodes are added at the end. As in Redis, nodes keep the length that they come
/// with.
#[derive(Clone, Debug)]
pub struct ListBuilder {
    quicklist: Quicklist,
    setting: ListSetting,
}

impl ListBuilder {
    /// No elements.
    pub fn new(setting: impl Into<ListSetting>) -> ListBuilder {
        let setting = setting.into();
        ListBuilder { quicklist: Quicklist::new(Listpack::new(), setting.max_listpack_size), setting }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.quicklist.nodes().len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an element to the last node, or to a new one if that is full.
    pub fn push(&mut self, element: &[u8]) {
        self.quicklist.push(End::Back, element, self.setting);
    }

    /// Adds a node of these elements, if there are any.
    pub fn push_listpack(&mut self, listpack: Listpack) {
        if !listpack.is_empty() {
            self.quicklist.push_node(Node::packed(listpack));
        }
    }

    /// Adds a node that is one element, without a listpack.
    pub fn push_plain(&mut self, element: Box<[u8]>) {
        self.quicklist.push_node(Node::plain(element));
    }

    /// The list, as one listpack if it is short enough for that.
    pub fn finish(self) -> List {
        let setting = self.setting;
        let mut list = self.finish_quick();
        list.unite(setting, false);
        list
    }

    /// The list, as a quicklist even if it is short.
    pub fn finish_quick(self) -> List {
        List { form: Form::Quick(Box::new(self.quicklist)) }
    }
}
