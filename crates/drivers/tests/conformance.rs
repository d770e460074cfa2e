//! What every network driver must do, over real sockets.

mod common;

use std::io::{self, ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Driver, Node, PATIENCE, options, pattern, read, write};
use tessera_drivers::listen::listen;
use tessera_drivers::{Socket, Waker};
use tessera_node::network::{Closed, Network, SocketHandle, Wait, Wake};

fn echo<N: Driver>() {
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

fn many_connections_do_not_mix<N: Driver>() {
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

fn a_big_send_reaches_a_slow_reader_whole<N: Driver>() {
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

fn quiet_sends_to_a_full_socket_arrive_whole<N: Driver>() {
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

fn big_transfers_both_ways<N: Driver>() {
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
        node.poll(Wait::AtMost(Duration::from_millis(100)));
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

fn an_empty_send_is_sent<N: Driver>() {
    let mut node = Node::<N>::new();
    let (_client, id) = node.connect();
    node.network.send(id, Vec::new());
    node.until(|record| record.sent_of(id) == 1);
    assert_eq!(node.record.sent[0].2, Ok(()));
}

fn a_paused_connection_delivers_nothing_until_resumed<N: Driver>() {
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

fn pausing_and_resuming_at_once_loses_nothing<N: Driver>() {
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
            node.poll(Wait::Poll);
        }
        node.network.resume_receive(id);
        node.poll(Wait::AtMost(Duration::from_millis(10)));
    }
    assert!(node.record.received_from(id) == message);
    writing.join().unwrap();
}

fn the_end_of_a_peer_is_told<N: Driver>() {
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

fn reset(client: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
}

fn a_reset_is_an_error<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    reset(client);
    node.until(|record| !record.closed.is_empty());
    assert_eq!(node.record.closed, [(id, Closed::ByError(ErrorKind::ConnectionReset))]);
    node.settle();
    node.network.close(id);
    node.settle();
}

fn a_send_to_a_reset_peer_fails_and_closes_once<N: Driver>() {
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

fn a_reset_while_a_send_waits_fails_it<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    node.network.send(id, pattern(24 << 20));
    node.settle();
    reset(client);
    node.until(|record| record.sent_of(id) == 1 && record.closed.len() == 1);
    assert!(node.record.sent[0].2.is_err());
    assert_eq!(node.record.sent[0].1.len(), 24 << 20);
}

fn what_came_before_a_failed_send_is_told<N: Driver>() {
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

/// Nothing is told, and a wait for something is a wait.
#[track_caller]
fn stays_asleep<N: Driver>(node: &mut Node<N>) {
    node.settle();
    let (before, start) = (node.record.events, Instant::now());
    node.poll(Wait::AtMost(Duration::from_millis(60)));
    assert!(node.record.events == before && start.elapsed() >= Duration::from_millis(50), "it spins");
}

fn a_paused_connection_tells_that_its_peer_has_gone<N: Driver>() {
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

fn a_paused_connection_tells_of_a_reset<N: Driver>() {
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

fn who_goes_while_paused_is_noticed_whenever_that_begins<N: Driver>() {
    let mut node = Node::<N>::new();
    for round in 0..60 {
        let (client, id) = node.connect();
        for _ in 0..round % 4 {
            node.network.pause_receive(id);
            node.poll(Wait::Poll);
            node.network.resume_receive(id);
        }
        write(&client, b"x");
        if round % 3 == 0 {
            reset(client);
        } else {
            drop(client);
        }
        if round % 2 == 0 {
            node.poll(Wait::Poll);
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

fn a_long_send_tells_that_it_moves<N: Driver>() {
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
        node.poll(Wait::AtMost(Duration::from_millis(20)));
    }
    assert_eq!(node.record.sent_of(id), 0);
    let reading = thread::spawn(move || {
        got.extend(read(&client, (24 << 20) - got.len()));
        got
    });
    node.until(|record| record.sent_of(id) == 1);
    assert!(reading.join().unwrap() == message);
}

fn close_cancels_a_send_and_silences_the_connection<N: Driver>() {
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

fn close_right_after_adopt<N: Driver>() {
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

fn indexes_are_reused_lowest_first_with_new_generations<N: Driver>() {
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

fn thousands_come_and_go<N: Driver>() {
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

fn a_thousand_at_once<N: Driver>() {
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

/// Fails instead of hanging when a poll is not woken.
fn must_return(polling: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        polling();
        done.send(()).unwrap();
    });
    finished.recv_timeout(PATIENCE).expect("poll was not woken");
}

fn a_waker_ends_a_sleep<N: Driver>() {
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
            node.poll(Wait::AtMost(Duration::from_secs(3600)));
        }
        assert_eq!(node.record.events, 0);
    });
    waking.join().unwrap();
}

fn a_wake_before_the_sleep_is_not_lost<N: Driver>() {
    must_return(|| {
        let mut listeners = listen(&options(1)).unwrap();
        let waker = Waker::new().unwrap();
        waker.wake();
        let network = N::make(listeners.nodes.remove(0), waker.clone());
        let mut node = Node::<N>::with(network, listeners.addresses[0]);
        node.poll(Wait::AtMost(Duration::from_secs(3600)));
        for _ in 0..5 {
            waker.wake();
            waker.wake();
            node.poll(Wait::AtMost(Duration::from_secs(3600)));
        }
        for _ in 0..20 {
            node.poll(Wait::Poll);
        }
        waker.clone().wake();
        node.poll(Wait::AtMost(Duration::from_secs(3600)));
    });
}

fn a_sleep_ends_by_itself<N: Driver>() {
    must_return(|| {
        let mut node = Node::<N>::new();
        node.poll(Wait::AtMost(Duration::from_millis(1)));
        node.poll(Wait::AtMost(Duration::from_micros(1)));
        node.poll(Wait::AtMost(Duration::ZERO));
    });
}

fn another_node_replies_directly<N: Driver>() {
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

fn a_direct_reply_does_not_wait<N: Driver>() {
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

fn refused_connections_hear_why<N: Driver>() {
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

fn one_node_accepts_and_another_adopts<N: Driver>() {
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

fn unix_sockets<N: Driver>() {
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

fn endpoints_are_those_of_the_socket<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    let endpoints = node.network.endpoints(id);
    assert_eq!(endpoints.peer, client.local_addr().unwrap().to_string());
    assert_eq!(endpoints.local, node.address.to_string());
    assert!(endpoints.descriptor > 2 && !endpoints.unix);
}

fn ipv6<N: Driver>() {
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

fn after_stop_listening_nobody_gets_in<N: Driver>() {
    let mut node = Node::<N>::new();
    let (client, id) = node.connect();
    node.network.stop_listening();
    node.settle();
    assert_eq!(TcpStream::connect(node.address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    write(&client, b"I was here before");
    node.until(|record| record.received_from(id) == b"I was here before");
    assert!(node.record.accepted.is_empty());
}

fn dropping_a_driver_ends_its_connections<N: Driver>() {
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

impl<N: Driver> Brief for Node<N> {
    fn settle_briefly(&mut self) {
        for _ in 0..5 {
            self.poll(Wait::AtMost(Duration::from_millis(1)));
        }
    }
}

trait Brief {
    fn settle_briefly(&mut self);
}

macro_rules! suite {
    ($($test:ident),* $(,)?) => {
        suite!(@driver uring, common::Uring, $($test),*);
        suite!(@driver uring_cooperative, common::UringCooperative, $($test),*);
        suite!(@driver uring_plain, common::UringPlain, $($test),*);
        suite!(@driver uring_tiny, common::UringTiny, $($test),*);
        suite!(@driver epoll, common::Epoll, $($test),*);
    };
    (@driver $module:ident, $driver:ty, $($test:ident),*) => {
        mod $module {
            use super::*;
            $(#[test] fn $test() { if <$driver>::available() { super::$test::<$driver>() } })*
        }
    };
}

suite!(
    echo,
    many_connections_do_not_mix,
    a_big_send_reaches_a_slow_reader_whole,
    big_transfers_both_ways,
    quiet_sends_to_a_full_socket_arrive_whole,
    an_empty_send_is_sent,
    a_paused_connection_delivers_nothing_until_resumed,
    pausing_and_resuming_at_once_loses_nothing,
    the_end_of_a_peer_is_told,
    a_reset_is_an_error,
    a_send_to_a_reset_peer_fails_and_closes_once,
    a_reset_while_a_send_waits_fails_it,
    what_came_before_a_failed_send_is_told,
    a_paused_connection_tells_that_its_peer_has_gone,
    a_paused_connection_tells_of_a_reset,
    who_goes_while_paused_is_noticed_whenever_that_begins,
    a_long_send_tells_that_it_moves,
    close_cancels_a_send_and_silences_the_connection,
    close_right_after_adopt,
    indexes_are_reused_lowest_first_with_new_generations,
    thousands_come_and_go,
    a_thousand_at_once,
    a_waker_ends_a_sleep,
    a_wake_before_the_sleep_is_not_lost,
    a_sleep_ends_by_itself,
    another_node_replies_directly,
    a_direct_reply_does_not_wait,
    refused_connections_hear_why,
    one_node_accepts_and_another_adopts,
    unix_sockets,
    endpoints_are_those_of_the_socket,
    ipv6,
    after_stop_listening_nobody_gets_in,
    dropping_a_driver_ends_its_connections,
);
