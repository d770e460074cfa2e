//! The order of a large sorted set: a B+tree that counts, so that an element's rank and the element of a rank are found
//! in logarithmic time.
//!
//! It holds a score and the number of a member for each element; most comparisons need no more than the scores. Whoever
//! uses it says which elements come before a place: only the user knows the members. Inner nodes repeat the first
//! element of each child, so those numbers are always of members that are there.

mod leaf;

pub(super) use self::leaf::Entry;
use self::leaf::{LEAF_MAX_LEN, Leaf, partition};
use crate::allocation::block_len_bytes;
use std::array;
use std::ops::Range;

/// So much room makes a leaf one that a full neighbour shares its elements with.
const SHARED_ROOM_MIN: usize = LEAF_MAX_LEN / 16;
/// Children of a full inner node, which takes a block of 2,048 bytes.
const INNER_MAX_LEN: usize = 62;

const _: () = assert!(size_of::<Leaf>() == 760 && size_of::<Inner>() <= 2048);

#[derive(Clone)]
struct Inner {
    /// The first element of each child.
    scores: [f64; INNER_MAX_LEN],
    ids: [u32; INNER_MAX_LEN],
    /// Elements below each child.
    counts: [u32; INNER_MAX_LEN],
    children: [Option<Node>; INNER_MAX_LEN],
    len: u32,
}

#[derive(Clone)]
enum Node {
    Leaf(Box<Leaf>),
    Inner(Box<Inner>),
}

/// How many nodes there are.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    leaves: usize,
    inners: usize,
}

/// Which ends of the tree a node is at.
#[derive(Clone, Copy)]
struct Edge {
    first: bool,
    last: bool,
}

impl Edge {
    fn of_child(self, index: usize, len: usize) -> Edge {
        Edge { first: self.first && index == 0, last: self.last && index + 1 == len }
    }

    /// Where a full node is divided to make room at `at`: in the middle, but behind its elements (before them) if the
    /// tree grows at its end (its start), so that what comes in order fills the nodes.
    fn division(self, at: usize, len: usize) -> usize {
        match at {
            at if self.last && at == len => len,
            0 if self.first => 0,
            _ => len / 2,
        }
    }
}

/// Finds an element on the way down.
trait Locate {
    fn child(&mut self, inner: &Inner) -> usize;
    fn place(&mut self, leaf: &Leaf) -> usize;
}

/// The element of that rank, which must be there.
struct ByRank(usize);

impl Locate for ByRank {
    fn child(&mut self, inner: &Inner) -> usize {
        inner.child_of_rank(&mut self.0)
    }

    fn place(&mut self, _: &Leaf) -> usize {
        self.0
    }
}

/// The last element that is not behind the place, given by what is before or at it.
struct ByOrder<F>(F);

impl<F: Fn(f64, u32) -> bool> Locate for ByOrder<F> {
    fn child(&mut self, inner: &Inner) -> usize {
        inner.child_before(&self.0)
    }

    fn place(&mut self, leaf: &Leaf) -> usize {
        leaf.position(&self.0).saturating_sub(1)
    }
}

impl Inner {
    fn new() -> Box<Inner> {
        Box::new(Inner {
            scores: [0.0; INNER_MAX_LEN],
            ids: [0; INNER_MAX_LEN],
            counts: [0; INNER_MAX_LEN],
            children: array::from_fn(|_| None),
            len: 0,
        })
    }

    fn len(&self) -> usize {
        self.len as usize
    }

    fn count(&self) -> usize {
        self.counts[..self.len()].iter().map(|count| *count as usize).sum()
    }

    #[inline]
    fn child(&self, index: usize) -> &Node {
        self.children[index].as_ref().expect("a node has as many children as its length says")
    }

    #[inline]
    fn child_mut(&mut self, index: usize) -> &mut Node {
        self.children[index].as_mut().expect("a node has as many children as its length says")
    }

    /// The last child whose first element is before the place; the first child if there is none.
    #[inline]
    fn child_before(&self, is_before: &impl Fn(f64, u32) -> bool) -> usize {
        partition(&self.scores[..self.len()], &self.ids[..self.len()], is_before).saturating_sub(1)
    }

    /// The child that holds the element of that rank, and the rank within it.
    fn child_of_rank(&self, rank: &mut usize) -> usize {
        for (index, count) in self.counts[..self.len()].iter().enumerate() {
            match rank.checked_sub(*count as usize) {
                Some(rest) => *rank = rest,
                None => return index,
            }
        }
        // Ranks are compared with `Tree::len` before the way down begins, and the counts add up to that.
        panic!("no element has a rank beyond their number");
    }

