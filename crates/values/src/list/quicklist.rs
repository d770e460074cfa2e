//! A list of several nodes. Where nodes begin and end follows from the operations as it does in Redis: clients see when
//! a list is down to one node, since it may then become a listpack again.

use super::End;
use super::limit::Limit;
use super::node::Node;
use super::nodes::{Nodes, Place};
use super::setting::ListSetting;
use crate::listpack::{self, Element, Listpack, Pack};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Quicklist {
    nodes: Nodes,
    /// Of each node, as the setting was when the list got several.
    limit: Limit,
}

/// An element that was taken out.
pub(super) struct Popped {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// It was kept as an integer.
    pub is_integer: bool,
}

/// Where an element is.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    place: Place,
    /// Its number in the node.
    offset: usize,
}

impl Quicklist {
    /// A list of the elements of `listpack`, which may be none.
    pub fn new(listpack: Listpack, max_listpack_size: i32) -> Quicklist {
        let mut nodes = Nodes::default();
        if !listpack.is_empty() {
            nodes.push(End::Back, Node::packed(listpack));
        }
        Quicklist { nodes, limit: Limit::of_nodes(max_listpack_size) }
    }

    /// The nodes to look at.
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// What bounds each node.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// See [`Nodes::free_some`].
    pub fn free_some(&mut self) -> bool {
        self.nodes.free_some()
    }

    /// The only node's elements, for good, if they may be all of a list as `limit` has it.
    pub fn take_listpack(&mut self, limit: Limit, is_shrinking: bool) -> Option<Listpack> {
        if self.nodes.nodes_len() != 1 {
            return None;
        }
        let only = self.nodes.get(self.nodes.end(End::Front)?);
        let len_bytes = only.listpack().ok()?.len_bytes();
        if !limit.admits(len_bytes, only.len(), is_shrinking) {
            return None;
        }
        std::mem::take(&mut self.nodes).into_only()?.into_listpack()
    }

    /// Adds a node at the end, whatever its length.
    pub fn push_node(&mut self, node: Node) {
        self.nodes.push(End::Back, node);
    }

    /// Adds an element at an end.
    #[inline]
    pub fn push(&mut self, end: End, element: &[u8], setting: ListSetting) {
        match self.nodes.end(end) {
            Some(place) if self.nodes.get(place).has_room_for(element, self.limit, setting) => {
                self.nodes.change(place, |node| node.push(end, element));
            }
            _ => self.nodes.push(end, Node::of_one(element, setting)),
        }
    }

    /// Takes the element at an end.
    pub fn pop(&mut self, end: End) -> Option<Popped> {
        let place = self.nodes.end(end)?;
        let node = self.nodes.get(place);
        let popped = match node.listpack() {
            Ok(listpack) => {
                let position = match end {
                    End::Front => listpack.first(),
                    End::Back => listpack.last(),
                };
                let element = listpack.get(position?);
                Popped { bytes: element.to_vec(), is_integer: element.as_integer().is_some() }
            }
            Err(plain) => Popped { bytes: plain.to_vec(), is_integer: false },
        };
        let offset = match end {
            End::Front => 0,
            End::Back => node.len() - 1,
        };
        self.remove_at(At { place, offset }, 1);
        Some(popped)
    }

    /// Takes `count` elements of one node, which has as many from there on. The place of what follows.
    fn remove_at(&mut self, At { place, offset }: At, count: usize) -> Option<Place> {
        let len = self.nodes.get(place).len();
        if count == len {
            return self.nodes.remove(place);
        }
        self.nodes.change(place, |node| {
            node.change(|listpack| {
                let Some(position) = listpack.seek(offset) else { return 0 };
                listpack.remove(position, count);
                -(count as isize)
            });
        });
        if offset + count == len { self.nodes.next(place) } else { Some(place) }
    }

    /// Takes `count` elements, or as many as there are, from number `start` on.
    pub fn remove_range(&mut self, start: usize, count: usize) {
        let Some((place, mut offset)) = self.nodes.seek(start) else { return };
        let (mut next, mut left) = (Some(place), count);
        while left > 0
            && let Some(place) = next
        {
            let here = left.min(self.nodes.get(place).len() - offset);
            next = self.remove_at(At { place, offset }, here);
            left -= here;
            offset = 0;
        }
    }

