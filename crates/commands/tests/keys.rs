//! The key commands on one shard, with the time standing still. Replies are those of Redis 7.2.

#[path = "support/engine.rs"]
mod engine;

use engine::Engine;
use std::collections::BTreeSet;
use tessera_keyspace::{Effect, Event};
use tessera_resp::{Protocol, scan};

const NOW_MS: i64 = 1_700_000_000_000;

fn check(engine: &mut Engine, dialogue: &[(&str, &str)]) {
    for (line, reply) in dialogue {
        assert_eq!(engine.run(line), *reply, "{line}");
    }
}

#[test]
fn keys_expire_and_are_kept() {
    let mut engine = Engine::new(NOW_MS);
    check(
        &mut engine,
        &[
            ("SET k v", "+OK"),
            ("TTL k", ":-1"),
            ("TTL none", ":-2"),
            ("EXPIRE none 10", ":0"),
            ("EXPIRE k 10", ":1"),
            ("TTL k", ":10"),
            ("PTTL k", ":10000"),
            ("EXPIRETIME k", ":1700000010"),
            ("PEXPIRETIME k", ":1700000010000"),
            ("EXPIRE k 10 GT", ":0"),
            ("EXPIRE k 20 GT XX", ":1"),
            ("EXPIRE k 30 NX", ":0"),
            ("PEXPIRE k 1499 LT", ":1"),
            ("TTL k", ":1"),
            ("PERSIST k", ":1"),
            ("PERSIST k", ":0"),
            ("PERSIST none", ":0"),
            ("EXPIRE k 5 GT", ":0"),
            ("EXPIREAT k 1700000001", ":1"),
        ],
    );
    engine.set_now_ms(NOW_MS + 1000);
    assert_eq!(engine.run("EXISTS k"), ":1", "at its very millisecond a key still lives");
    engine.set_now_ms(NOW_MS + 1001);
    check(&mut engine, &[("EXISTS k", ":0"), ("PTTL k", ":-2"), ("DBSIZE", ":0")]);
}

