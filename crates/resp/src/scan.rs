//! Walks replies that are already written, to take them apart and merge them.
//!
//! Only our own replies come here, so a malformed one is a bug and answered with `None`, not an error.

use crate::number::parse_i64;
use memchr::memchr;

/// The first line of a reply: its type byte, its number if it has one, and its length in bytes.
fn first_line(reply: &[u8]) -> Option<(u8, &[u8], usize)> {
    let end = memchr(b'\n', reply)?;
    Some((*reply.first()?, reply.get(1..end.checked_sub(1)?)?, end + 1))
}

/// Length in bytes of the one whole reply at the start of `replies`.
pub fn reply_len_bytes(replies: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut left = 1u64;
    while left > 0 {
        let (kind, number, line_len) = first_line(replies.get(at..)?)?;
        at += line_len;
        left -= 1;
        match kind {
            b'$' | b'=' | b'!' => {
                if let Ok(len) = usize::try_from(parse_i64(number)?) {
                    at += len + 2;
                }
            }
            b'*' | b'~' | b'>' => left += u64::try_from(parse_i64(number)?).unwrap_or(0),
            b'%' => left += 2 * u64::try_from(parse_i64(number)?).unwrap_or(0),
            _ => {}
        }
    }
    (at <= replies.len()).then_some(at)
}

/// The number of an integer reply.
pub fn integer(reply: &[u8]) -> Option<i64> {
    match first_line(reply)? {
        (b':', number, _) => parse_i64(number),
        _ => None,
    }
}

/// Whether the reply is an error.
pub fn is_error(reply: &[u8]) -> bool {
    reply.first() == Some(&b'-')
}

/// The bytes of a bulk or verbatim string; `None` for anything else and for null.
pub fn text(reply: &[u8]) -> Option<&[u8]> {
    let (kind, number, line_len) = first_line(reply)?;
    let len = usize::try_from(parse_i64(number)?).ok()?;
    let bytes = reply.get(line_len..line_len + len)?;
    match kind {
        b'$' => Some(bytes),
        b'=' => bytes.get(4..),
        _ => None,
    }
}

/// The elements of an aggregate, each as written; a map's keys and values in turn. `None` if it is not one.
pub fn elements(reply: &[u8]) -> Option<Elements<'_>> {
    let (kind, number, line_len) = first_line(reply)?;
    let count = u64::try_from(parse_i64(number)?).ok()?;
    let left = match kind {
        b'*' | b'~' | b'>' => count,
        b'%' => 2 * count,
        _ => return None,
    };
    Some(Elements { rest: &reply[line_len..], left })
}

/// The elements of an aggregate reply.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    left: u64,
}

impl Elements<'_> {
    /// How many are left.
    pub fn count_left(&self) -> u64 {
        self.left
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        let (element, rest) = self.rest.split_at(reply_len_bytes(self.rest)?);
        self.rest = rest;
        self.left -= 1;
        Some(element)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_replies_are_measured() {
        let reply = b"%1\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n+next\r\n";
        assert_eq!(reply_len_bytes(reply), Some(reply.len() - 7));
        let parts: Vec<_> = elements(reply).unwrap().collect();
        assert_eq!(parts, [b"$1\r\na\r\n".as_slice(), b"*2\r\n:1\r\n$-1\r\n"]);
        assert_eq!(reply_len_bytes(b"$5\r\nab"), None);
        assert_eq!(text(b"=5\r\ntxt:a\r\n"), Some(b"a".as_slice()));
        assert_eq!(integer(b":-12\r\n"), Some(-12));
    }
}
