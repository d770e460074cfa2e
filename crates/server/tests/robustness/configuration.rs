//! Configuration files that were made for Redis, and what can be changed while the server runs.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{everywhere, with};
use crate::support::{PROGRAM, Server, can_run, free_port, until};

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

#[test]
fn keys_take_their_time_when_told_to() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = directory.path().to_str().expect("a path").to_owned();
    let options = ["--dir", &place, "--shards", "1", "--save", ""];
    let mut server = Server::start(&options);
    let mut client = server.client();
    (0..5).for_each(|key| client.ask(&format!("SET key:{key} value"), "+OK\r\n"));
    client.ask("CONFIG SET rdb-key-save-delay 200000", "+OK\r\n");
    let began = Instant::now();
    client.ask("BGSAVE", "+Background saving started\r\n");
    // As in Redis, it counts for the next snapshot only.
    client.ask("CONFIG SET rdb-key-save-delay 0", "+OK\r\n");
    assert!(client.text("INFO persistence").contains("rdb_bgsave_in_progress:1\r\n"));
    until("it is saved", || client.text("INFO persistence").contains("rdb_bgsave_in_progress:0\r\n"));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    client.send("SHUTDOWN NOSAVE\r\n");
    assert_eq!(server.wait(), Some(0));

    let server = Server::start(&[options.as_slice(), &["--key-load-delay", "300000"]].concat());
    let mut client = server.client();
    assert!(client.text("PING").starts_with("-LOADING "));
    until("all is loaded", || client.text("PING") == "+PONG");
    client.ask("DBSIZE", ":5\r\n");
    assert!(server.log().contains("5 keys"), "{}", server.log());
}

/// The log of a server that starts, is asked to save and ends, all at one level.
fn log_at(level: &str) -> String {
    let mut server = Server::start(&["--loglevel", level, "--shards", "2"]);
    let mut client = server.client();
    client.ask("SET key value", "+OK\r\n");
    client.ask("SAVE", "+OK\r\n");
    terminate(&server);
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    server.log()
}

#[test]
fn the_log_tells_as_much_as_its_level_says() {
    let marked = |log: &str, mark: char| {
        let mark = format!(" {mark} ");
        log.lines().filter(|line| line.contains(":M ") && line.contains(&mark)).count()
    };
    let notice = log_at("notice");
    assert!(notice.contains("Ready to accept connections"), "{notice}");
    assert!(marked(&notice, '*') > 3, "{notice}");
    assert_eq!((marked(&notice, '-'), marked(&notice, '.')), (0, 0), "{notice}");
    // What is routine is no warning.
    let warning = log_at("warning");
    assert_eq!((marked(&warning, '*'), marked(&warning, '-'), marked(&warning, '.')), (0, 0, 0), "{warning}");
    assert!(!warning.contains("Ready to accept connections"), "{warning}");
    let verbose = log_at("verbose");
    assert!(marked(&verbose, '-') > 0 && marked(&verbose, '*') >= marked(&notice, '*'), "{verbose}");
    let debug = log_at("debug");
    assert!(debug.lines().count() >= verbose.lines().count(), "{debug}");
    assert_eq!(log_at("nothing").lines().filter(|line| line.contains(":M ")).count(), 0);
}

#[test]
fn the_level_of_the_log_changes_while_the_server_runs() {
    let server = Server::start(&["--loglevel", "warning", "--save", ""]);
    let mut client = server.client();
    let before = server.log();
    client.ask("SAVE", "+OK\r\n");
    assert_eq!(server.log(), before);
    client.ask("CONFIG SET loglevel notice", "+OK\r\n");
    client.ask("SAVE", "+OK\r\n");
    until("the save is told", || server.log().len() > before.len());
}

/// All shards stop, side by side: not one after the other, and not only the one that was asked.
#[test]
fn a_sleep_of_the_server_lasts_once() {
    let server = Server::start(&["--shards", "5", "--enable-debug-command", "local"]);
    let mut sleeper = server.client();
    let mut others: Vec<_> = (0..10).map(|_| server.client()).collect();
    others.iter_mut().for_each(|other| other.ask("PING", "+PONG\r\n"));
    let start = Instant::now();
    sleeper.send("DEBUG SLEEP 1\r\n");
    std::thread::sleep(Duration::from_millis(300));
    let mut waited = Vec::new();
    for other in &mut others {
        other.ask("PING", "+PONG\r\n");
        waited.push(start.elapsed());
    }
    sleeper.expect("+OK\r\n");
    let lasted = start.elapsed();
    assert!(waited.iter().all(|waited| *waited >= Duration::from_millis(900)), "{waited:?}");
    assert!((Duration::from_secs(1)..Duration::from_secs(3)).contains(&lasted), "{lasted:?}");
    let stats = sleeper.text("INFO commandstats");
    assert!(stats.contains("cmdstat_debug:calls=1,"), "{stats}");
}