    /// Puts another element in the place of number `index`. False if there is none.
    pub fn set(&mut self, index: usize, element: &[u8], setting: ListSetting) -> bool {
        let Some((place, offset)) = self.nodes.seek(index) else { return false };
        let node = self.nodes.get(place);
        match node.listpack() {
            Ok(listpack)
                if !setting.is_large(element)
                    && listpack.has_room_for(element.len() + listpack::ELEMENT_OVERHEAD_BYTES) =>
            {
                self.nodes.change(place, |node| {
                    node.change(|listpack| {
                        if let Some(position) = listpack.seek(offset) {
                            listpack.replace(position, element);
                        }
                        0
                    });
                });
            }
            Ok(_) => self.replace_by_node(At { place, offset }, element, setting),
            Err(_) => self.replace_plain(place, element, setting),
        }
        true
    }

    /// Puts an element in the place of a large one.
    fn replace_plain(&mut self, place: Place, element: &[u8], setting: ListSetting) {
        let next = self.nodes.next(place);
        match next.filter(|next| self.nodes.get(*next).has_room_for(element, self.limit, setting)) {
            Some(next) => {
                self.nodes.change(next, |node| node.push(End::Front, element));
                self.nodes.remove(place);
            }
            None => self.nodes.change(place, |node| *node = Node::of_one(element, setting)),
        }
    }

    /// Puts a node of its own in the place of an element of several.
    fn replace_by_node(&mut self, At { place, offset }: At, element: &[u8], setting: ListSetting) {
        let len = self.nodes.get(place).len();
        if len == 1 {
            return self.nodes.change(place, |node| *node = Node::of_one(element, setting));
        }
        if offset == 0 {
            self.remove_at(At { place, offset }, 1);
            self.nodes.insert(place, End::Front, Node::of_one(element, setting));
            return;
        }
        let behind = (offset + 1 < len).then(|| self.nodes.change(place, |node| node.split_off(offset + 1)));
        self.remove_at(At { place, offset }, 1);
        let mut new = self.nodes.insert(place, End::Back, Node::of_one(element, setting));
        if let Some(behind) = behind {
            let behind = self.nodes.insert(new, End::Back, behind);
            new = self.nodes.previous(behind).unwrap_or(new);
        }
        self.join_around(new);
    }

    /// The first element equal to `needle`.
    pub fn find(&self, needle: &[u8]) -> Option<At> {
        let packed = Element::new(needle);
        let mut next = self.nodes.end(End::Front);
        while let Some(place) = next {
            let found = match self.nodes.get(place).listpack() {
                Ok(listpack) => Iterator::position(&mut listpack.iter(), |element| element == packed),
                Err(plain) => (plain == needle).then_some(0),
            };
            if let Some(offset) = found {
                return Some(At { place, offset });
            }
            next = self.nodes.next(place);
        }
        None
    }

    /// Adds an element before or behind another.
    pub fn insert(&mut self, at: At, side: End, element: &[u8], setting: ListSetting) {
        let At { place, offset } = at;
        let node = self.nodes.get(place);
        let index = match side {
            End::Front => offset,
            End::Back => offset + 1,
        };
        if node.has_room_for(element, self.limit, setting) {
            return self.nodes.change(place, |node| {
                node.change(|listpack| {
                    listpack.insert(listpack.seek(index), &[Element::new(element)]);
                    1
                });
            });
        }
        let is_at_edge = index == 0 || index == node.len();
        if !is_at_edge {
            return self.insert_within(place, index, side, element, setting);
        }
        let neighbour = match side {
            End::Front => self.nodes.previous(place),
            End::Back => self.nodes.next(place),
        };
        match neighbour
            .filter(|neighbour| self.nodes.get(*neighbour).has_room_for(element, self.limit, setting))
        {
            Some(neighbour) => self.nodes.change(neighbour, |node| node.push(side.other(), element)),
            None => drop(self.nodes.insert(place, side, Node::of_one(element, setting))),
        }
    }

