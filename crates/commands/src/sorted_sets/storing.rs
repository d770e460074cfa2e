//! What the commands do that keep a sorted set at a key.

use tessera_command::prelude::*;
use tessera_values::SortedSet;

/// Keeps `result` at the destination, the first of the needs, and answers how many members it has.
pub(super) fn store(
    result: SortedSet,
    event: Event,
    destination: &Found<'_>,
    changes: &mut Vec<Change>,
    reply: &mut Reply<'_>,
) {
    reply.integer(result.len() as i64);
    if !result.is_empty() {
        changes.push(Change::Put { index: 0, value: result.into(), expire: Expire::Clear, event });
    } else if destination.present {
        changes.push(Change::Remove { index: 0 });
    }
}
