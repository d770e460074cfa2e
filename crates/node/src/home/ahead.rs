//! Commands of a pipeline, read before they are run.

use tessera_command::registry::Unknown;
use tessera_command::{Command, Registry};
use tessera_resp::{Args, Decoded, Decoder, KEPT_SPANS_MAX, Limits, ProtocolError, Span};

/// How many commands are read ahead at most: enough for their cache misses to overlap, few enough for what was
/// loaded to stay loaded.
const AHEAD_MAX_COMMANDS: usize = 24;

/// A command that is read and not run yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    /// What its words call.
    pub(crate) resolved: Result<&'static Command, Unknown>,
    /// Where it ends, in the bytes that were read.
    pub(crate) end: usize,
    first_span: usize,
    spans_len: usize,
}

/// Why no more commands are read ahead.
#[derive(Debug)]
pub(crate) enum Last {
    /// These are enough for now.
    More,
    /// The next one is not whole.
    Incomplete,
    /// The next one, of this length, is in the decoder: its words do not lie in the bytes that were read.
    Apart(usize),
    /// Behind them is something that is no command.
    Error(ProtocolError),
}

/// Some commands in a row, with room that is used again.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    pub(crate) commands: Vec<Planned>,
    spans: Vec<Span>,
}

impl Ahead {
    /// Where the words of a command are in the bytes that were read.
    #[inline]
    pub(crate) fn spans_of(&self, planned: &Planned) -> &[Span] {
        &self.spans[planned.first_span..][..planned.spans_len]
    }

    /// Gives back the room that uncommonly long commands took, once they have run.
    #[inline]
    pub(crate) fn give_back_room(&mut self) {
        if self.spans.capacity() > KEPT_SPANS_MAX {
            self.spans = Vec::new();
        }
    }

    /// Reads commands from the start of `bytes`, no more than the turn has room for (`turn_max`, but one in any case),
    /// and says why it stopped. Empty commands are passed over.
    #[inline]
    pub(crate) fn read(
        &mut self,
        registry: &Registry,
        bytes: &[u8],
        decoder: &mut Decoder,
        limits: &Limits,
        turn_max: usize,
    ) -> Last {
        self.commands.clear();
        self.spans.clear();
        // Whether a client has authenticated, which bounds what it may send, can change with every command.
        let max = if limits.unauthenticated { 1 } else { AHEAD_MAX_COMMANDS.min(turn_max.max(1)) };
        let mut at = 0;
        while self.commands.len() < max {
            match decoder.decode(&bytes[at..], limits) {
                Ok(Decoded::Incomplete) => return Last::Incomplete,
                Err(error) => return Last::Error(error),
                Ok(Decoded::Command(len)) => {
                    if decoder.words_lie_apart() || decoder.spans().is_empty() {
                        return Last::Apart(len);
                    }
                    let resolved = registry.resolve(Args::new(&bytes[at..], decoder.spans()));
                    let first_span = self.spans.len();
                    let moved = |span: &Span| Span { start: span.start + at, len: span.len };
                    self.spans.extend(decoder.spans().iter().map(moved));
                    at += len;
                    let spans_len = self.spans.len() - first_span;
                    self.commands.push(Planned { resolved, end: at, first_span, spans_len });
                }
            }
        }
        Last::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_uncommonly_many_words_is_given_back() {
        let (registry, limits) =
            (Registry::new(&[]), Limits { bulk_max_len_bytes: 1024, unauthenticated: false });
        for (words, is_kept) in [(100, true), (100_000, false)] {
            let input = [format!("*{words}\r\n").as_bytes(), &b"$0\r\n\r\n".repeat(words)].concat();
            let mut ahead = Ahead::default();
            ahead.read(&registry, &input, &mut Decoder::new(), &limits, AHEAD_MAX_COMMANDS);
            assert_eq!(ahead.commands.len(), 1);
            assert!(ahead.spans.capacity() >= words);
            ahead.give_back_room();
            assert_eq!(ahead.spans.capacity() > 0, is_kept, "{words}");
        }
    }
}
