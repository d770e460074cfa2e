//! What the two halves of a node tell each other of a command: which, and for whom.

use tessera_command::Command;
use tessera_resp::Protocol;

/// Who asks for something, as far as that changes what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    /// The database.
    pub(crate) db: u16,
    /// What is spoken.
    pub(crate) protocol: Protocol,
    /// Whether it counts as a use of the keys.
    pub(crate) touch: bool,
}

/// A command to be run on the shard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// Which.
    pub(crate) command: &'static Command,
    /// For whom.
    pub(crate) asker: Asker,
    /// It is all of a command: its account is closed where it runs, and a long reply may be begun only, see
    /// [`crate::owner::run::Outcome::stream`]. Of a part nothing is written down; the command's home does that at its
    /// end.
    pub(crate) is_whole: bool,
}
