//! Replies of long lists: right whatever happens to the lists meanwhile, in the order of the requests.

use super::everywhere;
use crate::support::{Server, until};
use std::fmt::Write;

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
