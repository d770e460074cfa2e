//! What was removed and is too large to be freed at once.

use crate::Shard;
use crate::table::{OwnedEntry, Table};
use tessera_values::{Value, ValueRef};

/// Values of so many elements are freed at once, as Redis has it (`LAZYFREE_THRESHOLD`). So are small collections,
/// which are one run of bytes.
const AT_ONCE_MAX_ELEMENTS: usize = 64;

fn is_large(value: ValueRef<'_>) -> bool {
    !matches!(value, ValueRef::String(_))
        && value.as_flat().is_none()
        && value.elements_len() > AT_ONCE_MAX_ELEMENTS
}

impl Shard {
    /// Frees what a command is done with and no key holds: a large value in pieces, unless the configuration has it
    /// freed at once.
    pub fn free_in_pieces(&mut self, value: Value) {
        if self.settings().lazy_free.server_delete {
            self.graveyard.bury_value(value);
        }
    }
}

/// Tables of flushed databases and large values, freed a piece at a time.
#[derive(Debug, Default)]
pub(crate) struct Graveyard {
    tables: Vec<Table>,
    values: Vec<Value>,
}

impl Graveyard {
    /// Frees an entry; or if `later`, keeps its value if it is large. True if that was kept.
    pub(crate) fn bury(&mut self, mut entry: OwnedEntry, later: bool) -> bool {
        let is_large = later && is_large(entry.as_entry().value());
        if is_large {
            self.values.push(entry.take_value());
        }
        is_large
    }

    /// Frees a value, a large one in pieces.
    pub(crate) fn bury_value(&mut self, value: Value) {
        if is_large(value.as_ref()) {
            self.values.push(value);
        }
    }

    /// Keeps a table for later.
    pub(crate) fn bury_table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// There is nothing to free.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.values.is_empty()
    }

    /// Frees a small piece of what is there.
    pub(crate) fn free_some(&mut self) {
        if let Some(value) = self.values.last_mut() {
            if !value.free_some() {
                self.values.pop();
            }
        } else if let Some(mut table) = self.tables.pop()
            && table.free_one_segment(|entry| {
                self.bury(entry, true);
            })
        {
            self.tables.push(table);
        }
    }
}
