//! What a client may not do, decided before a command runs.

use crate::client::Client;
use crate::command::Command;
use crate::error::Error;
use crate::flags::Flags;
use tessera_config::Config;

/// Why `client` may not run `command`, if it may not. The node asks after it has found the command and checked the
/// number of its words.
#[inline]
pub fn refusal(command: &Command, client: &Client, config: &Config) -> Option<Error> {
    if command.spec.protected && !config.enable_debug_command.allows(client.is_local) {
        return Some(Error::Text(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then \
             restart the server.",
        ));
    }
    if !client.authenticated && config.require_pass.is_some() && !command.flags.has(Flags::NO_AUTH) {
        return Some(Error::Text("NOAUTH Authentication required."));
    }
    None
}
