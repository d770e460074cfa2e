//! Clients that behave badly, limits, and the server's beginning and end: nobody else may notice, memory stays bounded
//! and comes back. `cargo xtask torture` does the same for longer and with more of everything.

mod configuration;
mod floods;
mod leavers;
mod long_replies;
mod memory;
mod persistence;
mod reloads;
mod restarts;
mod support;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::{Client, DRIVERS, PROGRAM, Server, TIMEOUT, can_run, free_port, open_many_files, until};

/// Runs a test with each driver, on one shard and on three.
fn everywhere(test: impl Fn(&[&str])) {
    for driver in DRIVERS.into_iter().filter(|driver| can_run(driver)) {
        for shards in ["1", "3"] {
            eprintln!("{driver}, {shards} shards");
            test(&["--io-driver", driver, "--shards", shards]);
        }
    }
}

/// Options together.
fn with<'a>(options: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [options, more].concat()
}

/// Counts up keys of all shards and checks every reply until told to stop.
fn count_up(mut client: Client<TcpStream>, stop: &AtomicBool) -> u64 {
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let commands: String = (0..20).map(|key| format!("INCR load:{key}\r\n")).collect();
        client.send(commands);
        client.expect(format!(":{round}\r\n").repeat(20));
    }
    round
}

#[test]
fn a_crowd_comes_and_goes_under_load() {
    open_many_files();
    everywhere(|options| {
        let server = Server::start(&with(options, &["--maxclients", "4000"]));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let load = scope.spawn(|| count_up(server.client(), &stop));
            for _ in 0..2 {
                let mut crowd: Vec<_> = (0..1000).map(|_| server.client()).collect();
                crowd.iter_mut().for_each(|client| client.send("PING\r\n"));
                crowd.iter_mut().for_each(|client| client.expect("+PONG\r\n"));
            }
            stop.store(true, Ordering::Relaxed);
            assert!(load.join().expect("no wrong reply") > 0);
        });
        until("all have left", || server.client().text("INFO clients").contains("connected_clients:1\r\n"));
    });
}

#[test]
fn a_reader_that_never_reads_fills_no_memory() {
    everywhere(|options| {
        let server = Server::start(&with(options, &["--client-output-buffer-pause", "64mb"]));
        let mut other = server.client();
        // Keys of all shards, so that some replies come from elsewhere.
        let value = "v".repeat(1 << 20);
        for key in 0..8 {
            other.send(format!("*3\r\n$3\r\nSET\r\n$5\r\nbig:{key}\r\n${}\r\n{value}\r\n", value.len()));
            other.expect("+OK\r\n");
        }
        let before_mib = server.resident_mib();
        let mut greedy = server.client();
        let commands: String = (0..1500).map(|number| format!("GET big:{}\r\n", number % 8)).collect();
        greedy.send(&commands);
        let (mut peak_mib, mut asked) = (0, 0);
        while asked < 200 {
            other.ask(&format!("SET small:{asked} x"), "+OK\r\n");
            std::thread::sleep(Duration::from_millis(5));
            peak_mib = peak_mib.max(server.resident_mib());
            asked += 1;
        }
        // 64 MiB unread, twice while early replies wait for others, up to three times that while a buffer grows, and
        // what the allocator has not given back yet.
        assert!(peak_mib < before_mib + 640, "from {before_mib} to {peak_mib} MiB for 1500 MiB of replies");
        assert!(other.text("INFO clients").contains("output_paused_clients:1\r\n"));
        assert!(server.log().contains("client-output-buffer-pause"), "the log tells why");
        drop(greedy);
        until("memory comes back", || server.resident_mib() < before_mib + 48);
        other.ask("PING", "+PONG\r\n");
        // One that reads after all gets everything.
        let mut late = server.client();
        late.send(&commands);
        let reply = format!("${}\r\n{value}\r\n", value.len());
        (0..1500).for_each(|_| late.expect(&reply));
        late.ask("PING", "+PONG\r\n");
    });
}

