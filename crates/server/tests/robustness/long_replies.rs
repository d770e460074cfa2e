//! Replies of long lists: right whatever happens to the lists meanwhile, in the order of the requests.

use super::everywhere;
use crate::support::{Client, DRIVERS, Server, can_run, until};
use std::fmt::Write;
use std::net::TcpStream;
use std::time::Duration;

const LISTS: usize = 4;
const ELEMENTS: usize = 40_000;

fn element(list: usize, number: usize) -> String {
    format!("{list}:{number:06}:{}", "x".repeat(40))
}

/// All of a list, as LRANGE answers it.
fn whole(list: usize) -> String {
    let mut reply = format!("*{ELEMENTS}\r\n");
    for number in 0..ELEMENTS {
        let element = element(list, number);
        let _ = write!(reply, "${}\r\n{element}\r\n", element.len());
    }
    reply
}

fn fill(server: &Server) {
    let mut client = server.client();
    for list in 0..LISTS {
        for first in (0..ELEMENTS).step_by(1000) {
            let elements: Vec<String> = (first..first + 1000).map(|number| element(list, number)).collect();
            client.send(format!("RPUSH list:{list} {}\r\n", elements.join(" ")));
            client.expect(format!(":{}\r\n", first + 1000));
        }
    }
}

#[test]
fn long_replies_are_right_whatever_becomes_of_the_lists() {
    everywhere(|options| {
        let server = Server::start(options);
        fill(&server);
        let mut reader = server.client();
        let ask: String =
            (0..LISTS).map(|list| format!("LRANGE list:{list} 0 -1\r\nLLEN list:{list}\r\n")).collect();
        reader.send(ask);
        // The first byte is there when the first reply has begun; commands that came later have then, too, or will be
        // seen to have run before the changes by what they answer.
        let mut other = server.client();
        until("all lists have been asked for", || {
            other.text("INFO commandstats").contains("cmdstat_llen:calls=4,")
        });
        for change in ["LPUSH list:0 new", "DEL list:1", "SET list:2 text", "FLUSHALL"] {
            other.send(format!("{change}\r\nPING\r\n"));
            let reply = if change.starts_with(['S', 'F']) { "+OK".to_owned() } else { other_reply(change) };
            other.expect(format!("{reply}\r\n+PONG\r\n"));
        }
        for list in 0..LISTS {
            reader.expect(whole(list));
            reader.expect(format!(":{ELEMENTS}\r\n"));
        }
    });
}

fn other_reply(change: &str) -> String {
    if change.starts_with("LPUSH") { format!(":{}", ELEMENTS + 1) } else { ":1".to_owned() }
}

#[test]
fn readers_may_leave_in_the_middle() {
    everywhere(|options| {
        let server = Server::start(options);
        fill(&server);
        for _ in 0..20 {
            let mut reader = server.client();
            reader.send("LRANGE list:0 0 -1\r\nLRANGE list:1 0 -1\r\n");
            reader.expect(format!("*{ELEMENTS}\r\n"));
        }
        let mut other = server.client();
        other.send("LLEN list:0\r\n");
        other.expect(format!(":{ELEMENTS}\r\n"));
        until("all have left", || server.client().text("INFO clients").contains("connected_clients:2\r\n"));
    });
}

/// Makes a list of so many thousand elements. Returns how all of it is answered.
fn fill_long(client: &mut Client<TcpStream>, thousands: usize) -> String {
    let element = "x".repeat(95);
    let elements = format!("${}\r\n{element}\r\n", element.len()).repeat(1000);
    for number in 1..=thousands {
        client.send(format!("*1002\r\n$5\r\nRPUSH\r\n$7\r\n{{a}}long\r\n{elements}"));
        client.expect(format!(":{}\r\n", number * 1000));
    }
    format!("*{}\r\n{}", thousands * 1000, elements.repeat(thousands))
}

#[test]
fn a_long_reply_comes_behind_one_that_another_shard_wrote_itself() {
    for driver in DRIVERS.into_iter().filter(|driver| can_run(driver)) {
        let server = Server::start(&["--io-driver", driver, "--shards", "2"]);
        let mut busy = server.client();
        let whole = fill_long(&mut busy, 16);
        busy.ask("SET {a}short value", "+OK\r\n");
        let mut clients: Vec<_> = (0..14).map(|_| server.client()).collect();
        clients.iter_mut().for_each(|client| client.ask("PING", "+PONG\r\n"));
        // While the list's shard is busy, it is lent the sockets of those that want the short value, and has not said
        // that it is done with them when it begins the long replies.
        busy.send("LPOS {a}long none\r\n".repeat(100));
        std::thread::sleep(Duration::from_millis(5));
        clients.iter_mut().for_each(|client| client.send("GET {a}short\r\n"));
        std::thread::sleep(Duration::from_millis(20));
        clients.iter_mut().for_each(|client| client.send("LRANGE {a}long 0 -1\r\n"));
        for client in &mut clients {
            client.expect("$5\r\nvalue\r\n");
            client.expect(&whole);
        }
        busy.expect("$-1\r\n".repeat(100));
    }
}

