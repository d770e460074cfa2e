//! One node of a quicklist.

use super::End;
use super::limit::Limit;
use super::setting::ListSetting;
use crate::allocation::block_len_bytes;
use crate::listpack::Listpack;

/// What an element is taken to need in a listpack besides its bytes when a node is asked for room.
const ELEMENT_OVERHEAD_BYTES: usize = 8;
/// Header and end of a listpack, of which two have one too many when they become one.
const LISTPACK_OVERHEAD_BYTES: usize = 7;

#[derive(Clone, Debug)]
enum Content {
    /// Some elements.
    Packed(Listpack),
    /// One large element.
    Plain(Box<[u8]>),
}

/// Elements that follow each other.
#[derive(Clone, Debug)]
pub(super) struct Node {
    content: Content,
    /// How many; a listpack does not always know.
    len: u32,
}

const _: () = assert!(size_of::<Node>() == 32);

impl Node {
    /// A node of one element.
    pub fn of_one(element: &[u8], setting: ListSetting) -> Node {
        if setting.is_large(element) {
            return Node { content: Content::Plain(element.into()), len: 1 };
        }
        let mut listpack = Listpack::new();
        listpack.push_back(element);
        Node { content: Content::Packed(listpack), len: 1 }
    }

    /// A node that is one element as it is, as Redis has them for large ones.
    pub fn plain(element: Box<[u8]>) -> Node {
        Node { content: Content::Plain(element), len: 1 }
    }

    /// A node of a listpack's elements.
    pub fn packed(listpack: Listpack) -> Node {
        let len = listpack.len() as u32;
        Node { content: Content::Packed(listpack), len }
    }

    /// How many elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Memory beyond the node itself, in bytes.
    #[inline]
    pub fn allocated_bytes(&self) -> usize {
        match &self.content {
            Content::Packed(listpack) => listpack.allocated_bytes(),
            Content::Plain(element) => block_len_bytes(element.len()),
        }
    }

    /// The elements, unless it is one large one.
    #[inline]
    pub fn listpack(&self) -> Result<&Listpack, &[u8]> {
        match &self.content {
            Content::Packed(listpack) => Ok(listpack),
            Content::Plain(element) => Err(element),
        }
    }

    /// The elements for good, unless it is one large one.
    pub fn into_listpack(self) -> Option<Listpack> {
        match self.content {
            Content::Packed(listpack) => Some(listpack),
            Content::Plain(_) => None,
        }
    }

    /// Has `change` work on the elements and tell by how many they have become more or fewer. Panics if it is one large
    /// element.
    #[inline]
    pub fn change(&mut self, change: impl FnOnce(&mut Listpack) -> isize) {
        // Whoever changes a node has asked `listpack` or `has_room_for`, or takes fewer elements than it has, which is
        // none of one.
        let Content::Packed(listpack) = &mut self.content else {
            unreachable!("a large element has been looked for before");
        };
        let difference = change(listpack);
        self.len = self.len.wrapping_add_signed(difference as i32);
    }

    /// Adds an element at an end.
    #[inline]
    pub fn push(&mut self, end: End, element: &[u8]) {
        self.change(|listpack| {
            match end {
                End::Front => listpack.push_front(element),
                End::Back => listpack.push_back(element),
            }
            1
        });
    }

    /// Whether one more element of this length may be added.
    #[inline]
    pub fn has_room_for(&self, element: &[u8], limit: Limit, setting: ListSetting) -> bool {
        let Content::Packed(listpack) = &self.content else { return false };
        let len_bytes = listpack.len_bytes() + element.len() + ELEMENT_OVERHEAD_BYTES;
        !setting.is_large(element) && !limit.is_exceeded(len_bytes, self.len() + 1)
    }

    /// Whether it and the node behind it may become one.
    pub fn may_join(&self, next: &Node, limit: Limit) -> bool {
        let (Content::Packed(left), Content::Packed(right)) = (&self.content, &next.content) else {
            return false;
        };
        let len_bytes = left.len_bytes() + right.len_bytes() - LISTPACK_OVERHEAD_BYTES;
        !limit.is_exceeded(len_bytes, self.len() + next.len())
    }

    /// Takes in the elements of the node behind it.
    pub fn join(&mut self, next: &Node) {
        let Content::Packed(right) = &next.content else { return };
        self.change(|left| {
            left.append(right);
            next.len() as isize
        });
    }

    /// Keeps the elements up to number `index`; a node of those from there on.
    pub fn split_off(&mut self, index: usize) -> Node {
        let mut behind = Listpack::new();
        self.change(|listpack| {
            let Some(position) = listpack.seek(index) else { return 0 };
            behind = listpack.split_off(position);
            -(behind.len() as isize)
        });
        Node::packed(behind)
    }
}
