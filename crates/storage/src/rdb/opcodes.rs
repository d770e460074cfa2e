//! The numbers of the format: what may follow, and of which type a value is.

/// The version that is written: the first with listpacks throughout, read by Redis 7.0 and later.
pub const VERSION_WRITTEN: u32 = 10;
/// The latest version that is read: that of Redis 7.4.
pub const VERSION_READ_MAX: u32 = 12;
