//! DEBUG RELOAD: all keys come back, whoever waits, reads or goes meanwhile.

use crate::support::{Server, until};
use crate::{everywhere, with};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const NOT_LOADED: &str = "-ERR Error trying to load the RDB dump, check server logs.\r\n";

#[test]
fn all_keys_are_loaded_again() {
    everywhere(|options| {
        let server = Server::start(&with(options, &["--enable-debug-command", "yes", "--save", ""]));
        let mut client = server.client();
        // Without a file nothing is removed.
        client.ask("SET a 1", "+OK\r\n");
        client.ask("DEBUG RELOAD NOSAVE", NOT_LOADED);
        client.ask("GET a", "$1\r\n1\r\n");
        client.ask("DEBUG POPULATE 5000 many", "+OK\r\n");
        client.ask("HSET hash f v g w", ":2\r\n");
        client.ask("HPEXPIREAT hash 4000000000123 FIELDS 1 f", "*1\r\n:1\r\n");
        client.ask("HPEXPIRE hash 30 FIELDS 1 g", "*1\r\n:1\r\n");
        client.ask("SET lasting v PXAT 4000000000456", "+OK\r\n");
        client.ask("SET short v PX 30", "+OK\r\n");
        std::thread::sleep(Duration::from_millis(60));
        for options in ["", " MERGE", " NOFLUSH MERGE", " NOSAVE", " NOSAVE NOFLUSH MERGE"] {
            client.ask(&format!("DEBUG RELOAD{options}"), "+OK\r\n");
            client.ask("DBSIZE", ":5003\r\n");
            client.ask("GET a", "$1\r\n1\r\n");
            client.ask("HGETALL hash", "*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
            client.ask("HPEXPIRETIME hash FIELDS 1 f", "*1\r\n:4000000000123\r\n");
            client.ask("PEXPIRETIME lasting", ":4000000000456\r\n");
        }
        // What is there already stays, and that is told.
        client.ask("SET a 2", "+OK\r\n");
        client.ask("DEL many:7", ":1\r\n");
        client.ask("DEBUG RELOAD NOSAVE NOFLUSH", NOT_LOADED);
        client.ask("GET a", "$1\r\n2\r\n");
        client.ask("EXISTS many:7", ":1\r\n");
        client.ask("DEBUG RELOAD", "+OK\r\n");
        assert!(client.text("INFO persistence").contains("rdb_changes_since_last_save:0\r\n"));
        // What cannot be saved is not removed.
        let directory = std::fs::read_link(format!("/proc/{}/cwd", server.pid())).expect("a directory");
        std::fs::remove_dir_all(directory).expect("a directory");
        client.ask("DEBUG RELOAD", "-ERR\r\n");
        client.ask("DBSIZE", ":5003\r\n");
    });
}

#[test]
fn who_waits_reads_or_goes_during_a_reload_is_served() {
    const ELEMENTS: usize = 4_000;
    everywhere(|options| {
        let server = Server::start(&with(options, &["--enable-debug-command", "yes", "--save", ""]));
        let (mut client, mut waiting, mut reader) = (server.client(), server.client(), server.client());
        let element = "x".repeat(1000);
        for _ in 0..ELEMENTS / 50 {
            let pushed = client.text(&format!("RPUSH long{}", format!(" {element}").repeat(50)));
            assert!(pushed.starts_with(':'), "{pushed}");
        }
        // A long reply that nobody reads yet, and somebody who waits for a key.
        reader.send("LRANGE long 0 -1\r\n");
        waiting.send("BLPOP queue 0\r\n");
        until("it waits", || client.text("INFO clients").contains("blocked_clients:1\r\n"));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let mut counting = Vec::new();
            for number in 0..2 {
                let (mut client, stop) = (server.client(), &stop);
                counting.push(scope.spawn(move || {
                    let mut count = 0;
                    while !stop.load(Ordering::Relaxed) {
                        count += 1;
                        let line = |key: usize| format!("INCR count:{number}:{key}\r\n");
                        client.send((0..10).map(line).collect::<String>());
                        client.expect(format!(":{count}\r\n").repeat(10));
                    }
                    count
                }));
            }
            for round in 0..3 {
                // Who has asked may go before it is answered.
                let mut gone = server.client();
                gone.send("DEBUG RELOAD\r\n");
                drop(gone);
                client.ask("DEBUG RELOAD", "+OK\r\n");
                client.send("DEBUG RELOAD MERGE\r\nPING\r\nLLEN long\r\n");
                client.expect(format!("+OK\r\n+PONG\r\n:{ELEMENTS}\r\n"));
                client.ask(&format!("SET round {round}"), "+OK\r\n");
            }
            stop.store(true, Ordering::Relaxed);
            for counting in counting {
                assert!(counting.join().expect("every number came") > 1, "they are served between");
            }
        });
        client.ask("RPUSH queue a", ":1\r\n");
        waiting.expect("*2\r\n$5\r\nqueue\r\n$1\r\na\r\n");
        reader.expect(format!("*{ELEMENTS}\r\n"));
        reader.expect(format!("$1000\r\n{element}\r\n").repeat(ELEMENTS));
    });
}

#[test]
fn a_server_that_is_to_end_during_a_reload_ends_after_it() {
    everywhere(|options| {
        let more = ["--enable-debug-command", "yes", "--save", "", "--key-load-delay", "300"];
        let mut server = Server::start(&with(options, &more));
        let (mut client, mut other) = (server.client(), server.client());
        client.ask("DEBUG POPULATE 3000", "+OK\r\n");
        client.ask("SAVE", "+OK\r\n");
        client.send("DEBUG RELOAD NOSAVE\r\n");
        std::thread::sleep(Duration::from_millis(100));
        other.send("DBSIZE\r\n");
        let sent = Command::new("kill").args(["-s", "TERM", &server.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        assert_eq!(server.wait(), Some(0), "{}", server.log());
        assert!(server.log().contains("DB reloaded by DEBUG RELOAD"), "{}", server.log());
    });
}
