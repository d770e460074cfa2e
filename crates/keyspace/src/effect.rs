//! What a write came down to: the deterministic command that a log or a replica would be given.

use tessera_resp::args::OwnedArgs;

/// What a write command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// Nothing changed.
    None,
    /// The command as the client sent it does the same again anywhere.
    Verbatim,
    /// Other commands do, recorded with [`Effects::record`] while the command ran.
    Rewritten,
}

/// Collects rewritten effects, if anybody wants them.
#[derive(Debug, Default)]
pub struct Effects {
    wanted: bool,
    recorded: Vec<(u16, OwnedArgs)>,
}

impl Effects {
    /// Begins or stops collecting.
    pub fn set_wanted(&mut self, wanted: bool) {
        self.wanted = wanted;
        self.recorded.clear();
    }

    /// Somebody listens.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Notes a command of database `db`. Costs nothing when nobody listens.
    #[inline]
    pub fn record(&mut self, db: u16, words: &[&[u8]]) {
        if self.wanted {
            self.recorded.push((db, OwnedArgs::from_words(words)));
        }
    }

    /// Hands over what was recorded since the last call, in order.
    pub fn take(&mut self) -> Vec<(u16, OwnedArgs)> {
        std::mem::take(&mut self.recorded)
    }
}
