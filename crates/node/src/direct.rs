//! Direct replies: the owner of a key writes to the client's socket itself.
//!
//! The home lets it when the connection has nothing else under way. Until the owner is done the home must neither write
//! to the socket nor close it. What the home does for that is in [`crate::home::direct`], and what the owner does in
//! [`crate::owner::direct`]. Both look at one state per connection:
//!
//! ```text
//! home lets: IDLE -> LENT       owner is done: LENT -> DONE             home sees DONE when it wants to write
//!                               owner is done: RECALLED -> DONE, and tells home, which recalled it meanwhile
//! ```

use crate::shared::DirectState;
use std::sync::atomic::Ordering;

const IDLE: u32 = 0;
const LENT: u32 = 1;
const RECALLED: u32 = 2;
const DONE: u32 = 3;

/// The home lets the owner write. Published to the owner by the message that follows.
pub fn lend(state: &DirectState) {
    state.store(LENT, Ordering::Relaxed);
}

/// The home recalls the socket. True if it has it; otherwise the owner will tell.
pub fn reclaim(state: &DirectState) -> bool {
    match state.compare_exchange(LENT, RECALLED, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) | Err(RECALLED) => false,
        Err(_) => {
            state.store(IDLE, Ordering::Relaxed);
            true
        }
    }
}

/// The owner is done with the socket. True if it must tell the home.
pub fn done(state: &DirectState) -> bool {
    state.swap(DONE, Ordering::AcqRel) == RECALLED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_second_knows() {
        let state = DirectState::new(IDLE);
        lend(&state);
        assert!(!done(&state));
        assert!(reclaim(&state));
        lend(&state);
        assert!(!reclaim(&state));
        assert!(!reclaim(&state));
        assert!(done(&state));
        assert!(reclaim(&state));
    }
}
