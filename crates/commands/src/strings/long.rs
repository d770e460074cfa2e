//! Strings that are the whole of a reply, and so long that they leave a piece at a time.

use tessera_command::prelude::*;
use tessera_resp::LINE_END;

/// Bytes of a string that are still to be written, and the end of the line behind them.
#[derive(Debug)]
struct Rest {
    next: usize,
    left: usize,
}

impl Stream for Rest {
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let ValueRef::String(string) = value else { return false };
        let mut digits = Digits::new();
        let piece_len_bytes = self.left.min(len_bytes.max(1));
        let end = self.next + piece_len_bytes;
        let Some(piece) = string.as_bytes(&mut digits).get(self.next..end) else { return false };
        out.extend_from_slice(piece);
        (self.next, self.left) = (end, self.left - piece_len_bytes);
        if self.left == 0 {
            out.extend_from_slice(LINE_END);
        }
        self.left > 0
    }

    fn left_len(&self) -> usize {
        self.left
    }
}

/// Writes the beginning of a reply that is `len_bytes` of a string, from `start` on. What writes the rest.
pub(super) fn begin(start: usize, len_bytes: usize, reply: &mut Reply<'_>) -> Box<dyn Stream> {
    reply.bulk_header(len_bytes);
    Box::new(Rest { next: start, left: len_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_reply() {
        let value = Value::from(StringValue::fixed(b"the string"));
        for (start, len_bytes) in [(0, 10), (4, 6), (2, 1)] {
            for piece_len_bytes in [0, 1, 3, 6, 100] {
                let (mut whole, mut pieces) = (Vec::new(), Vec::new());
                Reply::new(&mut whole, Protocol::Resp2).bulk(&b"the string"[start..start + len_bytes]);
                let mut rest = begin(start, len_bytes, &mut Reply::new(&mut pieces, Protocol::Resp2));
                let mut left = rest.left_len();
                assert_eq!(left, len_bytes);
                while rest.write_some(value.as_ref(), piece_len_bytes, &mut pieces) {
                    assert!(rest.left_len() < left);
                    left = rest.left_len();
                }
                assert_eq!((rest.left_len(), pieces), (0, whole));
            }
        }
    }

    #[test]
    fn of_something_else_nothing_is_written() {
        let mut out = Vec::new();
        let mut rest = begin(0, 10, &mut Reply::new(&mut Vec::new(), Protocol::Resp2));
        for value in
            [Value::from(StringValue::fixed(b"shorter")), Value::from(tessera_values::Set::default())]
        {
            assert!(!rest.write_some(value.as_ref(), 10, &mut out));
            assert_eq!((rest.left_len(), out.len()), (10, 0));
        }
    }
}
