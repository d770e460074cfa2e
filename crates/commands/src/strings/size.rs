//! The bound on how long commands may make a string.

use tessera_command::Error;
use tessera_keyspace::ShardSettings;

/// Refuses a string of `start + more` bytes if that is too long.
///
/// # Errors
/// If it is.
#[inline]
pub(crate) fn check_len(settings: ShardSettings, start: u64, more: usize) -> Result<(), Error> {
    match start.checked_add(more as u64) {
        Some(total) if total <= settings.string_max_len_bytes => Ok(()),
        _ => Err(Error::Text("ERR string exceeds maximum allowed size (proto-max-bulk-len)")),
    }
}
