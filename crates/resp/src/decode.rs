//! Received bytes to commands: RESP arrays of bulk strings, and inline commands.
//!
//! The decoder reads a command where it lies and remembers where it stopped, so a command that arrives in a
//! thousand pieces is still read once. It holds no bytes: the caller keeps those of an unfinished command.

use crate::args::Span;
use memchr::memchr2;

/// Longest inline command, or length line, in bytes.
pub const INLINE_MAX_LEN_BYTES: usize = 64 * 1024;
/// Most words in one command, as in Redis; how long they may be together is bounded by the connection.
pub const ARGUMENTS_MAX: i64 = i32::MAX as i64;
/// For so many words room is kept for the next command: 64 KiB.
pub const KEPT_SPANS_MAX: usize = 64 * 1024 / size_of::<Span>();
/// What a client that has not authenticated may send at most: words, and bytes in each.
const UNAUTHENTICATED_ARGUMENTS_MAX: i64 = 10;
const UNAUTHENTICATED_BULK_MAX_LEN_BYTES: i64 = 16 * 1024;

/// What bounds a command on its way in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `proto-max-bulk-len`, in bytes.
    pub bulk_max_len_bytes: i64,
    /// The client must authenticate and has not: tight limits apply.
    pub unauthenticated: bool,
}

/// Where a decoder stands after looking at its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A command ends after this many bytes; its words are in [`Decoder::spans`]. No words: an empty line
    /// or an empty array, which is answered with nothing.
    Command(usize),
    /// The command goes on beyond the input. Call again with the same bytes and more behind them.
    Incomplete,
}

/// Why the connection must end: the client does not speak the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// An inline command without an end in sight.
    TooBigInlineRequest,
    /// Quotes in an inline command that do not close.
    UnbalancedQuotes,
    /// A `*` line without an end in sight.
    TooBigCountLine,
    /// A `*` line that is no number or too large a one.
    InvalidMultibulkLength,
    /// More words than a client may send before AUTH.
    UnauthenticatedMultibulkLength,
    /// A `$` line without an end in sight.
    TooBigBulkLine,
    /// Something else where `$` must stand.
    ExpectedDollar(u8),
    /// A `$` line that is no number, negative, or over the limit.
    InvalidBulkLength,
    /// A longer word than a client may send before AUTH.
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// The text after `-ERR ` in the last reply.
    pub fn text(&self) -> Vec<u8> {
        match self {
            // The byte as it came, whatever it is.
            ProtocolError::ExpectedDollar(byte) => {
                [b"Protocol error: expected '$', got '".as_slice(), &[*byte], b"'"].concat()
            }
            other => other.to_string().into_bytes(),
        }
    }
}

impl std::fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Protocol error: ")?;
        match self {
            ProtocolError::TooBigInlineRequest => f.write_str("too big inline request"),
            ProtocolError::UnbalancedQuotes => f.write_str("unbalanced quotes in request"),
            ProtocolError::TooBigCountLine => f.write_str("too big mbulk count string"),
            ProtocolError::InvalidMultibulkLength => f.write_str("invalid multibulk length"),
            ProtocolError::UnauthenticatedMultibulkLength => f.write_str("unauthenticated multibulk length"),
            ProtocolError::TooBigBulkLine => f.write_str("too big bulk count string"),
            ProtocolError::ExpectedDollar(byte) => write!(f, "expected '$', got '{}'", char::from(*byte)),
            ProtocolError::InvalidBulkLength => f.write_str("invalid bulk length"),
            ProtocolError::UnauthenticatedBulkLength => f.write_str("unauthenticated bulk length"),
        }
    }
}

impl std::error::Error for ProtocolError {}

/// Reads one command at a time.
#[derive(Debug, Default)]
pub struct Decoder {
    spans: Vec<Span>,
    /// Bytes of the current command already understood.
    cursor: usize,
    /// Words of the current command still to come; 0 between commands.
    words_left: usize,
    /// Length of the word whose `$` line has been read.
    word_len: Option<usize>,
    /// The words of an inline command whose quotes changed its bytes; spans then point here.
    unquoted: Vec<u8>,
}

impl Decoder {
    /// A decoder at the start of a command.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// The words of the command just decoded.
    #[inline]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The words of the command just decoded do not lie in the input: it was an inline command.
    #[inline]
    pub fn words_lie_apart(&self) -> bool {
        !self.unquoted.is_empty()
    }

