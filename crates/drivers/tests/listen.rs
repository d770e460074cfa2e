//! Opening listeners.

mod common;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use common::{Driver, Epoll, Node, PATIENCE, Uring, options};
use rustix::net::{AddressFamily, SocketType, sockopt};
use tessera_drivers::Waker;
use tessera_drivers::listen::{ListenOptions, listen};
use tessera_node::network::{Network, PollWait};

fn nodes_share<N: Driver>() {
    let mut listeners = listen(&options(4)).unwrap();
    assert_eq!(listeners.nodes.len(), 4);
    let address = listeners.addresses[0];
    let mut nodes: Vec<_> = listeners
        .nodes
        .drain(..)
        .map(|own| Node::<N>::with(N::make(own, Waker::new().unwrap()), address))
        .collect();
    let clients: Vec<_> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
    let start = std::time::Instant::now();
    while nodes.iter().map(|node| node.record.accepted.len()).sum::<usize>() < clients.len() {
        assert!(start.elapsed() < PATIENCE);
        for node in &mut nodes {
            node.poll(PollWait::AtMost(Duration::from_millis(1)));
        }
    }
    for node in &nodes {
        assert!(!node.record.accepted.is_empty(), "the kernel deals to every node");
    }
}

#[test]
fn nodes_share_a_port_on_epoll() {
    nodes_share::<Epoll>();
}

#[test]
fn nodes_share_a_port_on_uring() {
    if Uring::available() {
        nodes_share::<Uring>();
    }
}

#[test]
fn a_port_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for nodes in [1, 3] {
        let error = listen(&ListenOptions { port, ..options(nodes) }).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use"
            )
        );
        assert_eq!(error.source.kind(), std::io::ErrorKind::AddrInUse);
    }
}

#[test]
fn a_port_that_its_owner_would_share_is_refused_too() {
    let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let other = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_reuseaddr(&other, true).unwrap();
    sockopt::set_socket_reuseport(&other, true).unwrap();
    rustix::net::bind(&other, &address).unwrap();
    rustix::net::listen(&other, 16).unwrap();
    let other = TcpListener::from(other);
    let port = other.local_addr().unwrap().port();
    let error = listen(&ListenOptions { port, ..options(2) }).unwrap_err();
    assert_eq!(error.source.kind(), std::io::ErrorKind::AddrInUse);
    drop(other);
    // Nor do two servers of this kind share.
    let first = listen(&ListenOptions { port, ..options(2) }).unwrap();
    let error = listen(&ListenOptions { port, ..options(2) }).unwrap_err();
    assert_eq!(error.source.kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
    // And again once it is free.
    listen(&ListenOptions { port, ..options(2) }).unwrap();
}

#[test]
fn optional_addresses_may_be_missing() {
    // An address of the documentation range, which no machine has.
    let bind = |names: &[&str]| ListenOptions {
        bind: names.iter().map(|name| (*name).to_owned()).collect(),
        ..options(2)
    };
    let listeners = listen(&bind(&["127.0.0.1", "-192.0.2.1"])).unwrap();
    assert_eq!(listeners.addresses.len(), 1);
    let port = listeners.addresses[0].port();
    assert_eq!(
        listeners.warnings,
        [format!(
            "Could not create server TCP listening socket 192.0.2.1:{port}: bind: Cannot assign requested address"
        )]
    );
    let error = listen(&bind(&["127.0.0.1", "192.0.2.1"])).unwrap_err();
    assert_eq!(error.source.kind(), std::io::ErrorKind::AddrNotAvailable);
    // An optional address that is there but taken is still an error.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    assert!(listen(&ListenOptions { port, ..bind(&["-127.0.0.1"]) }).is_err());
}

#[test]
fn all_addresses_of_both_families() {
    let default = ListenOptions { bind: vec!["*".to_owned(), "-::*".to_owned()], ..options(2) };
    let listeners = listen(&default).unwrap();
    let port = listeners.addresses[0].port();
    assert!(listeners.addresses[0].ip().is_unspecified() && listeners.addresses[0].is_ipv4());
    if let Some(six) = listeners.addresses.get(1) {
        assert!(six.ip().is_unspecified() && six.is_ipv6());
        assert_eq!(six.port(), port, "one port for all");
        TcpStream::connect(("::1", port)).unwrap();
    }
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(listeners.nodes[1].len(), listeners.addresses.len());
    let by_name = listen(&ListenOptions { bind: vec!["localhost".to_owned()], ..options(1) }).unwrap();
    assert!(by_name.addresses[0].is_ipv4() && by_name.addresses[0].ip().is_loopback());
}

fn accepted_sockets_have_their_options<N: Driver>() {
    let mut listeners = listen(&options(1)).unwrap();
    let address = listeners.addresses[0];
    let network = N::make(listeners.nodes.remove(0), Waker::new().unwrap());
    let mut node = Node::<N>::with(network, address);
    let seconds = |n| Duration::from_secs(n);
    for (set, expected) in [(None, Some(300)), (Some(2), Some(2)), (Some(0), None)] {
        if let Some(keepalive) = set {
            listeners.control.set_keepalive(keepalive).unwrap();
        }
        let _client = TcpStream::connect(address).unwrap();
        node.until(|record| record.accepted.len() == 1);
        let socket = node.record.accepted.remove(0);
        assert!(sockopt::tcp_nodelay(&socket).unwrap());
        assert_eq!(sockopt::socket_keepalive(&socket).unwrap(), expected.is_some());
        if let Some(idle) = expected {
            assert_eq!(sockopt::tcp_keepidle(&socket).unwrap(), seconds(idle));
            assert_eq!(sockopt::tcp_keepintvl(&socket).unwrap(), seconds((idle / 3).max(1)));
            assert_eq!(sockopt::tcp_keepcnt(&socket).unwrap(), 3);
        }
    }
}

#[test]
fn accepted_sockets_have_their_options_on_epoll() {
    accepted_sockets_have_their_options::<Epoll>();
}

#[test]
fn accepted_sockets_have_their_options_on_uring() {
    if Uring::available() {
        accepted_sockets_have_their_options::<Uring>();
    }
}

#[test]
fn the_unix_socket_comes_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    // Left behind by a server that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let with = |permissions| ListenOptions {
        unix_path: Some(path.clone()),
        unix_permissions: permissions,
        ..options(2)
    };
    let listeners = listen(&with(Some(0o750))).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!((listeners.nodes[0].len(), listeners.nodes[1].len()), (2, 1), "the first node's only");
    // A second server takes the place; the end of the first leaves it alone.
    let second = listen(&with(None)).unwrap();
    drop(listeners);
    assert!(path.exists());
    drop(second);
    assert!(!path.exists());
    let long = ListenOptions { unix_path: Some("/tmp/".to_owned().repeat(50).into()), ..options(1) };
    assert!(listen(&long).unwrap_err().to_string().starts_with("Failed opening Unix socket"));
}

