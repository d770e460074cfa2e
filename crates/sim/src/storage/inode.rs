//! What is in a file, and what of it survives a crash.

use std::collections::BTreeSet;
use tessera_node::disk::BLOCK_LEN_BYTES;

/// What a device writes whole or not at all, in bytes.
const SECTOR_LEN_BYTES: usize = 512;

/// A file, whatever it is called.
#[derive(Clone, Default)]
pub(super) struct Inode {
    /// What readers see.
    pub(super) bytes: Vec<u8>,
    /// What was on the disk with the last sync.
    pub(super) durable: Vec<u8>,
    /// Blocks written since, by number.
    pub(super) dirty: BTreeSet<usize>,
    /// Its last byte was written: a write of a length that is not a multiple of a block's.
    pub(super) end: Option<usize>,
}

impl Inode {
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / BLOCK_LEN_BYTES..end.div_ceil(BLOCK_LEN_BYTES));
    }

    pub(super) fn sync(&mut self) {
        self.durable.resize(self.bytes.len(), 0);
        for block in std::mem::take(&mut self.dirty) {
            copy_block(&self.bytes, &mut self.durable, block, BLOCK_LEN_BYTES);
        }
    }

    /// What is there after a crash.
    pub(super) fn survivor(&self, random: &mut fastrand::Rng) -> Inode {
        let mut durable = self.durable.clone();
        let (shorter, longer) = (durable.len().min(self.bytes.len()), durable.len().max(self.bytes.len()));
        let len = match random.u8(..3) {
            0 => self.bytes.len(),
            1 => durable.len(),
            // Files grow block by block.
            _ => (random.usize(shorter..=longer) / BLOCK_LEN_BYTES * BLOCK_LEN_BYTES).clamp(shorter, longer),
        };
        durable.resize(len, 0);
        for block in &self.dirty {
            let sectors = match random.u8(..4) {
                0 => random.usize(..=BLOCK_LEN_BYTES / SECTOR_LEN_BYTES),
                1 => 0,
                _ => BLOCK_LEN_BYTES / SECTOR_LEN_BYTES,
            };
            copy_block(&self.bytes, &mut durable, *block, sectors * SECTOR_LEN_BYTES);
        }
        Inode { bytes: durable.clone(), durable, ..Inode::default() }
    }
}

/// Copies the first bytes of a block, as far as both have any.
fn copy_block(from: &[u8], to: &mut [u8], block: usize, len_bytes: usize) {
    let start = block * BLOCK_LEN_BYTES;
    let end = (start + len_bytes).min(from.len()).min(to.len());
    if start < end {
        to[start..end].copy_from_slice(&from[start..end]);
    }
}
