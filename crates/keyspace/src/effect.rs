//! What a write came down to: the deterministic commands that a log or a replica would be given.
//!
//! Whoever runs a write hands its words to [`Effects::note`] as soon as it has run, and only then lets others have what
//! it has brought. So what a shard has recorded, replayed in order on an empty shard alone, leads to the same data: a
//! key that was met expired goes before the command that met it, a push before the pop of who waited for it.

use tessera_resp::Args;
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

/// Collects what the writes of a shard came down to, in order, if anybody wants it.
#[derive(Debug, Default)]
pub struct Effects {
    recording: bool,
    recorded: Vec<(u16, OwnedArgs)>,
}

impl Effects {
    /// Begins or stops recording.
    pub fn set_recording(&mut self, recording: bool) {
        self.recording = recording;
        self.recorded.clear();
    }

    /// Whether anybody wants them, so that they are recorded.
    pub fn is_recording(&self) -> bool {
        self.recording
    }

    /// Notes a command of database `db`. Costs nothing when nobody listens.
    #[inline]
    pub fn record(&mut self, db: u16, words: &[&[u8]]) {
        if self.recording {
            self.recorded.push((db, OwnedArgs::from_words(words)));
        }
    }

    /// Notes what a command of database `db` with these words came down to. Costs a branch when nobody listens.
    #[inline]
    pub fn note(&mut self, db: u16, effect: Effect, args: Args<'_>) {
        if self.recording && effect == Effect::Verbatim {
            self.push(db, OwnedArgs::from_words(args.iter()));
        }
    }

    /// Notes a command of database `db`, whose words are put together already.
    pub fn push(&mut self, db: u16, words: OwnedArgs) {
        if self.recording {
            self.recorded.push((db, words));
        }
    }

    /// Hands over what was recorded since the last call, in order.
    pub fn take(&mut self) -> Vec<(u16, OwnedArgs)> {
        std::mem::take(&mut self.recorded)
    }
}
