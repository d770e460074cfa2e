//! How far loading is, as all nodes and INFO see it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tessera_command::host::facts::LoadingFacts;

/// How far loading is. Nodes add to it; nobody waits for anybody.
#[derive(Debug, Default)]
pub struct LoadingProgress {
    is_loading: AtomicBool,
    started_at_unix_us: AtomicI64,
    total_bytes: AtomicU64,
    loaded_bytes: AtomicU64,
    used_memory_bytes: AtomicU64,
    keys_loaded: AtomicU64,
    keys_expired: AtomicU64,
    keys_kept: AtomicU64,
    has_failed: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl LoadingProgress {
    /// Loading begins. Clients are refused from now on.
    pub fn begin(&self, unix_us: i64) {
        self.started_at_unix_us.store(unix_us, Ordering::Relaxed);
        let counters =
            [&self.total_bytes, &self.loaded_bytes, &self.keys_loaded, &self.keys_expired, &self.keys_kept];
        for counter in counters {
            counter.store(0, Ordering::Relaxed);
        }
        self.is_loading.store(true, Ordering::Release);
    }

    /// What there is to load: the length of all files, in bytes, and the memory that its writer used for it.
    pub(crate) fn set_total(&self, total_bytes: u64, used_memory_bytes: u64) {
        self.total_bytes.store(total_bytes, Ordering::Relaxed);
        self.used_memory_bytes.store(used_memory_bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, len_bytes: u64) {
        self.loaded_bytes.fetch_add(len_bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_keys(&self, loaded: u64, expired: u64) {
        self.keys_loaded.fetch_add(loaded, Ordering::Relaxed);
        self.keys_expired.fetch_add(expired, Ordering::Relaxed);
    }

    /// A key that was to be loaded was there, and stays.
    pub(crate) fn note_kept(&self) {
        self.keys_kept.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were there.
    pub(crate) fn keys_kept(&self) -> u64 {
        self.keys_kept.load(Ordering::Relaxed)
    }

    /// All is loaded, unless something has failed: then loading does not end but with the server.
    pub(crate) fn end(&self) {
        if !self.has_failed() {
            self.is_loading.store(false, Ordering::Release);
        }
    }

    /// Loading has begun and not ended.
    pub fn is_loading(&self) -> bool {
        self.is_loading.load(Ordering::Acquire)
    }

    /// It cannot go on, and why. The first reason stays.
    pub(crate) fn fail(&self, why: String) {
        self.has_failed.store(true, Ordering::Release);
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// It cannot go on: nobody is served, and nothing is saved, until the server has ended.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Why it could not go on.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What INFO tells of it.
    pub fn facts(&self, now_unix_us: i64) -> LoadingFacts {
        let started_us = self.started_at_unix_us.load(Ordering::Relaxed);
        let (total, loaded) =
            (self.total_bytes.load(Ordering::Relaxed), self.loaded_bytes.load(Ordering::Relaxed));
        let elapsed_s = now_unix_us.saturating_sub(started_us).max(0) as u64 / 1_000_000;
        LoadingFacts {
            is_loading: self.is_loading(),
            started_at_unix_s: started_us.div_euclid(1_000_000),
            total_bytes: total,
            loaded_bytes: loaded,
            used_memory_bytes: self.used_memory_bytes.load(Ordering::Relaxed),
            eta_s: match elapsed_s {
                0 => 1,
                _ => {
                    let left = u128::from(total.saturating_sub(loaded));
                    (u128::from(elapsed_s) * left / (u128::from(loaded) + 1)) as u64
                }
            },
            keys_loaded: self.keys_loaded.load(Ordering::Relaxed),
            keys_expired: self.keys_expired.load(Ordering::Relaxed),
        }
    }
}
