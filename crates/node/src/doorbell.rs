//! Waking a peer only if it sleeps.
//!
//! The one who sends publishes its message, then looks whether the peer sleeps. The one who wants to sleep says so,
//! then looks for messages once more. With a full fence between the two steps on either side, at least one of them
//! sees the other (Dekker): no message is slept over. `tests/doorbell_model.rs` checks every interleaving.

use super::sync::{AtomicBool, Ordering, fence};

/// One node's sign that it sleeps, or is about to.
#[derive(Debug, Default)]
pub struct Doorbell {
    asleep: AtomicBool,
}

impl Doorbell {
    /// A node that is awake.
    pub fn new() -> Doorbell {
        Doorbell { asleep: AtomicBool::new(false) }
    }

    /// Says that this node is about to sleep. It must look at its inboxes once more before it does.
    pub fn lie_down(&self) {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Says that this node is awake.
    pub fn get_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// To be called once after publishing, before [`Doorbell::must_ring`] is asked of any number of peers.
    pub fn published() {
        fence(Ordering::SeqCst);
    }

    /// Whether the peer must be woken. Of several who ask at once, one is told to.
    pub fn must_ring(&self) -> bool {
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel)
    }
}
