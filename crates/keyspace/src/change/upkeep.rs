//! What is done to a table without changing what any key holds, so that nobody need be told.

use crate::table::{Entry, Moves, Table, Walked};

/// A table, for whoever keeps it up.
pub(crate) struct Upkeep<'a>(pub(super) &'a mut Table);

impl<'a> Upkeep<'a> {
    /// That of a table that no database has any more.
    pub(crate) fn of(table: &'a mut Table) -> Upkeep<'a> {
        Upkeep(table)
    }

    /// [`Table::begin_walk`].
    pub(crate) fn begin_walk(self) {
        self.0.begin_walk();
    }

    /// [`Table::abort_walk`].
    pub(crate) fn abort_walk(self) -> u64 {
        self.0.abort_walk()
    }

    /// [`Table::visit_ahead`].
    pub(crate) fn visit_ahead(self, key: &[u8], visit: impl FnOnce(Entry<'_>) -> bool) {
        self.0.visit_ahead(key, visit);
    }

    /// [`Table::walk_some`].
    pub(crate) fn walk_some(
        self,
        buckets: &mut usize,
        is_large: impl Fn(Entry<'_>) -> bool,
        visit: impl FnMut(Entry<'_>) -> bool,
    ) -> Walked {
        self.0.walk_some(buckets, is_large, visit)
    }

    /// [`Table::clear_some`].
    pub(crate) fn clear_some(self, position: u64) -> Option<u64> {
        self.0.clear_some(position)
    }

    /// [`Table::defragment_bucket`].
    pub(crate) fn defragment_bucket(self, position: u64, moves: &mut Moves<'_>) -> Option<u64> {
        self.0.defragment_bucket(position, moves)
    }

    /// [`Table::sample`].
    pub(crate) fn sample(
        self,
        volatile: bool,
        count: usize,
        random: &mut fastrand::Rng,
        visit: impl FnMut(Entry<'_>),
    ) {
        self.0.sample(volatile, count, random, visit);
    }
}
