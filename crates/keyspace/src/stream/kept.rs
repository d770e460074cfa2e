//! Values that no key holds any more and that somebody is still in the middle of.

use crate::shard::Shard;
use tessera_values::{Value, ValueRef};

#[derive(Debug)]
struct Kept {
    id: u64,
    value: Value,
    readers: usize,
    bytes: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct KeptValues {
    last_id: u64,
    values: Vec<Kept>,
    bytes: usize,
}

impl KeptValues {
    /// Keeps a value until so many readers have released it.
    pub(crate) fn keep(&mut self, value: Value, readers: usize) -> u64 {
        self.last_id += 1;
        let bytes = value.allocated_bytes();
        self.bytes += bytes;
        self.values.push(Kept { id: self.last_id, value, readers, bytes });
        self.last_id
    }

    pub(crate) fn get(&self, id: u64) -> Option<ValueRef<'_>> {
        self.values.iter().find(|kept| kept.id == id).map(|kept| kept.value.as_ref())
    }

    /// How much memory one takes, in bytes.
    pub(super) fn bytes_of(&self, id: u64) -> usize {
        self.values.iter().find(|kept| kept.id == id).map_or(0, |kept| kept.bytes)
    }

    /// The memory of all of them, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A reader is done. The value, if that was the last.
    fn release(&mut self, id: u64) -> Option<Value> {
        let index = self.values.iter().position(|kept| kept.id == id)?;
        let kept = &mut self.values[index];
        kept.readers -= 1;
        if kept.readers > 0 {
            return None;
        }
        let kept = self.values.swap_remove(index);
        self.bytes -= kept.bytes;
        Some(kept.value)
    }
}

impl Shard {
    /// A reader of a value that is kept is done with it.
    pub(crate) fn release_kept(&mut self, id: u64) {
        if let Some(value) = self.kept.release(id) {
            self.graveyard.bury_value(value);
        }
    }
}
