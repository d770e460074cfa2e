//! Bounded memory, on real servers.

use crate::support::{Client, Server, until};
use std::net::TcpStream;

const MIB: u64 = 1024 * 1024;
/// Eight huge pages.
const HUGE_PAGES_MIB: u64 = 16;
const PIPELINE: u64 = 100;
const VALUE_LEN_BYTES: usize = 1000;

fn info(client: &mut Client<TcpStream>, section: &str, field: &str) -> u64 {
    let text = client.text(&format!("INFO {section}"));
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("no {field} in {text}"))
}

/// Sets so many keys that were not there before, and wants all of them answered by OK.
fn flood(client: &mut Client<TcpStream>, keys: std::ops::Range<u64>) {
    let value = "x".repeat(VALUE_LEN_BYTES);
    for first in keys.step_by(PIPELINE as usize) {
        let commands: String =
            (first..first + PIPELINE).map(|key| format!("SET flood:{key} {value}\r\n")).collect();
        client.send(commands);
        client.expect("+OK\r\n".repeat(PIPELINE as usize));
    }
}

#[test]
fn a_flood_stays_within_maxmemory() {
    // What does not grow with the data has a smaller part where more is allowed: huge pages that are only begun, and
    // with two shards what nodes send each other.
    for (shards, limit_mib) in [("1", 128), ("2", 192)] {
        let limit = format!("{limit_mib}mb");
        let options = ["--shards", shards, "--maxmemory", &limit, "--maxmemory-policy", "allkeys-lru"];
        let server = Server::start(&options);
        let startup_mib = server.resident_mib();
        let keys = limit_mib * MIB / VALUE_LEN_BYTES as u64 * 3 / 2;
        std::thread::scope(|scope| {
            for number in 0..2 {
                let mut client = server.client();
                scope.spawn(move || flood(&mut client, number * keys / 2..(number + 1) * keys / 2));
            }
        });
        let mut client = server.client();
        until("used memory is within its bound", || {
            info(&mut client, "memory", "used_memory") <= limit_mib * MIB
        });
        assert!(info(&mut client, "memory", "used_memory") > limit_mib * MIB * 9 / 10);
        assert!(info(&mut client, "stats", "evicted_keys") > keys / 10);
        // Pages that evicted keys have left half empty go back to the system a little later.
        let resident_mib = server.resident_mib();
        assert!(
            resident_mib <= startup_mib + limit_mib * 5 / 4,
            "{resident_mib} MiB resident of {limit_mib}, {startup_mib} at the start, {shards} shards"
        );
        // The kernel makes huge pages again of some that were given back in part: a few of them, however much there is
        // in all.
        until("resident memory is within a tenth of the bound, and a few huge pages", || {
            server.resident_mib() <= startup_mib + limit_mib * 11 / 10 + HUGE_PAGES_MIB
        });
        // Nobody writes any more, and yet it comes down.
        client.ask(&format!("CONFIG SET maxmemory {}mb", limit_mib / 2), "+OK\r\n");
        until("used memory comes down", || info(&mut client, "memory", "used_memory") <= limit_mib * MIB / 2);
        assert!(info(&mut client, "memory", "used_memory") > limit_mib * MIB * 4 / 10);
        client.ask("CONFIG SET maxmemory-policy noeviction maxmemory 1", "+OK\r\n");
        client.ask("SET flood:new value", "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    }
}