    /// Adds an element as number `index` of a node that has no room for it.
    fn insert_within(&mut self, place: Place, index: usize, side: End, element: &[u8], setting: ListSetting) {
        let mut behind = self.nodes.change(place, |node| node.split_off(index));
        if setting.is_large(element) {
            let behind = self.nodes.insert(place, End::Back, behind);
            self.nodes.insert(behind, End::Front, Node::of_one(element, setting));
            return;
        }
        let needed = element.len() + listpack::ELEMENT_OVERHEAD_BYTES;
        let half = if side == End::Front { self.nodes.get(place) } else { &behind };
        if !half.listpack().is_ok_and(|listpack| listpack.has_room_for(needed)) {
            let new = self.nodes.insert(place, End::Back, Node::of_one(element, setting));
            self.nodes.insert(new, End::Back, behind);
            return;
        }
        // The node that the other element is in stays as it is, and is the one whose neighbours are looked at.
        match side {
            End::Front => self.nodes.change(place, |node| node.push(End::Back, element)),
            End::Back => behind.push(End::Front, element),
        }
        let behind = self.nodes.insert(place, End::Back, behind);
        let centre = match side {
            End::Front => Some(behind),
            End::Back => self.nodes.previous(behind),
        };
        if let Some(centre) = centre {
            self.join_around(centre);
        }
    }

    /// Makes one of neighbours where they fit: of the two before a node, of the two behind it, of it and either.
    fn join_around(&mut self, mut centre: Place) {
        if let Some(previous) = self.nodes.previous(centre)
            && let Some(first) = self.nodes.previous(previous)
            && self.join_with_next(first)
        {
            centre = self.nodes.next(first).unwrap_or(first);
        }
        if let Some(next) = self.nodes.next(centre) {
            self.join_with_next(next);
        }
        if let Some(previous) = self.nodes.previous(centre)
            && self.join_with_next(previous)
        {
            centre = previous;
        }
        self.join_with_next(centre);
    }

    /// Makes one of a node and the one behind it, if they fit.
    fn join_with_next(&mut self, place: Place) -> bool {
        let Some(next) = self.nodes.next(place) else { return false };
        if !self.nodes.get(place).may_join(self.nodes.get(next), self.limit) {
            return false;
        }
        let taken = self.nodes.get(next).clone();
        self.nodes.change(place, |node| node.join(&taken));
        self.nodes.remove(next);
        true
    }

    /// Takes the elements equal to `needle`, at most `max` of them, beginning at an end. How many it were.
    pub fn remove_equal(&mut self, from: End, max: usize, needle: &[u8]) -> usize {
        let mut removed = 0;
        let mut next = self.nodes.end(from);
        while removed < max
            && let Some(place) = next
        {
            // Places before a node stay good when it is removed.
            let before = self.nodes.previous(place);
            let node = self.nodes.get(place);
            let here = match node.listpack() {
                Ok(listpack) => count_equal(listpack, needle).min(max - removed),
                Err(plain) => usize::from(plain == needle),
            };
            removed += here;
            let behind = if here == node.len() {
                self.nodes.remove(place)
            } else {
                if here > 0 {
                    self.nodes.change(place, |node| {
                        node.change(|listpack| -(remove_equal(listpack, from, here, needle) as isize));
                    });
                }
                self.nodes.next(place)
            };
            next = match from {
                End::Front => behind,
                End::Back => before,
            };
        }
        removed
    }
}

/// How many elements equal `needle`.
pub(super) fn count_equal(listpack: &Pack, needle: &[u8]) -> usize {
    let needle = Element::new(needle);
    listpack.iter().filter(|element| *element == needle).count()
}

/// Takes the elements equal to `needle`, at most `max` of them, beginning at an end. How many it were.
pub(super) fn remove_equal(listpack: &mut Listpack, from: End, max: usize, needle: &[u8]) -> usize {
    let there = count_equal(listpack, needle);
    let count = there.min(max);
    if count == 0 {
        return 0;
    }
    let needle = Element::new(needle);
    let first = if from == End::Front { 0 } else { there - count };
    let mut met = 0;
    // One by one each would move all that is behind it.
    listpack.retain(|element| {
        let is_it = element == needle;
        let keeps = !is_it || met < first || met >= first + count;
        met += usize::from(is_it);
        keeps
    });
    count
}
