//! Keys to slots, and slots to shards.

use crc::{CRC_16_XMODEM, Crc, Table};
use memchr::memchr;
use std::ops::RangeInclusive;

/// How many slots there are, as in Redis Cluster.
pub const SLOTS: usize = 16_384;

/// Which shard; shards are numbered from 0 without gaps.
pub type ShardId = u16;

const CRC: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_XMODEM);

/// The slot of a key: CRC16 of its hash tag, or of all of it, modulo 16384. The hash tag is what stands between the
/// first `{` and the next `}`, if that is anything. (Redis Cluster specification.)
#[inline]
pub fn slot_of(key: &[u8]) -> u16 {
    CRC.checksum(tag_of(key)) % SLOTS as u16
}

#[inline]
fn tag_of(key: &[u8]) -> &[u8] {
    let Some(open) = memchr(b'{', key) else { return key };
    match memchr(b'}', &key[open + 1..]) {
        None | Some(0) => key,
        Some(len) => &key[open + 1..][..len],
    }
}

/// Which shard owns each slot. The only place that knows.
#[derive(Clone, Debug)]
pub struct SlotTable {
    owners: Box<[ShardId]>,
    shards: ShardId,
}

impl SlotTable {
    /// Contiguous ranges of (nearly) equal length for `shards` shards, 1 at least.
    pub fn even(shards: ShardId) -> SlotTable {
        let shards = shards.max(1);
        let owners = (0..SLOTS).map(|slot| (slot * usize::from(shards) / SLOTS) as ShardId).collect();
        SlotTable { owners, shards }
    }

    /// How many shards there are.
    #[inline]
    pub fn shards(&self) -> ShardId {
        self.shards
    }

    /// The slots that a shard owns, as ranges in ascending order.
    pub fn slots_of(&self, shard: ShardId) -> Vec<RangeInclusive<u16>> {
        let mut ranges: Vec<RangeInclusive<u16>> = Vec::new();
        for slot in (0..SLOTS as u16).filter(|slot| self.owners[usize::from(*slot)] == shard) {
            match ranges.last_mut() {
                Some(last) if *last.end() + 1 == slot => *last = *last.start()..=slot,
                _ => ranges.push(slot..=slot),
            }
        }
        ranges
    }

    /// The shard that owns a key.
    #[inline]
    pub fn owner_of(&self, key: &[u8]) -> ShardId {
        if self.shards == 1 { 0 } else { self.owners[usize::from(slot_of(key))] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis_cluster() {
        // From the Redis Cluster specification and CLUSTER KEYSLOT of a real server.
        for (key, slot) in [
            ("123456789", 12_739),
            ("foo", 12_182),
            ("", 0),
            ("{user1000}.following", 3_443),
            ("user1000", 3_443),
            ("foo{}{bar}", 8_363),
            ("foo{{bar}}zap", 4_015),
            ("foo{bar}{zap}", 5_061),
            ("bar", 5_061),
        ] {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
    }

    #[test]
    fn ranges_are_the_slots() {
        assert_eq!(SlotTable::even(1).slots_of(0), [0..=16_383]);
        let table = SlotTable::even(3);
        let ranges: Vec<_> = (0..3).flat_map(|shard| table.slots_of(shard)).collect();
        assert_eq!(ranges, [0..=5461, 5462..=10_922, 10_923..=16_383]);
        let owners = [0, 1, 1, 0].repeat(SLOTS / 4).into();
        assert_eq!(SlotTable { owners, shards: 2 }.slots_of(0)[..3], [0..=0, 3..=4, 7..=8]);
    }

    #[test]
    fn every_shard_gets_its_share() {
        for shards in [1, 2, 3, 5, 8, 1000] {
            let table = SlotTable::even(shards);
            let mut counts = vec![0usize; usize::from(shards)];
            table.owners.iter().for_each(|owner| counts[usize::from(*owner)] += 1);
            let share = SLOTS / usize::from(shards);
            assert!(counts.iter().all(|count| (share..=share + 1).contains(count)), "{shards}");
        }
    }
}
