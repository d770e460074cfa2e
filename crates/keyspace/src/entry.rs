//! A key with what belongs to it.

use crate::key::Key;
use std::cell::Cell;
use tessera_values::Value;

/// Stands for "does not expire" in [`Entry::expire_at_ms`]'s field.
const NEVER: i64 = i64::MIN;

/// A key, its value, its expiry, and when it was last used.
#[derive(Clone, Debug)]
pub struct Entry {
    key: Key,
    pub(crate) value: Value,
    expire_at_ms: i64,
    /// Unix seconds, wrapping in the year 2106.
    used_at_s: Cell<u32>,
}

impl Entry {
    pub(crate) fn new(key: &[u8], value: Value, expire_at_ms: Option<i64>, now_ms: i64) -> Entry {
        let entry = Entry {
            key: Key::new(key),
            value,
            expire_at_ms: expire_at_ms.unwrap_or(NEVER),
            used_at_s: Cell::new(0),
        };
        entry.touch(now_ms);
        entry
    }

    /// The key's bytes.
    #[inline]
    pub fn key(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// What the key holds.
    #[inline]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What the key holds, to be changed in place.
    #[inline]
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// When the key expires, in Unix milliseconds, if it does.
    #[inline]
    pub fn expire_at_ms(&self) -> Option<i64> {
        (self.expire_at_ms != NEVER).then_some(self.expire_at_ms)
    }

    /// The key's time is over. (At its very millisecond it still lives, as in Redis.)
    #[inline]
    pub fn is_expired(&self, now_ms: i64) -> bool {
        self.expire_at_ms != NEVER && now_ms > self.expire_at_ms
    }

    pub(crate) fn set_expire(&mut self, at_ms: Option<i64>) {
        self.expire_at_ms = at_ms.unwrap_or(NEVER);
    }

    /// Notes a use.
    #[inline]
    pub fn touch(&self, now_ms: i64) {
        self.used_at_s.set((now_ms / 1000) as u32);
    }

    /// Seconds since the last use.
    pub fn idle_s(&self, now_ms: i64) -> u64 {
        let idle = ((now_ms / 1000) as u32).wrapping_sub(self.used_at_s.get());
        // The clock may have been set back meanwhile.
        if idle > u32::MAX / 2 { 0 } else { u64::from(idle) }
    }

    /// Memory the entry takes, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        size_of::<Entry>() + self.key.allocated_bytes() + self.value.allocated_bytes()
    }

    pub(crate) fn into_parts(self) -> (Value, Option<i64>) {
        let expire_at_ms = self.expire_at_ms();
        (self.value, expire_at_ms)
    }
}