#[test]
fn garbage_silence_and_promises_do_not_hurt() {
    everywhere(|options| {
        let server = Server::start(options);
        let mut other = server.client();
        let before_mib = server.resident_mib();
        let mut kept = Vec::new();
        for (bytes, answer) in [
            ("*1\r\n:4\r\n", "-ERR Protocol error: expected '$', got ':'\r\n"),
            ("*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
            ("*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
            ("PING \"a\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
        ] {
            let mut client = server.client();
            client.send(bytes);
            assert_eq!(client.rest(), answer.as_bytes());
        }
        for _ in 0..50 {
            let mut silent = server.client();
            silent.send("*3\r\n$3\r\nSET\r\n$5\r\nmount");
            let mut promising = server.client();
            promising.send("*2\r\n$4\r\nECHO\r\n$536870912\r\n");
            kept.extend([silent, promising]);
        }
        for number in 0..100 {
            other.ask(&format!("SET key:{number} x"), "+OK\r\n");
        }
        assert!(server.resident_mib() < before_mib + 32, "50 promises of 512 MB each take memory");
        // A promise may still be kept.
        let mut silent = kept.swap_remove(0);
        silent.send("\r\n$1\r\nx\r\n");
        silent.expect("+OK\r\n");
        other.ask("DBSIZE", ":101\r\n");
    });
}

#[test]
fn what_came_before_a_clients_end_is_answered() {
    everywhere(|options| {
        let server = Server::start(options);
        let value = "x".repeat(5000);
        server.client().ask(&format!("MSET a {value} b {value} c {value}"), "+OK\r\n");
        for _ in 0..20 {
            let mut client = server.client();
            // Also such replies as do not fit the socket's buffers, and commands for one shard, several, and all.
            client.send("GET a\r\nMGET a b c\r\nDBSIZE\r\nGET b\r\n".repeat(100));
            client.stream.shutdown(Shutdown::Write).expect("a socket");
            let bulk = format!("${}\r\n{value}\r\n", value.len());
            let expected = format!("{bulk}*3\r\n{bulk}{bulk}{bulk}:3\r\n{bulk}").repeat(100);
            assert!(client.rest() == expected.as_bytes(), "replies are missing");
        }
        let mut client = server.client();
        client.send("CLIENT REPLY OFF\r\nSET d 1\r\n");
        client.stream.shutdown(Shutdown::Write).expect("a socket");
        assert_eq!(client.rest(), b"");
        let mut browser = server.client();
        browser.send("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET e 1\r\n");
        assert_eq!(browser.rest(), b"");
        server.client().ask("EXISTS d e", ":1\r\n");
    });
}

#[test]
fn no_more_clients_than_allowed() {
    everywhere(|options| {
        let server = Server::start(&with(options, &["--maxclients", "10"]));
        let mut clients = Vec::new();
        // The one that asked whether the server is up may not have left yet.
        until("ten are in", || {
            clients.clear();
            clients.extend((0..10).map(|_| server.client()));
            clients.iter_mut().all(|client| client.text("PING") == "+PONG")
        });
        assert_eq!(server.client().rest(), b"-ERR max number of clients reached\r\n");
        clients.pop();
        until("a place is free", || server.client().text("PING") == "+PONG");
        clients[0].ask("PING", "+PONG\r\n");
    });
}

#[test]
fn buffers_have_limits() {
    everywhere(|options| {
        let limits =
            ["--client-output-buffer-limit", "normal", "2mb", "0", "0", "--client-query-buffer-limit", "1mb"];
        let server = Server::start(&with(options, &limits));
        let mut other = server.client();
        let value = "v".repeat(100_000);
        for key in 0..3 {
            other.ask(&format!("SETRANGE big:{key} 99999 v"), ":100000\r\n");
        }
        let mut greedy = server.client();
        greedy.send("GET big:0\r\nGET big:1\r\nGET big:2\r\n".repeat(300));
        until("it is closed", || other.text("CLIENT LIST").lines().count() == 1);
        assert!(greedy.rest().len() < 300 * 3 * value.len(), "all replies came");
        let mut wordy = server.client();
        let _ = std::io::Write::write_all(
            &mut wordy.stream,
            format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000000\r\n{}", "v".repeat(1_500_000)).as_bytes(),
        );
        assert_eq!(wordy.rest(), b"");
        other.ask("EXISTS k", ":0\r\n");
    });
}

#[test]
fn idle_clients_are_closed() {
    everywhere(|options| {
        let server = Server::start(&with(options, &["--timeout", "1"]));
        let mut idle = server.client();
        let mut monitor = server.client();
        monitor.ask("MONITOR", "+OK\r\n");
        idle.ask("PING", "+PONG\r\n");
        assert_eq!(idle.rest(), b"");
        server.client().ask("PING", "+PONG\r\n");
        let mut line = [0; 1];
        std::io::Read::read_exact(&mut monitor.stream, &mut line).expect("a monitor may be idle");
    });
}

#[test]
fn clients_are_killed_during_pipelines() {
    everywhere(|options| {
        let server = Server::start(options);
        let mut killer = server.client();
        for round in 0..30 {
            let mut victim = server.client();
            let id = victim.text("CLIENT ID");
            let commands: String = (0..500).map(|key| format!("INCR {round}:{key}\r\n")).collect();
            victim.send(commands);
            killer.ask(&format!("CLIENT KILL ID {}", &id[1..]), ":1\r\n");
            let replies = victim.rest();
            assert!(":1\r\n".repeat(500).as_bytes().starts_with(&replies), "{}", replies.escape_ascii());
        }
        killer.ask("PING", "+PONG\r\n");
        until("all are gone", || killer.text("CLIENT LIST").lines().count() == 1);
    });
}

#[test]
fn a_pause_holds_writes_on_all_shards() {
    everywhere(|options| {
        let server = Server::start(options);
        let mut pauser = server.client();
        let mut writers: Vec<_> = (0..6).map(|_| server.client()).collect();
        writers.iter_mut().for_each(|writer| writer.ask("PING", "+PONG\r\n"));
        pauser.ask("CLIENT PAUSE 600000 WRITE", "+OK\r\n");
        for (number, writer) in writers.iter_mut().enumerate() {
            writer.send(format!("GET key:{number}\r\nSET key:{number} x\r\nGET key:{number}\r\n"));
            writer.expect("$-1\r\n");
        }
        pauser.ask("DBSIZE", ":0\r\n");
        pauser.ask("CLIENT UNPAUSE", "+OK\r\n");
        writers.iter_mut().for_each(|writer| writer.expect("+OK\r\n$1\r\nx\r\n"));
        // A pause of everything ends by itself.
        pauser.ask("CLIENT PAUSE 200", "+OK\r\n");
        for (number, writer) in writers.iter_mut().enumerate() {
            writer.ask(&format!("GET key:{number}"), "$1\r\nx\r\n");
        }
    });
}

#[test]
fn the_end_is_clean() {
    everywhere(|options| {
        for by_signal in [true, false] {
            let files =
                ["--unixsocket", "tessera.sock", "--unixsocketperm", "700", "--pidfile", "tessera.pid"];
            let mut server = Server::start(&with(options, &files));
            let path = |name: &str| server.directory.path().join(name);
            let (socket, pid_file) = (path("tessera.sock"), path("tessera.pid"));
            let mode = std::fs::metadata(&socket).expect("the socket's file").permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
            let written = std::fs::read_to_string(&pid_file).expect("the file");
            assert_eq!(written.trim(), server.pid().to_string());
            let stream = UnixStream::connect(&socket).expect("a connection");
            stream.set_read_timeout(Some(TIMEOUT)).expect("a socket");
            let mut local = Client { stream };
            local.ask("SET a 1", "+OK\r\n");
            let mut clients: Vec<_> = (0..20).map(|_| server.client()).collect();
            clients.iter_mut().for_each(|client| client.ask("GET a", "$1\r\n1\r\n"));
            if by_signal {
                let status = Command::new("kill").args(["-TERM", &server.pid().to_string()]).status();
                assert!(status.is_ok_and(|status| status.success()));
            } else {
                clients[0].send("SHUTDOWN NOSAVE\r\n");
            }
            assert_eq!(server.wait(), Some(0), "{}", server.log());
            clients.iter_mut().for_each(|client| assert_eq!(client.rest(), b""));
            assert_eq!(local.rest(), b"");
            assert!(!socket.exists() && !pid_file.exists(), "files are left behind");
        }
    });
}

/// What a server says that cannot start.
fn refusal(options: &[&str]) -> String {
    let output = Command::new(PROGRAM).args(options).output().expect("the server starts");
    assert_eq!(output.status.code(), Some(1), "{options:?}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn what_keeps_a_server_from_starting_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address").port().to_string();
    for driver in DRIVERS.into_iter().filter(|driver| can_run(driver)) {
        let told = refusal(&["--port", &taken, "--io-driver", driver, "--shards", "2"]);
        assert!(told.contains(&taken) && told.contains("in use"), "{told}");
    }
    let port = free_port().to_string();
    // Nobody can write there.
    let told = refusal(&["--port", &port, "--dir", "/proc"]);
    assert!(told.contains("/proc") && told.contains("not writable"), "{told}");
    let told = refusal(&["--port", &port, "--dir", "/nonexistent/directory"]);
    assert!(told.contains("/nonexistent/directory"), "{told}");
    let told = refusal(&["--port", &port, "--no-such-option", "1"]);
    assert!(told.contains("no-such-option"), "{told}");
}

#[test]
fn several_addresses_are_listened_on() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("no IPv6 here");
        return;
    }
    everywhere(|options| {
        let server = Server::start(&with(options, &["--bind", "127.0.0.1", "::1"]));
        let stream = TcpStream::connect(("::1", server.port)).expect("a connection");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a socket");
        let mut client = Client { stream };
        client.ask("SET a 1", "+OK\r\n");
        assert!(client.text("CLIENT INFO").contains(" addr=[::1]:"));
        server.client().ask("GET a", "$1\r\n1\r\n");
    });
}

#[test]
fn rewriting_keeps_comments() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tessera.conf");
    std::fs::write(&path, "# mine\ntimeout 5\n\n# the last word\n").expect("a file");
    // A file comes before the options.
    let port = free_port().to_string();
    let mut child = Command::new(PROGRAM)
        .current_dir(&directory)
        .args([path.to_str().expect("a path"), "--port", &port])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the server starts");
    until("it listens", || TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
    let stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("a connection");
    let mut client = Client { stream };
    client.ask("CONFIG SET timeout 7", "+OK\r\n");
    client.ask("CONFIG REWRITE", "+OK\r\n");
    client.send("SHUTDOWN\r\n");
    assert_eq!(child.wait().ok().and_then(|status| status.code()), Some(0));
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(text.starts_with("# mine\ntimeout 7\n\n# the last word\n"), "{text}");
    assert!(text.contains(&format!("port {port}\n")), "{text}");
}