    /// Looks again what a child begins with and how much it holds.
    fn refresh(&mut self, index: usize) {
        let (first, count) = (self.child(index).first(), self.child(index).count());
        (self.scores[index], self.ids[index]) = (first.score, first.id);
        self.counts[index] = count as u32;
    }

    /// The same, where the number has been seen to.
    fn refresh_first(&mut self, index: usize) {
        let first = self.child(index).first();
        (self.scores[index], self.ids[index]) = (first.score, first.id);
    }

    fn insert(&mut self, at: usize, node: Node) {
        let len = self.len();
        self.scores.copy_within(at..len, at + 1);
        self.ids.copy_within(at..len, at + 1);
        self.counts.copy_within(at..len, at + 1);
        self.children[at..=len].rotate_right(1);
        self.children[at] = Some(node);
        self.len += 1;
        self.refresh(at);
    }

    fn remove(&mut self, at: usize) -> Node {
        let len = self.len();
        let node = self.children[at].take().expect("a node has as many children as its length says");
        self.scores.copy_within(at + 1..len, at);
        self.ids.copy_within(at + 1..len, at);
        self.counts.copy_within(at + 1..len, at);
        self.children[at..len].rotate_left(1);
        self.len -= 1;
        node
    }

    /// Moves what is in `other` from number `from` on to the end of this.
    fn append(&mut self, other: &mut Inner, from: usize) {
        let (len, added) = (self.len(), other.len() - from);
        self.scores[len..len + added].copy_from_slice(&other.scores[from..other.len()]);
        self.ids[len..len + added].copy_from_slice(&other.ids[from..other.len()]);
        self.counts[len..len + added].copy_from_slice(&other.counts[from..other.len()]);
        for (index, child) in other.children[from..from + added].iter_mut().enumerate() {
            self.children[len + index] = child.take();
        }
        self.len += added as u32;
        other.len = from as u32;
    }

    fn split_off(&mut self, at: usize) -> Box<Inner> {
        let mut right = Inner::new();
        right.append(self, at);
        right
    }

    /// Before an element comes to child `index`: a full leaf shares what it has with a neighbour that has room for a
    /// good part of it, so that leaves stay well filled while elements come and go. False if nothing was done.
    fn share(&mut self, index: usize) -> bool {
        let room = |at: usize| match &self.children[at] {
            Some(Node::Leaf(leaf)) => LEAF_MAX_LEN - leaf.len(),
            _ => 0,
        };
        if room(index) > 0 {
            return false;
        }
        let before = index.checked_sub(1).filter(|before| room(*before) >= SHARED_ROOM_MIN);
        let behind = Some(index).filter(|at| at + 1 < self.len() && room(at + 1) >= SHARED_ROOM_MIN);
        let Some(left) = before.or(behind) else { return false };
        let (front, back) = self.children.split_at_mut(left + 1);
        let (Some(Node::Leaf(one)), Some(Some(Node::Leaf(other)))) = (&mut front[left], back.first_mut())
        else {
            return false;
        };
        one.level(other);
        self.refresh(left);
        self.refresh(left + 1);
        true
    }

    /// After a removal below child `index`: a child with few elements is united with a neighbour, if both fit into one
    /// node with some room left; one without any goes.
    fn tidy(&mut self, index: usize, shape: &mut Shape) {
        let (len, max) = self.child(index).len_of_max();
        if len >= max / 3 * 2 {
            return self.refresh_first(index);
        }
        let fits = |this: &Inner, left: usize| {
            let (left, right) = (this.child(left).len_of_max().0, this.child(left + 1).len_of_max().0);
            left == 0 || right == 0 || left + right <= max - max / 20
        };
        if index + 1 < self.len() && fits(self, index) {
            self.unite(index, shape);
        } else if index > 0 && fits(self, index - 1) {
            self.unite(index - 1, shape);
        } else if len == 0 {
            shape.forget(&self.remove(index));
        } else {
            self.refresh_first(index);
        }
    }

    /// Moves all of the child behind child `left` into that.
    fn unite(&mut self, left: usize, shape: &mut Shape) {
        let mut right = self.remove(left + 1);
        match (self.child_mut(left), &mut right) {
            (Node::Leaf(left), Node::Leaf(right)) => left.append(right, 0),
            (Node::Inner(left), Node::Inner(right)) => left.append(right, 0),
            _ => unreachable!("all leaves are equally deep"),
        }
        shape.forget(&right);
        self.refresh(left);
    }
}

impl Node {
    /// How many elements or children it has, and how many it may have.
    fn len_of_max(&self) -> (usize, usize) {
        match self {
            Node::Leaf(leaf) => (leaf.len(), LEAF_MAX_LEN),
            Node::Inner(inner) => (inner.len(), INNER_MAX_LEN),
        }
    }

