//! A leaf of the tree, and what it holds.

/// Elements of a full leaf. With its length it takes 760 bytes, of a block of 768.
pub(super) const LEAF_MAX_LEN: usize = 63;

/// What the tree holds of an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sorted_set) struct Entry {
    pub score: f64,
    /// The number of its member.
    pub id: u32,
}

/// A leaf of the tree: elements in their order.
#[derive(Clone)]
pub(super) struct Leaf {
    scores: [f64; LEAF_MAX_LEN],
    pub(super) ids: [u32; LEAF_MAX_LEN],
    len: u32,
}

/// How many of these elements `is_before` holds for; it does for none behind the first for which it does not.
#[inline]
pub(super) fn partition(scores: &[f64], ids: &[u32], is_before: &impl Fn(f64, u32) -> bool) -> usize {
    let (mut low, mut high) = (0, scores.len());
    while low < high {
        let middle = (low + high) / 2;
        if is_before(scores[middle], ids[middle]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

impl Leaf {
    pub(super) fn new() -> Box<Leaf> {
        Box::new(Leaf { scores: [0.0; LEAF_MAX_LEN], ids: [0; LEAF_MAX_LEN], len: 0 })
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(super) fn position(&self, is_before: &impl Fn(f64, u32) -> bool) -> usize {
        partition(&self.scores[..self.len()], &self.ids[..self.len()], is_before)
    }

    pub(super) fn get(&self, at: usize) -> Entry {
        Entry { score: self.scores[at], id: self.ids[at] }
    }

    pub(super) fn insert(&mut self, at: usize, entry: Entry) {
        let len = self.len();
        self.scores.copy_within(at..len, at + 1);
        self.ids.copy_within(at..len, at + 1);
        (self.scores[at], self.ids[at]) = (entry.score, entry.id);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, at: usize) -> Entry {
        let (len, entry) = (self.len(), self.get(at));
        self.scores.copy_within(at + 1..len, at);
        self.ids.copy_within(at + 1..len, at);
        self.len -= 1;
        entry
    }

    /// Adds what is in `other` from number `from` on.
    pub(super) fn append(&mut self, other: &Leaf, from: usize) {
        let (len, added) = (self.len(), other.len() - from);
        self.scores[len..len + added].copy_from_slice(&other.scores[from..other.len()]);
        self.ids[len..len + added].copy_from_slice(&other.ids[from..other.len()]);
        self.len += added as u32;
    }

    /// Has both hold as many as the other, `next` being the leaf behind it.
    pub(super) fn level(&mut self, next: &mut Leaf) {
        let (len, next_len) = (self.len(), next.len());
        let wanted = (len + next_len) / 2;
        if let Some(added) = wanted.checked_sub(len) {
            self.scores[len..wanted].copy_from_slice(&next.scores[..added]);
            self.ids[len..wanted].copy_from_slice(&next.ids[..added]);
            next.scores.copy_within(added..next_len, 0);
            next.ids.copy_within(added..next_len, 0);
        } else {
            let moved = len - wanted;
            next.scores.copy_within(..next_len, moved);
            next.ids.copy_within(..next_len, moved);
            next.scores[..moved].copy_from_slice(&self.scores[wanted..len]);
            next.ids[..moved].copy_from_slice(&self.ids[wanted..len]);
        }
        (self.len, next.len) = (wanted as u32, (len + next_len - wanted) as u32);
    }

    pub(super) fn split_off(&mut self, at: usize) -> Box<Leaf> {
        let mut right = Leaf::new();
        right.append(self, at);
        self.len = at as u32;
        right
    }
}
