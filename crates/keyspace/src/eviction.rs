//! Which keys go when memory is short.
//!
//! As in Redis: for each key that goes, a few random ones are looked at, and the best candidates met so far are kept in
//! a small pool, so that over many evictions the choice is nearly that among all keys. (See the comment on
//! approximated LRU in Redis's `evict.c` for why a pool does so well.)

use crate::shard::Shard;
use crate::table::Entry;

/// Candidates that are remembered.
const POOL_MAX_KEYS: usize = 16;
/// Keys that are chosen one after the other if a snapshot needs the earlier ones.
const VICTIMS_MAX: usize = 16;

/// `maxmemory-policy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EvictionPolicy {
    /// `noeviction`: no key goes; writes that need memory are refused.
    #[default]
    NoEviction,
    /// `allkeys-lru`: the least recently used.
    AllKeysLru,
    /// `volatile-lru`: the same among keys with an expiry.
    VolatileLru,
    /// `allkeys-lfu`: the least often used.
    AllKeysLfu,
    /// `volatile-lfu`: the same among keys with an expiry.
    VolatileLfu,
    /// `allkeys-random`: any.
    AllKeysRandom,
    /// `volatile-random`: any with an expiry.
    VolatileRandom,
    /// `volatile-ttl`: the one that expires first.
    VolatileTtl,
}

impl EvictionPolicy {
    /// Uses are counted, rather than their times noted.
    #[inline]
    pub fn counts_uses(self) -> bool {
        matches!(self, EvictionPolicy::AllKeysLfu | EvictionPolicy::VolatileLfu)
    }

    /// Which key goes depends on when or how often each was used.
    pub fn remembers_uses(self) -> bool {
        matches!(self, EvictionPolicy::AllKeysLru | EvictionPolicy::VolatileLru) || self.counts_uses()
    }

    /// Only keys with an expiry go.
    pub fn volatile_only(self) -> bool {
        match self {
            EvictionPolicy::VolatileLru
            | EvictionPolicy::VolatileLfu
            | EvictionPolicy::VolatileRandom
            | EvictionPolicy::VolatileTtl => true,
            EvictionPolicy::NoEviction
            | EvictionPolicy::AllKeysLru
            | EvictionPolicy::AllKeysLfu
            | EvictionPolicy::AllKeysRandom => false,
        }
    }
}

#[derive(Debug)]
struct Candidate {
    /// The highest goes first.
    rank: u64,
    db: u16,
    key: Box<[u8]>,
}

/// The best candidates met so far, the best last.
#[derive(Debug, Default)]
pub(crate) struct Pool(Vec<Candidate>);

impl Pool {
    fn offer(&mut self, rank: u64, db: u16, key: &[u8]) {
        if self.0.len() == POOL_MAX_KEYS && self.0.first().is_some_and(|worst| rank <= worst.rank) {
            return;
        }
        if self.0.iter().any(|known| known.db == db && *known.key == *key) {
            return;
        }
        if self.0.len() == POOL_MAX_KEYS {
            self.0.remove(0);
        }
        let at = self.0.partition_point(|known| known.rank < rank);
        self.0.insert(at, Candidate { rank, db, key: key.into() });
    }
}

impl Shard {
    /// Whether the policy could remove any key at all.
    pub fn can_evict(&self) -> bool {
        match self.settings().eviction_policy {
            EvictionPolicy::NoEviction => false,
            policy if policy.volatile_only() => self.databases.iter().any(|db| db.volatile_len() > 0),
            _ => self.databases.iter().any(|db| !db.is_empty()),
        }
    }

    /// Removes one key by the policy. Returns how much memory that freed, in bytes; `None` if there was none to remove,
    /// or a snapshot stands in the way: see [`Shard::must_wait_for_snapshot`].
    pub fn evict(&mut self) -> Option<usize> {
        self.evict_but(|_| false)
    }

    /// The same, but for keys with a name that is held by somebody.
    pub fn evict_but(&mut self, is_held: impl Fn(&[u8]) -> bool) -> Option<usize> {
        for _ in 0..VICTIMS_MAX {
            let (db, key) = match self.settings().eviction_policy {
                EvictionPolicy::NoEviction => return None,
                EvictionPolicy::AllKeysRandom | EvictionPolicy::VolatileRandom => self.draw_victim()?,
                _ => self.choose_victim()?,
            };
            if !is_held(&key) && !self.must_wait_for_snapshot(db, &key) {
                return self.evict_key(db, &key);
            }
        }
        None
    }

    fn draw_victim(&mut self) -> Option<(u16, Box<[u8]>)> {
        let volatile = self.settings().eviction_policy.volatile_only();
        let random = self.random.get_mut();
        let candidates_of = |db: &crate::Database| if volatile { db.volatile_len() } else { db.len() };
        let all: usize = self.databases.iter().map(candidates_of).sum();
        let mut drawn = random.usize(..all.max(1));
        for (db, database) in self.databases.iter_mut().enumerate() {
            let candidates = candidates_of(database);
            if drawn < candidates {
                let mut victim = None;
                database.upkeep().sample(volatile, 1, random, |entry| victim = Some(entry.key().into()));
                return victim.map(|key| (db as u16, key));
            }
            drawn -= candidates;
        }
        None
    }

