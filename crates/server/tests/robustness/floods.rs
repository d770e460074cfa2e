//! Clients that ask for more than they read, or more than their share: memory stays bounded and others are served.

use crate::support::{Client, Server, until};
use crate::{everywhere, with};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Sends what it is given again and again, whether the server takes it or not, until told to stop.
fn flood(client: &Client<TcpStream>, bytes: &[u8], stop: &AtomicBool) {
    let mut stream = client.stream.try_clone().expect("a socket");
    stream.set_write_timeout(Some(Duration::from_millis(100))).expect("a socket");
    while !stop.load(Ordering::Relaxed) && stream.write_all(bytes).is_ok() {}
}

/// Reads and counts lines until told to stop.
fn count_lines(client: &Client<TcpStream>, lines: &AtomicUsize, stop: &AtomicBool) {
    let mut stream = client.stream.try_clone().expect("a socket");
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket");
    let mut buffer = vec![0; 1 << 20];
    while !stop.load(Ordering::Relaxed) {
        let Ok(len) = stream.read(&mut buffer) else { continue };
        lines.fetch_add(buffer[..len].iter().filter(|byte| **byte == b'\n').count(), Ordering::Relaxed);
    }
}

/// Lets a client do something 50 times while others do their worst. Answers the peak of resident memory in MiB.
fn served_meanwhile(server: &Server, stop: &AtomicBool) -> u64 {
    let mut other = server.client();
    let mut peak_mib = 0;
    for number in 0..50 {
        other.ask(&format!("SET small:{number} x"), "+OK\r\n");
        other.ask(&format!("GET small:{number}"), "$1\r\nx\r\n");
        // Once more a new connection, and what all nodes have to answer.
        server.client().ask("PING", "+PONG\r\n");
        assert!(other.text("CLIENT LIST").contains("cmd=client|list"));
        std::thread::sleep(Duration::from_millis(20));
        peak_mib = peak_mib.max(server.resident_mib());
    }
    stop.store(true, Ordering::Relaxed);
    peak_mib
}

#[test]
fn a_monitor_beside_deep_pipelines_hurts_nobody() {
    everywhere(|options| {
        let server = Server::start(options);
        let before_mib = server.resident_mib();
        let (stop, lines) = (AtomicBool::new(false), AtomicUsize::new(0));
        let mut monitor = server.client();
        monitor.ask("MONITOR", "+OK\r\n");
        let peak_mib = std::thread::scope(|scope| {
            scope.spawn(|| count_lines(&monitor, &AtomicUsize::new(0), &stop));
            for _ in 0..2 {
                let client = server.client();
                let (stop, lines) = (&stop, &lines);
                scope.spawn(move || {
                    std::thread::scope(|pair| {
                        pair.spawn(|| count_lines(&client, lines, stop));
                        flood(&client, &b"PING\r\n".repeat(2000), stop);
                    });
                });
            }
            served_meanwhile(&server, &stop)
        });
        assert!(lines.load(Ordering::Relaxed) > 0);
        assert!(peak_mib < before_mib + 640, "from {before_mib} to {peak_mib} MiB");
        server.client().ask("PING", "+PONG\r\n");
    });
}

