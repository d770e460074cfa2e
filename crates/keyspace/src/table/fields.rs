//! Which hashes have fields that expire, in the order of time.

use super::{Entry, Table};
use std::collections::BTreeSet;
use tessera_values::{CollectionRef, ValueRef};

/// The keys of such hashes, each with the time at which its next field expires, in Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldDeadlines {
    keys: BTreeSet<(i64, Box<[u8]>)>,
}

impl FieldDeadlines {
    /// A key is there, or not any more.
    #[inline]
    pub fn set(&mut self, entry: Entry<'_>, is_there: bool) {
        if let Some(at_ms) = entry.next_field_expire_at_ms() {
            self.change(entry.key(), if is_there { (None, Some(at_ms)) } else { (Some(at_ms), None) });
        }
    }

    /// The next field of `key` expires at another time than before.
    pub fn change(&mut self, key: &[u8], (before_ms, after_ms): (Option<i64>, Option<i64>)) {
        if before_ms == after_ms {
            return;
        }
        if let Some(at_ms) = before_ms {
            self.keys.remove(&(at_ms, key.into()));
        }
        if let Some(at_ms) = after_ms {
            self.keys.insert((at_ms, key.into()));
        }
    }
}

impl Entry<'_> {
    /// When the next field expires, in Unix milliseconds, if it is a hash where any does.
    #[inline]
    pub fn next_field_expire_at_ms(self) -> Option<i64> {
        match self.value() {
            ValueRef::Hash(hash) => hash.next_field_expire_at_ms(),
            _ => None,
        }
    }

    /// A hash all of whose fields have expired. It is as if the key were not there.
    pub(crate) fn has_only_expired_fields(self, now_ms: i64) -> bool {
        match self.value() {
            ValueRef::Hash(hash) => !hash.is_empty() && hash.live_len(now_ms) == 0,
            _ => false,
        }
    }
}

impl Table {
    /// Some hash has fields that expire, or have expired and are still there.
    pub(crate) fn has_field_deadlines(&self) -> bool {
        !self.totals.field_deadlines.keys.is_empty()
    }

    /// Fields of some hash have expired.
    #[inline]
    pub(crate) fn has_due_fields(&self, now_ms: i64) -> bool {
        self.totals.field_deadlines.keys.first().is_some_and(|(at_ms, _)| *at_ms < now_ms)
    }

    /// The key of a hash with expired fields.
    pub(crate) fn next_due_fields(&self, now_ms: i64) -> Option<&[u8]> {
        let (at_ms, key) = self.totals.field_deadlines.keys.first()?;
        (*at_ms < now_ms).then_some(key)
    }

