//! What the configuration says of a shard, in the engine's words.

use tessera_config::{Config, MaxMemoryPolicy};
use tessera_keyspace::{EvictionPolicy, LazyFree, ShardSettings};
use tessera_values::Thresholds;

/// More samples for each key that goes do not choose better, and would stop the shard.
const SAMPLES_MAX: u32 = 1000;
/// The settings of a shard that has been under those of `before`, which has some that are not from the configuration.
pub(crate) fn shard_settings(config: &Config, before: &ShardSettings) -> ShardSettings {
    let eviction_policy = eviction_policy(config.max_memory_policy);
    ShardSettings {
        string_max_len_bytes: config.proto_max_bulk_len.0,
        eviction_policy,
        eviction_samples: config.max_memory_samples.min(SAMPLES_MAX),
        lfu_log_factor: config.lfu_log_factor,
        lfu_decay_time_min: config.lfu_decay_time_min,
        thresholds: thresholds(config, before.thresholds.list_large_len_bytes),
        lazy_flush: config.lazy_free_lazy_user_flush,
        shares_integers: config.max_memory.0 == 0 || !eviction_policy.remembers_uses(),
        compress_dumps: config.rdb_compression,
        skip_checksums: before.skip_checksums,
        lazy_free: LazyFree {
            eviction: config.lazy_free_lazy_eviction,
            expire: config.lazy_free_lazy_expire,
            server_delete: config.lazy_free_lazy_server_del,
            user_delete: config.lazy_free_lazy_user_del,
        },
    }
}

/// The engine's word for a policy.
fn eviction_policy(policy: MaxMemoryPolicy) -> EvictionPolicy {
    match policy {
        MaxMemoryPolicy::NoEviction => EvictionPolicy::NoEviction,
        MaxMemoryPolicy::AllKeysLru => EvictionPolicy::AllKeysLru,
        MaxMemoryPolicy::VolatileLru => EvictionPolicy::VolatileLru,
        MaxMemoryPolicy::AllKeysLfu => EvictionPolicy::AllKeysLfu,
        MaxMemoryPolicy::VolatileLfu => EvictionPolicy::VolatileLfu,
        MaxMemoryPolicy::AllKeysRandom => EvictionPolicy::AllKeysRandom,
        MaxMemoryPolicy::VolatileRandom => EvictionPolicy::VolatileRandom,
        MaxMemoryPolicy::VolatileTtl => EvictionPolicy::VolatileTtl,
    }
}

/// What the configuration says of small collections.
fn thresholds(config: &Config, list_large_len_bytes: u32) -> Thresholds {
    Thresholds {
        hash_max_listpack_entries: config.hash_max_listpack_entries,
        hash_max_listpack_value_bytes: config.hash_max_listpack_value_bytes.0,
        list_max_listpack_size: config.list_max_listpack_size,
        // Not from the configuration.
        list_large_len_bytes,
        set_max_intset_entries: config.set_max_intset_entries,
        set_max_listpack_entries: config.set_max_listpack_entries,
        set_max_listpack_value_bytes: config.set_max_listpack_value_bytes,
        zset_max_listpack_entries: config.zset_max_listpack_entries,
        zset_max_listpack_value_bytes: config.zset_max_listpack_value_bytes.0,
        hll_sparse_max_bytes: config.hll_sparse_max_bytes.0,
        // The shard has its own.
        seed: 0,
    }
}
