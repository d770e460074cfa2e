//! What RESTORE takes, commands may do anything with: nothing falls over, and what is left can be dumped and restored
//! again.
//!
//! The payload is a collection whose elements are a listpack (or an intset, or plain nodes of a list). That is either
//! what the input says, byte for byte, or sound but for a few bytes that the input has changed: without that few inputs
//! would come behind the first check.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tessera_command::{Registry, Run};
use tessera_keyspace::{Shard, ShardSettings, SnapshotOptions, SnapshotProgress};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Protocol, Reply};
use tessera_storage::checksum::crc64;
use tessera_storage::rdb::opcodes::{NODE_PACKED, NODE_PLAIN, ValueType};
use tessera_storage::rdb::{EncodeOptions, dump, restore};
use tessera_values::Thresholds;
use tessera_values::listpack::Listpack;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::new(&tessera_commands::COMMANDS));

/// `k` and `o` are keys, `A` and `B` texts, `N` and `M` numbers; everything else is itself.
const COMMANDS: &[&str] = &[
    "HSET k A B",
    "HSETNX k A B",
    "HDEL k A B",
    "HINCRBY k A N",
    "HINCRBYFLOAT k A B",
    "HPEXPIRE k N FIELDS 1 A",
    "HPEXPIREAT k N NX FIELDS 2 A B",
    "HPERSIST k FIELDS 1 A",
    "HGETALL k",
    "HMGET k A B",
    "HRANDFIELD k N WITHVALUES",
    "HSCAN k 0 COUNT 3",
    "HPTTL k FIELDS 1 A",
    "ZADD k N A",
    "ZADD k GT CH N A M B",
    "ZINCRBY k B A",
    "ZREM k A B",
    "ZPOPMIN k N",
    "ZPOPMAX k 2",
    "ZRANGE k N M REV WITHSCORES",
    "ZRANGEBYSCORE k N M LIMIT 1 2",
    "ZRANK k A WITHSCORE",
    "ZREMRANGEBYRANK k N M",
    "ZREMRANGEBYSCORE k N M",
    "ZREMRANGEBYLEX k - [A",
    "ZLEXCOUNT k (A +",
    "ZCOUNT k N M",
    "ZUNIONSTORE o 2 k o WEIGHTS 2 3",
    "ZINTERSTORE o 2 k k AGGREGATE MAX",
    "ZDIFFSTORE o 2 k o",
    "ZRANGESTORE o k N M",
    "ZRANDMEMBER k N WITHSCORES",
    "ZSCAN k 0 COUNT 3",
    "SADD k A B",
    "SREM k A B",
    "SPOP k",
    "SPOP k 2",
    "SMOVE k o A",
    "SRANDMEMBER k N",
    "SISMEMBER k A",
    "SUNIONSTORE o k o",
    "SINTERSTORE o k k",
    "SDIFFSTORE o k o",
    "SINTERCARD 2 k o LIMIT 2",
    "SSCAN k 0 COUNT 3",
    "RPUSH k A B",
    "LPUSH k A B",
    "LSET k N A",
    "LINSERT k BEFORE A B",
    "LINSERT k AFTER A B",
    "LREM k N A",
    "LTRIM k N M",
    "LPOP k 2",
    "RPOP k",
    "LMOVE k o LEFT RIGHT",
    "LMOVE k k RIGHT LEFT",
    "LPOS k A RANK -1 COUNT 0",
    "LRANGE k N M",
    "LINDEX k N",
    "SORT k ALPHA DESC STORE o",
    "SORT k LIMIT 0 3",
    "COPY k o REPLACE",
    "RENAME k o",
    "RENAME o k",
    "PEXPIRE k N",
    "PERSIST k",
    "UNLINK o",
    "GEORADIUS k 1 1 9000 km",
    "GEOPOS k A",
    "OBJECT ENCODING k",
    "MEMORY USAGE k",
    "DUMP k",
];

/// Both are those of an element that is kept as an integer, and of one that is not.
const TEXTS: &[&[u8]] = &[
    b"",
    b"0",
    b"1",
    b"-1",
    b"127",
    b"4095",
    b"-4097",
    b"-32768",
    b"8388607",
    b"2147483648",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"01",
    b"-0",
    b"1.5",
    b"nan",
    b"inf",
    b"-inf",
    b"1e308",
    b"text",
    b"99999999999999999999",
    &[b'x'; 63],
    &[b'y'; 64],
    &[b'z'; 200],
    &[b'w'; 5000],
];

const NUMBERS: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"2",
    b"-2",
    b"3",
    b"7",
    b"-100",
    b"100",
    b"1000",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"inf",
    b"-inf",
    b"(1",
    b"3.25",
];

