//! A walk over all elements that may be interrupted and go on later, as long as the table stays as it is.

use super::HashTable;

/// A place in a table. Good until the table changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    part: u32,
    bucket: u32,
}

impl<T> HashTable<T> {
    /// The first element at `cursor` or behind it, and the place to go on from. A walk begins at the default cursor.
    /// Finding the element takes constant time, but for what is removed and left empty.
    pub fn walk(&self, cursor: Cursor) -> Option<(&T, Cursor)> {
        let Cursor { mut part, mut bucket } = cursor;
        loop {
            if let Some(here) = self.parts.get(part as usize)? {
                while (bucket as usize) < here.elements.num_buckets() {
                    let element = here.elements.get_bucket(bucket as usize);
                    bucket += 1;
                    if let Some(element) = element {
                        return Some((element, Cursor { part, bucket }));
                    }
                }
            }
            (part, bucket) = (part + 1, 0);
        }
    }
}
