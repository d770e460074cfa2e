//! CLIENT PAUSE.

use crate::flags::Flags;

/// Which commands a pause holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseMode {
    /// Those that may change keys.
    Write,
    /// All.
    All,
}

/// One node's pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    mode: Option<PauseMode>,
    until_ms: i64,
}

impl Pause {
    /// Begins or changes the pause. It gets the new mode, and never ends earlier than it would have.
    pub fn begin(&mut self, mode: PauseMode, until_ms: i64) {
        self.mode = Some(mode);
        self.until_ms = self.until_ms.max(until_ms);
    }

    /// Ends it.
    pub fn end(&mut self) {
        *self = Pause::default();
    }

    /// What is held back at `now_ms` (Unix milliseconds). Forgets a pause that is over.
    #[inline]
    pub fn mode(&mut self, now_ms: i64) -> Option<PauseMode> {
        if self.mode.is_some() && self.until_ms <= now_ms {
            self.end();
        }
        self.mode
    }

    /// When it ends by itself, in Unix milliseconds, if there is one.
    pub fn until_ms(&self) -> Option<i64> {
        self.mode.map(|_| self.until_ms)
    }

    /// Whether a command with these flags has to wait at `now_ms`. Commands that say so run
    /// nevertheless: those that end the pause.
    #[inline]
    pub fn holds(&mut self, flags: Flags, now_ms: i64) -> bool {
        match self.mode(now_ms) {
            None => false,
            Some(_) if flags.has(Flags::UNPAUSABLE) => false,
            Some(PauseMode::All) => true,
            Some(PauseMode::Write) => flags.has(Flags::WRITE) || flags.has(Flags::MAY_REPLICATE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_never_shortened_but_changes_its_mode() {
        let mut pause = Pause::default();
        assert_eq!(pause.mode(0), None);
        pause.begin(PauseMode::All, 1_000);
        pause.begin(PauseMode::Write, 500);
        assert_eq!(pause.until_ms(), Some(1_000));
        assert_eq!(pause.mode(999), Some(PauseMode::Write));
        assert_eq!(pause.mode(1_000), None);
        assert_eq!(pause.until_ms(), None);
        pause.begin(PauseMode::All, 2_000);
        pause.end();
        assert_eq!(pause.mode(1_001), None);
    }
}
