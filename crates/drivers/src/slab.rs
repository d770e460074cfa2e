//! Values under small dense indexes, each with a generation.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tessera_node::network::ConnectionId;

/// Holds values under the lowest free index. A reused index gets a new generation, so an identifier
/// that was kept too long finds nothing.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: BinaryHeap<Reverse<u32>>,
    limit: u32,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    /// An empty slab that will hold at most `limit` values.
    pub(crate) fn new(limit: u32) -> Self {
        Self { entries: Vec::new(), free: BinaryHeap::new(), limit }
    }

    /// Stores a value; gives it back when the slab is full.
    pub(crate) fn insert(&mut self, value: T) -> Result<ConnectionId, T> {
        if let Some(Reverse(index)) = self.free.pop() {
            let entry = &mut self.entries[index as usize];
            entry.generation = entry.generation.wrapping_add(1);
            entry.value = Some(value);
            return Ok(ConnectionId { index, generation: entry.generation });
        }
        match u32::try_from(self.entries.len()) {
            Ok(index) if index < self.limit => {
                self.entries.push(Entry { generation: 0, value: Some(value) });
                Ok(ConnectionId { index, generation: 0 })
            }
            _ => Err(value),
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: ConnectionId) -> Option<&T> {
        match self.entries.get(id.index as usize) {
            Some(entry) if entry.generation == id.generation => entry.value.as_ref(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut T> {
        match self.entries.get_mut(id.index as usize) {
            Some(entry) if entry.generation == id.generation => entry.value.as_mut(),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<T> {
        match self.entries.get_mut(id.index as usize) {
            Some(entry) if entry.generation == id.generation => {
                let value = entry.value.take()?;
                self.free.push(Reverse(id.index));
                Some(value)
            }
            _ => None,
        }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_index_comes_first() {
        let mut slab = Slab::new(10);
        let ids: Vec<_> = (0..5).map(|value| slab.insert(value).unwrap()).collect();
        assert_eq!(ids.iter().map(|id| id.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        slab.remove(ids[3]);
        slab.remove(ids[1]);
        assert_eq!(slab.len(), 3);
        assert_eq!(slab.insert(10).unwrap().index, 1);
        assert_eq!(slab.insert(11).unwrap().index, 3);
        assert_eq!(slab.insert(12).unwrap().index, 5);
    }

    #[test]
    fn an_old_identifier_finds_nothing() {
        let mut slab = Slab::new(10);
        let old = slab.insert("old").unwrap();
        assert_eq!(slab.remove(old), Some("old"));
        assert_eq!(slab.remove(old), None);
        let new = slab.insert("new").unwrap();
        assert_eq!(new.index, old.index);
        assert_ne!(new, old);
        assert_eq!(slab.get(old), None);
        assert_eq!(slab.get_mut(old), None);
        assert_eq!(slab.remove(old), None);
        assert_eq!(slab.get(new), Some(&"new"));
    }

    #[test]
    fn a_full_slab_gives_the_value_back() {
        let mut slab = Slab::new(1);
        assert!(slab.insert(1).is_ok());
        assert_eq!(slab.insert(2), Err(2));
    }
}
