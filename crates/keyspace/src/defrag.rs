//! Defragmentation: moving what lies in pages of memory that are hardly used, so that these can be given back.

use crate::shard::Shard;
use crate::table::Moves;

/// How far a pass over a shard is, and what it came to. A pass begins with the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefragPass {
    db: u16,
    position: u64,
    /// What it came to.
    pub counts: DefragCounts,
}

/// What was looked at, in the words of Redis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefragCounts {
    /// Blocks of memory that were moved.
    pub hits: u64,
    /// Blocks that were not.
    pub misses: u64,
    /// Keys of which anything was moved.
    pub key_hits: u64,
    /// Keys of which nothing was.
    pub key_misses: u64,
}

impl Shard {
    /// Goes on with a pass, a bucket of some keys at a time, until `more` says stop. False at the end. `is_sparse`
    /// tells of an address in a block of memory whether the block had better move. Collections of more than
    /// `elements_max` elements stay where they are, but for what they begin with.
    ///
    /// Nobody can tell that anything was moved. Keys that are there throughout are looked at once, whatever happens
    /// between two calls; after a change of databases by [`Shard::swap`], perhaps twice or not at all.
    pub fn defragment_some(
        &mut self,
        pass: &mut DefragPass,
        elements_max: u64,
        is_sparse: &dyn Fn(*const u8) -> bool,
        mut more: impl FnMut() -> bool,
    ) -> bool {
        let mut moves = Moves::new(is_sparse);
        // Who is in the middle of a collection remembers a place in it. Those of streams stay good.
        let is_any_open =
            self.streams.is_copying() || self.snapshot.as_ref().is_some_and(|writer| writer.has_pieces());
        moves.elements_max =
            if is_any_open { 0 } else { usize::try_from(elements_max).unwrap_or(usize::MAX) };
        let mut is_over = false;
        while !is_over && more() {
            let Some(database) = self.databases.get_mut(usize::from(pass.db)) else {
                is_over = true;
                continue;
            };
            match database.upkeep().defragment_bucket(pass.position, &mut moves) {
                Some(position) => pass.position = position,
                None => (pass.db, pass.position) = (pass.db.saturating_add(1), 0),
            }
        }
        pass.counts.hits += moves.hits;
        pass.counts.misses += moves.misses;
        pass.counts.key_hits += moves.key_hits;
        pass.counts.key_misses += moves.key_misses;
        !is_over
    }
}
