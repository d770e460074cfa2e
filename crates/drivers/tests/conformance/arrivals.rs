//! How connections come: accepted, refused, adopted, many of them, and from where.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::common::{Driver, Node, PATIENCE, options, read, write};
use crate::sleeps::stays_asleep;
use tessera_drivers::listen::listen;
use tessera_drivers::{Socket, Waker};
use tessera_node::network::{Closed, Network, PollWait};

pub fn close_right_after_adopt<N: Driver>() {
    let mut node = Node::<N>::new();
    for _ in 0..50 {
        let (mut client, id) = node.connect();
        node.network.close(id);
        node.network.close(id);
        node.settle_briefly();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
    assert_eq!(node.record.events, 50, "one accept each and nothing else");
}

pub fn indexes_are_reused_lowest_first_with_new_generations<N: Driver>() {
    let mut node = Node::<N>::new();
    let mut clients: Vec<_> = (0..10).map(|_| node.connect()).collect();
    let indexes: Vec<_> = clients.iter().map(|(_, id)| id.index).collect();
    assert_eq!(indexes, (0..10).collect::<Vec<_>>());
    let old = [clients.remove(7).1, clients.remove(3).1];
    for id in old {
        node.network.close(id);
    }
    node.settle();
    let (client, new) = node.connect();
    assert_eq!(new.index, 3);
    assert!(!old.contains(&new));
    // The old name does nothing to the new connection.
    node.network.close(old[1]);
    node.network.pause_receive(old[1]);
    write(&client, b"alive");
    node.until(|record| record.received_from(new) == b"alive");
    assert_eq!(node.network.endpoints(old[1]).peer, "");
}

pub fn thousands_come_and_go<N: Driver>() {
    let mut node = Node::<N>::new();
    let mut clients = Vec::new();
    for round in 0..3000_usize {
        let (client, id) = node.connect();
        write(&client, &round.to_ne_bytes());
        clients.push((client, id, round));
        if clients.len() > 300 {
            let (client, id, round) = clients.swap_remove(round % 300);
            if round % 2 == 0 {
                node.network.close(id);
            } else {
                drop(client);
                node.until(|record| record.closed.iter().any(|closed| closed.0 == id));
                assert_eq!(node.record.received_from(id), round.to_ne_bytes());
                node.network.close(id);
            }
        }
    }
    node.until(|record| clients.iter().all(|(_, id, _)| record.received.contains_key(id)));
    for (_, id, round) in &clients {
        assert_eq!(node.record.received_from(*id), round.to_ne_bytes());
        assert!(id.index < 400, "indexes stay dense");
    }
}

pub fn a_thousand_at_once<N: Driver>() {
    let mut node = Node::<N>::new();
    let address = node.address;
    let connecting =
        thread::spawn(move || (0..1000).map(|_| TcpStream::connect(address).unwrap()).collect::<Vec<_>>());
    node.until(|record| record.accepted.len() == 1000);
    let clients = connecting.join().unwrap();
    let ids = node.adopt_all();
    for client in &clients {
        write(client, b"hello");
    }
    node.until(|record| ids.iter().all(|id| record.received_from(*id) == b"hello"));
    for id in &ids {
        node.network.send(*id, b"world".to_vec());
    }
    node.until(|record| record.sent.len() == 1000);
    for client in &clients {
        assert_eq!(read(client, 5), b"world");
    }
    drop(clients);
    node.until(|record| record.closed.len() == 1000);
    for id in ids {
        node.network.close(id);
    }
    node.settle();
}

pub fn refused_connections_hear_why<N: Driver>() {
    let mut node = Node::<N>::new();
    let mut client = TcpStream::connect(node.address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    node.until(|record| record.accepted.len() == 1);
    let socket: Socket = node.record.accepted.remove(0);
    node.network.refuse(socket, b"-ERR max number of clients reached\r\n");
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"-ERR max number of clients reached\r\n");
}

pub fn one_node_accepts_and_another_adopts<N: Driver>() {
    let mut door = Node::<N>::new();
    let address = door.address;
    let (deal, dealt) = mpsc::channel::<Socket>();
    let worker = thread::spawn(move || {
        let mut node = Node::<N>::new();
        let ids: Vec<_> = dealt.into_iter().map(|socket| node.network.adopt(socket).unwrap()).collect();
        node.until(|record| ids.iter().all(|id| record.received_from(*id) == b"ping"));
        for id in &ids {
            node.network.send(*id, b"pong".to_vec());
        }
        node.until(|record| record.sent.len() == ids.len());
    });
    let clients: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    door.until(|record| record.accepted.len() == 20);
    for socket in door.record.accepted.drain(..) {
        deal.send(socket).unwrap();
    }
    drop(deal);
    for client in &clients {
        write(client, b"ping");
        client.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    for client in &clients {
        assert_eq!(read(client, 4), b"pong");
    }
    worker.join().unwrap();
}

pub fn unix_sockets<N: Driver>() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let mut listeners = listen(&tessera_drivers::listen::ListenOptions {
        unix_path: Some(path.clone()),
        unix_permissions: Some(0o700),
        ..options(1)
    })
    .unwrap();
    let network = N::make(listeners.nodes.remove(0), Waker::new().unwrap());
    let mut node = Node::<N>::with(network, listeners.addresses[0]);
    let client = UnixStream::connect(&path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    node.until(|record| record.accepted.len() == 1);
    let id = node.adopt_all()[0];
    write(&client, b"over a file");
    node.until(|record| record.received_from(id) == b"over a file");
    node.network.send(id, b"back".to_vec());
    node.until(|record| record.sent_of(id) == 1);
    assert_eq!(read(&client, 4), b"back");
    let endpoints = node.network.endpoints(id);
    assert!(endpoints.unix);
    assert_eq!(endpoints.peer, format!("{}:0", path.display()));
    assert_eq!(endpoints.local, endpoints.peer);
    drop(client);
    node.until(|record| record.closed == [(id, Closed::ByPeer)]);
    node.network.close(id);
    // One that goes while it is paused. The other end of a unix socket goes whole.
    let client = UnixStream::connect(&path).unwrap();
    node.until(|record| record.accepted.len() == 1);
    let id = node.adopt_all()[0];
    node.network.pause_receive(id);
    node.settle();
    write(&client, b"behind");
    drop(client);
    node.until(|record| matches!(record.hung_up[..], [(gone, Closed::ByError(_))] if gone == id));
    stays_asleep(&mut node);
    node.network.resume_receive(id);
    node.until(|record| record.closed.len() == 2);
    assert_eq!(node.record.received_from(id), b"behind");
}

pub fn endpoints_are_those_of_the_socket<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    let endpoints = node.network.endpoints(id);
    assert_eq!(endpoints.peer, client.local_addr().unwrap().to_string());
    assert_eq!(endpoints.local, node.address.to_string());
    assert!(endpoints.descriptor > 2 && !endpoints.unix);
}

pub fn ipv6<N: Driver>() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("not tested: no IPv6 here");
        return;
    }
    let mut node = Node::<N>::on(
        listen(&tessera_drivers::listen::ListenOptions { bind: vec!["::1".to_owned()], ..options(1) })
            .unwrap(),
    );
    let (client, id) = node.connect();
    write(&client, b"six");
    node.until(|record| record.received_from(id) == b"six");
    assert_eq!(node.network.endpoints(id).peer, client.local_addr().unwrap().to_string());
}

pub fn after_stop_listening_nobody_gets_in<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    node.network.stop_listening();
    node.settle();
    assert_eq!(TcpStream::connect(node.address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    write(&client, b"I was here before");
    node.until(|record| record.received_from(id) == b"I was here before");
    assert!(node.record.accepted.is_empty());
}

impl<N: Driver> Brief for Node<N> {
    fn settle_briefly(&mut self) {
        for _ in 0..5 {
            self.poll(PollWait::AtMost(Duration::from_millis(1)));
        }
    }
}

trait Brief {
    fn settle_briefly(&mut self);
}
