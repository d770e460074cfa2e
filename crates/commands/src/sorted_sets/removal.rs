//! ZREMRANGEBYSCORE and its kin.

use std::ops::Range;
use tessera_command::prelude::*;
use tessera_values::{SortedSet, SortedSetRef};

/// Removes the elements of the ranks that `choose` says.
pub(super) fn remove(
    key: &[u8],
    choose: impl FnOnce(SortedSetRef<'_>) -> Range<usize>,
    db: &mut ViewMut<'_>,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    let removed = db.change(key, |set: &mut SortedSet| {
        let ranks = choose(set.as_ref());
        set.remove_range(ranks)
    })?;
    let removed = removed.unwrap_or(0);
    reply.integer(removed as i64);
    Ok(if removed > 0 { Effect::Verbatim } else { Effect::None })
}
