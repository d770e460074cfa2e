//! What commands tell of themselves and of the server.

use crate::fake::Conversation;
use std::collections::BTreeSet;
use tessera_command::host::CommandTable;
use tessera_command::host::command_stats::Outcome;
use tessera_command::host::facts::{DatabaseFacts, Listener};
use tessera_command::introspect::info;
use tessera_resp::{Protocol, Reply, scan};

#[test]
fn command_info_is_that_of_the_real_server() {
    let conversation = Conversation::new(1);
    let mut count = 0;
    for line in include_str!("data/command_info.txt").lines().filter(|line| !line.starts_with('#')) {
        let (name, recorded) = line.split_once(' ').expect("name and reply");
        let command = conversation.host.registry().find_full(name.as_bytes()).expect(name);
        let mut out = Vec::new();
        info(command, &mut Reply::new(&mut out, Protocol::Resp2));
        let elements: Vec<&[u8]> = scan::elements(&out).expect("an array").collect();
        assert_eq!(elements[..9].concat().escape_ascii().to_string(), recorded, "{name}");
        count += 1;
    }
    assert_eq!(count, 53);
    // DEBUG's subcommands are not published.
    let debug = conversation.host.registry().find(b"debug").expect("DEBUG");
    let mut out = Vec::new();
    info(debug, &mut Reply::new(&mut out, Protocol::Resp2));
    assert!(out.ends_with(b"*0\r\n"));
    assert!(!debug.subcommands.is_empty());
}

fn page(conversation: &mut Conversation, words: &str) -> String {
    let words = tessera_resp::words::split_words(words.as_bytes()).expect("words");
    let reply = conversation.ask_bytes(&words);
    String::from_utf8(scan::text(&reply).expect("text").to_vec()).expect("UTF-8")
}

fn names(page: &str) -> Vec<&str> {
    page.split("\r\n")
        .filter(|line| !line.is_empty())
        .map(|line| if line.starts_with('#') { line } else { line.split(':').next().expect("a name") })
        .collect()
}

#[test]
fn info_has_every_field_in_the_order_of_the_real_server() {
    // Of Valkey only, or told of a feature that has fields of its own.
    const OTHERS: [&str; 3] = ["server_name", "valkey_version", "listener0"];
    const OURS: [&str; 13] = [
        "tessera_version",
        "tessera_build",
        "io_driver",
        "shards",
        "# Shards",
        "output_paused_clients",
        "output_pauses",
        "rustc_version",
        "tessera_snapshot_written_bytes",
        "tessera_snapshot_last_bytes",
        "tessera_snapshot_last_cut_usec",
        "tessera_snapshot_cuts_given_up",
        "tessera_snapshot_writers_waited",
    ];
    let recorded = include_str!("data/info_fields.txt");
    let recorded: Vec<&str> = recorded.lines().skip(1).filter(|line| !OTHERS.contains(line)).collect();
    let page = page(&mut Conversation::new(1), "INFO everything");
    let ours: Vec<&str> = names(&page);
    assert_eq!(ours.iter().filter(|name| OURS.contains(name)).count(), OURS.len());
    let ours: Vec<&str> = ours.into_iter().filter(|name| !OURS.contains(name)).collect();
    assert_eq!(ours, recorded);
    assert_eq!(ours.iter().collect::<BTreeSet<_>>().len(), ours.len(), "no name twice");
}

#[test]
fn info_tells_the_facts() {
    let mut conversation = Conversation::new(1);
    let facts = &mut conversation.host.facts;
    facts.memory.used_bytes = 921_024;
    facts.memory.resident_bytes = 6_352_896;
    facts.memory.startup_bytes = 880_472;
    facts.memory.allocator_allocated_bytes = 1_263_136;
    facts.memory.allocator_active_bytes = 1_372_160;
    facts.memory.allocator_resident_bytes = 2_723_840;
    facts.memory.system_bytes = 25_274_793_984;
    facts.cpu.system_us = 1_000_043;
    facts.server.started_at_unix_us = 1_700_000_000_000_000 - 200_000_000_000;
    facts.server.listeners = vec![
        Listener { name: "tcp", addresses: vec!["127.0.0.1".into(), "-::1".into()], port: Some(6379) },
        Listener { name: "unix", addresses: vec!["/run/x".into()], port: None },
    ];
    facts.keyspace = vec![
        DatabaseFacts { keys: 3, expires: 1, mean_ttl_ms: 7, table_bytes: 64 },
        DatabaseFacts::default(),
        DatabaseFacts { keys: 1, ..DatabaseFacts::default() },
    ];
    let page = page(&mut conversation, "INFO everything");
    // The memory figures are those of one moment of Valkey 7.2.7, its ratios included.
    for line in [
        "used_memory_human:899.44K",
        "used_memory_rss_human:6.06M",
        "total_system_memory_human:23.54G",
        "allocator_frag_ratio:1.09",
        "allocator_frag_bytes:109024",
        "allocator_rss_ratio:1.99",
        "allocator_rss_bytes:1351680",
        "rss_overhead_ratio:2.33",
        "rss_overhead_bytes:3629056",
        "used_memory_peak_perc:100.00%",
        "used_memory_overhead:880536",
        "used_memory_dataset:40488",
        "used_cpu_sys:1.000043",
        "uptime_in_seconds:200000",
        "uptime_in_days:2",
        "listener0:name=tcp,bind=127.0.0.1,bind=-::1,port=6379",
        "listener1:name=unix,bind=/run/x",
        "db0:keys=3,expires=1,avg_ttl=7",
        "db2:keys=1,expires=0,avg_ttl=0",
    ] {
        assert!(page.split("\r\n").any(|known| known == line), "{line}\n{page}");
    }
    assert!(!page.contains("db1:"));
}

