//! Bytes in both ways: whole, in order, and however slowly the other side takes them.

use std::io::{self, Read};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Driver, Node, PATIENCE, pattern, read, write};
use crate::sleeps::stays_asleep;
use tessera_node::network::{Network, PollWait, SocketHandle};

pub fn echo<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    for round in 1..20 {
        let message = pattern(round * 700);
        write(&client, &message);
        node.until(|record| record.received_from(id).len() == message.len());
        let received = node.record.received.remove(&id).unwrap();
        assert_eq!(received, message);
        if round % 2 == 0 {
            node.network.send(id, received);
        } else {
            node.network.send_quietly(id, received);
        }
        node.until(|record| record.sent_of(id) == round);
        assert_eq!(read(&client, message.len()), message);
        let (_, buffer, result) = node.record.sent.last().unwrap();
        assert_eq!((buffer.as_slice(), *result), (message.as_slice(), Ok(())), "the buffer comes back");
    }
}

pub fn many_connections_do_not_mix<N: Driver>() {
    let mut node = Node::<N>::new();
    let clients: Vec<_> = (0..200).map(|_| node.connect()).collect();
    for (index, (client, _)) in clients.iter().enumerate() {
        write(client, format!("from {index}").as_bytes());
    }
    node.until(|record| clients.iter().all(|(_, id)| record.received.contains_key(id)));
    for (index, (_, id)) in clients.iter().enumerate() {
        assert_eq!(node.record.received_from(*id), format!("from {index}").as_bytes());
        node.network.send(*id, format!("to {index}").into_bytes());
    }
    node.until(|record| record.sent.len() == clients.len());
    for (index, (client, _)) in clients.iter().enumerate() {
        let expected = format!("to {index}");
        assert_eq!(read(client, expected.len()), expected.as_bytes());
    }
}

pub fn a_big_send_reaches_a_slow_reader_whole<N: Driver>() {
    let mut node = Node::<N>::new();
    let (mut client, id) = node.connect();
    let message = pattern(24 << 20);
    node.network.send(id, message.clone());
    node.settle();
    assert_eq!(node.record.sent_of(id), 0, "the socket cannot have taken all of it");
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        let mut piece = vec![0; 100_000];
        while all.len() < 24 << 20 {
            let len = client.read(&mut piece).unwrap();
            assert_ne!(len, 0);
            all.extend_from_slice(&piece[..len]);
        }
        all
    });
    node.until(|record| record.sent_of(id) == 1);
    assert!(reader.join().unwrap() == message);
    assert!(node.record.sent[0].1 == message && node.record.sent[0].2.is_ok());
}

pub fn quiet_sends_to_a_full_socket_arrive_whole<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    let (other, other_id) = node.connect();
    let message = pattern(50_000);
    let mut sends = 0;
    while node.record.sent_of(id) == sends {
        assert!(sends < 10_000, "a socket takes only so much");
        sends += 1;
        node.network.send_quietly(id, message.clone());
        // Others are not held up by the one that is full.
        node.network.send_quietly(other_id, b"x".to_vec());
        node.settle();
        assert_eq!(node.record.sent_of(other_id), sends);
        assert_eq!(read(&other, 1), b"x");
    }
    let reader = thread::spawn(move || read(&client, sends * 50_000));
    node.until(|record| record.sent_of(id) == sends);
    assert!(reader.join().unwrap() == message.repeat(sends));
}

pub fn big_transfers_both_ways<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    let message = pattern(8 << 20);
    let (mut writer, outgoing) = (client.try_clone().unwrap(), message.clone());
    let writing = thread::spawn(move || io::Write::write_all(&mut writer, &outgoing).unwrap());
    let expected = message.clone();
    let reading = thread::spawn(move || assert!(read(&client, expected.len()) == expected));
    let (mut echoed, mut sends) = (0, 0);
    let start = Instant::now();
    while echoed < message.len() {
        assert!(start.elapsed() < PATIENCE);
        node.poll(PollWait::AtMost(Duration::from_millis(100)));
        if node.record.sent_of(id) == sends
            && let Some(bytes) = node.record.received.remove(&id)
        {
            echoed += bytes.len();
            sends += 1;
            node.network.send_quietly(id, bytes);
        }
    }
    node.until(|record| record.sent_of(id) == sends);
    writing.join().unwrap();
    reading.join().unwrap();
}

pub fn an_empty_send_is_sent<N: Driver>() {
    let mut node = Node::<N>::new();
    let (_client, id) = node.connect();
    node.network.send(id, Vec::new());
    node.until(|record| record.sent_of(id) == 1);
    assert_eq!(node.record.sent[0].2, Ok(()));
}