fn pick(from: &[&'static [u8]], which: u8) -> &'static [u8] {
    from[usize::from(which) % from.len()]
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(0x80);
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

/// A listpack of texts, of which some bytes are changed; or of bytes as they are.
fn listpack(how: u8, data: &[u8]) -> Vec<u8> {
    if how & 1 == 0 {
        let mut bytes = (data.len() as u32 + 7).to_le_bytes().to_vec();
        bytes.extend(if how & 2 == 0 { u16::MAX } else { u16::from(how >> 2) }.to_le_bytes());
        bytes.extend(data);
        bytes.push(0xff);
        return bytes;
    }
    let changes = data.len().min(usize::from(how >> 1 & 3) * 3);
    let (texts, changes) = data.split_at(data.len() - changes);
    let mut listpack = Listpack::new();
    for (index, text) in texts.iter().enumerate() {
        match usize::from(*text) {
            which if which < TEXTS.len() => listpack.push_back(TEXTS[which]),
            // Others than before, so that they may be fields and members.
            which => {
                listpack.push_back(format!("{}{index}", if which % 2 == 0 { "" } else { "e" }).as_bytes())
            }
        }
    }
    let mut bytes = listpack.into_bytes();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] ^= change[2];
    }
    bytes
}

fn payload(kind: u8, how: u8, data: &[u8]) -> Vec<u8> {
    let elements = listpack(how, data);
    let mut out = Vec::new();
    match kind % 8 {
        0 => out.push(ValueType::HashListpack.number()),
        1 => out.push(ValueType::SortedSetListpack.number()),
        2 => out.push(ValueType::SetListpack.number()),
        3 => {
            out.push(ValueType::HashListpackTimes.number());
            out.extend([0; 8]);
        }
        4 => {
            let mut bytes = 2u32.to_le_bytes().to_vec();
            bytes.extend((data.len() as u32 / 2).to_le_bytes());
            bytes.extend(data);
            out.push(ValueType::SetIntset.number());
            put_string(&mut out, &bytes);
        }
        5 => {
            out.extend([ValueType::ListQuicklist2.number(), 3, NODE_PACKED as u8]);
            put_string(&mut out, &elements);
            out.push(NODE_PLAIN as u8);
            put_string(&mut out, pick(TEXTS, how));
            out.push(NODE_PACKED as u8);
        }
        6 => out.extend([ValueType::ListQuicklist2.number(), 1, NODE_PACKED as u8]),
        // Whatever else there is.
        _ => out.push(how),
    }
    match kind % 8 {
        4 => {}
        7 => out.extend(data),
        _ => put_string(&mut out, &elements),
    }
    out.extend(11u16.to_le_bytes());
    out.extend(crc64(&out).to_le_bytes());
    out
}

fn run(shard: &mut Shard, words: &[&[u8]]) {
    let owned = OwnedArgs::from_words(words);
    let args = owned.as_args();
    let command = REGISTRY.resolve(args).expect("it is a command");
    if !command.takes(words.len()) {
        return;
    }
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, Protocol::Resp3);
    let result = match command.run {
        Run::Read(run) => run(args, shard.view(0, true), &mut reply).is_ok(),
        Run::Write(run) => run(args, &mut shard.view_mut(0, true), &mut reply).is_ok(),
        Run::Gather(steps) => steps.run_on_one_shard(args, shard, 0, true, &mut reply).is_ok(),
        _ => panic!("{} is about a key", command.full_name),
    };
    shard.remove_met_expired();
    assert!(result || out.is_empty(), "{} has written a reply and failed", command.full_name);
}

/// What is at a key can be dumped and restored.
fn check(shard: &Shard, key: &[u8]) {
    let Some(entry) = shard.view(0, true).find(key) else { return };
    let len = entry.value().elements_len();
    let dumped = dump(entry.value(), true);
    let restored = restore(&dumped, &Thresholds::default()).expect("what was dumped can be restored");
    assert_eq!(restored.as_ref().elements_len(), len);
}

/// Begins a snapshot, or goes on with the one that is under way.
fn step_snapshot(shard: &mut Shard, len_bytes: usize) {
    if shard.snapshot().is_none() && shard.can_begin_snapshot() {
        shard.begin_snapshot(SnapshotOptions {
            encode: EncodeOptions { compress: true },
            ahead_max_len_bytes: 100,
            piece_len_bytes: 64,
        });
    }
    assert_ne!(shard.snapshot_some(len_bytes, &mut Vec::new()), SnapshotProgress::Lost);
}

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, how, len, small], rest)) = data.split_first_chunk::<4>() else { return };
    let (elements, steps) = rest.split_at(usize::from(len).min(rest.len()));
    let mut shard = Shard::new(1, 7);
    shard.set_now_ms(1000);
    let mut settings = ShardSettings::default();
    if small & 1 == 1 {
        // Bounds that a short input can reach.
        let bound = u64::from(small >> 1 & 15);
        settings.thresholds.hash_max_listpack_entries = bound;
        settings.thresholds.set_max_intset_entries = bound;
        settings.thresholds.set_max_listpack_entries = bound;
        settings.thresholds.zset_max_listpack_entries = bound;
        settings.thresholds.list_max_listpack_size = i32::from(small >> 5) - 2;
        shard.set_settings(settings);
    }
    run(&mut shard, &[b"RESTORE", b"k", b"0", &payload(kind, how, elements)]);
    if shard.view(0, true).find(b"k").is_none() {
        return;
    }
    run(&mut shard, &[b"COPY", b"k", b"o"]);
    for step in steps.chunks_exact(3).take(48) {
        match usize::from(step[0]) {
            which if which < COMMANDS.len() => {
                let words: Vec<&[u8]> = COMMANDS[which]
                    .split(' ')
                    .map(|word| match word {
                        "A" => pick(TEXTS, step[1]),
                        "B" => pick(TEXTS, step[2]),
                        "N" => pick(NUMBERS, step[1]),
                        "M" => pick(NUMBERS, step[2]),
                        word => word.as_bytes(),
                    })
                    .collect();
                run(&mut shard, &words);
            }
            200..220 => {
                shard.set_now_ms(shard.now_ms() + i64::from(step[1]));
                shard.expire_cycle(|| true);
            }
            220..240 => step_snapshot(&mut shard, usize::from(step[1])),
            _ => continue,
        }
        check(&shard, b"k");
        check(&shard, b"o");
    }
    while shard.snapshot().is_some() {
        step_snapshot(&mut shard, 1000);
    }
});
