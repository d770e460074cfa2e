//! Bounded memory (`maxmemory`): whether there is room for a write, and whose keys go if there is not.
//!
//! The bound is for the whole process, and so is the figure compared with it: what the allocator has given out. Whoever
//! finds it exceeded ([`eviction`]) divides the excess among all nodes in proportion to what their shards hold that may
//! go ([`crate::stats::NodeStats::owed_bytes`]), and wakes those that sleep. Every node evicts what it owes: a bounded
//! time of each turn, and if it grows itself at least as much as that, but never beyond the excess as it then is. What
//! is owed and not yet evicted is not divided again. It is a part of the keys as much as of the bytes, and whoever has
//! evicted its part of either has paid: where one large value is most of what a shard holds, its small keys would not
//! do, and the large one would go while other shards keep what is older. What is then left of the excess is divided
//! again.
//!
//! A command has more in memory for a moment than remains of it: what was received of it, copies on their way to other
//! shards, a large value that it replaced and that is freed in pieces. If keys went for these, twice as much would go
//! as has to. So memory besides the keys counts when it has been there for a while ([`watch`]), and that of the keys at
//! once.
//!
//! Looking at used memory costs a few cache lines of other threads, so it is looked at again only when the shard has
//! grown by its part of the room found last or by a small part of the bound, and about once a millisecond.

pub(crate) mod eviction;
pub(crate) mod excess;
pub(crate) mod watch;

/// What a write is refused with.
pub(crate) const OUT_OF_MEMORY: &[u8] = b"OOM command not allowed when used memory > 'maxmemory'.";
