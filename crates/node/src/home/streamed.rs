//! What a home knows of a long reply that is made in pieces.

/// A reply of a connection that is made in pieces.
#[derive(Debug)]
pub struct StreamedReply {
    pub(super) sequence: u32,
    pub(super) owner: usize,
    /// The stream's number at its owner.
    pub(super) stream: u64,
    /// What comes before the first piece.
    pub(super) header: Vec<u8>,
    /// A piece is on its way.
    pub(super) is_asked: bool,
    /// About how much of it is kept at its owner, in bytes.
    pub(super) unsent_len_bytes: usize,
}

impl StreamedReply {
    /// About how much memory its rest takes, in bytes: nothing as long as it is made from what the key holds.
    pub(crate) fn unsent_len_bytes(&self) -> usize {
        self.unsent_len_bytes
    }
}
