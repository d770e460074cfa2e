//! What DEL and UNLINK have in common.

use tessera_command::prelude::*;

/// Removes `keys` and answers how many there were.
pub fn remove_all(keys: Args<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
    let removed = keys.iter().filter(|key| db.delete(key)).count();
    reply.integer(removed as i64);
    Ok(if removed > 0 { Effect::Verbatim } else { Effect::None })
}
