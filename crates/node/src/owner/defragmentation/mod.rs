//! Active defragmentation: moving keys together when much of the heap is pages that are hardly used.
//!
//! Each node decides for its own shard. Every now and then it compares what of the heap is resident with what the
//! allocator has given out. If both parameters are exceeded, percent and bytes, it begins a pass over its shard, in
//! slices of a fraction of a millisecond, so often that they take the part of its time that the parameters allow for
//! that much fragmentation. What is compared is the process's, and what does not fit may be elsewhere: in another
//! shard, in large collections, in buffers. So a pass that moved hardly anything is *futile*, and another begins only
//! after the shard has changed, or when twice as much does not fit.

pub(crate) mod fragmentation;
pub(crate) mod passes;
pub(crate) mod slices;
pub(crate) mod time;
