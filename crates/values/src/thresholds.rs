//! When a small collection becomes a large one.

use crate::list::ListSetting;

/// Bounds of the flat encodings, as the configuration has them, and what else a collection must be told to grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Fields of a hash in a listpack (`hash-max-listpack-entries`).
    pub hash_max_listpack_entries: u64,
    /// Longest field or value there, in bytes (`hash-max-listpack-value`).
    pub hash_max_listpack_value_bytes: u64,
    /// Elements of one listpack of a list if positive, else its length: -1 to -5 are 4, 8, 16, 32, 64 KB
    /// (`list-max-listpack-size`).
    pub list_max_listpack_size: i32,
    /// Shortest element that gets a node of its own in a list of several nodes, in bytes (DEBUG
    /// QUICKLIST-PACKED-THRESHOLD). Not from the configuration.
    pub list_large_len_bytes: u32,
    /// Members of a set of integers (`set-max-intset-entries`).
    pub set_max_intset_entries: u64,
    /// Members of a set in a listpack (`set-max-listpack-entries`).
    pub set_max_listpack_entries: u64,
    /// Longest member there, in bytes (`set-max-listpack-value`).
    pub set_max_listpack_value_bytes: u64,
    /// Members of a sorted set in a listpack (`zset-max-listpack-entries`).
    pub zset_max_listpack_entries: u64,
    /// Longest member there, in bytes (`zset-max-listpack-value`).
    pub zset_max_listpack_value_bytes: u64,
    /// Longest sparse HyperLogLog, in bytes (`hll-sparse-max-bytes`).
    pub hll_sparse_max_bytes: u64,
    /// Of hash tables. Not from the configuration.
    pub seed: u64,
}

impl Thresholds {
    /// What concerns lists.
    pub fn list_setting(&self) -> ListSetting {
        ListSetting {
            max_listpack_size: self.list_max_listpack_size,
            large_len_bytes: self.list_large_len_bytes,
        }
    }
}

impl Default for Thresholds {
    /// Redis's defaults.
    fn default() -> Thresholds {
        Thresholds {
            hash_max_listpack_entries: 512,
            hash_max_listpack_value_bytes: 64,
            list_max_listpack_size: -2,
            list_large_len_bytes: ListSetting::LARGE_LEN_BYTES,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value_bytes: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value_bytes: 64,
            hll_sparse_max_bytes: 3000,
            seed: 0,
        }
    }
}