    /// The bytes that the spans of the command just decoded refer to, given the input it was decoded from.
    #[inline]
    pub fn words_in<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        if self.unquoted.is_empty() { input } else { &self.unquoted }
    }

    /// Forgets how far it was: the next input begins at the start of a command.
    pub fn reset(&mut self) {
        self.cursor = 0;
        self.words_left = 0;
        self.word_len = None;
    }

    /// Gives back the room for the words of an uncommonly long command. To be called where a decoder is kept that has
    /// nothing unfinished: whoever gets it next shall not be the one to hold that memory.
    pub fn give_back_room(&mut self) {
        if self.spans.capacity() > KEPT_SPANS_MAX {
            self.spans = Vec::new();
        }
    }

    /// In the middle of a command.
    pub fn is_midway(&self) -> bool {
        self.words_left > 0 || self.cursor > 0
    }

    /// How long the input must at least get before another look is worthwhile, in bytes. Exact while a long
    /// word is awaited, so the caller can make room once.
    pub fn needs_len_bytes(&self) -> usize {
        self.cursor + self.word_len.map_or(1, |len| len + 2)
    }

    /// Bytes of an unfinished command that are understood: its words so far and the lines before them.
    pub fn understood_len_bytes(&self) -> usize {
        self.cursor
    }

    /// Bytes held by the decoder itself.
    pub fn allocated_bytes(&self) -> usize {
        self.spans.capacity() * size_of::<Span>() + self.unquoted.capacity()
    }

    /// Looks for one whole command at the start of `input`.
    ///
    /// # Errors
    /// What Redis answers before it closes the connection.
    #[inline]
    pub fn decode(&mut self, input: &[u8], limits: &Limits) -> Result<Decoded, ProtocolError> {
        if self.words_left == 0 {
            // Between commands, or a first line not yet whole.
            self.spans.clear();
            self.unquoted.clear();
            self.cursor = 0;
            match input.first() {
                None => return Ok(Decoded::Incomplete),
                Some(b'*') => match self.count_line(input, limits)? {
                    None => return Ok(Decoded::Incomplete),
                    Some(0) => return Ok(Decoded::Command(std::mem::take(&mut self.cursor))),
                    Some(count) => self.words_left = count,
                },
                Some(_) => return self.inline(input),
            }
        }
        self.words(input, limits)
    }

    /// `*<count>\r\n` at the start.
    #[inline]
    fn count_line(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        let Some((line, next)) = length_line(input, 1) else {
            let too_long = line_end(b'\r', input).is_none() && input.len() > INLINE_MAX_LEN_BYTES;
            return if too_long { Err(ProtocolError::TooBigCountLine) } else { Ok(None) };
        };
        let count =
            line.filter(|count| *count <= ARGUMENTS_MAX).ok_or(ProtocolError::InvalidMultibulkLength)?;
        if limits.unauthenticated && count > UNAUTHENTICATED_ARGUMENTS_MAX {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        self.cursor = next;
        Ok(Some(usize::try_from(count).unwrap_or(0)))
    }

    /// The words still missing.
    #[inline]
    fn words(&mut self, input: &[u8], limits: &Limits) -> Result<Decoded, ProtocolError> {
        while self.words_left > 0 {
            let len = match self.word_len {
                Some(len) => len,
                None => match self.bulk_line(input, limits)? {
                    Some(len) => len,
                    None => return Ok(Decoded::Incomplete),
                },
            };
            if input.len() < self.cursor + len + 2 {
                self.word_len = Some(len);
                return Ok(Decoded::Incomplete);
            }
            self.spans.push(Span { start: self.cursor, len });
            // Redis, too, takes any two bytes for the line end after a word.
            self.cursor += len + 2;
            self.word_len = None;
            self.words_left -= 1;
        }
        Ok(Decoded::Command(std::mem::take(&mut self.cursor)))
    }

    /// `$<len>\r\n` at the cursor.
    #[inline]
    fn bulk_line(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        let rest = &input[self.cursor.min(input.len())..];
        let (line, next) = match (rest.first(), length_line(rest, 1)) {
            (Some(b'$'), Some(found)) => found,
            // Redis looks at the line only once its end is there, which it does not see behind a NUL.
            (Some(other), Some(_)) if *other != 0 => return Err(ProtocolError::ExpectedDollar(*other)),
            _ => {
                let too_long = line_end(b'\r', rest).is_none() && rest.len() > INLINE_MAX_LEN_BYTES;
                return if too_long { Err(ProtocolError::TooBigBulkLine) } else { Ok(None) };
            }
        };
        let len = line
            .filter(|len| *len >= 0 && *len <= limits.bulk_max_len_bytes)
            .ok_or(ProtocolError::InvalidBulkLength)?;
        if limits.unauthenticated && len > UNAUTHENTICATED_BULK_MAX_LEN_BYTES {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        self.cursor += next;
        Ok(Some(len as usize))
    }

    /// A line of words apart by blanks, as typed by a person.
    #[cold]
    fn inline(&mut self, input: &[u8]) -> Result<Decoded, ProtocolError> {
        let Some(end) = line_end(b'\n', input) else {
            return if input.len() > INLINE_MAX_LEN_BYTES {
                Err(ProtocolError::TooBigInlineRequest)
            } else {
                Ok(Decoded::Incomplete)
            };
        };
        let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
        let words = crate::words::split_words(line).map_err(|_| ProtocolError::UnbalancedQuotes)?;
        for word in &words {
            self.spans.push(Span { start: self.unquoted.len(), len: word.len() });
            self.unquoted.extend_from_slice(word);
        }
        if self.unquoted.is_empty() {
            // Only empty words (`""`): the spans are all empty and fit any buffer.
            self.unquoted.push(0);
        }
        Ok(Decoded::Command(end + 1))
    }
}

/// Where the line at the start of `input` ends with `end`. Redis searches it as a C string: behind a NUL it finds no
/// end, and waits until the line is too long.
#[cold]
fn line_end(end: u8, input: &[u8]) -> Option<usize> {
    memchr2(end, 0, input).filter(|at| input[*at] == end)
}

/// Reads the line at the start of `input`, whose number begins at `from`: the number (`None` if it is not
/// one) and where the next line begins. `None` if the line is not whole.
#[inline]
fn length_line(input: &[u8], from: usize) -> Option<(Option<i64>, usize)> {
    // One to three digits, which is nearly always, without a search for the line's end.
    let mut value = 0i64;
    let mut at = from;
    while let Some(&byte) = input.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        if at - from == 9 {
            return long_length_line(input, from);
        }
        value = value * 10 + i64::from(digit);
        at += 1;
    }
    let digits = at - from;
    let canonical = digits == 1 || (digits > 1 && input[from] != b'0');
    match input.get(at..at + 2) {
        Some([b'\r', _]) if canonical => Some((Some(value), at + 2)),
        _ => long_length_line(input, from),
    }
}

