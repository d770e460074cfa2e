//! How a connection ends, from either side, and what is told of it.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use crate::common::{Driver, Node, pattern, read, write};
use crate::sleeps::stays_asleep;
use tessera_node::network::{Closed, Network, PollWait};

pub fn the_end_of_a_peer_is_told<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    write(&client, b"last words");
    client.shutdown(std::net::Shutdown::Write).unwrap();
    node.until(|record| !record.closed.is_empty());
    assert_eq!(node.record.closed, [(id, Closed::ByPeer)]);
    assert_eq!(node.record.received_from(id), b"last words");
    // The other direction still works.
    node.network.send(id, b"goodbye".to_vec());
    node.until(|record| record.sent_of(id) == 1);
    assert_eq!(read(&client, 7), b"goodbye");
    node.network.close(id);
    node.settle();
    assert_eq!((&client).read(&mut [0]).unwrap(), 0);
}

pub fn reset(client: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
}

pub fn a_reset_is_an_error<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    reset(client);
    node.until(|record| !record.closed.is_empty());
    assert_eq!(node.record.closed, [(id, Closed::ByError(ErrorKind::ConnectionReset))]);
    node.settle();
    node.network.close(id);
    node.settle();
}

pub fn a_send_to_a_reset_peer_fails_and_closes_once<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    node.network.pause_receive(id);
    node.settle();
    reset(client);
    node.settle();
    node.network.send(id, pattern(100_000));
    node.until(|record| record.sent_of(id) == 1 && !record.hung_up.is_empty());
    assert!(node.record.sent[0].2.is_err());
    assert_eq!(node.record.sent[0].1.len(), 100_000);
    assert!(matches!(node.record.hung_up[0], (gone, Closed::ByError(_)) if gone == id));
    node.settle();
    assert!(node.record.closed.is_empty() && node.record.hung_up.len() == 1);
    node.network.resume_receive(id);
    node.until(|record| !record.closed.is_empty());
    node.settle();
    node.network.close(id);
    node.settle();
}

pub fn a_reset_while_a_send_waits_fails_it<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    node.network.send(id, pattern(24 << 20));
    node.settle();
    reset(client);
    node.until(|record| record.sent_of(id) == 1 && record.closed.len() == 1);
    assert!(node.record.sent[0].2.is_err());
    assert_eq!(node.record.sent[0].1.len(), 24 << 20);
}

pub fn what_came_before_a_failed_send_is_told<N: Driver>() {
    for pauses in [false, true] {
        let mut node = Node::<N>::new();
        let (client, id) = node.connect();
        node.network.send(id, pattern(24 << 20));
        node.settle();
        if pauses {
            node.network.pause_receive(id);
            node.settle();
        }
        let message = pattern(50_000);
        write(&client, &message);
        reset(client);
        node.until(|record| record.sent_of(id) == 1);
        if pauses {
            node.until(|record| !record.hung_up.is_empty());
            assert!(node.record.received_from(id).is_empty() && node.record.closed.is_empty());
            node.network.resume_receive(id);
        }
        node.until(|record| record.closed.len() == 1);
        // The end may be seen before the send fails.
        assert!(node.record.closed[0].0 == id && (!pauses || node.record.closed[0].1 != Closed::ByPeer));
        assert!(node.record.sent[0].2.is_err());
        assert!(node.record.received_from(id) == message);
    }
}

pub fn a_paused_connection_tells_that_its_peer_has_gone<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    node.network.pause_receive(id);
    node.settle();
    let message = pattern(100_000);
    write(&client, &message);
    stays_asleep(&mut node);
    drop(client);
    node.until(|record| !record.hung_up.is_empty());
    stays_asleep(&mut node);
    assert_eq!(node.record.hung_up, [(id, Closed::ByPeer)]);
    assert!(node.record.closed.is_empty() && node.record.received_from(id).is_empty());
    node.network.resume_receive(id);
    node.until(|record| !record.closed.is_empty());
    assert_eq!(node.record.closed, [(id, Closed::ByPeer)]);
    assert!(node.record.received_from(id) == message);
    node.network.close(id);
    node.settle();
}

pub fn a_paused_connection_tells_of_a_reset<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    node.network.pause_receive(id);
    node.settle();
    // Both are told: the peer's end, and later that it does not even read.
    client.shutdown(std::net::Shutdown::Write).unwrap();
    node.until(|record| !record.hung_up.is_empty());
    stays_asleep(&mut node);
    node.network.send(id, b"still read".to_vec());
    node.until(|record| record.sent_of(id) == 1);
    assert_eq!(read(&client, 10), b"still read");
    reset(client);
    node.until(|record| record.hung_up.len() == 2);
    assert_eq!(node.record.hung_up[0], (id, Closed::ByPeer));
    assert!(matches!(node.record.hung_up[1], (gone, Closed::ByError(_)) if gone == id));
    stays_asleep(&mut node);
    node.network.close(id);
    node.settle();
    assert!(node.record.closed.is_empty());
}

pub fn who_goes_while_paused_is_noticed_whenever_that_begins<N: Driver>() {
    let mut node = Node::<N>::new();
    for round in 0..60 {
        let (client, id) = node.connect();
        for _ in 0..round % 4 {
            node.network.pause_receive(id);
            node.poll(PollWait::None);
            node.network.resume_receive(id);
        }
        write(&client, b"x");
        if round % 3 == 0 {
            reset(client);
        } else {
            drop(client);
        }
        if round % 2 == 0 {
            node.poll(PollWait::None);
        }
        node.network.pause_receive(id);
        node.until(|record| {
            record.hung_up.iter().any(|gone| gone.0 == id) || record.closed.iter().any(|gone| gone.0 == id)
        });
        if round % 5 == 0 {
            node.network.resume_receive(id);
            node.until(|record| record.closed.iter().any(|gone| gone.0 == id));
            assert_eq!(node.record.received_from(id), b"x");
        }
        node.network.close(id);
    }
    node.settle();
}

pub fn close_cancels_a_send_and_silences_the_connection<N: Driver>() {
    let mut node = Node::<N>::new();
    let (mut client, id) = node.connect();
    let (other, other_id) = node.connect();
    node.network.send(id, pattern(24 << 20));
    node.settle();
    write(&client, b"into the void");
    node.network.close(id);
    node.until(|record| record.sent_of(id) == 1);
    node.settle();
    let (_, buffer, result) = &node.record.sent[0];
    assert!(result.is_err());
    assert_eq!(buffer.len(), 24 << 20);
    assert!(node.record.closed.is_empty());
    assert_eq!(node.record.received_from(id), b"");
    // What had been taken still arrives, then the end; the bytes sent into the void may make it a reset.
    let mut rest = Vec::new();
    let ended = client.read_to_end(&mut rest);
    assert!(ended.is_ok() || ended.unwrap_err().kind() == ErrorKind::ConnectionReset);
    assert!(rest.len() < 24 << 20);
    write(&other, b"unharmed");
    node.until(|record| record.received_from(other_id) == b"unharmed");
}

pub fn dropping_a_driver_ends_its_connections<N: Driver>() {
    let mut node = Node::<N>::new();
    let mut clients: Vec<_> = (0..20).map(|_| node.connect()).collect();
    let message = pattern(8 << 20);
    for (_, id) in &clients {
        node.network.send(*id, message.clone());
    }
    node.settle();
    drop(node);
    for (client, _) in &mut clients {
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).unwrap();
        assert!(rest.len() < message.len() && rest == message[..rest.len()]);
    }
}
