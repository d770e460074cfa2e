//! Where a piece of a snapshot's file is taken from.

use std::sync::Arc;

/// Part of a shard's file, which is to be copied.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// What comes before it.
    pub(crate) before: Vec<u8>,
    pub(crate) path: Arc<str>,
    pub(crate) offset_bytes: u64,
    pub(crate) len_bytes: u64,
}

impl Body {
    /// A file as a whole.
    pub(crate) fn whole(path: Arc<str>, len_bytes: u64) -> Body {
        Body { before: Vec::new(), path, offset_bytes: 0, len_bytes }
    }
}
