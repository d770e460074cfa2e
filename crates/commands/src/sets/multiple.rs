//! What the commands on several sets have in common.

use tessera_command::prelude::*;
use tessera_values::Set;

/// The destination, and the keys of the sets.
pub(super) type StoreArgs<'a> = (&'a [u8], Args<'a>);

/// The values of all keys are needed.
pub(super) fn need_values<'a>(keys: impl Iterator<Item = &'a [u8]>, needs: &mut Vec<Need<'a>>) {
    needs.extend(keys.map(|key| Need { key, db: None, what: What::Value }));
}

/// So are they for a command that keeps its result at a key of its own, which comes first.
pub(super) fn need_values_to_store<'a>(&(destination, keys): &StoreArgs<'a>, needs: &mut Vec<Need<'a>>) {
    needs.push(Need { key: destination, db: None, what: What::Presence });
    need_values(keys.iter(), needs);
}

/// Keeps `result` at the destination, the first of the needs, which is told so by `event`, and answers how many members
/// it has.
pub(super) fn store(
    result: Set,
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