    fn count(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len(),
            Node::Inner(inner) => inner.count(),
        }
    }

    /// Its first element; it has one.
    fn first(&self) -> Entry {
        match self {
            Node::Leaf(leaf) => leaf.get(0),
            Node::Inner(inner) => Entry { score: inner.scores[0], id: inner.ids[0] },
        }
    }

    /// Adds an element behind those that are before it. The new node behind this one, if it had to be divided.
    fn insert(
        &mut self,
        entry: Entry,
        is_before: &impl Fn(f64, u32) -> bool,
        edge: Edge,
        shape: &mut Shape,
    ) -> Option<Node> {
        match self {
            Node::Leaf(leaf) => {
                let (at, len) = (leaf.position(is_before), leaf.len());
                if len < LEAF_MAX_LEN {
                    leaf.insert(at, entry);
                    return None;
                }
                let division = edge.division(at, len);
                let mut right = leaf.split_off(division);
                if at > division || division == len {
                    right.insert(at - division, entry);
                } else {
                    leaf.insert(at, entry);
                }
                shape.leaves += 1;
                Some(Node::Leaf(right))
            }
            Node::Inner(inner) => {
                let (mut index, len) = (inner.child_before(is_before), inner.len());
                if inner.share(index) {
                    index = inner.child_before(is_before);
                }
                let divided =
                    inner.child_mut(index).insert(entry, is_before, edge.of_child(index, len), shape);
                let Some(new) = divided else {
                    inner.counts[index] += 1;
                    inner.refresh_first(index);
                    return None;
                };
                inner.refresh(index);
                let at = index + 1;
                if len < INNER_MAX_LEN {
                    inner.insert(at, new);
                    return None;
                }
                // The new node is behind one that stays, so it never comes first.
                let division = edge.division(at, len).max(1);
                let mut right = inner.split_off(division);
                if at > division || division == len {
                    right.insert(at - division, new);
                } else {
                    inner.insert(at, new);
                }
                shape.inners += 1;
                Some(Node::Inner(right))
            }
        }
    }

    fn remove(&mut self, locate: &mut impl Locate, shape: &mut Shape) -> Entry {
        match self {
            Node::Leaf(leaf) => {
                let at = locate.place(leaf);
                leaf.remove(at)
            }
            Node::Inner(inner) => {
                let index = locate.child(inner);
                let entry = inner.child_mut(index).remove(locate, shape);
                inner.counts[index] -= 1;
                inner.tidy(index, shape);
                entry
            }
        }
    }

    fn relabel(&mut self, locate: &mut impl Locate, id: u32) {
        match self {
            Node::Leaf(leaf) => {
                let at = locate.place(leaf);
                leaf.ids[at] = id;
            }
            Node::Inner(inner) => {
                let index = locate.child(inner);
                inner.child_mut(index).relabel(locate, id);
                inner.refresh_first(index);
            }
        }
    }

    /// Its depth.
    #[cfg(test)]
    fn check(&self, is_root: bool, shape: &mut Shape) -> usize {
        match self {
            Node::Leaf(leaf) => {
                assert!(is_root || leaf.len() > 0);
                shape.leaves += 1;
                0
            }
            Node::Inner(inner) => {
                assert!(inner.len() > usize::from(is_root));
                shape.inners += 1;
                let mut depths = std::collections::BTreeSet::new();
                for index in 0..inner.len() {
                    let child = inner.child(index);
                    let first = Entry { score: inner.scores[index], id: inner.ids[index] };
                    assert_eq!((child.first(), child.count()), (first, inner.counts[index] as usize));
                    depths.insert(child.check(false, shape));
                }
                assert!(inner.children[inner.len()..].iter().all(Option::is_none));
                assert_eq!(depths.len(), 1);
                depths.into_iter().next().unwrap() + 1
            }
        }
    }

    /// Frees the last leaf below. True if nothing is left.
    fn free_last(&mut self, shape: &mut Shape) -> bool {
        let Node::Inner(inner) = self else { return true };
        let Some(last) = inner.len().checked_sub(1) else { return true };
        if inner.child_mut(last).free_last(shape) {
            shape.forget(&inner.remove(last));
        }
        inner.len() == 0
    }
}

impl Shape {
    fn forget(&mut self, node: &Node) {
        match node {
            Node::Leaf(_) => self.leaves -= 1,
            Node::Inner(_) => self.inners -= 1,
        }
    }
}

/// Elements in an order.
#[derive(Clone)]
pub(super) struct Tree {
    root: Node,
    len: usize,
    shape: Shape,
}

impl Tree {
    /// No elements.
    pub fn new() -> Tree {
        Tree { root: Node::Leaf(Leaf::new()), len: 0, shape: Shape { leaves: 1, inners: 0 } }
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Memory beyond the `Tree` itself, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        self.shape.leaves * const { block_len_bytes(size_of::<Leaf>()) }
            + self.shape.inners * const { block_len_bytes(size_of::<Inner>()) }
    }

