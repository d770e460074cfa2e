//! What stands before and behind the keys in a snapshot's file.

use super::file::FileWriter;
use tessera_command::REDIS_VERSION;
use tessera_storage::rdb::{put_end, put_header};

/// The beginning of a snapshot file: what Redis writes there, and what tells ours apart. `shard`: which of how many the
/// file is, if it is not for all.
pub(super) fn put_file_header(
    out: &mut Vec<u8>,
    rdb_version: u32,
    cut_at_unix_ms: i64,
    used_memory_bytes: u64,
    shard: Option<(usize, usize)>,
) {
    let (created_s, memory) = (cut_at_unix_ms.div_euclid(1000).to_string(), used_memory_bytes.to_string());
    let (bits, cut) = (usize::BITS.to_string(), cut_at_unix_ms.to_string());
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b"redis-ver", REDIS_VERSION.as_bytes()),
        (b"redis-bits", bits.as_bytes()),
        (b"ctime", created_s.as_bytes()),
        (b"used-mem", memory.as_bytes()),
        (b"aof-base", b"0"),
        (b"tessera-cut-ms", cut.as_bytes()),
    ];
    let shard = shard.map(|(shard, shards)| (shard.to_string(), shards.to_string()));
    if let Some((shard, shards)) = &shard {
        fields.push((b"tessera-shard", shard.as_bytes()));
        fields.push((b"tessera-shards", shards.as_bytes()));
    }
    put_header(out, rdb_version, &fields);
}

/// Ends a file whose body has been pushed, with its checksum, or 0 for none; and returns its checksum.
pub(super) fn put_file_end(file: &mut FileWriter, states_checksum: bool) -> u64 {
    put_end(&mut file.buffer());
    file.push();
    let checksum = file.checksum();
    let stated = if states_checksum { checksum } else { 0 };
    file.buffer().extend_from_slice(&stated.to_le_bytes());
    file.push();
    file.finish();
    checksum
}
