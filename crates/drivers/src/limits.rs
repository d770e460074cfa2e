//! How many files the process may hold open.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that Redis sets aside for everything that is not a client, and so do we.
pub const RESERVED_DESCRIPTORS: u64 = 32;

/// Descriptors of one node: its rings, eventfds, listeners, log and snapshot files.
pub const DESCRIPTORS_PER_NODE: u64 = 24;

/// What came of the wish for open files.
#[derive(Debug)]
pub struct OpenFiles {
    /// The soft limit before.
    pub before: u64,
    /// The soft limit now; less than `requested` if the system refuses more.
    pub now: u64,
    /// What was asked for.
    pub requested: u64,
    /// Why there are not more.
    pub error: Option<io::Error>,
}

impl OpenFiles {
    /// How many clients fit, of the `maxclients` asked for. `None` if not even the reserve fits: the
    /// server cannot start then.
    pub fn clients(&self, maxclients: u64, nodes: u64) -> Option<u64> {
        let clients = self.now.checked_sub(reserve(nodes)).filter(|clients| *clients > 0)?;
        Some(clients.min(maxclients))
    }
}

/// Descriptors a server of that many nodes needs besides its clients'.
pub fn reserve(nodes: u64) -> u64 {
    RESERVED_DESCRIPTORS + nodes.saturating_mul(DESCRIPTORS_PER_NODE)
}

/// Raises the limit of open files to what that many clients and nodes need, or as far as the system
/// lets it. Never lowers it.
pub fn raise_open_files(maxclients: u64, nodes: u64) -> OpenFiles {
    let requested = maxclients.saturating_add(reserve(nodes));
    let limit = getrlimit(Resource::Nofile);
    // `None` is "unlimited".
    let before = limit.current.unwrap_or(u64::MAX);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    if before >= requested {
        return OpenFiles { before, now: before, requested, error: None };
    }
    // First as a privileged process may: beyond the hard limit.
    let mut error = None;
    for (current, maximum) in [(requested, requested.max(hard)), (requested.min(hard), hard)] {
        if current <= before {
            continue;
        }
        let new = Rlimit { current: Some(current), maximum: (maximum != u64::MAX).then_some(maximum) };
        match setrlimit(Resource::Nofile, new) {
            Ok(()) => {
                let error = if current < requested { error } else { None };
                return OpenFiles { before, now: current, requested, error };
            }
            Err(errno) => error = Some(errno.into()),
        }
    }
    OpenFiles { before, now: before, requested, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_lowers_the_clients() {
        let files = OpenFiles { before: 100, now: 100, requested: 10_000, error: None };
        assert_eq!(files.clients(10_000, 1), Some(100 - 32 - 24));
        assert_eq!(files.clients(10, 1), Some(10));
        assert_eq!(files.clients(10_000, 100), None);
    }

    #[test]
    fn enough_is_left_alone() {
        let files = raise_open_files(1, 1);
        assert_eq!(files.before, files.now);
        assert!(files.error.is_none());
    }
}