/// A snapshot, for instance, whose name has come into the wrong line of a configuration.
#[test]
fn what_is_no_socket_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("dump.rdb"), folder.path().join("link"));
    std::fs::write(&file, b"precious").unwrap();
    std::os::unix::fs::symlink("dump.rdb", &link).unwrap();
    for path in [&file, &link] {
        let error = listen(&ListenOptions { unix_path: Some(path.clone()), ..options(1) }).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("Failed opening Unix socket {}: bind: Address already in use", path.display())
        );
    }
    assert_eq!(std::fs::read(&link).unwrap(), b"precious");
}

#[test]
fn stopping_one_node_leaves_the_port_to_the_others() {
    let mut listeners = listen(&options(2)).unwrap();
    let address = listeners.addresses[0];
    let mut second =
        Node::<Epoll>::with(Epoll::make(listeners.nodes.pop().unwrap(), Waker::new().unwrap()), address);
    let mut first =
        Node::<Epoll>::with(Epoll::make(listeners.nodes.pop().unwrap(), Waker::new().unwrap()), address);
    first.network.stop_listening();
    let _clients: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    second.until(|record| record.accepted.len() == 20);
}

/// Whether the nodes accept a client at `address`.
fn is_served<N: Driver>(nodes: &mut [Node<N>], address: SocketAddr) -> bool {
    let before: usize = nodes.iter().map(|node| node.record.accepted.len()).sum();
    let Ok(_client) = TcpStream::connect(address) else { return false };
    let start = std::time::Instant::now();
    while start.elapsed() < PATIENCE {
        for node in nodes.iter_mut() {
            node.poll(PollWait::AtMost(Duration::from_millis(1)));
        }
        if nodes.iter().map(|node| node.record.accepted.len()).sum::<usize>() > before {
            return true;
        }
    }
    panic!("a connection to {address} that nobody accepts");
}

/// A port that was free a moment ago. The system takes one back that it chose itself when a listener is shut down.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn addresses_change<N: Driver>(count: usize) {
    let mut listeners = listen(&ListenOptions { port: free_port(), ..options(count) }).unwrap();
    let first = listeners.addresses[0];
    let mut nodes: Vec<_> = listeners
        .nodes
        .drain(..)
        .zip(listeners.news.drain(..))
        .map(|(own, news)| Node::<N>::with(N::following(N::make(own, Waker::new().unwrap()), news), first))
        .collect();
    let control = &mut listeners.control;
    assert!(is_served(&mut nodes, first));

    // A port that somebody else has: all stays as it was.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = control.change_tcp(&ListenOptions { port, ..options(count) }).unwrap_err();
    assert!(error.to_string().ends_with("Address already in use"), "{error}");
    assert!(is_served(&mut nodes, first));

    // Another port; the old one is free.
    let (addresses, warnings) =
        control.change_tcp(&ListenOptions { port: free_port(), ..options(count) }).unwrap();
    assert!(warnings.is_empty());
    let second = addresses[0];
    assert_ne!(first, second);
    assert!(is_served(&mut nodes, second));
    assert!(TcpStream::connect(first).is_err());
    drop(TcpListener::bind(first).unwrap());

    // The same port on all addresses, and back.
    let all = ListenOptions { bind: vec!["*".to_owned()], port: second.port(), ..options(count) };
    control.change_tcp(&all).unwrap();
    assert!(is_served(&mut nodes, second));
    assert!(is_served(&mut nodes, SocketAddr::from(([127, 0, 0, 2], second.port()))));
    control.change_tcp(&ListenOptions { port: second.port(), ..options(count) }).unwrap();
    assert!(is_served(&mut nodes, second));
    assert!(TcpStream::connect(SocketAddr::from(([127, 0, 0, 2], second.port()))).is_err());

    // None, and one again.
    control.change_tcp(&ListenOptions { bind: Vec::new(), ..options(count) }).unwrap();
    assert!(!is_served(&mut nodes, second));
    let (addresses, _) = control.change_tcp(&options(count)).unwrap();
    assert!(is_served(&mut nodes, addresses[0]));
}

#[test]
fn addresses_change_on_epoll() {
    addresses_change::<Epoll>(1);
    addresses_change::<Epoll>(3);
}

#[test]
fn addresses_change_on_uring() {
    if Uring::available() {
        addresses_change::<Uring>(1);
        addresses_change::<Uring>(3);
    }
}
