//! A node of the tests: a driver and a record of what it told.
#![allow(dead_code, reason = "every test binary uses its own part")]

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tessera_drivers::epoll::EpollNetwork;
use tessera_drivers::listen::{ListenOptions, Listener, ListenerNews, Listeners, listen};
use tessera_drivers::uring::{Mode, Sleeper, UringNetwork, UringOptions};
use tessera_drivers::{Socket, Waker};
use tessera_node::network::{Closed, ConnectionId, Events, Network, PollWait};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Everything a driver told its node.
#[derive(Default)]
pub struct Record {
    pub accepted: Vec<Socket>,
    pub received: HashMap<ConnectionId, Vec<u8>>,
    pub sent: Vec<(ConnectionId, Vec<u8>, Result<(), io::ErrorKind>)>,
    pub remote: Vec<(u64, Vec<u8>, usize)>,
    pub closed: Vec<(ConnectionId, Closed)>,
    pub hung_up: Vec<(ConnectionId, Closed)>,
    /// Parts of sends that were told.
    pub sent_some: usize,
    /// Number of events.
    pub events: usize,
}

impl Record {
    pub fn received_from(&self, id: ConnectionId) -> &[u8] {
        self.received.get(&id).map_or(&[], Vec::as_slice)
    }

    pub fn sent_of(&self, id: ConnectionId) -> usize {
        self.sent.iter().filter(|sent| sent.0 == id).count()
    }
}

impl Events<Socket> for Record {
    fn accepted(&mut self, socket: Socket) {
        self.events += 1;
        self.accepted.push(socket);
    }

    fn received(&mut self, id: ConnectionId, bytes: &[u8]) {
        self.events += 1;
        assert!(!bytes.is_empty());
        self.received.entry(id).or_default().extend_from_slice(bytes);
    }

    fn sent(&mut self, id: ConnectionId, buffer: Vec<u8>, result: io::Result<()>) {
        self.events += 1;
        self.sent.push((id, buffer, result.map_err(|error| error.kind())));
    }

    fn sent_some(&mut self, _: ConnectionId) {
        self.events += 1;
        self.sent_some += 1;
    }

    fn hung_up(&mut self, id: ConnectionId, why: Closed) {
        self.events += 1;
        assert!(self.closed.iter().all(|closed| closed.0 != id), "nothing is told after the end");
        self.hung_up.push((id, why));
    }

    fn remote_sent(&mut self, tag: u64, buffer: Vec<u8>, written: usize) {
        self.events += 1;
        self.remote.push((tag, buffer, written));
    }

    fn closed(&mut self, id: ConnectionId, why: Closed) {
        self.events += 1;
        assert!(self.closed.iter().all(|closed| closed.0 != id), "closed is told once");
        self.closed.push((id, why));
    }
}

/// A way to make a driver.
pub trait Driver: 'static {
    type Network: Network<Socket = Socket> + 'static;

    fn make(listeners: Vec<Listener>, waker: Waker) -> Self::Network;

    fn following(network: Self::Network, news: ListenerNews) -> Self::Network;

    /// Whether this machine can run it.
    fn available() -> bool {
        true
    }
}

pub struct Epoll;

impl Driver for Epoll {
    type Network = EpollNetwork;

    fn make(listeners: Vec<Listener>, waker: Waker) -> Self::Network {
        EpollNetwork::new(listeners, waker).expect("an epoll driver")
    }

    fn following(network: Self::Network, news: ListenerNews) -> Self::Network {
        network.following(news)
    }
}

pub fn uring_available() -> bool {
    match tessera_drivers::probe::probe() {
        Ok(_) => true,
        Err(missing) => {
            eprintln!("not tested: {missing}");
            false
        }
    }
}

