//! Clients that go away in the middle of something: they take nothing any more, and what they sent is not lost.

use crate::support::{Client, Server, until};
use crate::{everywhere, with};
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// More than a node takes in of a client whose commands are held, unless it may wait long.
const BEHIND_COMMANDS: usize = 14_000;

/// Nobody but who asks is connected.
fn is_alone(client: &mut Client<TcpStream>) -> bool {
    client.text("INFO clients").contains("connected_clients:1\r\n")
}

/// Leaves something unread for a client, so that its end resets the connection instead of closing it.
fn leave_unread(client: &mut Client<TcpStream>) {
    client.send("PING\r\n");
    assert_eq!(client.stream.peek(&mut [0]).expect("a reply"), 1);
}

#[test]
fn who_waits_for_a_key_and_goes_takes_nothing_whatever_it_sent_behind() {
    everywhere(|options| {
        let server = Server::start(&with(options, &["--maxclients", "60"]));
        let mut other = server.client();
        // More of them than there may be clients.
        for round in 0..2 {
            let mut leavers: Vec<_> = (0..40).map(|_| server.client()).collect();
            for (number, leaver) in leavers.iter_mut().enumerate() {
                if (number + round) % 2 == 0 {
                    leave_unread(leaver);
                }
                leaver.send(format!("BLPOP list:{} 0\r\n", number % 3));
            }
            until("all wait", || other.text("INFO clients").contains("blocked_clients:40\r\n"));
            for leaver in &mut leavers {
                leaver.send("SET behind x\r\n".repeat(BEHIND_COMMANDS));
            }
            drop(leavers);
            until("all have gone", || is_alone(&mut other));
        }
        for key in 0..3 {
            other.ask(&format!("RPUSH list:{key} element"), ":1\r\n");
            other.ask(&format!("LLEN list:{key}"), ":1\r\n");
        }
        other.ask("EXISTS behind", ":0\r\n");
    });
}

#[test]
fn who_is_paused_and_goes_is_seen_to_go() {
    everywhere(|options| {
        let server = Server::start(options);
        let mut other = server.client();
        for is_reset in [false, true] {
            other.ask("CLIENT PAUSE 60000 WRITE", "+OK\r\n");
            let mut leaver = server.client();
            if is_reset {
                leave_unread(&mut leaver);
            } else {
                leaver.ask("PING", "+PONG\r\n");
            }
            leaver.send("SET behind x\r\n".repeat(BEHIND_COMMANDS));
            drop(leaver);
            until("it has gone", || is_alone(&mut other));
            other.ask("CLIENT UNPAUSE", "+OK\r\n");
            other.ask("EXISTS behind", ":0\r\n");
        }
    });
}

#[test]
fn what_was_sent_runs_although_the_client_has_closed() {
    everywhere(|options| {
        let server = Server::start(&with(options, &["--enable-debug-command", "local"]));
        let mut other = server.client();
        let many = "MSET a 1 b 2 c 3 d 4\r\n".repeat(40);
        for before in [
            many.as_str(),
            "RPUSH k v\r\nBLPOP k 0\r\n",
            "CLIENT LIST\r\n",
            "CLIENT UNPAUSE\r\n",
            "CONFIG RESETSTAT\r\n",
            "DEBUG SLEEP 0.01\r\n",
            "INFO\r\n",
        ] {
            for is_half in [false, true] {
                let mut leaver = server.client();
                leaver.send(format!("{before}SET done 1\r\n"));
                if is_half {
                    leaver.stream.shutdown(Shutdown::Write).expect("a socket");
                    // Who still reads is answered.
                    assert!(leaver.rest().ends_with(b"+OK\r\n"), "{before}");
                } else {
                    drop(leaver);
                }
                until("it runs", || other.text("EXISTS done") == ":1");
                other.ask("EXISTS k", ":0\r\n");
                other.ask("DEL done", ":1\r\n");
            }
        }
    });
}

#[test]
fn who_sends_or_reads_slowly_is_not_idle() {
    everywhere(|options| {
        let server = Server::start(&with(options, &["--timeout", "2"]));
        let mut client = server.client();
        let value = vec![b'v'; 3_000_000];
        client.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n");
        for part in value.chunks(100_000) {
            client.send(part);
            std::thread::sleep(Duration::from_millis(100));
        }
        client.send("\r\n");
        client.expect("+OK\r\n");
        let mut idle = server.client();
        idle.stream.write_all(b"PING\r\n").expect("the server takes it");
        assert_eq!(idle.rest(), b"+PONG\r\n", "a client that does nothing is closed");
    });
}
