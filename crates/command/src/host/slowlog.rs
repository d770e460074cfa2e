//! The slow log.

use std::collections::VecDeque;
use tessera_resp::Args;

/// How many words of a command are kept.
const MAX_WORDS: usize = 32;
/// How many bytes of a word are kept.
const MAX_WORD_LEN_BYTES: usize = 128;

/// One slow command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowlogEntry {
    /// Grows by one per entry over the server's life, also over SLOWLOG RESET.
    pub id: u64,
    /// When it was noted, in Unix seconds.
    pub unix_s: i64,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// Its words, shortened; the last one says how many are missing.
    pub words: Vec<Box<[u8]>>,
    /// The client's address.
    pub peer: Box<str>,
    /// The client's name.
    pub client_name: Box<[u8]>,
}

/// The last slow commands, newest first.
#[derive(Clone, Debug, Default)]
pub struct Slowlog {
    entries: VecDeque<SlowlogEntry>,
    next_id: u64,
}

impl Slowlog {
    /// Notes a command, and forgets the oldest beyond `max_len`. The words at `hidden` are kept as `(redacted)`.
    #[expect(clippy::too_many_arguments, reason = "an entry has that many parts")]
    pub fn add(
        &mut self,
        unix_s: i64,
        duration_us: u64,
        args: Args<'_>,
        hidden: &[usize],
        peer: &str,
        client_name: &[u8],
        max_len: u64,
    ) {
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push_front(SlowlogEntry {
            id,
            unix_s,
            duration_us,
            words: shorten(args, hidden),
            peer: peer.into(),
            client_name: client_name.into(),
        });
        self.trim(max_len);
    }

    /// Forgets the oldest entries beyond `max_len`.
    pub fn trim(&mut self, max_len: u64) {
        self.entries.truncate(usize::try_from(max_len).unwrap_or(usize::MAX));
    }

    /// Entries, newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &SlowlogEntry> {
        self.entries.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets all.
    pub fn reset(&mut self) {
        self.entries.clear();
    }
}

fn shorten(args: Args<'_>, hidden: &[usize]) -> Vec<Box<[u8]>> {
    let kept = if args.len() > MAX_WORDS { MAX_WORDS - 1 } else { args.len() };
    let mut words: Vec<Box<[u8]>> = Vec::with_capacity(args.len().min(MAX_WORDS));
    for (index, word) in args.iter().take(kept).enumerate() {
        words.push(if hidden.contains(&index) {
            b"(redacted)"[..].into()
        } else if let Some(more @ 1..) = word.len().checked_sub(MAX_WORD_LEN_BYTES) {
            [&word[..MAX_WORD_LEN_BYTES], format!("... ({more} more bytes)").as_bytes()].concat().into()
        } else {
            word.into()
        });
    }
    if kept < args.len() {
        words.push(format!("... ({} more arguments)", args.len() - kept).into_bytes().into());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_resp::args::OwnedArgs;

    #[test]
    fn long_commands_are_shortened() {
        let words: Vec<String> = (0..40).map(|index| index.to_string()).collect();
        let mut log = Slowlog::default();
        log.add(1, 2, OwnedArgs::from_words(&words).as_args(), &[], "p", b"n", 128);
        let entry = log.entries().next().expect("one entry");
        assert_eq!(entry.words.len(), 32);
        // 31 words are kept, 9 are not.
        assert_eq!(&*entry.words[31], b"... (9 more arguments)");
        assert_eq!(&*entry.words[30], b"30");
        let exactly = OwnedArgs::from_words(&words[..32]);
        log.add(1, 2, exactly.as_args(), &[1], "p", b"n", 128);
        let entry = log.entries().next().expect("two entries");
        assert_eq!((&*entry.words[31], &*entry.words[1]), (&b"31"[..], &b"(redacted)"[..]));
        let long = OwnedArgs::from_words([vec![b'x'; 129], vec![b'y'; 128]]);
        log.add(1, 2, long.as_args(), &[], "p", b"n", 128);
        let entry = log.entries().next().expect("three entries");
        assert_eq!(entry.words[0].len(), 128 + "... (1 more bytes)".len());
        assert_eq!(entry.words[1].len(), 128);
    }

    #[test]
    fn the_oldest_go_first_and_numbers_go_on() {
        let mut log = Slowlog::default();
        let words = OwnedArgs::from_words(["get"]);
        for second in 0..5 {
            log.add(second, 2, words.as_args(), &[], "p", b"", 3);
        }
        assert_eq!(log.entries().map(|entry| entry.id).collect::<Vec<_>>(), [4, 3, 2]);
        log.reset();
        assert!(log.is_empty());
        log.add(9, 2, words.as_args(), &[], "p", b"", 3);
        assert_eq!(log.entries().map(|entry| entry.id).collect::<Vec<_>>(), [5]);
        log.add(9, 2, words.as_args(), &[], "p", b"", 0);
        assert_eq!(log.len(), 0);
    }
}
