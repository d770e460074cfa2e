//! The nodes of a quicklist in their order, found by the numbers of their elements.
//!
//! They stand in segments of up to [`SEGMENT_MAX_LEN`], each of which knows how many elements it has. So an index is
//! found by passing over whole segments and then over the nodes of one, which lie side by side in memory. A list of 5
//! million elements of 10 bytes has 60 segments.

use super::End;
use super::node::Node;
use crate::allocation::block_len_bytes;
use std::collections::VecDeque;

/// Most nodes of a segment.
const SEGMENT_MAX_LEN: usize = 128;
/// Neighbours that together have no more than this many become one when a node is removed.
const JOIN_MAX_LEN: usize = SEGMENT_MAX_LEN / 2;
/// How many nodes are freed at a time.
const FREE_LEN: usize = 100;

/// Where a node is. Good until nodes are added or removed before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    segment: usize,
    node: usize,
}

#[derive(Clone, Debug, Default)]
struct Segment {
    nodes: VecDeque<Node>,
    /// How many elements the nodes have.
    len: usize,
}

impl Segment {
    fn of(nodes: VecDeque<Node>) -> Segment {
        let len = nodes.iter().map(Node::len).sum();
        Segment { nodes, len }
    }

    /// Length of the block that the nodes stand in.
    fn block_bytes(&self) -> usize {
        block_len_bytes(self.nodes.capacity() * size_of::<Node>())
    }

    /// The node with element number `index`, and the element's number in it.
    fn seek(&self, index: usize) -> (usize, usize) {
        if index < self.len / 2 {
            let mut left = index;
            for (number, node) in self.nodes.iter().enumerate() {
                match left.checked_sub(node.len()) {
                    Some(rest) => left = rest,
                    None => return (number, left),
                }
            }
        }
        let mut end = self.len;
        for (number, node) in self.nodes.iter().enumerate().rev() {
            end -= node.len();
            if index >= end {
                return (number, index - end);
            }
        }
        // `Nodes::seek` asks for elements that are there only, and each change of a node changes the lengths above it.
        unreachable!("the lengths add up")
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    segments: VecDeque<Segment>,
    /// How many elements.
    len: usize,
    /// How many nodes.
    nodes_len: usize,
    /// Memory of the nodes' elements.
    elements_bytes: usize,
    /// Memory of the segments' blocks.
    segments_bytes: usize,
}

/// The copy takes no more room than it needs, so that its memory is counted anew.
impl Clone for Nodes {
    fn clone(&self) -> Nodes {
        let segments: VecDeque<Segment> = self.segments.clone();
        let nodes = segments.iter().flat_map(|segment| &segment.nodes);
        let elements_bytes = nodes.map(Node::allocated_bytes).sum();
        let segments_bytes = segments.iter().map(Segment::block_bytes).sum();
        Nodes { segments, elements_bytes, segments_bytes, ..*self }
    }
}

impl Nodes {
    /// How many elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many nodes.
    pub fn nodes_len(&self) -> usize {
        self.nodes_len
    }

    /// Memory beyond `self`, in bytes.
    #[inline]
    pub fn allocated_bytes(&self) -> usize {
        self.elements_bytes
            + self.segments_bytes
            + block_len_bytes(self.segments.capacity() * size_of::<Segment>())
    }

    /// The node at a place.
    #[inline]
    pub fn get(&self, place: Place) -> &Node {
        &self.segments[place.segment].nodes[place.node]
    }

    /// The place of the first or the last node.
    #[inline]
    pub fn end(&self, end: End) -> Option<Place> {
        match end {
            End::Front => (!self.segments.is_empty()).then_some(Place { segment: 0, node: 0 }),
            End::Back => {
                let segment = self.segments.len().checked_sub(1)?;
                Some(Place { segment, node: self.segments[segment].nodes.len() - 1 })
            }
        }
    }

    /// The place behind another.
    pub fn next(&self, Place { segment, node }: Place) -> Option<Place> {
        if node + 1 < self.segments[segment].nodes.len() {
            return Some(Place { segment, node: node + 1 });
        }
        (segment + 1 < self.segments.len()).then_some(Place { segment: segment + 1, node: 0 })
    }

    /// The place before another.
    pub fn previous(&self, Place { segment, node }: Place) -> Option<Place> {
        if node > 0 {
            return Some(Place { segment, node: node - 1 });
        }
        let segment = segment.checked_sub(1)?;
        Some(Place { segment, node: self.segments[segment].nodes.len() - 1 })
    }

    /// The node with element number `index`, and the element's number in it.
    pub fn seek(&self, index: usize) -> Option<(Place, usize)> {
        if index >= self.len {
            return None;
        }
        let (segment, index) = self.seek_segment(index);
        let (node, offset) = self.segments[segment].seek(index);
        Some((Place { segment, node }, offset))
    }

    fn seek_segment(&self, index: usize) -> (usize, usize) {
        if index < self.len / 2 {
            let mut left = index;
            for (number, segment) in self.segments.iter().enumerate() {
                match left.checked_sub(segment.len) {
                    Some(rest) => left = rest,
                    None => return (number, left),
                }
            }
        }
        let mut end = self.len;
        for (number, segment) in self.segments.iter().enumerate().rev() {
            end -= segment.len;
            if index >= end {
                return (number, index - end);
            }
        }
        unreachable!("the lengths add up")
    }

    /// Has `change` work on a node. It must leave some element there.
    #[inline]
    pub fn change<T>(&mut self, place: Place, change: impl FnOnce(&mut Node) -> T) -> T {
        let segment = &mut self.segments[place.segment];
        let node = &mut segment.nodes[place.node];
        let (len, bytes) = (node.len(), node.allocated_bytes());
        let result = change(node);
        segment.len = segment.len - len + node.len();
        self.len = self.len - len + node.len();
        self.elements_bytes = self.elements_bytes - bytes + node.allocated_bytes();
        result
    }