macro_rules! uring_drivers {
    ($($name:ident = $options:expr;)*) => {$(
        pub struct $name;

        impl Driver for $name {
            type Network = UringNetwork;

            fn make(listeners: Vec<Listener>, waker: Waker) -> Self::Network {
                make_uring($options, listeners, waker)
            }

            fn following(network: Self::Network, news: ListenerNews) -> Self::Network {
                network.following(news)
            }

            fn available() -> bool {
                uring_available()
            }
        }
    )*};
}

uring_drivers! {
    Uring = UringOptions::default();
    // As on older kernels.
    UringCooperative = UringOptions { best_mode: Mode::CoopTaskrun, ..UringOptions::default() };
    UringPlain = UringOptions { best_mode: Mode::Plain, ..UringOptions::default() };
    // Everything overflows all the time: both queues, and the buffers.
    UringTiny = UringOptions { entries: 2, buffers: 2, buffer_len_bytes: 1000, ..UringOptions::default() };
}

pub fn make_uring(options: UringOptions, listeners: Vec<Listener>, waker: Waker) -> UringNetwork {
    UringNetwork::new(options, listeners, waker, Sleeper::new().expect("a sleeper")).expect("a ring")
}

pub fn options(nodes: usize) -> ListenOptions {
    ListenOptions {
        bind: vec!["127.0.0.1".to_owned()],
        port: 0,
        backlog: 511,
        keepalive_seconds: 300,
        unix_path: None,
        unix_permissions: None,
        nodes,
    }
}

pub struct Node<N: Driver> {
    pub network: N::Network,
    pub record: Record,
    pub address: SocketAddr,
}

impl<N: Driver> Node<N> {
    /// A node that listens on a port of 127.0.0.1.
    pub fn new() -> Self {
        Self::on(listen(&options(1)).expect("a listener"))
    }

    pub fn on(mut listeners: Listeners) -> Self {
        let network = N::make(listeners.nodes.remove(0), Waker::new().expect("a waker"));
        Self::with(network, listeners.addresses[0])
    }

    pub fn with(network: N::Network, address: SocketAddr) -> Self {
        Self { network, record: Record::default(), address }
    }

    pub fn poll(&mut self, wait: PollWait) {
        self.network.poll(wait, &mut self.record).expect("poll");
    }

    /// Polls until the record is as wanted.
    #[track_caller]
    pub fn until(&mut self, wanted: impl Fn(&Record) -> bool) {
        let start = Instant::now();
        while !wanted(&self.record) {
            assert!(start.elapsed() < PATIENCE, "did not happen in time");
            self.poll(PollWait::AtMost(Duration::from_millis(100)));
        }
    }

    /// Polls until nothing has happened for a few rounds.
    pub fn settle(&mut self) {
        let start = Instant::now();
        let mut quiet = 0;
        while quiet < 5 {
            assert!(start.elapsed() < PATIENCE, "never quiet");
            let before = self.record.events;
            self.poll(PollWait::AtMost(Duration::from_millis(20)));
            quiet = if self.record.events == before { quiet + 1 } else { 0 };
        }
    }

    /// Adopts whatever was accepted.
    pub fn adopt_all(&mut self) -> Vec<ConnectionId> {
        let sockets = std::mem::take(&mut self.record.accepted);
        sockets.into_iter().map(|socket| self.network.adopt(socket).expect("adopt")).collect()
    }

    /// A client and the node's end of its connection.
    pub fn connect(&mut self) -> (TcpStream, ConnectionId) {
        let client = TcpStream::connect(self.address).expect("connect");
        client.set_read_timeout(Some(PATIENCE)).expect("set a time limit");
        client.set_write_timeout(Some(PATIENCE)).expect("set a time limit");
        self.until(|record| !record.accepted.is_empty());
        let ids = self.adopt_all();
        assert_eq!(ids.len(), 1);
        (client, ids[0])
    }
}

pub fn write(mut stream: impl Write, bytes: &[u8]) {
    stream.write_all(bytes).expect("a client's write");
}

pub fn read(mut stream: impl Read, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).expect("a client's read");
    bytes
}

/// Bytes in which no stretch looks like another.
pub fn pattern(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        })
        .collect()
}
