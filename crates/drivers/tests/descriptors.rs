//! Out of file descriptors. In a process of its own, because the limit is the process's.

mod common;

use std::net::TcpStream;
use std::time::Duration;

use common::{Driver, Epoll, Node, Uring, options, write};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tessera_drivers::Waker;
use tessera_drivers::limits::raise_open_files;
use tessera_drivers::listen::listen;
use tessera_node::network::{Network, PollWait};

/// The descriptors in use now.
fn open() -> u64 {
    std::fs::read_dir("/proc/self/fd").unwrap().count() as u64
}

fn limit(current: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum }).unwrap();
}

fn counter<N: Driver>(node: &Node<N>, name: &str) -> u64 {
    node.network.counters().iter().find(|(field, _)| *field == name).unwrap().1
}

fn a_flood_hurts_nobody_else<N: Driver>() {
    // All clients are there before the limit is, and wait to be accepted.
    let mut listeners = listen(&options(1)).unwrap();
    let address = listeners.addresses[0];
    let client = TcpStream::connect(address).unwrap();
    let flood: Vec<_> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let before = getrlimit(Resource::Nofile).current.unwrap();
    // Room for the driver itself and some of the flood.
    limit(open() + 30);
    let network = N::make(listeners.nodes.remove(0), Waker::new().unwrap());
    let mut node = Node::<N>::with(network, address);
    node.until(|record| !record.accepted.is_empty());
    let id = node.network.adopt(node.record.accepted.remove(0)).unwrap();
    node.settle_for(Duration::from_millis(500));
    let errors = counter(&node, "accept_errors");
    assert!(errors > 0, "the limit was met");
    assert!(errors < 100, "and not met over and over");
    assert!(counter(&node, "accepts_shed") > 0);
    write(&client, b"unharmed");
    node.until(|record| record.received_from(id) == b"unharmed");
    limit(before);
    // Those that were taken in are let go; then there is room for new ones.
    node.record.accepted.clear();
    drop(flood);
    node.settle_for(Duration::from_millis(300));
    node.record.accepted.clear();
    let (late, late_id) = node.connect();
    write(&late, b"late");
    node.until(|record| record.received_from(late_id) == b"late");
}

impl<N: Driver> Node<N> {
    fn settle_for(&mut self, time: Duration) {
        let start = std::time::Instant::now();
        while start.elapsed() < time {
            self.poll(PollWait::AtMost(Duration::from_millis(20)));
        }
    }
}

#[test]
fn out_of_descriptors() {
    a_flood_hurts_nobody_else::<Epoll>();
    if Uring::available() {
        a_flood_hurts_nobody_else::<Uring>();
    }
    let before = getrlimit(Resource::Nofile);
    limit(100);
    let files = raise_open_files(400, 1);
    assert_eq!((files.before, files.now), (100, files.requested));
    assert_eq!(files.clients(400, 1), Some(400));
    setrlimit(Resource::Nofile, before).unwrap();
}
