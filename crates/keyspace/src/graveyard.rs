//! What was removed and is too large to be freed at once.

use crate::table::{OwnedEntry, Table};
use tessera_values::{Value, ValueRef};

/// Values of so many elements are freed at once, as Redis has it (`LAZYFREE_THRESHOLD`).
const AT_ONCE_MAX_ELEMENTS: usize = 64;

/// Tables of flushed databases and large values, freed a piece at a time.
#[derive(Debug, Default)]
pub(crate) struct Graveyard {
    tables: Vec<Table>,
    values: Vec<Value>,
}

impl Graveyard {
    /// Frees an entry; or if `later`, keeps its value if it is large. True if that was kept.
    pub(crate) fn bury(&mut self, mut entry: OwnedEntry, later: bool) -> bool {
        let value = entry.as_entry().value();
        let is_large =
            later && !matches!(value, ValueRef::String(_)) && value.elements_len() > AT_ONCE_MAX_ELEMENTS;
        if is_large {
            self.values.push(entry.take_value());
        }
        is_large
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
