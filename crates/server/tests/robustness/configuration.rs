//! Configuration files that were made for Redis, and what can be changed while the server runs.

use std::net::TcpListener;
use std::process::Command;

use super::{everywhere, with};
use crate::support::{PROGRAM, Server, can_run, free_port};

/// Every parameter of a server of version 7.2 and its default, as it answered CONFIG GET.
const PARAMETERS_OF_7_2: &str = include_str!("../../../config/tests/parameters-7.2.txt");

/// A file that states all of them.
fn file_of_7_2() -> String {
    let parameters = PARAMETERS_OF_7_2.lines().filter_map(|line| line.split_once('\t'));
    // Two names of one parameter need not both be there.
    parameters.map(|(name, value)| format!("# {name}\n{name} \"{value}\"\n")).collect()
}

/// How often a text is in another.
fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_file_of_redis_starts_the_server() {
    let server = Server::start_from(&file_of_7_2(), &["--bind", "127.0.0.1", "--shards", "2"]);
    let log = server.log();
    // In several lines, as the log cuts long ones.
    let lines = log.lines().filter_map(|line| line.split_once("accepted, no effect here: "));
    let names: Vec<&str> = lines.flat_map(|(_, names)| names.split(", ")).collect();
    let times = |name: &str| names.iter().filter(|known| **known == name).count();
    for name in ["always-show-logo", "replica-priority", "io-threads", "stream-node-max-bytes", "tls-ciphers"]
    {
        assert_eq!(times(name), 1, "{name} in {log}");
    }
    // What is true is not said to be without effect.
    for name in ["appendonly", "maxmemory", "tls-port"] {
        assert_eq!(times(name), 0, "{name} in {log}");
    }
    let mut client = server.client();
    client.ask("CONFIG GET io-threads", "*2\r\n$10\r\nio-threads\r\n$1\r\n1\r\n");
    client.ask("CONFIG SET repl-timeout 61", "+OK\r\n");
    assert!(server.log().contains("accepted, no effect here: repl-timeout\n"), "{}", server.log());
    client.ask("CONFIG REWRITE", "+OK\r\n");
    let text = std::fs::read_to_string(server.directory.path().join("server.conf")).expect("the file");
    assert!(text.contains("# repl-timeout\nrepl-timeout 61\n"), "{text}");
    drop((client, server));
    Server::start_from(&text, &["--shards", "2"]);
}

#[test]
fn all_refusals_are_told_at_once() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("x.conf");
    std::fs::write(&file, "port 0\nappendonly yes\nmaxmemroy 1gb\ncluster-enabled yes\n").expect("a file");
    let output = Command::new(PROGRAM).arg(&file).args(["--tls-port", "1"]).output().expect("it runs");
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{told}");
    for text in [
        "at line 2\n>>> 'appendonly yes'\nthis version does not log writes: the only value is no\n",
        "at line 3\n>>> 'maxmemroy 1gb'\nUnknown option 'maxmemroy', did you mean 'maxmemory'?\n",
        "at line 4\n>>> 'cluster-enabled yes'\nthis version has no cluster mode: the only value is no\n",
        "Reading the command line\n>>> 'tls-port \"1\"'\nthere is no TLS: the only value is 0\n",
    ] {
        assert_eq!(count(&told, text), 1, "{text} in {told}");
    }
    assert!(!told.contains("tip:") && !told.contains("--help"), "{told}");
}

#[test]
fn the_address_changes_while_the_server_runs() {
    everywhere(|options| {
        let mut server = Server::start(options);
        let mut client = server.client();
        let old_port = server.port;

        // A port that somebody else has: nothing changes.
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let taken = (taken.local_addr().expect("its address").port(), taken);
        let refused = "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. \
                       Check server logs.\r\n";
        client.ask(&format!("CONFIG SET port {}", taken.0), refused);
        let refused = "-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified \
                       addresses.\r\n";
        client.ask("CONFIG SET bind 203.0.113.1", refused);
        server.client().ask("PING", "+PONG\r\n");
        assert_eq!(client.text("CONFIG GET port"), "*2");
        client.expect(format!("$4\r\nport\r\n${}\r\n{old_port}\r\n", old_port.to_string().len()));

        // Another port. Who is connected stays.
        server.port = free_port();
        client.ask(&format!("CONFIG SET port {} bind \"127.0.0.1 -::1\"", server.port), "+OK\r\n");
        for _ in 0..20 {
            server.client().ask("PING", "+PONG\r\n");
        }
        client.ask("PING", "+PONG\r\n");
        drop(TcpListener::bind(("127.0.0.1", old_port)).expect("the old port is free"));
        let info = client.text("INFO server");
        assert!(info.contains(&format!("tcp_port:{}\r\n", server.port)), "{info}");
        assert!(info.contains(&format!(",port={}\r\n", server.port)), "{info}");

        // No port at all, and the same again.
        client.ask("CONFIG SET port 0", "+OK\r\n");
        assert!(std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err());
        client.ask(&format!("CONFIG SET port {}", server.port), "+OK\r\n");
        server.client().ask("PING", "+PONG\r\n");
    });
}

fn terminate(server: &Server) {
    let sent = Command::new("kill").args(["-TERM", &server.pid().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

#[test]
fn signals_end_as_configured() {
    let mut server =
        Server::start(&with(&["--shards", "1"], &["--save", "1000 1000", "--shutdown-on-sigterm", "nosave"]));
    server.client().ask("SET key value", "+OK\r\n");
    terminate(&server);
    assert_eq!(server.wait(), Some(0));
    assert!(!server.directory.path().join("dump.manifest").exists(), "{}", server.log());

    let mut server =
        Server::start(&with(&["--shards", "1"], &["--save", "", "--shutdown-on-sigterm", "save force"]));
    server.client().ask("SET key value", "+OK\r\n");
    terminate(&server);
    assert_eq!(server.wait(), Some(0));
    assert!(server.directory.path().join("dump.manifest").exists(), "{}", server.log());
}

#[test]
fn the_driver_is_named_as_info_names_it() {
    if can_run("uring") {
        let server = Server::start(&["--io-driver", "io_uring", "--shards", "1"]);
        assert!(server.client().text("INFO server").contains("io_driver:io_uring\r\n"));
    }
}
