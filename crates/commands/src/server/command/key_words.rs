//! The keys of a command that is given as the words of another.

use tessera_command::Registry;
use tessera_command::keys::{KeyAt, find_keys_with_flags};
use tessera_command::prelude::*;

/// Where the keys of the command `words` are.
pub fn find(registry: &Registry, words: Args<'_>) -> Result<Vec<KeyAt>, Error> {
    let command = registry.resolve(words).map_err(|_| Error::Text("ERR Invalid command specified"))?;
    if !command.has_keys() {
        return Err(Error::Text("ERR The command has no key arguments"));
    }
    if !command.takes(words.len()) {
        return Err(Error::Text("ERR Invalid number of arguments specified for command"));
    }
    let mut keys = Vec::new();
    let known = find_keys_with_flags(command, words, &mut keys) && !keys.is_empty();
    if known || command.flags.has(Flags::NO_MANDATORY_KEYS) {
        Ok(keys)
    } else {
        Err(Error::Text("ERR Invalid arguments specified for command"))
    }
}
