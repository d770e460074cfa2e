//! ZREMRANGEBYSCORE and its kin.

use std::ops::Range;
use tessera_command::prelude::*;
use tessera_values::{SortedSet, SortedSetRef};

/// Removes the elements of the ranks that `choose` says.
pub(super) fn remove(
    key: &[u8],
    event: Event,
    choose: impl FnOnce(SortedSetRef<'_>) -> Range<usize>,
    db: &mut ViewMut<'_>,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    let removed = db.change(key, event, |set: &mut SortedSet| {
        let ranks = choose(set.as_ref());
        let removed = set.remove_range(ranks);
        (removed, removed > 0)
    })?;
    let removed = removed.unwrap_or(0);
    reply.integer(removed as i64);
    Ok(if removed > 0 { Effect::Verbatim } else { Effect::None })
}