/// The general case of [`length_line`].
#[cold]
fn long_length_line(input: &[u8], from: usize) -> Option<(Option<i64>, usize)> {
    let end = line_end(b'\r', input)?;
    if input.len() < end + 2 {
        return None;
    }
    Some((crate::number::parse_i64(input.get(from..end).unwrap_or(&[])), end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Args;

    const LIMITS: Limits = Limits { bulk_max_len_bytes: 512 * 1024 * 1024, unauthenticated: false };

    /// Feeds `input` in pieces of `piece` bytes and returns each command's words.
    fn commands(input: &[u8], piece: usize) -> Result<Vec<Vec<Vec<u8>>>, ProtocolError> {
        let mut decoder = Decoder::new();
        let (mut held, mut all) = (Vec::new(), Vec::new());
        for bytes in input.chunks(piece) {
            held.extend_from_slice(bytes);
            while let Decoded::Command(len) = decoder.decode(&held, &LIMITS)? {
                let args = Args::new(decoder.words_in(&held), decoder.spans());
                all.push(args.iter().map(<[u8]>::to_vec).collect());
                held.drain(..len);
            }
        }
        Ok(all)
    }

    #[test]
    fn pieces_do_not_matter() {
        let input =
            b"*2\r\n$3\r\nGET\r\n$0\r\n\r\nPING \"a b\"\r\n\r\n*0\r\n*-1\r\n*1\r\n$12\r\nabcdefghijkl\r\n";
        let whole = commands(input, input.len()).unwrap();
        assert_eq!(whole.len(), 6);
        assert_eq!(whole[0], [b"GET".to_vec(), vec![]]);
        assert_eq!(whole[1], [b"PING".to_vec(), b"a b".to_vec()]);
        assert!(whole[2].is_empty() && whole[3].is_empty() && whole[4].is_empty());
        for piece in 1..input.len() {
            assert_eq!(commands(input, piece).unwrap(), whole, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_protocol_is_refused() {
        for (input, error) in [
            (b"*x\r\n".to_vec(), ProtocolError::InvalidMultibulkLength),
            (b"*2147483648\r\n".to_vec(), ProtocolError::InvalidMultibulkLength),
            (b"*01\r\n".to_vec(), ProtocolError::InvalidMultibulkLength),
            (b"*1\r\n+OK\r\n".to_vec(), ProtocolError::ExpectedDollar(b'+')),
            (b"*1\r\n$-1\r\n".to_vec(), ProtocolError::InvalidBulkLength),
            (b"*1\r\n$536870913\r\n".to_vec(), ProtocolError::InvalidBulkLength),
            (b"*1\r\n$99999999999999999999\r\n".to_vec(), ProtocolError::InvalidBulkLength),
            (b"get \"a\r\n".to_vec(), ProtocolError::UnbalancedQuotes),
            (vec![b'a'; INLINE_MAX_LEN_BYTES + 1], ProtocolError::TooBigInlineRequest),
            ([b"*".as_slice(), &[b'1'; INLINE_MAX_LEN_BYTES]].concat(), ProtocolError::TooBigCountLine),
            ([b"*1\r\n$".as_slice(), &[b'1'; INLINE_MAX_LEN_BYTES]].concat(), ProtocolError::TooBigBulkLine),
        ] {
            assert_eq!(commands(&input, 7), Err(error.clone()), "{error}");
        }
    }

    #[test]
    fn words_behind_4_gib_lie_where_they_were_sent() {
        // Never written to, so it takes no memory but for the pages at the lines.
        let word_len = 1 << 30;
        let words = 5;
        let mut input = vec![0; words * (word_len + 64) + 1024];
        let mut at = 0;
        let mut put = |text: &[u8], skipped: usize| {
            input[at..at + text.len()].copy_from_slice(text);
            at += text.len() + skipped;
        };
        put(b"*6\r\n", 0);
        for _ in 0..words {
            put(b"$1073741824\r\n", word_len);
            put(b"\r\n", 0);
        }
        put(b"$4\r\nlast\r\n", 0);
        let limits = Limits { bulk_max_len_bytes: 1 << 30, unauthenticated: false };
        let mut decoder = Decoder::new();
        assert_eq!(decoder.decode(&input[..at - 1], &limits), Ok(Decoded::Incomplete));
        assert_eq!(decoder.understood_len_bytes(), at - b"last\r\n".len());
        assert_eq!(decoder.decode(&input[..at], &limits), Ok(Decoded::Command(at)));
        let args = Args::new(&input, decoder.spans());
        assert_eq!((args.len(), &args[words]), (words + 1, b"last".as_slice()));
        assert_eq!(args.total_len_bytes(), words * word_len + 4);
        assert_eq!(decoder.understood_len_bytes(), 0);
    }

    #[test]
    fn room_for_uncommonly_many_words_is_given_back() {
        for (words, is_kept) in [(100, true), (100_000, false)] {
            let input = [format!("*{words}\r\n").as_bytes(), &b"$0\r\n\r\n".repeat(words)].concat();
            let mut decoder = Decoder::new();
            assert_eq!(decoder.decode(&input, &LIMITS), Ok(Decoded::Command(input.len())));
            assert!(decoder.allocated_bytes() >= words * size_of::<Span>());
            decoder.give_back_room();
            assert_eq!(decoder.allocated_bytes() > 0, is_kept, "{words}");
        }
    }

    #[test]
    fn a_line_with_a_nul_does_not_end() {
        for input in [
            b"PING\0\r\nPING\r\n".as_slice(),
            b"*1\0\r\n",
            b"*1\r\n$4\0\r\nPING\r\n",
            b"*1\r\n\0\r\n",
            b"*1\r\n\x004\r\nPING\r\n",
        ] {
            assert_eq!(commands(input, 3), Ok(Vec::new()), "{}", input.escape_ascii());
            let long = [input, &[b'\n'; INLINE_MAX_LEN_BYTES]].concat();
            assert!(commands(&long, 1000).is_err(), "{}", input.escape_ascii());
        }
    }

    #[test]
    fn strangers_are_held_short() {
        let limits = Limits { unauthenticated: true, ..LIMITS };
        assert_eq!(
            Decoder::new().decode(b"*11\r\n", &limits),
            Err(ProtocolError::UnauthenticatedMultibulkLength)
        );
        assert_eq!(
            Decoder::new().decode(b"*1\r\n$16385\r\n", &limits),
            Err(ProtocolError::UnauthenticatedBulkLength)
        );
    }
}