/// What one field of CLIENT LIST says of all clients that were last seen to use `command`.
fn of_clients(client: &mut Client<TcpStream>, command: &str, field: &str) -> Vec<usize> {
    let list = client.text("CLIENT LIST");
    let lines = list.lines().filter(|line| line.contains(&format!(" cmd={command} ")));
    let value = |line: &str| {
        line.split(' ').find_map(|word| word.strip_prefix(field)?.strip_prefix('=')?.parse().ok())
    };
    lines.map(|line| value(line).expect("a number")).collect()
}

#[test]
fn a_write_waits_for_what_idle_readers_lack_and_that_counts_as_theirs() {
    const READERS: usize = 20;
    everywhere(|options| {
        let server = Server::start(options);
        let mut writer = server.client();
        fill_long(&mut writer, 200);
        let value_mib = 20;
        let mut readers: Vec<_> = (0..READERS).map(|_| server.client()).collect();
        for reader in &mut readers {
            reader.send("LRANGE {a}long 0 -1\r\n");
            reader.expect("*200000\r\n");
        }
        let before_mib = server.resident_mib();
        let mut other = server.client();
        let omem = of_clients(&mut other, "lrange", "omem");
        assert!(omem.len() == READERS && omem.iter().all(|bytes| *bytes < 2 << 20), "{omem:?}");
        // Others go on while the write waits.
        writer.send("LSET {a}long 100000 y\r\n");
        other.ask("LLEN {a}long", ":200000\r\n");
        writer.expect("+OK\r\n");
        let omem = of_clients(&mut other, "lrange", "omem");
        assert!(omem.len() == READERS && omem.iter().all(|bytes| *bytes > 8 << 20), "{omem:?}");
        let grown_mib = server.resident_mib().saturating_sub(before_mib);
        assert!(grown_mib < value_mib * 3, "{grown_mib} MiB for a value of {value_mib}");
        drop(readers);
        until("all have left", || of_clients(&mut other, "lrange", "omem").is_empty());
        // Over the limit they are closed, and nothing is kept for them.
        other.ask("CONFIG SET client-output-buffer-limit \"normal 8mb 0 0\"", "+OK\r\n");
        let mut readers: Vec<_> = (0..READERS).map(|_| server.client()).collect();
        for reader in &mut readers {
            reader.send("LRANGE {a}long 0 -1\r\n");
            reader.expect("*200000\r\n");
        }
        writer.ask("LSET {a}long 100001 z", "+OK\r\n");
        until("none of them is there", || of_clients(&mut other, "lrange", "omem").is_empty());
        until("nothing is kept", || server.resident_mib() < before_mib + value_mib);
        other.ask("LINDEX {a}long 100001", "$1\r\nz\r\n");
    });
}

#[test]
fn a_long_string_is_there_once_for_all_that_read_it_whatever_becomes_of_it() {
    const LEN_BYTES: usize = 20_000_000;
    const READERS: usize = 10;
    everywhere(|options| {
        let server = Server::start(options);
        let mut writer = server.client();
        let value = "0123456789".repeat(LEN_BYTES / 10);
        let set = format!("*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n${LEN_BYTES}\r\n{value}\r\n");
        let reply = format!("${LEN_BYTES}\r\n{value}\r\n");
        for (change, answer) in [
            ("APPEND long x", ":20000001\r\n"),
            ("SETRANGE long 5 x", ":20000000\r\n"),
            ("SETBIT long 7 1", ":0\r\n"),
            ("DEL long", ":1\r\n"),
            ("SET long x", "+OK\r\n"),
            ("PEXPIRE long 1", ":1\r\n"),
            ("FLUSHALL", "+OK\r\n"),
        ] {
            writer.send(&set);
            writer.expect("+OK\r\n");
            let before_mib = server.resident_mib();
            let mut readers: Vec<_> = (0..READERS).map(|_| server.client()).collect();
            for (number, reader) in readers.iter_mut().enumerate() {
                let get = ["GET long\r\n", "GETRANGE long 0 -1\r\n"][number % 2];
                reader.send(format!("{get}ECHO behind\r\nCLIENT REPLY SKIP\r\nGET long\r\nECHO last\r\n"));
                reader.expect(format!("${LEN_BYTES}\r\n"));
            }
            writer.ask(change, answer);
            let grown_mib = server.resident_mib().saturating_sub(before_mib);
            assert!(grown_mib < 80, "{grown_mib} MiB for {READERS} readers of 20 MB");
            // Some leave in the middle.
            readers.truncate(READERS - 2);
            for reader in &mut readers {
                reader.expect(&reply[reply.len() - LEN_BYTES - 2..]);
                reader.expect("$6\r\nbehind\r\n$4\r\nlast\r\n");
            }
        }
        for (command, after) in
            [("GETDEL long", "$-1\r\n"), ("SET long x GET", "$1\r\nx\r\n"), ("GETSET long y", "$1\r\ny\r\n")]
        {
            writer.send(format!("{set}{command}\r\nGET long\r\n"));
            writer.expect("+OK\r\n");
            writer.expect(&reply);
            writer.expect(after);
        }
    });
}
