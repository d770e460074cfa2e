//! How unkind the disk is.

/// How unkind the disk is. Chances are in percent.
#[derive(Clone, Copy, Debug)]
pub struct DiskWeather {
    /// An operation under way is not carried out at this step.
    pub slow: u8,
    /// Making or opening a file fails.
    pub open_fails: u8,
    /// A write fails, perhaps after part of it.
    pub write_fails: u8,
    /// A read fails.
    pub read_fails: u8,
    /// A sync of a file fails. What was to be synced is lost then, whatever later syncs say.
    pub sync_fails: u8,
    /// Renaming or removing a file, listing or syncing a directory fails.
    pub directory_fails: u8,
    /// What all files may hold together, in bytes.
    pub capacity_bytes: u64,
    /// Nothing can be changed.
    pub is_read_only: bool,
    /// After so many operations in all nothing more is carried out: a crash is to follow.
    pub stops_after_operations: u64,
}

impl DiskWeather {
    /// Everything is prompt, and nothing fails.
    pub fn calm() -> DiskWeather {
        DiskWeather {
            slow: 0,
            open_fails: 0,
            write_fails: 0,
            read_fails: 0,
            sync_fails: 0,
            directory_fails: 0,
            capacity_bytes: u64::MAX,
            is_read_only: false,
            stops_after_operations: u64::MAX,
        }
    }

    /// A disk that never fails and takes its time, now little, now much.
    pub fn slow(random: &mut fastrand::Rng) -> DiskWeather {
        DiskWeather { slow: [0, 50, 90, 99][random.usize(..4)], ..DiskWeather::calm() }
    }

    /// Some trouble, each kind of it now absent, now rare, now frequent.
    pub fn draw(random: &mut fastrand::Rng) -> DiskWeather {
        let slow = DiskWeather::slow(random).slow;
        let mut chance = || [0, 0, 1, 20][random.usize(..4)];
        DiskWeather {
            slow,
            open_fails: chance(),
            write_fails: chance(),
            read_fails: chance(),
            sync_fails: chance(),
            directory_fails: chance(),
            capacity_bytes: [u64::MAX, u64::MAX, 1 << 20, 1 << 14][random.usize(..4)],
            is_read_only: random.u8(..20) == 0,
            stops_after_operations: u64::MAX,
        }
    }
}
