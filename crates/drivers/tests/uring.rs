//! What only the ring driver does.

mod common;

use std::thread;
use std::time::Duration;

use common::{Driver, Node, Uring, UringTiny, pattern, read, uring_available, write};
use tessera_node::network::{Network, PollWait};

fn counter<N: Driver>(node: &Node<N>, name: &str) -> u64 {
    let counters = node.network.counters();
    counters.iter().find(|(field, _)| *field == name).unwrap_or_else(|| panic!("no counter {name}")).1
}

#[test]
fn one_tick_is_one_system_call() {
    if !uring_available() {
        return;
    }
    let mut node = Node::<Uring>::new();
    let clients: Vec<_> = (0..16).map(|_| node.connect()).collect();
    node.settle();
    for round in 1..=10 {
        let before = counter(&node, "ring_enters");
        for (client, _) in &clients {
            write(client, b"PING\r\n");
        }
        // All of them are in the sockets, so one call fetches all; of many more it would fetch a part.
        node.poll(PollWait::AtMost(Duration::from_secs(10)));
        for (_, id) in &clients {
            assert_eq!(node.record.received.remove(id).unwrap(), b"PING\r\n");
            node.network.send(*id, b"+PONG\r\n".to_vec());
        }
        node.poll(PollWait::AtMost(Duration::from_secs(10)));
        assert_eq!(node.record.sent.len(), round * 16);
        assert_eq!(counter(&node, "ring_enters") - before, 2);
        for (client, _) in &clients {
            assert_eq!(read(client, 7), b"+PONG\r\n");
        }
    }
}

#[test]
fn polling_an_idle_ring_costs_no_system_call() {
    if !uring_available() {
        return;
    }
    let mut node = Node::<Uring>::new();
    node.settle();
    let before = counter(&node, "ring_enters");
    for _ in 0..1000 {
        node.poll(PollWait::None);
    }
    assert_eq!(counter(&node, "ring_enters"), before);
    // And still sees what comes.
    let (client, id) = node.connect();
    write(&client, b"hello");
    let start = std::time::Instant::now();
    while node.record.received_from(id) != b"hello" {
        assert!(start.elapsed() < common::PATIENCE);
        node.poll(PollWait::None);
    }
}

#[test]
fn running_out_of_buffers_is_counted_and_survived() {
    if !uring_available() {
        return;
    }
    let mut node = Node::<UringTiny>::new();
    let clients: Vec<_> = (0..50).map(|_| node.connect()).collect();
    let message = pattern(100_000);
    let ids: Vec<_> = clients.iter().map(|(_, id)| *id).collect();
    let outgoing = message.clone();
    let writing = thread::spawn(move || {
        for (client, _) in &clients {
            write(client, &outgoing);
        }
        clients
    });
    node.until(|record| ids.iter().all(|id| record.received_from(*id).len() == message.len()));
    for id in &ids {
        assert!(node.record.received_from(*id) == message);
    }
    assert!(counter(&node, "receive_buffers_exhausted") > 0);
    assert!(counter(&node, "ring_early_submits") > 0);
    writing.join().unwrap();
}

#[test]
fn an_overflowing_completion_queue_loses_nothing() {
    if !uring_available() {
        return;
    }
    let mut node = Node::<UringTiny>::new();
    let clients: Vec<_> = (0..300).map(|_| node.connect()).collect();
    for round in 1..=5 {
        for (_, id) in &clients {
            node.network.send(*id, pattern(100));
        }
        node.until(|record| record.sent.len() == round * clients.len());
    }
    for (client, _) in &clients {
        for _ in 0..5 {
            assert_eq!(read(client, 100), pattern(100));
        }
    }
    assert!(counter(&node, "ring_overflows") > 0);
}