#[test]
fn info_counts_commands_and_errors() {
    let mut conversation = Conversation::new(1);
    let number = |name: &[u8]| {
        let registry = conversation.host.registry();
        registry.number(registry.find_full(name).expect("a command"))
    };
    let (ping, kill, get) = (number(b"ping"), number(b"client|kill"), number(b"get"));
    let host = &mut conversation.host;
    host.stats.note_call(ping, 1_000, Outcome::Success, true);
    host.stats.note_call(ping, 3_000, Outcome::Success, true);
    host.stats.note_call(kill, 2_500, Outcome::Failure, false);
    host.stats.note_rejected(get);
    host.errors.note(b"ERR syntax error");
    host.errors.note(b"A#B:C text");
    assert_eq!(
        page(&mut conversation, "INFO commandstats errorstats latencystats"),
        "# Commandstats\r\n\
         cmdstat_get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r\n\
         cmdstat_ping:calls=2,usec=4,usec_per_call=2.00,rejected_calls=0,failed_calls=0\r\n\
         cmdstat_client|kill:calls=1,usec=2,usec_per_call=2.50,rejected_calls=0,failed_calls=1\r\n\
         \r\n\
         # Errorstats\r\n\
         errorstat_A_B_C:count=1\r\n\
         errorstat_ERR:count=1\r\n\
         \r\n\
         # Latencystats\r\n\
         latency_percentiles_usec_ping:p50=1.003,p99=3.007,p99.9=3.007\r\n"
    );
    assert_eq!(
        conversation.ask("LATENCY HISTOGRAM ping client nosuch"),
        r"*2\r\n$4\r\nping\r\n*4\r\n$5\r\ncalls\r\n:2\r\n$14\r\nhistogram_usec\r\n*4\r\n:1\r\n:1\r\n:4\r\n:2\r\n"
    );
    assert_eq!(conversation.ask("CONFIG RESETSTAT"), r"+OK\r\n");
    assert_eq!(conversation.host.resets, 1);
    assert_eq!(page(&mut conversation, "INFO commandstats"), "# Commandstats\r\n");
    assert_eq!(conversation.ask("LATENCY HISTOGRAM"), r"*0\r\n");
}

#[test]
fn memory_stats_has_the_fields_of_the_real_server() {
    // The names in MEMORY STATS of Valkey 7.2.7 without keys.
    const NAMES: &str = "peak.allocated total.allocated startup.allocated replication.backlog clients.slaves \
        clients.normal cluster.links aof.buffer lua.caches functions.caches overhead.total keys.count \
        keys.bytes-per-key dataset.bytes dataset.percentage peak.percentage allocator.allocated allocator.active \
        allocator.resident allocator-fragmentation.ratio allocator-fragmentation.bytes allocator-rss.ratio \
        allocator-rss.bytes rss-overhead.ratio rss-overhead.bytes fragmentation fragmentation.bytes";
    let mut conversation = Conversation::new(1);
    conversation.host.facts.memory.allocator_allocated_bytes = 1_263_136;
    conversation.host.facts.memory.allocator_active_bytes = 1_372_160;
    let reply = conversation.ask_bytes(&[b"memory".to_vec(), b"stats".to_vec()]);
    let elements: Vec<&[u8]> = scan::elements(&reply).expect("an array").collect();
    let names: Vec<&[u8]> = elements.iter().step_by(2).filter_map(|name| scan::text(name)).collect();
    assert_eq!(names, NAMES.split(' ').map(str::as_bytes).collect::<Vec<_>>());
    // Recorded with the two figures above.
    assert_eq!(elements[39], b"$17\r\n1.086312174797058\r\n");
    conversation.host.facts.keyspace =
        vec![DatabaseFacts { keys: 1, table_bytes: 64, ..DatabaseFacts::default() }];
    let reply = conversation.ask("MEMORY STATS");
    assert!(reply.contains(r"$4\r\ndb.0\r\n*6\r\n$23\r\noverhead.hashtable.main\r\n:64\r\n"), "{reply}");
}