#[test]
fn a_monitor_that_reads_nothing_is_closed_at_its_limit() {
    everywhere(|options| {
        let limit = ["--client-output-buffer-limit", "normal", "4mb", "0", "0"];
        let server = Server::start(&with(options, &limit));
        let mut monitor = server.client();
        monitor.ask("MONITOR", "+OK\r\n");
        let mut busy = server.client();
        let value = "x".repeat(100_000);
        // What sockets hold comes on top of the limit.
        for _ in 0..400 {
            busy.send(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n{value}\r\n"));
            busy.expect("+OK\r\n");
        }
        until("it is closed", || busy.text("CLIENT LIST").lines().count() == 1);
        busy.ask("PING", "+PONG\r\n");
    });
}

#[test]
fn replies_on_their_way_count_for_the_limit() {
    everywhere(|options| {
        let limit = ["--client-output-buffer-limit", "normal", "20mb", "0", "0"];
        let server = Server::start(&with(options, &limit));
        let mut other = server.client();
        for key in 0..8 {
            other.ask(&format!("SETRANGE big:{key} 9999999 v"), ":10000000\r\n");
        }
        let before_mib = server.resident_mib();
        let mut greedy = server.client();
        greedy.send((0..64).map(|number| format!("GET big:{}\r\n", number % 8)).collect::<String>());
        greedy.send("SET done 1\r\n");
        let mut peak_mib = 0;
        until("it is closed", || {
            peak_mib = peak_mib.max(server.resident_mib());
            other.text("CLIENT LIST").lines().count() == 1
        });
        for _ in 0..20 {
            peak_mib = peak_mib.max(server.resident_mib());
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(peak_mib < before_mib + 200, "from {before_mib} to {peak_mib} MiB for a limit of 20");
        // A single reply over the limit is no exception, whoever makes it.
        other.ask("SETRANGE huge 29999999 v", ":30000000\r\n");
        let mut one = server.client();
        one.send("GET huge\r\n");
        assert!(one.rest().len() < 30_000_000);
        other.ask("PING", "+PONG\r\n");
    });
}

/// Of a transaction whose replies are over the limit every command is run, and no more than the limit is kept of them.
#[test]
fn replies_of_a_transaction_count_for_the_limit() {
    everywhere(|options| {
        let limit = ["--client-output-buffer-limit", "normal", "20mb", "0", "0"];
        let server = Server::start(&with(options, &limit));
        let mut other = server.client();
        for key in 0..4 {
            other.ask(&format!("SETRANGE big:{key} 4999999 v"), ":5000000\r\n");
        }
        let before_mib = server.resident_mib();
        // Each shard by itself, and one command after the other.
        for (done, first) in [("done:1", "GET done:0"), ("done:2", "PING")] {
            let mut greedy = server.client();
            let reads = "MGET big:0 big:1 big:2 big:3\r\n".repeat(50);
            greedy.send(format!("MULTI\r\n{first}\r\n{reads}SET {done} 1\r\nEXEC\r\n"));
            let mut peak_mib = 0;
            until("it is closed", || {
                peak_mib = peak_mib.max(server.resident_mib());
                other.text("CLIENT LIST").lines().count() == 1
            });
            until("all of it has run", || other.text(&format!("GET {done}")) == "1");
            for _ in 0..20 {
                peak_mib = peak_mib.max(server.resident_mib());
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(peak_mib < before_mib + 250, "from {before_mib} to {peak_mib} MiB for a limit of 20");
        }
        // Commands that go together are no exception; and who reads hears of no value that it is not there.
        let mut fast = server.client();
        fast.send("MGET big:0 big:1 big:2 big:3\r\n".repeat(20));
        let heard = fast.rest();
        assert!(
            !heard.windows(5).any(|line| line == b"\n$-1\r" || line == b"\n$0\r\n"),
            "it hears of missing values"
        );
    });
}

#[test]
fn a_limit_that_is_lowered_is_for_everybody() {
    everywhere(|options| {
        let server = Server::start(options);
        let mut other = server.client();
        (0..8).for_each(|key| other.ask(&format!("SETRANGE big:{key} 999999 v"), ":1000000\r\n"));
        let mut greedy = server.client();
        greedy.send((0..64).map(|number| format!("GET big:{}\r\n", number % 8)).collect::<String>());
        greedy.send("SET done 1\r\n");
        until("all of it has run", || other.text("INFO commandstats").contains("cmdstat_set:"));
        assert_eq!(other.text("CLIENT LIST").lines().count(), 2);
        other.ask("CONFIG SET client-output-buffer-limit \"normal 20mb 0 0\"", "+OK\r\n");
        until("it is closed", || other.text("CLIENT LIST").lines().count() == 1);
    });
}

#[test]
fn a_pipeline_that_is_sent_before_it_is_read_is_completed() {
    everywhere(|options| {
        let server = Server::start(options);
        let mut client = server.client();
        let value = "v".repeat(100_000);
        for key in 0..8 {
            client.send(format!("*3\r\n$3\r\nSET\r\n$5\r\nbig:{key}\r\n$100000\r\n{value}\r\n"));
            client.expect("+OK\r\n");
        }
        // Twice what was once the bound, and more commands than sockets hold.
        let padding = "x".repeat(5000);
        let commands: String =
            (0..1400).map(|number| format!("GET big:{}\r\nECHO {padding}\r\n", number % 8)).collect();
        client.send(&commands);
        let reply = format!("$100000\r\n{value}\r\n$5000\r\n{padding}\r\n");
        (0..1400).for_each(|_| client.expect(&reply));
    });
}

#[test]
fn refusals_that_nobody_reads_are_bounded() {
    everywhere(|options| {
        let server = Server::start(&with(options, &["--requirepass", "secret"]));
        let before_mib = server.resident_mib();
        let stop = AtomicBool::new(false);
        let stranger = server.client();
        let mut known = server.client();
        known.ask("AUTH secret", "+OK\r\n");
        let peak_mib = std::thread::scope(|scope| {
            scope.spawn(|| flood(&stranger, &b"PING\r\n".repeat(10_000), &stop));
            let mut peak_mib = 0;
            for _ in 0..50 {
                known.ask("PING", "+PONG\r\n");
                std::thread::sleep(Duration::from_millis(20));
                peak_mib = peak_mib.max(server.resident_mib());
            }
            stop.store(true, Ordering::Relaxed);
            peak_mib
        });
        assert!(peak_mib < before_mib + 32, "from {before_mib} to {peak_mib} MiB for a stranger");
        // One that reads gets every refusal, and is let in.
        let mut late = server.client();
        late.send("PING\r\n".repeat(5000) + "AUTH secret\r\nPING\r\n");
        late.expect("-NOAUTH Authentication required.\r\n".repeat(5000) + "+OK\r\n+PONG\r\n");
    });
    everywhere(|options| {
        let server = Server::start(&with(options, &["--client-output-buffer-pause", "8mb"]));
        let before_mib = server.resident_mib();
        let stop = AtomicBool::new(false);
        let greedy = server.client();
        let peak_mib = std::thread::scope(|scope| {
            scope.spawn(|| flood(&greedy, &b"x\r\n".repeat(10_000), &stop));
            served_meanwhile(&server, &stop)
        });
        assert!(peak_mib < before_mib + 96, "from {before_mib} to {peak_mib} MiB for a pause at 8");
    });
}

#[test]
fn clients_that_are_served_without_waiting_hold_nobody_up() {
    everywhere(|options| {
        let server = Server::start(options);
        let mut filler = server.client();
        let element = "x".repeat(10);
        for number in 1..=20 {
            let elements = format!(" {element}").repeat(1000);
            for key in 0..16 {
                filler.ask(&format!("RPUSH list:{key}{elements}"), &format!(":{}\r\n", number * 1000));
            }
        }
        let before_mib = server.resident_mib();
        let stop = AtomicBool::new(false);
        let (clients, read) = (Vec::from_iter((0..100).map(|_| server.client())), AtomicUsize::new(0));
        for (number, client) in clients.iter().enumerate() {
            let commands = format!("BLPOP list:{} 0.01\r\n", number % 16).repeat(1000);
            (&client.stream).write_all(commands.as_bytes()).expect("the server takes it");
        }
        let peak_mib = std::thread::scope(|scope| {
            scope.spawn(|| clients.iter().for_each(|client| count_lines_now(client, &read)));
            served_meanwhile(&server, &stop)
        });
        assert!(peak_mib < before_mib + 200, "from {before_mib} to {peak_mib} MiB");
    });
}

/// Reads what is there.
fn count_lines_now(client: &Client<TcpStream>, lines: &AtomicUsize) {
    let mut stream = client.stream.try_clone().expect("a socket");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket");
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        lines.fetch_add(buffer[..len].iter().filter(|byte| **byte == b'\n').count(), Ordering::Relaxed);
    }
}
