//! What follows from the memory facts: for INFO, MEMORY STATS and MEMORY DOCTOR.

use tessera_command::host::Facts;

/// Sums, differences and ratios. Ratios are single precision, as in Redis, so that they print alike.
pub struct Overhead {
    /// Memory that is not data, in bytes.
    pub overhead_bytes: u64,
    /// Memory that is, in bytes.
    pub dataset_bytes: u64,
    /// The share of data in what was allocated since the start, in percent.
    pub dataset_percent: f32,
    /// The share of the peak that is in use, in percent.
    pub peak_percent: f32,
    /// Keys of all databases.
    pub keys: u64,
    /// Memory allocated since the start per key, in bytes.
    pub bytes_per_key: u64,
    /// Active over allocated.
    pub fragmentation_ratio: f32,
    /// Active less allocated.
    pub fragmentation_bytes: i64,
    /// The allocator's resident over active.
    pub allocator_ratio: f32,
    /// The allocator's resident less active.
    pub allocator_bytes: i64,
    /// The process's resident over the allocator's.
    pub process_ratio: f32,
    /// The process's resident less the allocator's.
    pub process_bytes: i64,
    /// The process's resident over used.
    pub total_ratio: f32,
    /// The process's resident less used.
    pub total_bytes: i64,
}

impl Overhead {
    /// Computes them all.
    pub fn of(facts: &Facts) -> Overhead {
        let memory = &facts.memory;
        let tables_bytes: u64 = facts.keyspace.iter().map(|database| database.table_bytes).sum();
        let overhead_bytes = memory.startup_bytes + memory.clients_bytes + tables_bytes;
        let dataset_bytes = memory.used_bytes.saturating_sub(overhead_bytes);
        let net_bytes = memory.used_bytes.saturating_sub(memory.startup_bytes).max(1);
        let keys = facts.keyspace.iter().map(|database| database.keys).sum();
        let peak_bytes = memory.peak_bytes.max(memory.used_bytes);
        let (allocated, active, resident) = (
            memory.allocator_allocated_bytes,
            memory.allocator_active_bytes,
            memory.allocator_resident_bytes,
        );
        Overhead {
            overhead_bytes,
            dataset_bytes,
            dataset_percent: ratio(dataset_bytes.saturating_mul(100), net_bytes),
            peak_percent: ratio(memory.used_bytes.saturating_mul(100), peak_bytes),
            keys,
            bytes_per_key: net_bytes.checked_div(keys).unwrap_or(0),
            fragmentation_ratio: ratio(active, allocated),
            fragmentation_bytes: difference(active, allocated),
            allocator_ratio: ratio(resident, active),
            allocator_bytes: difference(resident, active),
            process_ratio: ratio(memory.resident_bytes, resident),
            process_bytes: difference(memory.resident_bytes, resident),
            total_ratio: ratio(memory.resident_bytes, memory.used_bytes),
            total_bytes: difference(memory.resident_bytes, memory.used_bytes),
        }
    }
}

/// 0 if there is nothing to compare with.
fn ratio(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

fn difference(more: u64, less: u64) -> i64 {
    (more as i64).wrapping_sub(less as i64)
}
