//! What nodes tell each other of loading.

use crate::loading::plan::LoadPlan;
use crate::mesh::NoteLen;
use std::sync::Arc;
use tessera_storage::rdb::DecodedEntry;

/// About loading.
pub enum LoadNote {
    /// This is what there is to load: take your share.
    Plan(Arc<LoadPlan>),
    /// Keys of your shard, from what was saved, and how long they are about, in bytes.
    Entries(Vec<DecodedEntry>, usize),
    /// I have sent you all that I loaded.
    Sent,
    /// I have all keys of my shard.
    Arrived,
}

impl LoadNote {
    pub(super) fn len_bytes(&self) -> NoteLen {
        match self {
            LoadNote::Entries(_, len_bytes) => NoteLen::Request(*len_bytes),
            _ => NoteLen::Short,
        }
    }
}
