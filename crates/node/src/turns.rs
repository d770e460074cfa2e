//! How much is done for one client, or for one peer, before others have their turn.
//!
//! A turn of a node comes to all that its clients and peers have sent. What one of them has sent beyond its share waits
//! for the node's next turn, so that a short pipeline waits for the shares of others and not for all of theirs.

/// Commands of one connection per turn. Usual pipelines are within it, and their replies leave in one piece.
const CONNECTION_MAX_COMMANDS: u32 = 128;
/// For how long commands of one connection are begun per turn, in nanoseconds.
const CONNECTION_MAX_NS: u64 = 500_000;
/// The same of one peer, which speaks for many connections.
const PEER_MAX_CALLS: u32 = 1024;
const PEER_MAX_NS: u64 = 2_000_000;

/// What is left of somebody's share of a turn.
#[derive(Debug)]
pub(crate) struct Budget {
    commands: u32,
    /// How long it may take, in nanoseconds.
    max_ns: u64,
    /// Until when it lasts, in monotonic nanoseconds, once it has begun.
    until_ns: Option<u64>,
}

impl Budget {
    /// A connection's.
    pub(crate) fn of_connection() -> Budget {
        Budget { commands: CONNECTION_MAX_COMMANDS, max_ns: CONNECTION_MAX_NS, until_ns: None }
    }

    /// A peer's.
    pub(crate) fn of_peer() -> Budget {
        Budget { commands: PEER_MAX_CALLS, max_ns: PEER_MAX_NS, until_ns: None }
    }

    /// For how many commands there is room at most.
    #[inline]
    pub(crate) fn commands_left(&self) -> usize {
        self.commands as usize
    }

    /// Whether there is room for another command; the first always has it. `now_ns` need not be read anew for this.
    #[inline]
    pub(crate) fn take_one(&mut self, now_ns: u64) -> bool {
        let until_ns = *self.until_ns.get_or_insert(now_ns + self.max_ns);
        if self.commands == 0 || now_ns >= until_ns {
            return false;
        }
        self.commands -= 1;
        true
    }

    /// So many others go with the last one.
    pub(crate) fn take_more(&mut self, commands: u32) {
        self.commands = self.commands.saturating_sub(commands);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_ends_by_number_or_by_time() {
        let mut budget = Budget::of_connection();
        assert_eq!((0..1000).filter(|_| budget.take_one(5)).count(), CONNECTION_MAX_COMMANDS as usize);
        assert_eq!(budget.commands_left(), 0);
        let mut budget = Budget::of_peer();
        assert!(budget.take_one(5) && budget.take_one(5 + PEER_MAX_NS - 1));
        assert!(!budget.take_one(5 + PEER_MAX_NS));
    }
}
