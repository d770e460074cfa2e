//! What needs other clients, entries or samples.

use crate::fake::Conversation;
use tessera_command::Client;
use tessera_command::host::{Action, ConnectionInfo, PauseMode};
use tessera_resp::args::OwnedArgs;

fn with_others() -> Conversation {
    let mut conversation = Conversation::new(5);
    conversation.host.connection = connection("127.0.0.1:5");
    for id in [9, 7] {
        conversation.host.others.push((Client::new(id, true, 0), connection(&format!("127.0.0.1:{id}"))));
    }
    conversation.host.others[0].1.blocked = true;
    conversation
}

fn connection(peer: &str) -> ConnectionInfo {
    ConnectionInfo { peer: peer.into(), local: "127.0.0.1:6379".into(), ..ConnectionInfo::default() }
}

fn listed(conversation: &mut Conversation, command: &str) -> Vec<String> {
    let reply = conversation.ask(command);
    reply
        .split(r"\n")
        .filter_map(|line| line.split_once("id="))
        .map(|(_, rest)| rest.split(' ').next().expect("a number").to_owned())
        .collect()
}

#[test]
fn clients_are_listed() {
    let mut conversation = with_others();
    assert_eq!(listed(&mut conversation, "CLIENT LIST"), ["5", "7", "9"]);
    assert_eq!(listed(&mut conversation, "CLIENT LIST TYPE NORMAL"), ["5", "7", "9"]);
    assert_eq!(listed(&mut conversation, "CLIENT LIST TYPE pubsub"), [""; 0]);
    // As asked for: Redis neither sorts nor drops what is asked for twice.
    assert_eq!(listed(&mut conversation, "CLIENT LIST ID 9 3 5 9"), ["9", "5", "9"]);
    assert_eq!(listed(&mut conversation, "CLIENT INFO"), ["5"]);
    conversation.ask("HELLO 3");
    assert!(conversation.ask("CLIENT INFO").contains("txt:id=5 "));
}

#[test]
fn clients_are_killed() {
    for (command, reply, closed) in [
        ("CLIENT KILL 127.0.0.1:7", r"+OK\r\n", &[7][..]),
        ("CLIENT KILL 127.0.0.1:5", r"+OK\r\n", &[5]),
        ("CLIENT KILL ADDR 127.0.0.1:5", r":0\r\n", &[]),
        ("CLIENT KILL ADDR 127.0.0.1:5 SKIPME no", r":1\r\n", &[5]),
        ("CLIENT KILL TYPE normal", r":2\r\n", &[9, 7]),
        ("CLIENT KILL USER default SKIPME NO", r":3\r\n", &[9, 7, 5]),
        ("CLIENT KILL ID 9 TYPE normal", r":1\r\n", &[9]),
        ("CLIENT KILL ID 9 TYPE pubsub", r":0\r\n", &[]),
        ("CLIENT KILL LADDR 127.0.0.1:6379 ID 7", r":1\r\n", &[7]),
        ("CLIENT KILL ID 9 ID 7", r":1\r\n", &[7]),
        ("CLIENT KILL ID 9 FOO bar", r"-ERR syntax error\r\n", &[]),
    ] {
        let mut conversation = with_others();
        assert_eq!(conversation.ask(command), reply, "{command}");
        assert_eq!(conversation.host.closed, closed, "{command}");
    }
}

#[test]
fn clients_are_held_back_and_woken() {
    let mut conversation = with_others();
    assert_eq!(conversation.ask("CLIENT UNBLOCK 9"), r":1\r\n");
    assert_eq!(conversation.ask("CLIENT UNBLOCK 7 ERROR"), r":0\r\n");
    let now_ms = conversation.host.now_us / 1000;
    conversation.ask("CLIENT PAUSE 100 WRITE");
    assert_eq!(conversation.host.pause.mode(now_ms), Some(PauseMode::Write));
    assert_eq!(conversation.host.pause.until_ms(), Some(now_ms + 100));
    conversation.ask("CLIENT PAUSE 0");
    assert_eq!(conversation.host.pause.mode(now_ms), Some(PauseMode::All), "never shortened");
    assert_eq!(conversation.ask("CLIENT PAUSE 9223372036854775807"), r"-ERR timeout is out of range\r\n");
    conversation.ask("CLIENT UNPAUSE");
    assert_eq!(conversation.host.pause.mode(now_ms), None);
    conversation.ask("CLIENT PAUSE 0");
    assert_eq!(conversation.host.pause.mode(now_ms), None);
}

