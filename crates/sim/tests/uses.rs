//! When keys were last used by what clients write, and what they ask not to be noted.

use tessera_sim::table::Table;

/// How long no key is used, in seconds.
const IDLE_S: u32 = 100;

/// Has keys that were idle, and does something to them. How long each was idle after that, in seconds.
fn idle_after(table: &mut Table, made: &[&str], done: &str, keys: &[&str]) -> Vec<u32> {
    table.ask("FLUSHALL");
    for line in made {
        let reply = table.ask(line);
        assert!(!reply.starts_with('-'), "{line}: {reply}");
    }
    table.world.clock().jump(i64::from(IDLE_S) * 1000);
    let reply = table.ask(done);
    assert!(!reply.starts_with('-'), "{done}: {reply}");
    let idle = |key: &&str| {
        let reply = table.ask(&format!("OBJECT IDLETIME {key}"));
        reply.trim_start_matches(':').trim_end().parse().unwrap_or_else(|_| panic!("{done}: {key}: {reply}"))
    };
    keys.iter().map(idle).collect()
}

/// What is done to which keys, all of which it uses. As Redis 7.2.6 does it, CLIENT NO-TOUCH hides that in each case.
const DONE: &[(&[&str], &str, &[&str])] = &[
    (&["SET a v"], "SET a w", &["a"]),
    (&["SET a v"], "SET a w KEEPTTL", &["a"]),
    (&["SET a v"], "SET a w GET", &["a"]),
    (&["SET a v"], "SETEX a 1000 w", &["a"]),
    (&["SET a v"], "GETSET a w", &["a"]),
    (&["SET a v", "SET b v"], "MSET a w b w", &["a", "b"]),
    (&["SET a v"], "APPEND a w", &["a"]),
    (&["SET a v"], "EXPIRE a 1000", &["a"]),
    (&["RPUSH a x y z", "RPUSH b w"], "LMOVE a b LEFT LEFT", &["a", "b"]),
    (&["RPUSH {t}a x y z", "RPUSH {t}b w"], "LMOVE {t}a {t}b LEFT LEFT", &["{t}a", "{t}b"]),
    (&["RPUSH a x y z"], "LMOVE a a LEFT RIGHT", &["a"]),
    (&["RPUSH a x y z", "RPUSH b w"], "BLMOVE a b LEFT LEFT 1", &["a", "b"]),
    (&["RPUSH {t}a x y z", "RPUSH {t}b w"], "BLMOVE {t}a {t}b LEFT LEFT 1", &["{t}a", "{t}b"]),
    (&["RPUSH a x y z"], "BLPOP a 1", &["a"]),
    (&["RPUSH a x y z"], "LMPOP 2 b a LEFT", &["a"]),
    (&["RPUSH a x y z"], "LMPOP 2 {a}b a LEFT", &["a"]),
    (&["SADD a x y z", "SADD b w"], "SMOVE a b x", &["a", "b"]),
    (&["SADD {t}a x y z", "SADD {t}b w"], "SMOVE {t}a {t}b x", &["{t}a", "{t}b"]),
    (&["SADD a x y z", "SADD b x", "SET d v"], "SINTERSTORE d a b", &["a", "b", "d"]),
    (
        &["SADD {t}a x y", "SADD {t}b x", "SET {t}d v"],
        "SINTERSTORE {t}d {t}a {t}b",
        &["{t}a", "{t}b", "{t}d"],
    ),
    (&["ZADD a 1 x", "ZADD b 1 x", "SET d v"], "ZUNIONSTORE d 2 a b", &["a", "b", "d"]),
    (&["ZADD {t}a 1 x", "SET {t}d v"], "ZRANGESTORE {t}d {t}a 0 -1", &["{t}a", "{t}d"]),
    (&["ZADD a 1 x 2 y"], "ZMPOP 1 a MIN", &["a"]),
    (&["RPUSH a 1", "SET d v"], "SORT a STORE d", &["a", "d"]),
    (&["RPUSH {t}a 1", "SET {t}d v"], "SORT {t}a STORE {t}d", &["{t}a", "{t}d"]),
    (&["SET a v", "SET b w"], "BITOP OR b a", &["a", "b"]),
    (&["SET {t}a v", "SET {t}b w"], "BITOP OR {t}b {t}a", &["{t}a", "{t}b"]),
    (&["PFADD a x", "PFADD b y"], "PFMERGE b a", &["a", "b"]),
    (&["PFADD {t}a x", "PFADD {t}b y"], "PFMERGE {t}b {t}a", &["{t}a", "{t}b"]),
    (&["PFADD a x"], "PFCOUNT a", &["a"]),
    (&["GEOADD a 1 1 x", "SET d v"], "GEOSEARCHSTORE d a FROMLONLAT 1 1 BYRADIUS 1 km", &["a", "d"]),
];

#[test]
fn writes_use_their_keys_unless_the_client_is_not_to_touch_them() {
    for shards in 1..4 {
        let mut table = Table::new(shards);
        for (mode, used_s) in [("OFF", 0), ("ON", IDLE_S)] {
            table.ask(&format!("CLIENT NO-TOUCH {mode}"));
            for (made, done, keys) in DONE {
                let idle = idle_after(&mut table, made, done, keys);
                assert!(
                    idle.iter().all(|idle_s| *idle_s == used_s),
                    "{done} on {shards} shards, NO-TOUCH {mode}: {idle:?}"
                );
            }
        }
        table.world.shut_down();
    }
}

/// A key that gets another name begins anew, whatever had that name.
#[test]
fn a_key_with_another_name_is_used_as_a_new_one_is() {
    for shards in 1..4 {
        let mut table = Table::new(shards);
        table.ask("CONFIG SET maxmemory-policy allkeys-lfu");
        let new = ":5\r\n";
        for touch in ["OFF", "ON"] {
            for (from, to) in [("a", "b"), ("{t}a", "{t}b")] {
                for made in ["", to] {
                    table.ask("CLIENT NO-TOUCH OFF");
                    table.ask("FLUSHALL");
                    table.ask(&format!("SET {from} v"));
                    if !made.is_empty() {
                        table.ask(&format!("SET {made} v"));
                        table.ask(&format!("GET {made}"));
                    }
                    table.ask(&format!("CLIENT NO-TOUCH {touch}"));
                    assert_eq!(table.ask(&format!("RENAME {from} {to}")), "+OK\r\n");
                    let told = table.ask(&format!("OBJECT FREQ {to}"));
                    assert_eq!(told, new, "{from} to {to}, which was {made:?}, on {shards} shards");
                }
            }
        }
        table.world.shut_down();
    }
}
