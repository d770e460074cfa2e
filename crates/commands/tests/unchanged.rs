//! Writes that find nothing to do disturb nobody: a snapshot that has not come to their keys saves nothing ahead.
//!
//! Of writes that change a value where it is some have to begin before they know ("may change"): they are not here.

#[path = "support/engine.rs"]
mod engine;

use engine::Engine;
use tessera_keyspace::SnapshotOptions;
use tessera_storage::rdb::EncodeOptions;

const NOW_MS: i64 = 1_700_000_000_000;

/// What there is.
const FILLED: &[&str] = &[
    "SET text v",
    "SET number 5",
    "SET timed v EX 100",
    "RPUSH list a b",
    "HSET hash f v",
    "SADD set 1 2",
    "ZADD zset 1 a",
    "SELECT 1",
    "SET text other",
    "SELECT 0",
];

/// Writes that do nothing with it.
const UNCHANGING: &[&str] = &[
    "SET text other NX",
    "SET text other NX GET",
    "SET none v XX",
    "SET none v XX KEEPTTL",
    "SETNX text other",
    "MSETNX none v text other",
    "GETEX text",
    "GETDEL none",
    // Of an empty text.
    "SETRANGE text 0 ",
    "DEL none other",
    "UNLINK none",
    "EXPIRE none 10",
    "EXPIRE text 10 XX",
    "EXPIRE timed 10 GT",
    "PEXPIREAT timed 1800000000000 NX",
    "PERSIST text",
    "PERSIST none",
    "MOVE text 1",
    "MOVE none 1",
    "RENAMENX text number",
    "RENAMENX none text",
    "RENAME none text",
    "COPY text number",
    "COPY none text REPLACE",
    "RESTORE text 0 junk",
    "LMOVE none list LEFT RIGHT",
    "RPOPLPUSH none list",
    "SMOVE none set 1",
    "LPUSHX none a",
    "SPOP none",
    "SORT list ALPHA",
];

#[test]
fn writes_that_find_nothing_to_do_save_nothing_ahead() {
    let encode = EncodeOptions { compress: false };
    let options = SnapshotOptions { encode, ahead_max_len_bytes: usize::MAX, piece_len_bytes: 1000 };
    let ahead_bytes_of = |line: &str| {
        let mut engine = Engine::new(NOW_MS);
        for filling in FILLED {
            assert!(!engine.run(filling).starts_with('-'), "{filling}");
        }
        engine.shard.begin_snapshot(options);
        let reply = engine.run(line);
        (engine.shard.snapshot_buffer_len_bytes(), reply)
    };
    for line in UNCHANGING {
        let (ahead_bytes, reply) = ahead_bytes_of(line);
        assert_eq!(ahead_bytes, 0, "{line}, which answered {reply}");
    }
    for line in ["SET text other XX", "EXPIRE text 10", "MOVE number 1", "RENAMENX text none"] {
        let (ahead_bytes, reply) = ahead_bytes_of(line);
        assert_ne!(ahead_bytes, 0, "{line}, which answered {reply}");
    }
}
