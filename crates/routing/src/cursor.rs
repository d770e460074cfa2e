//! SCAN over all shards: a client's cursor is a shard and a position in it.
//!
//! Shards are walked in the order of their numbers. The lower 14 bits of a cursor are the shard, the others the
//! cursor within its table (39 bits, see `tessera_keyspace::table`). 0 is both the first position of the first
//! shard and the end.

use crate::slots::ShardId;
use tessera_resp::number::parse_i64;
use tessera_resp::{Protocol, Reply, scan};

const SHARD_BITS: u32 = 14;

/// The shard and the position that a cursor stands for. `None` if there is no such shard: then the walk is over.
pub fn take_apart(cursor: u64, shards: ShardId) -> Option<(ShardId, u64)> {
    let shard = (cursor & ((1 << SHARD_BITS) - 1)) as ShardId;
    (shard < shards).then_some((shard, cursor >> SHARD_BITS))
}

/// The client's cursor after shard `shard` answered with position `position` (0: it is done).
pub fn put_together(shard: ShardId, position: u64, shards: ShardId) -> u64 {
    match (position, shard + 1 < shards) {
        (0, false) => 0,
        (0, true) => u64::from(shard) + 1,
        (position, _) => position << SHARD_BITS | u64::from(shard),
    }
}

/// Rewrites a shard's reply for the client: the cursor, then whatever else it holds.
pub fn rewrite(part: &[u8], shard: ShardId, shards: ShardId, out: &mut Vec<u8>, protocol: Protocol) {
    let mut reply = Reply::new(out, protocol);
    let position = scan::elements(part)
        .and_then(|mut elements| elements.next())
        .and_then(scan::text)
        .and_then(parse_i64)
        .and_then(|position| u64::try_from(position).ok());
    let (Some(position), Some(elements)) = (position, scan::elements(part)) else {
        // An error goes to the client as it is.
        return reply.raw(part);
    };
    reply.array(elements.count_left() as usize);
    reply.bulk(put_together(shard, position, shards).to_string().as_bytes());
    elements.skip(1).for_each(|element| reply.raw(element));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_visits_every_shard() {
        let shards = 3;
        let (mut cursor, mut visited) = (0, Vec::new());
        loop {
            let (shard, position) = take_apart(cursor, shards).unwrap();
            visited.push((shard, position));
            // Every shard has one more step at position 7.
            cursor = put_together(shard, if position == 0 { 7 } else { 0 }, shards);
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(visited, [(0, 0), (0, 7), (1, 0), (1, 7), (2, 0), (2, 7)]);
        assert_eq!(take_apart(3, shards), None);
        // The largest position fits what clients read as a signed number.
        assert!(i64::try_from(put_together(8191, (1 << 48) - 1, 8192)).is_ok());
    }

    #[test]
    fn replies_are_rewritten() {
        let mut out = Vec::new();
        rewrite(b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n", 0, 2, &mut out, Protocol::Resp2);
        assert_eq!(out, b"*2\r\n$1\r\n1\r\n*1\r\n$1\r\na\r\n");
    }
}