    fn choose_victim(&mut self) -> Option<(u16, Box<[u8]>)> {
        let settings = self.settings();
        let (volatile, usage) = (settings.eviction_policy.volatile_only(), settings.usage());
        let by_ttl = settings.eviction_policy == EvictionPolicy::VolatileTtl;
        let now_ms = self.now_ms();
        let rank = |entry: Entry<'_>| match entry.expire_at_ms() {
            Some(at_ms) if by_ttl => (i64::MAX - at_ms.max(0)) as u64,
            _ => usage.rank(entry.usage_bits(), now_ms),
        };
        loop {
            let mut any = false;
            let (random, pool) = (self.random.get_mut(), &mut self.eviction_pool);
            for (db, database) in self.databases.iter_mut().enumerate() {
                let samples = settings.eviction_samples as usize;
                database.upkeep().sample(volatile, samples, random, |entry| {
                    any = true;
                    pool.offer(rank(entry), db as u16, entry.key());
                });
            }
            if !any {
                pool.0.clear();
                return None;
            }
            // Candidates met earlier may be gone meanwhile.
            while let Some(best) = self.eviction_pool.0.pop() {
                let table = self.databases[best.db as usize].table();
                if table.get(&best.key).is_some_and(|entry| !volatile || entry.expire_at_ms().is_some()) {
                    return Some((best.db, best.key));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Expire, ShardSettings};

    fn shard(policy: EvictionPolicy) -> Shard {
        let mut shard = Shard::new(2, 9);
        shard.set_settings(ShardSettings { eviction_policy: policy, ..ShardSettings::default() });
        shard
    }

    /// Keys 0 to 999 in this order of use, the even ones with an expiry the earlier the smaller the key.
    fn filled(policy: EvictionPolicy) -> Shard {
        let mut shard = shard(policy);
        for number in 0..1000i64 {
            shard.set_now_ms(1_000_000 + number * 1000);
            let expire = if number % 2 == 0 { Expire::AtMs(10_000_000 + number) } else { Expire::Clear };
            shard.view_mut((number % 2) as u16, true).put_string(
                number.to_string().as_bytes(),
                b"v",
                expire,
                Event::Set,
            );
        }
        shard
    }

    fn left(shard: &Shard) -> Vec<i64> {
        let mut left: Vec<i64> = (0..2)
            .flat_map(|db| shard.database(db).table().iter().collect::<Vec<_>>())
            .map(|entry| std::str::from_utf8(entry.key()).unwrap().parse().unwrap())
            .collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn nothing_goes_without_a_policy_or_without_candidates() {
        let mut shard = filled(EvictionPolicy::NoEviction);
        assert!(!shard.can_evict() && shard.evict().is_none());
        for policy in
            [EvictionPolicy::VolatileLru, EvictionPolicy::VolatileRandom, EvictionPolicy::AllKeysLru]
        {
            let mut shard = super::tests::shard(policy);
            assert!(!shard.can_evict() && shard.evict().is_none());
            shard.view_mut(1, true).put_string(b"key", b"v", Expire::Clear, Event::Set);
            let goes = !policy.volatile_only();
            assert_eq!((shard.can_evict(), shard.evict().is_some()), (goes, goes));
        }
    }

    #[test]
    fn the_least_recently_used_go() {
        let mut shard = filled(EvictionPolicy::AllKeysLru);
        let before = shard.database(0).entry_bytes() + shard.database(1).entry_bytes();
        let freed: usize = (0..300).map(|_| shard.evict().unwrap()).sum();
        let after = shard.database(0).entry_bytes() + shard.database(1).entry_bytes();
        assert_eq!(before - after, freed);
        let left = left(&shard);
        assert_eq!((left.len(), shard.stats().evicted_keys), (700, 300));
        // By chance alone 210 of the 300 oldest would be left.
        let wrongly_kept = left.iter().filter(|number| **number < 300).count();
        assert!(wrongly_kept < 75, "{wrongly_kept}");
    }

    #[test]
    fn only_keys_with_an_expiry_go_and_the_earliest_first() {
        for policy in
            [EvictionPolicy::VolatileTtl, EvictionPolicy::VolatileLru, EvictionPolicy::VolatileRandom]
        {
            let mut shard = filled(policy);
            for _ in 0..100 {
                shard.evict().unwrap();
            }
            let left = left(&shard);
            assert_eq!(left.iter().filter(|number| **number % 2 == 1).count(), 500);
            let wrongly_kept = left.iter().filter(|number| **number % 2 == 0 && **number < 200).count();
            // By chance 80 of the first 100 would be left.
            assert_eq!(
                wrongly_kept < 50,
                policy != EvictionPolicy::VolatileRandom,
                "{policy:?} {wrongly_kept}"
            );
            for _ in 0..400 {
                shard.evict().unwrap();
            }
            assert!(shard.evict().is_none() && !shard.can_evict());
        }
    }

    #[test]
    fn the_least_often_used_go() {
        let mut shard = shard(EvictionPolicy::AllKeysLfu);
        for number in 0..1000 {
            shard.view_mut(0, true).put_string(
                number.to_string().as_bytes(),
                b"v",
                Expire::Clear,
                Event::Set,
            );
        }
        for number in (0..1000).filter(|number| number % 4 != 0) {
            for _ in 0..50 {
                shard.view(0, true).find(number.to_string().as_bytes()).unwrap();
            }
        }
        for _ in 0..250 {
            shard.evict().unwrap();
        }
        let wrongly_kept = left(&shard).iter().filter(|number| **number % 4 == 0).count();
        assert!(wrongly_kept < 100, "{wrongly_kept}");
    }
}
