//! The members of a large sorted set and their scores, by number.
//!
//! Members of like length lie in chunks of [`CHUNK_LEN`] slots, each slot a score, a length and the bytes; longer ones
//! have memory of their own. A number says chunk and slot. Slots that became free are the next to be used; if there are
//! many, the user is asked to move the last member of that length into one, so that memory goes back.

use crate::allocation::block_len_bytes;

/// Bits of a number that say which slot of a chunk.
const SLOT_BITS: u32 = 10;
/// Slots of a full chunk.
const CHUNK_LEN: usize = 1 << SLOT_BITS;
/// Slots are multiples of this, in bytes.
const STEP_BYTES: usize = 4;
/// Bytes of a slot before the member.
const HEADER_BYTES: usize = 9;
const SHORTEST_SLOT_BYTES: usize = HEADER_BYTES.next_multiple_of(STEP_BYTES);
const LONGEST_SLOT_BYTES: usize = 128;
/// Longest member in a slot, in bytes.
const SHORT_MAX_LEN_BYTES: usize = LONGEST_SLOT_BYTES - HEADER_BYTES;
/// The class of members that are longer.
const LONG_CLASS: usize = (LONGEST_SLOT_BYTES - SHORTEST_SLOT_BYTES) / STEP_BYTES + 1;
/// Where a slot has the length of its member.
const LEN_AT: usize = 8;
/// In place of a length: the member has memory of its own.
const LONG: u8 = 0xfe;
/// In place of a length: the slot is free. Before it are the numbers of the free slots before and behind it in their
/// chain.
const FREE: u8 = 0xff;
/// The end of that chain.
const NONE: u32 = u32::MAX;
/// Slots at the end of a class that are given up in one go.
const TRIM_MAX: usize = 8;
/// Free slots that are left alone.
const FEW_FREE: usize = 64;

const _: () = assert!(SHORT_MAX_LEN_BYTES < LONG as usize);

#[derive(Clone, Default)]
struct Chunk {
    class: u8,
    slots: Vec<u8>,
    /// The members of the slots, if they are long.
    long: Vec<Box<[u8]>>,
}

/// Members of like length.
#[derive(Clone)]
struct Class {
    /// Its chunks; all but the last are full.
    chunks: Vec<u32>,
    /// Free slots.
    free: usize,
    first_free: u32,
}

/// Members and their scores.
pub(super) struct Members {
    chunks: Vec<Chunk>,
    unused_chunks: Vec<u32>,
    classes: Vec<Class>,
    /// Memory of slots and long members, in bytes.
    slots_bytes: usize,
}

/// The copy takes no more room than it needs, so that its memory is counted anew.
impl Clone for Members {
    fn clone(&self) -> Members {
        let chunks = self.chunks.clone();
        let slots_bytes = chunks.iter().map(Chunk::allocated_bytes).sum();
        Members {
            chunks,
            unused_chunks: self.unused_chunks.clone(),
            classes: self.classes.clone(),
            slots_bytes,
        }
    }
}

fn class_of(len_bytes: usize) -> usize {
    if len_bytes > SHORT_MAX_LEN_BYTES {
        return LONG_CLASS;
    }
    ((HEADER_BYTES + len_bytes).next_multiple_of(STEP_BYTES) - SHORTEST_SLOT_BYTES) / STEP_BYTES
}

fn slot_len_bytes(class: usize) -> usize {
    if class == LONG_CLASS { SHORTEST_SLOT_BYTES } else { SHORTEST_SLOT_BYTES + class * STEP_BYTES }
}

#[inline]
fn place(id: u32) -> (usize, usize) {
    ((id >> SLOT_BITS) as usize, id as usize & (CHUNK_LEN - 1))
}

