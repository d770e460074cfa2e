//! What ends a sleep.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Driver, Node, PATIENCE, options};
use tessera_drivers::Waker;
use tessera_drivers::listen::listen;
use tessera_node::network::{Network, PollWait, Wake};

/// Nothing is told, and a wait for something is a wait.
#[track_caller]
pub fn stays_asleep<N: Driver>(node: &mut Node<N>) {
    node.settle();
    let (before, start) = (node.record.events, Instant::now());
    node.poll(PollWait::AtMost(Duration::from_millis(60)));
    assert!(node.record.events == before && start.elapsed() >= Duration::from_millis(50), "it spins");
}

/// Fails instead of hanging when a poll is not woken.
pub fn must_return(polling: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        polling();
        done.send(()).unwrap();
    });
    finished.recv_timeout(PATIENCE).expect("poll was not woken");
}

pub fn a_waker_ends_a_sleep<N: Driver>() {
    let (give, take) = mpsc::channel();
    let (turn, turns) = mpsc::channel();
    let waking = thread::spawn(move || {
        let waker: std::sync::Arc<dyn Wake> = take.recv().unwrap();
        while turns.recv().is_ok() {
            thread::sleep(Duration::from_millis(5));
            waker.wake();
        }
        // The driver is gone.
        waker.wake();
    });
    must_return(move || {
        let mut node = Node::<N>::new();
        give.send(node.network.waker()).unwrap();
        for _ in 0..20 {
            turn.send(()).unwrap();
            node.poll(PollWait::AtMost(Duration::from_secs(3600)));
        }
        assert_eq!(node.record.events, 0);
    });
    waking.join().unwrap();
}

pub fn a_wake_before_the_sleep_is_not_lost<N: Driver>() {
    must_return(|| {
        let mut listeners = listen(&options(1)).unwrap();
        let waker = Waker::new().unwrap();
        waker.wake();
        let network = N::make(listeners.nodes.remove(0), waker.clone());
        let mut node = Node::<N>::with(network, listeners.addresses[0]);
        node.poll(PollWait::AtMost(Duration::from_secs(3600)));
        for _ in 0..5 {
            waker.wake();
            waker.wake();
            node.poll(PollWait::AtMost(Duration::from_secs(3600)));
        }
        for _ in 0..20 {
            node.poll(PollWait::None);
        }
        waker.clone().wake();
        node.poll(PollWait::AtMost(Duration::from_secs(3600)));
    });
}

pub fn a_sleep_ends_by_itself<N: Driver>() {
    must_return(|| {
        let mut node = Node::<N>::new();
        node.poll(PollWait::AtMost(Duration::from_millis(1)));
        node.poll(PollWait::AtMost(Duration::from_micros(1)));
        node.poll(PollWait::AtMost(Duration::ZERO));
    });
}