    /// The key's time is over, or that of all fields of the hash that it holds.
    #[inline]
    pub fn is_over(&self, entry: Entry<'_>, now_ms: i64) -> bool {
        entry.is_expired(now_ms) || self.has_due_fields(now_ms) && entry.has_only_expired_fields(now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Expire, Shard};
    use tessera_values::hash::FieldExpire;
    use tessera_values::{Hash, Thresholds};

    fn hash(random: &mut fastrand::Rng, now_ms: i64) -> Hash {
        let thresholds =
            Thresholds { hash_max_listpack_entries: random.u64(..2) * 512, ..Thresholds::default() };
        let mut hash = Hash::default();
        for field in 0..random.u8(1..6) {
            let expire = match random.u8(..3) {
                0 => FieldExpire::Clear,
                _ => FieldExpire::AtMs(now_ms + random.i64(0..50)),
            };
            hash.set(&[field], b"value", expire, &thresholds);
        }
        hash
    }

    fn check(shard: &Shard) {
        for db in 0..2 {
            let table = &shard.database(db).table();
            let mut expected = FieldDeadlines::default();
            table.iter().for_each(|entry| expected.set(entry, true));
            assert_eq!(table.totals.field_deadlines, expected);
        }
    }

    #[test]
    fn all_hashes_with_expiring_fields_are_known_whatever_becomes_of_them() {
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut shard = Shard::new(2, seed);
            for now_ms in 0..2000 {
                shard.set_now_ms(now_ms);
                let (db, key) = (random.u16(..2), [random.u8(..20)]);
                let value = hash(&mut random, now_ms);
                let mut view = shard.view_mut(db, true);
                match random.u8(..12) {
                    0..3 => view.put(&key, value, Expire::Clear, Event::Set),
                    3 => view.put(&key, value, Expire::AtMs(now_ms + random.i64(0..100)), Event::Set),
                    4 => view.put_string(&key, b"string", Expire::Keep, Event::Set),
                    5 => {
                        let at_ms = random.bool().then_some(now_ms + random.i64(0..100));
                        view.set_expire(&key, at_ms);
                    }
                    6 => drop(view.delete(&key)),
                    7 => {
                        if let Some((value, _)) = view.remove(&key, Event::Del) {
                            let copy = value.clone();
                            view.put(&[random.u8(..20)], value, Expire::Clear, Event::Set);
                            view.put(&[random.u8(..20)], copy, Expire::Clear, Event::Set);
                        }
                    }
                    8 => {
                        let field = [random.u8(..6)];
                        let at_ms = random.bool().then_some(now_ms + random.i64(0..50));
                        let _ = view.change::<Hash, _>(&key, Event::Changed, |hash| {
                            (hash.set_expire(&field, at_ms, &Thresholds::default()), true)
                        });
                    }
                    9 => {
                        let field = [random.u8(..6)];
                        let _ =
                            view.change::<Hash, _>(&key, Event::Changed, |hash| (hash.remove(&field), true));
                    }
                    10 => shard.swap(0, 1),
                    _ if random.u8(..10) == 0 => drop(shard.expire_cycle(|| true)),
                    _ => {}
                }
                check(&shard);
                // What is seen has a field to show.
                let view = shard.view(db, true);
                if let Some(entry) = view.peek(&key)
                    && let ValueRef::Hash(hash) = entry.value()
                {
                    assert!(hash.live_len(now_ms) > 0);
                }
            }
            shard.set_now_ms(10_000);
            shard.expire_cycle(|| true);
            check(&shard);
            assert!((0..2).all(|db| !shard.database(db).table().has_due_fields(i64::MAX)));
        }
    }

    #[test]
    fn the_next_field_of_a_large_hash_is_known() {
        let mut shard = Shard::new(2, 1);
        let mut many = Hash::default();
        for field in 0..1000_u32 {
            many.set(&field.to_le_bytes(), b"", FieldExpire::AtMs(5000), &Thresholds::default());
        }
        shard.view_mut(0, true).put(b"key", many, Expire::Clear, Event::Set);
        for (field, at_ms) in [(1_u32, Some(100)), (2, Some(50)), (2, None), (1, Some(6000))] {
            let change = |hash: &mut Hash| {
                (hash.set_expire(&field.to_le_bytes(), at_ms, &Thresholds::default()), true)
            };
            assert_eq!(shard.view_mut(0, true).change(b"key", Event::HExpire, change), Ok(Some(true)));
            check(&shard);
        }
    }

    #[test]
    fn expired_fields_go_in_portions_and_the_key_with_the_last() {
        let mut shard = Shard::new(1, 1);
        shard.effects_mut().set_recording(true);
        let mut many = Hash::default();
        for field in 0..1000_u32 {
            let expire = FieldExpire::AtMs(10 + i64::from(field % 2));
            many.set(&field.to_le_bytes(), b"", expire, &Thresholds::default());
        }
        shard.view_mut(0, true).put(b"key", many, Expire::Clear, Event::Set);
        shard.set_now_ms(11);
        let mut portions = 0;
        shard.expire_cycle(|| {
            portions += 1;
            true
        });
        assert!(portions >= 500 / 64, "{portions}");
        let left = shard.view(0, true).collection::<Hash>(b"key").unwrap().unwrap();
        assert_eq!(left.len(), 500);
        let fields: usize =
            shard.effects_mut().take().iter().map(|(_, words)| words.as_args().len() - 2).sum();
        assert_eq!(fields, 500);
        shard.set_now_ms(12);
        assert!(shard.view(0, true).peek(b"key").is_none(), "nobody sees a hash of expired fields");
        shard.expire_cycle(|| true);
        assert!(shard.database(0).is_empty());
    }
}