    /// Adds a node at an end.
    pub fn push(&mut self, end: End, node: Node) {
        match self.end(end) {
            None => self.add_segment(0, node),
            Some(place) => drop(self.insert(place, end, node)),
        }
    }

    /// Adds a node before or behind another, and returns its place. The other one is next to it.
    pub fn insert(&mut self, place: Place, side: End, node: Node) -> Place {
        let mut at = match side {
            End::Front => place,
            End::Back => Place { node: place.node + 1, ..place },
        };
        let (last, len) = (self.segments.len() - 1, self.segments[at.segment].nodes.len());
        if len == SEGMENT_MAX_LEN {
            // What grows at its ends has full segments.
            if at == (Place { segment: 0, node: 0 }) {
                self.add_segment(0, node);
                return at;
            }
            if at == (Place { segment: last, node: len }) {
                self.add_segment(last + 1, node);
                return Place { segment: last + 1, node: 0 };
            }
            at = self.split(at);
        }
        self.len += node.len();
        self.nodes_len += 1;
        self.elements_bytes += node.allocated_bytes();
        let segment = &mut self.segments[at.segment];
        let before_bytes = segment.block_bytes();
        segment.len += node.len();
        segment.nodes.insert(at.node, node);
        self.segments_bytes = self.segments_bytes + segment.block_bytes() - before_bytes;
        at
    }

    fn add_segment(&mut self, number: usize, node: Node) {
        self.len += node.len();
        self.nodes_len += 1;
        self.elements_bytes += node.allocated_bytes();
        let segment = Segment::of(VecDeque::from([node]));
        self.segments_bytes += segment.block_bytes();
        self.segments.insert(number, segment);
    }

    /// Makes two of a segment. Where `at` is then.
    fn split(&mut self, at: Place) -> Place {
        let segment = &mut self.segments[at.segment];
        let before_bytes = segment.block_bytes();
        let kept = segment.nodes.len() / 2;
        let behind = Segment::of(segment.nodes.split_off(kept));
        segment.len -= behind.len;
        self.segments_bytes =
            self.segments_bytes + segment.block_bytes() + behind.block_bytes() - before_bytes;
        self.segments.insert(at.segment + 1, behind);
        match at.node.checked_sub(kept) {
            Some(node) => Place { segment: at.segment + 1, node },
            None => at,
        }
    }

    /// Removes a node. The place of the one behind it. Places before it stay good.
    pub fn remove(&mut self, place: Place) -> Option<Place> {
        let segment = &mut self.segments[place.segment];
        let before_bytes = segment.block_bytes();
        let node = segment.nodes.remove(place.node)?;
        segment.len -= node.len();
        self.len -= node.len();
        self.nodes_len -= 1;
        self.elements_bytes -= node.allocated_bytes();
        if segment.nodes.is_empty() {
            self.segments_bytes -= before_bytes;
            self.segments.remove(place.segment);
            if self.segments.len() < self.segments.capacity() / 4 {
                self.segments.shrink_to(self.segments.len() * 2);
            }
            return (place.segment < self.segments.len()).then_some(Place { node: 0, ..place });
        }
        self.join_with_next(place.segment);
        match place.node < self.segments[place.segment].nodes.len() {
            true => Some(place),
            false => self.next(Place { node: place.node - 1, ..place }),
        }
    }

    /// Keeps segments from becoming many small ones.
    fn join_with_next(&mut self, number: usize) {
        let len = self.segments[number].nodes.len();
        let next_len = self.segments.get(number + 1).map(|next| next.nodes.len());
        if next_len.is_none_or(|next_len| len + next_len > JOIN_MAX_LEN) {
            return;
        }
        if let Some(mut next) = self.segments.remove(number + 1) {
            let segment = &mut self.segments[number];
            let before_bytes = segment.block_bytes() + next.block_bytes();
            segment.len += next.len;
            segment.nodes.append(&mut next.nodes);
            self.segments_bytes = self.segments_bytes + segment.block_bytes() - before_bytes;
        }
    }

    /// The first node, for good.
    pub fn into_only(mut self) -> Option<Node> {
        self.segments.pop_front()?.nodes.pop_front()
    }

    /// Frees some nodes. False if those were the last.
    pub fn free_some(&mut self) -> bool {
        for _ in 0..FREE_LEN {
            let Some(segment) = self.segments.back_mut() else { return false };
            if segment.nodes.pop_back().is_none() {
                self.segments.pop_back();
            }
        }
        !self.segments.is_empty()
    }

    /// All nodes, for tests of their bounds.
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.segments.iter().flat_map(|segment| &segment.nodes)
    }

    /// Panics if what is counted is not what is there.
    #[cfg(test)]
    pub fn check(&self) {
        assert_eq!(self.len, self.iter().map(Node::len).sum::<usize>());
        assert_eq!(self.nodes_len, self.iter().count());
        assert_eq!(self.elements_bytes, self.iter().map(Node::allocated_bytes).sum::<usize>());
        assert_eq!(self.segments_bytes, self.segments.iter().map(Segment::block_bytes).sum::<usize>());
        for segment in &self.segments {
            assert!((1..=SEGMENT_MAX_LEN).contains(&segment.nodes.len()));
            assert_eq!(segment.len, segment.nodes.iter().map(Node::len).sum::<usize>());
        }
        for node in self.iter() {
            assert!(node.len() > 0);
            assert!(node.listpack().is_err() || node.listpack().is_ok_and(|pack| pack.len() == node.len()));
        }
    }
}
