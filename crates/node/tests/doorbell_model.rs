//! Every interleaving of the doorbell's two sides, by loom.

mod sync {
    pub use loom::sync::atomic::{AtomicBool, Ordering, fence};
}

#[path = "../src/doorbell.rs"]
mod doorbell;

use doorbell::Doorbell;
use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use sync::{AtomicBool, Ordering};

/// A peer: a message count in place of its inboxes, and a wake-up call in place of its eventfd.
struct Peer {
    bell: Doorbell,
    messages: AtomicUsize,
    called: AtomicBool,
}

fn send(peer: &Peer) {
    peer.messages.fetch_add(1, Ordering::Release);
    Doorbell::published();
    if peer.bell.must_ring() {
        peer.called.store(true, Ordering::Release);
    }
}

fn model(senders: usize) {
    loom::model(move || {
        let peer = Arc::new(Peer {
            bell: Doorbell::new(),
            messages: AtomicUsize::new(0),
            called: AtomicBool::new(false),
        });
        let threads: Vec<_> = (0..senders)
            .map(|_| {
                let peer = peer.clone();
                loom::thread::spawn(move || send(&peer))
            })
            .collect();
        // The sleeper: says so, looks again, and goes by what it saw.
        peer.bell.lie_down();
        let seen = peer.messages.load(Ordering::Acquire);
        if seen > 0 {
            peer.bell.get_up();
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // Whatever it did not see before sleeping, it was called for.
        assert!(seen > 0 || peer.called.load(Ordering::Acquire), "a message was slept over");
    });
}

#[test]
fn one_sender_is_never_slept_over() {
    model(1);
}

#[test]
fn nor_are_two() {
    model(2);
}
