//! What DEL and UNLINK have in common.

use tessera_command::prelude::*;

/// Removes `keys` and answers how many there were.
pub fn remove_all(
    keys: Args<'_>,
    free_later: bool,
    db: &mut ViewMut<'_>,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    let removed = keys.iter().filter(|key| db.delete_and_free(key, free_later)).count();
    reply.integer(removed as i64);
    Ok(if removed > 0 { Effect::Verbatim } else { Effect::None })
}
