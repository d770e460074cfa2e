//! The words of one command, borrowed from the bytes they came in.

use std::ops::Index;

/// Where one word lies within its command's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte, counted from the buffer's start.
    pub start: usize,
    /// Length in bytes.
    pub len: usize,
}

/// A command's words. Copying copies two references.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Words of `bytes` at `spans`. Every span must lie within `bytes`: access panics otherwise.
    pub fn new(bytes: &'a [u8], spans: &'a [Span]) -> Args<'a> {
        Args { bytes, spans }
    }

    /// How many words there are, the command's name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// No words at all.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The word at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let span = self.spans.get(index)?;
        Some(&self.bytes[span.start..][..span.len])
    }

    /// All words in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let bytes = self.bytes;
        self.spans.iter().map(move |span| &bytes[span.start..][..span.len])
    }

    /// The words from `first` on; none if there are fewer.
    pub fn from(&self, first: usize) -> Args<'a> {
        Args { bytes: self.bytes, spans: self.spans.get(first..).unwrap_or(&[]) }
    }

    /// The sum of the words' lengths, in bytes.
    pub fn total_len_bytes(&self) -> usize {
        self.spans.iter().map(|span| span.len).sum()
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        let span = self.spans[index];
        &self.bytes[span.start..][..span.len]
    }
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|word| word.escape_ascii().to_string())).finish()
    }
}

/// Words that own their bytes: for building commands (an effect, a test, a replayed line).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedArgs {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedArgs {
    /// No words yet.
    pub fn new() -> OwnedArgs {
        OwnedArgs::default()
    }

    /// Copies `words`.
    pub fn from_words<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> OwnedArgs {
        let mut owned = OwnedArgs::new();
        for word in words {
            owned.push(word.as_ref());
        }
        owned
    }

    /// Appends a copy of `word`.
    pub fn push(&mut self, word: &[u8]) {
        self.spans.push(Span { start: self.bytes.len(), len: word.len() });
        self.bytes.extend_from_slice(word);
    }

    /// Forgets the words, keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    /// The words.
    pub fn as_args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }
}