pub fn a_paused_connection_delivers_nothing_until_resumed<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    let (other, other_id) = node.connect();
    node.network.pause_receive(id);
    node.settle();
    let message = pattern(16 << 20);
    let outgoing = message.clone();
    let writing = thread::spawn(move || {
        write(&client, &outgoing);
        client
    });
    node.settle();
    let stopped_at = node.record.received_from(id).len();
    write(&other, b"still here");
    node.until(|record| record.received_from(other_id) == b"still here");
    node.settle();
    assert_eq!(node.record.received_from(id).len(), stopped_at);
    assert!(!writing.is_finished(), "the sender is held up by the kernel's window");
    node.network.resume_receive(id);
    node.until(|record| record.received_from(id).len() == message.len());
    assert!(node.record.received_from(id) == message);
    writing.join().unwrap();
}

pub fn pausing_and_resuming_at_once_loses_nothing<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    let message = pattern(2 << 20);
    let outgoing = message.clone();
    let writing = thread::spawn(move || {
        write(&client, &outgoing);
        client
    });
    let start = Instant::now();
    let mut round = 0;
    while node.record.received_from(id).len() < message.len() {
        assert!(start.elapsed() < PATIENCE);
        round += 1;
        node.network.pause_receive(id);
        if round % 3 == 0 {
            node.network.resume_receive(id);
            node.network.pause_receive(id);
        }
        if round % 2 == 0 {
            node.poll(PollWait::None);
        }
        node.network.resume_receive(id);
        node.poll(PollWait::AtMost(Duration::from_millis(10)));
    }
    assert!(node.record.received_from(id) == message);
    writing.join().unwrap();
}

pub fn a_long_send_tells_that_it_moves<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    let message = pattern(24 << 20);
    node.network.send(id, message.clone());
    node.settle();
    // Nobody reads, so nothing moves.
    let before = node.record.sent_some;
    stays_asleep(&mut node);
    assert_eq!(node.record.sent_some, before);
    let mut got = Vec::new();
    while node.record.sent_some == before {
        got.extend(read(&client, 1 << 20));
        node.poll(PollWait::AtMost(Duration::from_millis(20)));
    }
    assert_eq!(node.record.sent_of(id), 0);
    let reading = thread::spawn(move || {
        got.extend(read(&client, (24 << 20) - got.len()));
        got
    });
    node.until(|record| record.sent_of(id) == 1);
    assert!(reading.join().unwrap() == message);
}

pub fn another_node_replies_directly<N: Driver>() {
    let mut home = Node::<N>::new();
    let (client, id) = home.connect();
    let handle = home.network.handle(id);
    let message = pattern(1000);
    let expected = message.clone();
    thread::spawn(move || {
        let mut owner = Node::<N>::new();
        for tag in 0..100 {
            owner.network.send_remote(handle, tag, message.clone());
        }
        owner.until(|record| record.remote.len() == 100);
        for (tag, (told, buffer, written)) in owner.record.remote.iter().enumerate() {
            assert_eq!((*told, *written), (tag as u64, 1000));
            assert!(*buffer == message);
        }
    })
    .join()
    .unwrap();
    for _ in 0..100 {
        assert_eq!(read(&client, 1000), expected);
    }
    // The home goes on as if nothing had been.
    home.network.send(id, b"home again".to_vec());
    home.until(|record| record.sent_of(id) == 1);
    assert_eq!(read(&client, 10), b"home again");
}

pub fn a_direct_reply_does_not_wait<N: Driver>() {
    let mut home = Node::<N>::new();
    let (client, id) = home.connect();
    let mut owner = Node::<N>::new();
    let message = pattern(24 << 20);
    let mut gone = 0;
    for tag in 0.. {
        // The kernel may still move bytes to the reader's side, so the socket is full only after a while.
        owner.network.send_remote(home.network.handle(id), tag, message[gone..].to_vec());
        owner.until(|record| record.remote.len() == 1);
        let (told, buffer, written) = owner.record.remote.remove(0);
        assert!(told == tag && buffer == message[gone..]);
        gone += written;
        assert!(gone < message.len());
        if written == 0 {
            break;
        }
    }
    assert!(gone > 0);
    // The home brings the rest.
    home.network.send(id, message[gone..].to_vec());
    let reading = thread::spawn(move || read(&client, 24 << 20));
    home.until(|record| record.sent_of(id) == 1);
    assert!(reading.join().unwrap() == message);
    // A name of nothing.
    owner.network.send_remote(SocketHandle(u64::MAX), 3, b"lost".to_vec());
    owner.until(|record| record.remote.len() == 1);
    assert_eq!(owner.record.remote[0], (3, b"lost".to_vec(), 0));
}