fn number(chunk: u32, slot: usize) -> u32 {
    chunk << SLOT_BITS | slot as u32
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl Chunk {
    #[inline]
    fn slot(&self, slot: usize) -> &[u8] {
        let len = slot_len_bytes(usize::from(self.class));
        &self.slots[slot * len..(slot + 1) * len]
    }

    #[inline]
    fn slot_mut(&mut self, slot: usize) -> &mut [u8] {
        let len = slot_len_bytes(usize::from(self.class));
        &mut self.slots[slot * len..(slot + 1) * len]
    }

    fn len(&self) -> usize {
        self.slots.len() / slot_len_bytes(usize::from(self.class))
    }

    /// Adds a slot at the end, and memory as it needs it. By how much memory grew, in bytes.
    fn grow(&mut self) -> usize {
        let (len, max) =
            (slot_len_bytes(usize::from(self.class)), CHUNK_LEN * slot_len_bytes(usize::from(self.class)));
        let before = block_len_bytes(self.slots.capacity());
        let after_len = self.slots.len() + len;
        if after_len > self.slots.capacity() {
            let wanted = block_len_bytes((after_len + after_len / 2).max(4 * len)).min(max);
            self.slots.reserve_exact(wanted - self.slots.len());
        }
        self.slots.resize(after_len, 0);
        let mut grown = block_len_bytes(self.slots.capacity()) - before;
        if usize::from(self.class) == LONG_CLASS {
            let before = self.long.capacity();
            self.long.push(Box::default());
            grown += block_len_bytes(self.long.capacity() * size_of::<Box<[u8]>>())
                - block_len_bytes(before * size_of::<Box<[u8]>>());
        }
        grown
    }

    fn allocated_bytes(&self) -> usize {
        block_len_bytes(self.slots.capacity())
            + block_len_bytes(self.long.capacity() * size_of::<Box<[u8]>>())
            + self.long.iter().map(|member| block_len_bytes(member.len())).sum::<usize>()
    }
}

impl Members {
    /// None.
    pub fn new() -> Members {
        let class = Class { chunks: Vec::new(), free: 0, first_free: NONE };
        Members {
            chunks: Vec::new(),
            unused_chunks: Vec::new(),
            classes: vec![class; LONG_CLASS + 1],
            slots_bytes: 0,
        }
    }

    /// Memory beyond the `Members` themselves, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        self.slots_bytes
            + block_len_bytes(self.chunks.capacity() * size_of::<Chunk>())
            + block_len_bytes(self.unused_chunks.capacity() * size_of::<u32>())
            + block_len_bytes(self.classes.capacity() * size_of::<Class>())
            // Each chunk's number in its class.
            + self.chunks.len() * 2 * size_of::<u32>()
    }

    #[inline]
    fn slot(&self, id: u32) -> &[u8] {
        let (chunk, slot) = place(id);
        self.chunks[chunk].slot(slot)
    }

    #[inline]
    fn slot_mut(&mut self, id: u32) -> &mut [u8] {
        let (chunk, slot) = place(id);
        self.chunks[chunk].slot_mut(slot)
    }

    /// Where the member of that number is, and its score.
    #[inline]
    pub fn address(&self, id: u32) -> *const u8 {
        let (chunk, slot) = place(id);
        let chunk = &self.chunks[chunk];
        chunk.slots.as_ptr().wrapping_add(slot * slot_len_bytes(usize::from(chunk.class)))
    }

    /// The member of that number.
    #[inline]
    pub fn name(&self, id: u32) -> &[u8] {
        let (chunk, slot) = place(id);
        let chunk = &self.chunks[chunk];
        let bytes = chunk.slot(slot);
        match bytes[LEN_AT] {
            LONG => &chunk.long[slot],
            len => &bytes[HEADER_BYTES..HEADER_BYTES + usize::from(len)],
        }
    }

    /// Its score.
    #[inline]
    pub fn score(&self, id: u32) -> f64 {
        let slot = self.slot(id);
        f64::from_bits(u64::from(u32_at(slot, 0)) | u64::from(u32_at(slot, 4)) << 32)
    }

    /// Changes its score.
    pub fn set_score(&mut self, id: u32, score: f64) {
        self.slot_mut(id)[..LEN_AT].copy_from_slice(&score.to_le_bytes());
    }

    /// Adds a member. Its number.
    pub fn add(&mut self, name: &[u8], score: f64) -> u32 {
        let class = class_of(name.len());
        let id = match self.classes[class].first_free {
            NONE => self.grow(class),
            free => {
                self.unchain(free);
                free
            }
        };
        self.set_score(id, score);
        let slot = self.slot_mut(id);
        if class == LONG_CLASS {
            slot[LEN_AT] = LONG;
            let (chunk, slot) = place(id);
            self.chunks[chunk].long[slot] = name.into();
            self.slots_bytes += block_len_bytes(name.len());
        } else {
            slot[LEN_AT] = name.len() as u8;
            slot[HEADER_BYTES..HEADER_BYTES + name.len()].copy_from_slice(name);
        }
        id
    }

    /// A new slot at the end of a class.
    fn grow(&mut self, class: usize) -> u32 {
        let has_room = |members: &Members, chunk: &u32| members.chunks[*chunk as usize].len() < CHUNK_LEN;
        let chunk = match self.classes[class].chunks.last().copied().filter(|chunk| has_room(self, chunk)) {
            Some(chunk) => chunk,
            None => {
                let chunk = self.unused_chunks.pop().unwrap_or_else(|| {
                    self.chunks.push(Chunk::default());
                    (self.chunks.len() - 1) as u32
                });
                // With its place in the tree and in the index a member takes 30 bytes at least: more than 120 GB on one
                // shard.
                assert!(chunk < u32::MAX >> SLOT_BITS, "memory ends before four billion members do");
                self.chunks[chunk as usize].class = class as u8;
                self.classes[class].chunks.push(chunk);
                chunk
            }
        };
        self.slots_bytes += self.chunks[chunk as usize].grow();
        number(chunk, self.chunks[chunk as usize].len() - 1)
    }

    /// Takes a free slot out of the chain of its class.
    fn unchain(&mut self, id: u32) {
        let (before, behind) = (u32_at(self.slot(id), 0), u32_at(self.slot(id), 4));
        let class = usize::from(self.chunks[place(id).0].class);
        if before == NONE {
            self.classes[class].first_free = behind;
        } else {
            self.slot_mut(before)[4..8].copy_from_slice(&behind.to_le_bytes());
        }
        if behind != NONE {
            self.slot_mut(behind)[..4].copy_from_slice(&before.to_le_bytes());
        }
        self.classes[class].free -= 1;
    }

    /// Gives up a member. The number of another one to be moved with [`Members::copy_last`], if so many slots are free
    /// that it is time for that.
    pub fn remove(&mut self, id: u32) -> Option<u32> {
        let (chunk, slot) = place(id);
        let class = usize::from(self.chunks[chunk].class);
        if class == LONG_CLASS {
            let name = std::mem::take(&mut self.chunks[chunk].long[slot]);
            self.slots_bytes -= block_len_bytes(name.len());
        }
        let behind = self.classes[class].first_free;
        let bytes = self.slot_mut(id);
        bytes[..4].copy_from_slice(&NONE.to_le_bytes());
        bytes[4..8].copy_from_slice(&behind.to_le_bytes());
        bytes[LEN_AT] = FREE;
        if behind != NONE {
            self.slot_mut(behind)[..4].copy_from_slice(&id.to_le_bytes());
        }
        self.classes[class].first_free = id;
        self.classes[class].free += 1;
        for _ in 0..TRIM_MAX {
            let last = self.last_of(class)?;
            if self.slot(last)[LEN_AT] != FREE {
                return self.is_sparse(class).then_some(last);
            }
            self.unchain(last);
            self.drop_last(class);
        }
        None
    }

    /// The number of a class's last slot.
    fn last_of(&self, class: usize) -> Option<u32> {
        let chunk = *self.classes[class].chunks.last()?;
        Some(number(chunk, self.chunks[chunk as usize].len() - 1))
    }

    /// More than an eighth of its slots are free, and more than a few. Long members are not worth moving: nearly all of
    /// their memory has gone back already.
    fn is_sparse(&self, class: usize) -> bool {
        let Class { chunks, free, .. } = &self.classes[class];
        class != LONG_CLASS && *free > (chunks.len() - 1) * CHUNK_LEN / 8 + FEW_FREE
    }

    fn drop_last(&mut self, class: usize) {
        let Some(number) = self.classes[class].chunks.last().copied() else { return };
        let chunk = &mut self.chunks[number as usize];
        let left = chunk.slots.len() - slot_len_bytes(class);
        chunk.slots.truncate(left);
        chunk.long.truncate(left / slot_len_bytes(class));
        if left == 0 {
            self.slots_bytes -= chunk.allocated_bytes();
            *chunk = Chunk::default();
            self.unused_chunks.push(number);
            self.classes[class].chunks.pop();
        }
    }

    /// Makes a copy of the last member of its class in a free slot, whose number is returned. When nothing refers to
    /// the old number any more [`Members::forget_last`] must be called.
    pub fn copy_last(&mut self, last: u32) -> u32 {
        let class = usize::from(self.chunks[place(last).0].class);
        let free = self.classes[class].first_free;
        self.unchain(free);
        let mut bytes = [0; LONGEST_SLOT_BYTES];
        let bytes = &mut bytes[..slot_len_bytes(class)];
        bytes.copy_from_slice(self.slot(last));
        self.slot_mut(free).copy_from_slice(bytes);
        free
    }

    /// Gives up the member that [`Members::copy_last`] copied.
    pub fn forget_last(&mut self, last: u32) {
        self.drop_last(usize::from(self.chunks[place(last).0].class));
    }

    /// Frees a chunk of members. False if there is none left.
    pub fn free_some(&mut self) -> bool {
        self.classes = Vec::new();
        if let Some(chunk) = self.chunks.pop() {
            self.slots_bytes -= chunk.allocated_bytes();
        }
        !self.chunks.is_empty()
    }

    /// Memory counted anew, for tests.
    #[cfg(test)]
    pub fn check(&self) {
        assert_eq!(self.chunks.iter().map(Chunk::allocated_bytes).sum::<usize>(), self.slots_bytes);
        for (number, class) in self.classes.iter().enumerate() {
            let slots: usize = class.chunks.iter().map(|chunk| self.chunks[*chunk as usize].len()).sum();
            let (mut free, mut id) = (0, class.first_free);
            while id != NONE {
                assert_eq!(self.slot(id)[LEN_AT], FREE);
                (free, id) = (free + 1, u32_at(self.slot(id), 4));
            }
            assert_eq!(free, class.free, "class {number} of {slots}");
            assert!(
                number == LONG_CLASS || free <= slots / 8 + 2 * CHUNK_LEN,
                "class {number}: {free} of {slots}"
            );
        }
    }
}