#[test]
fn expiries_out_of_range_are_refused() {
    check(
        &mut Engine::new(NOW_MS),
        &[
            ("SET k v", "+OK"),
            ("EXPIRE k 9223372036854775", "-ERR invalid expire time in 'expire' command"),
            ("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
            ("EXPIREAT k -9223372036854776", "-ERR invalid expire time in 'expireat' command"),
            ("EXPIRE k 1.5", "-ERR value is not an integer or out of range"),
            ("EXPIRE k x FOO", "-ERR Unsupported option FOO"),
            ("EXPIRE k x NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
            ("EXPIRE k x LT GT", "-ERR GT and LT options at the same time are not compatible"),
            ("EXPIRE k", "-ERR wrong number of arguments for 'expire' command"),
            ("PEXPIREAT k 9223372036854775807", ":1"),
            ("EXPIRETIME k", ":9223372036854776"),
        ],
    );
}

#[test]
fn expiries_are_logged_as_points_in_time() {
    let mut engine = Engine::new(NOW_MS);
    check(&mut engine, &[("SET k v", "+OK"), ("EXPIRE k 10 nx", ":1")]);
    assert_eq!(engine.effect, Effect::Rewritten);
    assert_eq!(engine.recorded(), ["PEXPIREAT k 1700000010000 nx"]);
    engine.run("PEXPIREAT k 1700000020000");
    assert_eq!((engine.effect, engine.recorded().len()), (Effect::Verbatim, 0));
    engine.run("EXPIRE k 10 NX");
    assert_eq!((engine.effect, engine.recorded().len()), (Effect::None, 0));
    assert_eq!(engine.run("EXPIRE k -1"), ":1");
    assert_eq!((engine.effect, engine.recorded()), (Effect::Rewritten, vec!["DEL k".to_owned()]));
    assert_eq!(engine.run("EXISTS k"), ":0");
}

#[test]
fn keys_are_removed_and_counted() {
    let mut engine = Engine::new(NOW_MS);
    check(
        &mut engine,
        &[
            ("SET a 1", "+OK"),
            ("SET b 2", "+OK"),
            ("SET c 3", "+OK"),
            ("EXISTS a a b x", ":3"),
            ("TOUCH a a x", ":2"),
            ("TYPE a", "+string"),
            ("TYPE x", "+none"),
            ("DEL a a x", ":1"),
            ("UNLINK b x", ":1"),
            ("DBSIZE", ":1"),
            ("RANDOMKEY", "$1 c"),
            ("KEYS *", "*1 $1 c"),
            ("DEL x", ":0"),
        ],
    );
    assert_eq!(engine.effect, Effect::None);
    check(&mut engine, &[("DEL c", ":1"), ("RANDOMKEY", "$-1"), ("KEYS *", "*0")]);
}

#[test]
fn only_uses_reset_the_idle_time() {
    let mut engine = Engine::new(NOW_MS);
    engine.run("SET k 12345");
    engine.set_now_ms(NOW_MS + 30_000);
    for line in ["EXISTS k", "TYPE k", "TTL k", "OBJECT ENCODING k", "KEYS k", "SCAN 0"] {
        engine.run(line);
        assert_eq!(engine.run("OBJECT IDLETIME k"), ":30", "{line}");
    }
    for line in ["TOUCH k", "GET k", "PERSIST k", "COPY k other"] {
        engine.set_now_ms(engine.shard.now_ms() + 30_000);
        engine.run(line);
        assert_eq!(engine.run("OBJECT IDLETIME k"), ":0", "{line}");
    }
}

#[test]
fn a_walk_removes_the_expired_keys_that_it_meets() {
    let mut engine = Engine::new(NOW_MS);
    (0..100).for_each(|number| drop(engine.run(&format!("SET key:{number} v PX 10"))));
    engine.run("SET stays v");
    engine.set_now_ms(NOW_MS + 11);
    check(&mut engine, &[("DBSIZE", ":101"), ("SCAN 0 COUNT 1000", "*2 $1 0 *1 $5 stays"), ("DBSIZE", ":1")]);
}

#[test]
fn objects_are_told_of() {
    let not_tracked = "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that \
                       when switching between policies at runtime LRU and LFU data will take some time to adjust.";
    check(
        &mut Engine::new(NOW_MS),
        &[
            ("SET k 9999", "+OK"),
            ("OBJECT ENCODING k", "$3 int"),
            ("OBJECT REFCOUNT k", ":2147483647"),
            ("SET k 10000", "+OK"),
            ("OBJECT REFCOUNT k", ":1"),
            ("OBJECT FREQ k", not_tracked),
            ("OBJECT FREQ x", "$-1"),
            ("OBJECT IDLETIME x", "$-1"),
            ("OBJECT ENCODING x", "$-1"),
            ("OBJECT REFCOUNT x", "$-1"),
            ("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"),
        ],
    );
}

#[test]
fn keys_are_renamed_with_their_expiry() {
    check(
        &mut Engine::new(NOW_MS),
        &[
            ("RENAME x y", "-ERR no such key"),
            ("RENAME x x", "-ERR no such key"),
            ("SET a 1", "+OK"),
            ("EXPIRE a 10", ":1"),
            ("SET b 2", "+OK"),
            ("RENAMENX a b", ":0"),
            ("RENAMENX a a", ":0"),
            ("RENAME a a", "+OK"),
            ("RENAME a b", "+OK"),
            ("GET b", "$1 1"),
            ("TTL b", ":10"),
            ("EXISTS a", ":0"),
            ("RENAMENX b c", ":1"),
            ("TTL c", ":10"),
        ],
    );
}

#[test]
fn keys_are_copied_and_moved() {
    let mut engine = Engine::new(NOW_MS);
    check(
        &mut engine,
        &[
            ("SET a 1", "+OK"),
            ("EXPIRE a 10", ":1"),
            ("COPY a b", ":1"),
            ("TTL b", ":10"),
            ("COPY a b", ":0"),
            ("SET a 2", "+OK"),
            ("COPY a b REPLACE", ":1"),
            ("TTL b", ":-1"),
            ("COPY x y", ":0"),
            ("COPY a a", "-ERR source and destination objects are the same"),
            ("COPY a a DB 0", "-ERR source and destination objects are the same"),
            ("COPY a a DB 1", ":1"),
            ("COPY a b DB 16", "-ERR DB index is out of range"),
            ("COPY a b DB 16 FOO", "-ERR DB index is out of range"),
            ("COPY a b DB -1 DB x", "-ERR DB index is out of range"),
            ("COPY a b DB x", "-ERR value is not an integer or out of range"),
            ("COPY a b DB", "-ERR syntax error"),
            ("COPY a b FOO DB 16", "-ERR syntax error"),
            ("MOVE a 0", "-ERR source and destination objects are the same"),
            ("MOVE a 16", "-ERR DB index is out of range"),
            (
                "MOVE a 2147483648",
                "-ERR value is out of range, value must between -2147483648 and 2147483647",
            ),
            ("MOVE a 1", ":0"),
            ("MOVE x 1", ":0"),
            ("EXPIRE b 10", ":1"),
            ("MOVE b 1", ":1"),
            ("EXISTS b", ":0"),
        ],
    );
    engine.client.db = 1;
    check(&mut engine, &[("GET a", "$1 2"), ("GET b", "$1 2"), ("TTL b", ":10")]);
}

#[test]
fn databases_are_flushed_and_swapped() {
    let mut engine = Engine::new(NOW_MS);
    check(
        &mut engine,
        &[
            ("SET a 1", "+OK"),
            ("SWAPDB 0 1", "+OK"),
            ("EXISTS a", ":0"),
            ("SWAPDB 1 0", "+OK"),
            ("EXISTS a", ":1"),
            ("SWAPDB x y", "-ERR invalid first DB index"),
            ("SWAPDB 0 2147483648", "-ERR invalid second DB index"),
            ("SWAPDB -1 0", "-ERR DB index is out of range"),
            ("COPY a a DB 1", ":1"),
            ("FLUSHDB FOO", "-ERR syntax error"),
            ("FLUSHDB ASYNC SYNC", "-ERR syntax error"),
            ("FLUSHDB async", "+OK"),
            ("DBSIZE", ":0"),
        ],
    );
    assert!(engine.shard.has_garbage(), "freed in the background");
    engine.client.db = 1;
    check(&mut engine, &[("DBSIZE", ":1"), ("FLUSHALL SYNC", "+OK"), ("DBSIZE", ":0")]);
}

#[test]
fn a_scan_finds_every_key_and_filters() {
    let mut engine = Engine::new(NOW_MS);
    for key in 0..300 {
        engine.run(&format!("SET key:{key} v"));
    }
    for (options, wanted) in
        [("", 300), (" COUNT 7", 300), (" MATCH key:2?", 10), (" TYPE STRING", 300), (" TYPE hash", 0)]
    {
        let (mut cursor, mut keys) = ("0".to_owned(), BTreeSet::new());
        loop {
            let reply = engine.run_words(
                &format!("SCAN {cursor}{options}").split(' ').map(str::as_bytes).collect::<Vec<_>>(),
            );
            let parts: Vec<&[u8]> = scan::elements(&reply).unwrap().collect();
            cursor = String::from_utf8(scan::text(parts[0]).unwrap().to_vec()).unwrap();
            keys.extend(scan::elements(parts[1]).unwrap().map(|key| scan::text(key).unwrap().to_vec()));
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(keys.len(), wanted, "{options}");
    }
}

#[test]
fn scan_refuses_what_it_does_not_understand() {
    check(
        &mut Engine::new(NOW_MS),
        &[
            ("SCAN x COUNT x", "-ERR invalid cursor"),
            ("SCAN 18446744073709551616", "-ERR invalid cursor"),
            ("SCAN 18446744073709551615", "*2 $1 0 *0"),
            ("SCAN 281474976710656", "*2 $1 0 *0"),
            ("SCAN -1", "*2 $1 0 *0"),
            ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
            ("SCAN 0 COUNT 0", "-ERR syntax error"),
            ("SCAN 0 COUNT", "-ERR syntax error"),
            ("SCAN 0 FOO 1", "-ERR syntax error"),
            ("SCAN", "-ERR wrong number of arguments for 'scan' command"),
        ],
    );
}

#[test]
fn the_empty_key_matches_a_star_alone() {
    let mut engine = Engine::new(NOW_MS);
    engine.run_words(&[b"SET", b"", b"v"]);
    check(
        &mut engine,
        &[
            ("KEYS *", "*1 $0"),
            ("KEYS **", "*0"),
            ("SCAN 0 MATCH *", "*2 $1 0 *1 $0"),
            ("SCAN 0 MATCH **", "*2 $1 0 *0"),
        ],
    );
}

#[test]
fn command_answers() {
    let mut engine = Engine::new(NOW_MS);
    let all = format!(":{}", tessera_commands::COMMANDS.len());
    check(
        &mut engine,
        &[
            ("COMMAND COUNT", &all),
            ("COMMAND GETKEYS GET k", "*1 $1 k"),
            ("COMMAND GETKEYS DEL a b", "*2 $1 a $1 b"),
            ("COMMAND GETKEYS OBJECT ENCODING k", "*1 $1 k"),
            ("COMMAND GETKEYS COPY a b", "*2 $1 a $1 b"),
            ("COMMAND GETKEYS OBJECT", "-ERR The command has no key arguments"),
            ("COMMAND GETKEYS OBJECT FOO", "-ERR Invalid command specified"),
            ("COMMAND GETKEYS FOO", "-ERR Invalid command specified"),
            ("COMMAND GETKEYS DBSIZE", "-ERR The command has no key arguments"),
            ("COMMAND GETKEYS GET", "-ERR Invalid number of arguments specified for command"),
            ("COMMAND GETKEYS", "-ERR wrong number of arguments for 'command|getkeys' command"),
            ("COMMAND GETKEYSANDFLAGS TYPE a", "*1 *2 $1 a *1 +RO"),
            ("COMMAND GETKEYSANDFLAGS SET a b", "*1 *2 $1 a *2 +OW +update"),
            ("COMMAND GETKEYSANDFLAGS SET a b NX get", "*1 *2 $1 a *3 +RW +access +update"),
            ("COMMAND GETKEYSANDFLAGS BITFIELD a GET u8 0 OVERFLOW SAT", "*1 *2 $1 a *2 +RO +access"),
            ("COMMAND GETKEYSANDFLAGS BITFIELD a GET u8 0 SET u8 0 1", "*1 *2 $1 a *3 +RW +access +update"),
            ("COMMAND GETKEYSANDFLAGS BITFIELD a GET u8", "*1 *2 $1 a *3 +RW +access +update"),
            ("COMMAND GETKEYS BITOP AND d a b", "*3 $1 d $1 a $1 b"),
            ("COMMAND GETKEYS MSET a 1 b 2", "*2 $1 a $1 b"),
            ("COMMAND GETKEYS MSET a 1 b", "*2 $1 a $1 b"),
            ("COMMAND LIST FILTERBY MODULE x", "*0"),
            ("COMMAND LIST FILTERBY ACLCAT nope", "*0"),
            ("COMMAND LIST FILTERBY PATTERN OBJECT|F*", "*1 $11 object|freq"),
            ("COMMAND LIST FILTERBY PATTERN", "-ERR syntax error"),
            ("COMMAND LIST FOO", "-ERR syntax error"),
            ("COMMAND INFO nope get|x", "*2 $-1 $-1"),
            ("COMMAND DOCS nope", "*0"),
        ],
    );
    let list = engine.run("COMMAND LIST FILTERBY ACLCAT DANGEROUS");
    assert!(list.contains("flushall") && list.contains("keys") && !list.contains("$3 get "), "{list}");
    assert_eq!(engine.run("COMMAND"), engine.run("COMMAND INFO"));
    engine.client.protocol = Protocol::Resp3;
    check(&mut engine, &[("COMMAND DOCS nope", "%0"), ("COMMAND INFO nope", "*1 _")]);
}

#[test]
fn help_lists_the_subcommands() {
    let mut engine = Engine::new(NOW_MS);
    let help = engine.run_words(&[b"OBJECT", b"HELP"]);
    let lines: Vec<&[u8]> = scan::elements(&help).unwrap().collect();
    assert_eq!(lines[0], b"+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n");
    assert_eq!(lines[1], b"+ENCODING <key>\r\n");
    assert!(lines[2].starts_with(b"+    "));
    assert_eq!(lines[lines.len() - 2..], [b"+HELP\r\n".as_slice(), b"+    Print this help.\r\n"]);
    let help = engine.run("COMMAND HELP");
    assert!(help.contains("+(no subcommand)"), "{help}");
    assert!(
        help.contains("+LIST [FILTERBY (MODULE <module-name>|ACLCAT <category>|PATTERN <pattern>)]"),
        "{help}"
    );
}

/// Runs a subcommand that its container's family registers, on a shard that holds `key`.
fn run_alone(command: &tessera_command::Command, words: &[&str], value: &[u8]) -> String {
    run_alone_on(command, words, tessera_values::StringValue::new(value).into())
}

fn run_alone_on(command: &tessera_command::Command, words: &[&str], value: tessera_values::Value) -> String {
    let mut shard = tessera_keyspace::Shard::new(1, 1);
    shard.set_now_ms(NOW_MS);
    shard.view_mut(0, true).put(b"key", value, tessera_keyspace::Expire::Clear, Event::Set);
    shard.set_now_ms(NOW_MS + 7000);
    let words = tessera_resp::args::OwnedArgs::from_words(words);
    let mut out = Vec::new();
    let tessera_command::Run::Read(run) = command.run else { panic!("it only reads") };
    let mut reply = tessera_resp::Reply::new(&mut out, Protocol::Resp2);
    if let Err(error) = run(words.as_args(), shard.view(0, true), &mut reply) {
        reply.error(error.text(command.full_name));
    }
    String::from_utf8(out).unwrap().trim_end().to_owned()
}

#[test]
fn memory_usage_grows_with_the_value() {
    let usage = tessera_command::Command::read::<tessera_commands::keys::MemoryUsage>();
    let run = |words: &[&str], value: &[u8]| run_alone(&usage, words, value);
    let bytes = |value: &[u8]| run(&["MEMORY", "USAGE", "key"], value)[1..].parse::<usize>().unwrap();
    assert!(bytes(&[b'x'; 5000]) >= bytes(b"x") + 4900);
    assert_eq!(run(&["MEMORY", "USAGE", "none"], b""), "$-1");
    assert!(run(&["MEMORY", "USAGE", "key", "SAMPLES", "0", "samples", "5"], b"").starts_with(':'));
    for (options, error) in [
        (&["SAMPLES", "-1"][..], "-ERR syntax error"),
        (&["SAMPLES"], "-ERR syntax error"),
        (&["FOO", "1"], "-ERR syntax error"),
        (&["SAMPLES", "x"], "-ERR value is not an integer or out of range"),
    ] {
        assert_eq!(run(&[&["MEMORY", "USAGE", "key"], options].concat(), b""), error, "{options:?}");
    }
}

#[test]
fn debug_object_tells_of_a_key_in_a_line() {
    let object = tessera_command::Command::read::<tessera_commands::keys::DebugObject>();
    let run = |key: &str, value: &[u8]| run_alone(&object, &["DEBUG", "OBJECT", key], value);
    assert_eq!(run("none", b""), "-ERR no such key");
    // The lengths are those that Valkey 7.2.7 tells of the same values.
    for (value, encoding, len) in [
        (b"5".as_slice(), "int", 2),
        (b"-129", "int", 3),
        (b"32768", "int", 5),
        (b"2147483648", "int", 11),
        (b"abc", "embstr", 4),
        (b"", "embstr", 1),
        (&[b'a'; 100], "raw", 13),
    ] {
        check_debug_line(&run("key", value), encoding, len);
    }
    let thresholds = tessera_values::Thresholds::default();
    let mut hash = tessera_values::Hash::default();
    for (field, value) in [(b"f", b"v"), (b"g", b"w")] {
        hash.set(field, value, tessera_values::hash::FieldExpire::Keep, &thresholds);
    }
    let line = run_alone_on(&object, &["DEBUG", "OBJECT", "key"], hash.into());
    check_debug_line(&line, "listpack", 20);
    let mut set = tessera_values::Set::default();
    for member in 1..=3 {
        set.add(tessera_values::listpack::Element::Integer(member), &thresholds);
    }
    let line = run_alone_on(&object, &["DEBUG", "OBJECT", "key"], set.into());
    check_debug_line(&line, "intset", 15);
    let mut list = tessera_values::List::default();
    for element in [b"1", b"2", b"3", b"4", b"5"] {
        list.push(tessera_values::list::End::Back, [element.as_slice()].into_iter(), 2);
    }
    let line = run_alone_on(&object, &["DEBUG", "OBJECT", "key"], list.into());
    let (line, nodes) = line.split_once(" ql_").unwrap();
    check_debug_line(line, "quicklist", 38);
    assert_eq!(nodes, "nodes:3 ql_avg_node:1.67 ql_listpack_max:2 ql_compressed:0 ql_uncompressed_size:31");
}

fn check_debug_line(line: &str, encoding: &str, len: usize) {
    assert!(line.starts_with("+Value at:0x"), "{line}");
    let clock = ((NOW_MS / 1000) & 0xff_ffff).to_string();
    let tail = format!(" encoding:{encoding} serializedlength:{len} lru:{clock} lru_seconds_idle:7");
    assert!(line.ends_with(&tail), "{line}");
}

/// What a key takes, as MEMORY USAGE tells it.
fn usage_bytes(engine: &mut Engine, key: &str) -> usize {
    engine.run(&format!("MEMORY USAGE {key}")).trim_start_matches(':').parse().unwrap()
}

#[test]
fn a_long_string_grows_by_no_more_than_a_megabyte() {
    const LEN: usize = 20 << 20;
    let bits = format!("SETBIT k {} 1", LEN * 8);
    let field = format!("BITFIELD k SET u8 {} 1", LEN * 8);
    let range = format!("SETRANGE k {LEN} y");
    for grow in ["APPEND k y", &range, &bits, &field] {
        for is_raw in [false, true] {
            let mut engine = Engine::new(NOW_MS);
            if is_raw {
                engine.run(&format!("SETRANGE k {} x", LEN - 1));
            } else {
                engine.run_words(&[b"SET", b"k", &vec![b'x'; LEN]]);
            }
            assert!(usage_bytes(&mut engine, "k") < LEN + (1 << 17));
            engine.run(grow);
            assert_eq!(engine.run("STRLEN k"), format!(":{}", LEN + 1), "{grow}");
            let taken = usage_bytes(&mut engine, "k");
            assert!((LEN + 1..LEN + (1 << 20) + (1 << 17)).contains(&taken), "{grow}: {taken}");
        }
    }
    // Within what it has it stays as long as it is, and short strings grow as in Redis.
    let mut engine = Engine::new(NOW_MS);
    engine.run_words(&[b"SET", b"k", &[b'x'; 6000]]);
    let before = usage_bytes(&mut engine, "k");
    engine.run("SETRANGE k 10 y");
    assert!(usage_bytes(&mut engine, "k") < before + 100);
    engine.run("APPEND k y");
    assert!((11_000..15_000).contains(&usage_bytes(&mut engine, "k")));
}

#[test]
fn a_sort_that_is_kept_tells_replicas_of_the_expired_texts_that_it_did_without() {
    let mut engine = Engine::new(NOW_MS);
    engine.run("RPUSH numbers 1 2 3");
    engine.run("MSET weight:1 9 weight:2 1 weight:3 5");
    for number in 1..4 {
        engine.run(&format!("HSET hash:{number} weight {number} other text"));
    }
    engine.run("PEXPIRE weight:1 100");
    engine.run("HPEXPIRE hash:2 100 FIELDS 1 weight");
    engine.run("PEXPIRE hash:3 100");
    engine.set_now_ms(NOW_MS + 101);
    for (sort, recorded) in [
        ("SORT numbers BY weight:* STORE sorted", vec!["DEL weight:1"]),
        ("SORT numbers BY weight:* STORE sorted", vec![]),
        ("SORT numbers BY nosort GET hash:*->weight STORE sorted", vec!["HDEL hash:2 weight", "DEL hash:3"]),
        ("SORT numbers BY nosort GET hash:*->weight STORE sorted", vec![]),
    ] {
        engine.recorded();
        assert_eq!(engine.run(sort), ":3");
        assert_eq!(
            (engine.effect, engine.recorded()),
            (Effect::Verbatim, recorded.iter().map(|line| (*line).to_owned()).collect()),
            "{sort}"
        );
    }
    assert_eq!(engine.run("HGET hash:2 other"), "$4 text");
}