    /// Adds an element behind all those for which `is_before` holds. It must hold for the first so many elements.
    pub fn insert(&mut self, entry: Entry, is_before: impl Fn(f64, u32) -> bool) {
        let edge = Edge { first: true, last: true };
        if let Some(right) = self.root.insert(entry, &is_before, edge, &mut self.shape) {
            let mut root = Inner::new();
            let left = std::mem::replace(&mut self.root, Node::Leaf(Leaf::new()));
            root.insert(0, left);
            root.insert(1, right);
            self.root = Node::Inner(root);
            self.shape.inners += 1;
        }
        self.len += 1;
    }

    /// Takes the last element for which `is_not_behind` holds, which must be there.
    pub fn remove(&mut self, is_not_behind: impl Fn(f64, u32) -> bool) -> Entry {
        self.remove_located(&mut ByOrder(is_not_behind))
    }

    /// Takes the element of a rank, which must be there.
    pub fn remove_at(&mut self, rank: usize) -> Entry {
        self.remove_located(&mut ByRank(rank))
    }

    fn remove_located(&mut self, locate: &mut impl Locate) -> Entry {
        let entry = self.root.remove(locate, &mut self.shape);
        self.len -= 1;
        while let Node::Inner(inner) = &mut self.root
            && inner.len() == 1
        {
            self.root = inner.remove(0);
            self.shape.inners -= 1;
        }
        entry
    }

    /// Gives the member of the last element for which `is_not_behind` holds another number.
    pub fn relabel(&mut self, is_not_behind: impl Fn(f64, u32) -> bool, id: u32) {
        self.root.relabel(&mut ByOrder(is_not_behind), id);
    }

    /// How many elements `is_before` holds for. It must hold for the first so many.
    pub fn count_before(&self, is_before: impl Fn(f64, u32) -> bool) -> usize {
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => return rank + leaf.position(&is_before),
                Node::Inner(inner) => {
                    let index = inner.child_before(&is_before);
                    rank += inner.counts[..index].iter().map(|count| *count as usize).sum::<usize>();
                    node = inner.child(index);
                }
            }
        }
    }

    /// The leaf that holds the element of that rank, and the rank of its first one.
    fn leaf_of_rank(&self, rank: usize) -> Option<(&Leaf, usize)> {
        if rank >= self.len {
            return None;
        }
        let (mut node, mut within) = (&self.root, rank);
        loop {
            match node {
                Node::Leaf(leaf) => return Some((leaf, rank - within)),
                Node::Inner(inner) => {
                    let index = inner.child_of_rank(&mut within);
                    node = inner.child(index);
                }
            }
        }
    }

    /// The element of a rank.
    pub fn get(&self, rank: usize) -> Option<Entry> {
        self.leaf_of_rank(rank).map(|(leaf, first)| leaf.get(rank - first))
    }

    /// The elements of these ranks, as far as they are there.
    pub fn range(&self, ranks: Range<usize>) -> Entries<'_> {
        let end = ranks.end.min(self.len);
        Entries { tree: self, ranks: ranks.start.min(end)..end, leaf: None }
    }

    /// Checks counts, first elements and depth, for tests.
    #[cfg(test)]
    pub fn check(&self) {
        let mut shape = Shape::default();
        self.root.check(true, &mut shape);
        assert_eq!((shape.leaves, shape.inners), (self.shape.leaves, self.shape.inners));
        assert_eq!(self.root.count(), self.len);
    }

    /// Frees the last leaf. False if there is only one left.
    pub fn free_some(&mut self) -> bool {
        if self.root.free_last(&mut self.shape) {
            self.len = 0;
            return false;
        }
        true
    }
}

/// See [`Tree::range`].
#[derive(Clone)]
pub(super) struct Entries<'a> {
    tree: &'a Tree,
    ranks: Range<usize>,
    /// The leaf last looked at, and the rank of its first element.
    leaf: Option<(&'a Leaf, usize)>,
}

impl Entries<'_> {
    fn get(&mut self, rank: usize) -> Option<Entry> {
        let known = self.leaf.filter(|(leaf, first)| (*first..first + leaf.len()).contains(&rank));
        let found = known.or_else(|| self.tree.leaf_of_rank(rank));
        self.leaf = found;
        found.map(|(leaf, first)| leaf.get(rank - first))
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    #[inline]
    fn next(&mut self) -> Option<Entry> {
        let rank = self.ranks.next()?;
        self.get(rank)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranks.size_hint()
    }
}

impl DoubleEndedIterator for Entries<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Entry> {
        let rank = self.ranks.next_back()?;
        self.get(rank)
    }
}
