//! Where Tessera tells other events than what was recorded, and why.

use tessera_golden::events::Line;

/// Steps after which Tessera tells something else by design: why, the file, the line as it stands there, and what
/// Tessera tells.
pub const DIFFERENCES: &[(&str, &str, &str, &[&str])] = &[
    (OVER, "bitmaps", "> BITOP AND f absent other", &["0 expired f"]),
    (OVER, "geo", "> GEOSEARCHSTORE c absent FROMLONLAT 15 37 BYRADIUS 200 km", &["0 expired c"]),
    (
        OVER,
        "keys",
        r#"> RESTORE f 0 "\x00\xc0\x05\x0b\x00\n\xf0\xe2\x15~\xb0Z\xd8" REPLACE"#,
        &["0 expired f", "0 new f", "0 restore f"],
    ),
    (OVER, "keys", "> MEMORY USAGE i", &["0 expired i"]),
    (OVER, "sets", "> SINTERSTORE over a b", &["0 expired b", "0 expired over"]),
    (OVER, "sets", "> SDIFFSTORE f absent", &["0 expired f"]),
    (OVER, "sorted_sets", "> ZINTERSTORE e 2 a c", &["0 expired c", "0 expired e"]),
    (READ, "of_redis_8", "> HGET read f", &[]),
    (READ, "of_redis_8", "> HMGET hmget f g", &[]),
    (READ, "of_redis_8", "> HEXISTS hexists f", &[]),
    (READ, "of_redis_8", "> HSTRLEN hstrlen f", &[]),
    (READ, "of_redis_8", "> SORT list BY w_*->f", &[]),
    (
        FIELD,
        "of_redis_8",
        "> SORT list GET w_*->f STORE sorted",
        &["0 hexpired w_1", "0 new sorted", "0 sortstore sorted"],
    ),
    (FIELD, "of_redis_8", "> HSET k f 3", &["0 hexpired k", "0 hset k"]),
    (FIELD, "of_redis_8", "> HDEL removed f", &["0 hexpired removed"]),
    (FIELD, "of_redis_8", "> HDEL beside g", &["0 hexpired beside", "0 hdel beside", "0 del beside"]),
    (FIELD, "of_redis_8", "> HEXPIRE timed 100 FIELDS 1 f", &["0 hexpired timed"]),
    (FIELD, "of_redis_8", "> HPERSIST kept FIELDS 1 f", &["0 hexpired kept"]),
    (
        FIELD,
        "of_redis_8",
        "> HSETEX set EX 100 FIELDS 1 f 1",
        &["0 hexpired set", "0 hset set", "0 hexpire set"],
    ),
    (FIELD, "of_redis_8", "> HSET last f 2", &["0 hexpired last", "0 del last", "0 new last", "0 hset last"]),
    (FIELD, "of_redis_8", "> HDEL lastremoved f", &["0 hexpired lastremoved", "0 del lastremoved"]),
    (FIELD, "of_redis_8", "> DEL k", &["0 hexpired k", "0 del k"]),
];

/// See [`DIFFERENCES`].
const OVER: &str = "A key whose time is over is told of as such, whoever comes across it. Redis has commands that do \
    not look at the time.";
/// See [`DIFFERENCES`].
const READ: &str = "Reads leave fields whose time is over to writes and to the search for what is over.";
/// See [`DIFFERENCES`].
const FIELD: &str = "A field whose time is over is there for no command: a write first removes those that it meets. \
    Redis has writes for which it is there.";

/// What Tessera is to tell after a step of this file.
pub fn expected(file: &str, line: &Line) -> String {
    let known = DIFFERENCES.iter().find(|(_, in_file, at, _)| *in_file == file && *at == line.source);
    match known {
        Some((.., told)) => told.iter().map(|event| format!("  {event}\n")).collect(),
        None => line.outcome.to_string(),
    }
}