#[test]
fn the_node_is_told_what_to_do() {
    let mut conversation = Conversation::new(1);
    assert_eq!(conversation.ask("MONITOR"), r"+OK\r\n");
    assert_eq!(conversation.ask("MONITOR"), "");
    assert_eq!(conversation.ask("RESET"), r"+RESET\r\n");
    assert_eq!(conversation.host.actions, [Action::Monitor, Action::EndMonitor, Action::DropTransaction]);
    for (command, order) in [
        ("SHUTDOWN", (None, false)),
        ("SHUTDOWN NOSAVE", (Some(false), false)),
        ("shutdown save force", (Some(true), true)),
        ("SHUTDOWN NOW", (None, false)),
    ] {
        conversation.host.actions.clear();
        assert_eq!(conversation.ask(command), "");
        assert_eq!(conversation.host.actions, [Action::AwaitEnd], "{command}");
        assert_eq!(conversation.host.ends.pop(), Some(order), "{command}");
    }
    conversation.host.actions.clear();
    assert_eq!(conversation.ask("SAVE"), "");
    assert_eq!(conversation.host.actions, [Action::AwaitSnapshot]);
    assert_eq!(conversation.ask("SAVE"), r"-ERR Background save already in progress\r\n");
    assert_eq!(conversation.ask("BGSAVE SCHEDULE"), r"-ERR Background save already in progress\r\n");
    conversation.host.is_saving = false;
    assert_eq!(conversation.ask("BGSAVE"), r"+Background saving started\r\n");
    conversation.host.facts.persistence.last_save_unix_s = 1_700_000_000;
    assert_eq!(conversation.ask("LASTSAVE"), r":1700000000\r\n");
    conversation.host.actions.clear();
    conversation.ask("QUIT");
    assert_eq!(conversation.host.actions, [Action::CloseAfterReply]);
    conversation.ask("MEMORY PURGE");
    assert_eq!(conversation.host.purges, 1);
    assert_eq!(
        conversation.ask("MEMORY MALLOC-STATS"),
        r"$46\r\nStats not supported for the current allocator\r\n".replace("46", "45")
    );
    assert_eq!(conversation.ask("TIME"), r"*2\r\n$10\r\n1700000000\r\n$6\r\n123456\r\n");
    conversation.host.now_us = 1_700_000_000_000_042;
    assert_eq!(conversation.ask("TIME"), r"*2\r\n$10\r\n1700000000\r\n$2\r\n42\r\n");
}

#[test]
fn reset_forgets_all_but_the_library() {
    let mut conversation = Conversation::new(1);
    for command in [
        "HELLO 3 SETNAME me",
        "CLIENT SETINFO LIB-NAME lib",
        "SELECT 3",
        "CLIENT NO-EVICT ON",
        "CLIENT NO-TOUCH ON",
    ] {
        conversation.ask(command);
    }
    assert_eq!(
        (conversation.client.db, conversation.client.no_evict, conversation.client.no_touch),
        (3, true, true)
    );
    conversation.ask("RESET");
    let client = &conversation.client;
    assert_eq!((client.db, client.no_evict, client.no_touch), (0, false, false));
    assert_eq!((&*client.name, &*client.library_name), (&b""[..], &b"lib"[..]));
    assert_eq!(conversation.ask("CLIENT GETNAME"), r"$-1\r\n");
}

#[test]
fn slow_commands_are_told() {
    let mut conversation = Conversation::new(1);
    for count in 0..12 {
        let words = OwnedArgs::from_words(["get", &count.to_string()]);
        conversation.host.slowlog.add(1_700_000_000, 20_000, words.as_args(), &[], "127.0.0.1:5", b"me", 128);
    }
    let newest = concat!(
        r"*6\r\n:11\r\n:1700000000\r\n:20000\r\n*2\r\n$3\r\nget\r\n$2\r\n11\r\n",
        r"$11\r\n127.0.0.1:5\r\n$2\r\nme\r\n"
    );
    assert_eq!(conversation.ask("SLOWLOG GET 1"), format!(r"*1\r\n{newest}"));
    assert!(conversation.ask("SLOWLOG GET").starts_with(&format!(r"*10\r\n{newest}")));
    assert!(conversation.ask("SLOWLOG GET -1").starts_with(r"*12\r\n"));
    assert_eq!(conversation.ask("SLOWLOG LEN"), r":12\r\n");
    assert_eq!(conversation.ask("SLOWLOG RESET"), r"+OK\r\n");
    assert_eq!(conversation.ask("SLOWLOG GET"), r"*0\r\n");
}

#[test]
fn slow_moments_are_told() {
    let mut conversation = Conversation::new(1);
    let now_s = 1_700_000_000;
    for (ago_s, latency_ms) in [(90_000, 5), (7_200, 20), (100, 14), (9, 10)] {
        conversation.host.latency.add("command", now_s - ago_s, latency_ms);
    }
    assert_eq!(
        conversation.ask("LATENCY LATEST"),
        r"*1\r\n*4\r\n$7\r\ncommand\r\n:1699999991\r\n:10\r\n:20\r\n"
    );
    assert!(conversation.ask("LATENCY HISTORY command").starts_with(r"*4\r\n*2\r\n:1699910000\r\n:5\r\n"));
    assert_eq!(conversation.ask("LATENCY HISTORY COMMAND"), r"*0\r\n");
    let reply = conversation.ask("LATENCY DOCTOR");
    assert!(
        reply.contains(
            "1. command: 4 latency spikes (average 12ms, mean deviation 4ms, period 22500.00 sec). \
                            Worst all time event 20ms."
        ),
        "{reply}"
    );
    assert_eq!(conversation.ask("LATENCY RESET nosuch COMMAND"), r":1\r\n");
    assert_eq!(conversation.ask("LATENCY LATEST"), r"*0\r\n");
}

#[test]
fn slow_moments_are_drawn() {
    // Recorded from Valkey 7.2.7: the samples, and the drawing four seconds after the last.
    const RECORDED: &str = "$214\\r\\ncommand - high 96 ms, low 2 ms (all time high 96 ms)\\n\
        --------------------------------------------------------------------------------\\n    #    \\n _  | # o\\n \
        |o | |o|\\no||o|_|||\\n         \\n111987654\\n210ssssss\\nsss      \\n\\r\\n";
    let mut conversation = Conversation::new(1);
    for (second, latency_ms) in (1_795_357_710..).zip([10, 55, 35, 12, 96, 2, 71, 40, 64]) {
        conversation.host.latency.add("command", second, latency_ms);
    }
    conversation.host.now_us = 1_795_357_722_765_932;
    assert_eq!(conversation.ask("LATENCY GRAPH command"), RECORDED);
}
