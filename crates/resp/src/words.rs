//! Splits a typed line into words, by the quoting rules of redis.conf and of inline commands.

/// Quotes that do not close, or close without a blank behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

impl std::fmt::Display for Unbalanced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unbalanced quotes")
    }
}

impl std::error::Error for Unbalanced {}

/// The words of `line`. Between double quotes `\n \r \t \b \a \xHH` stand for bytes and a backslash takes
/// the next byte as it is; between single quotes only `\'` is special. (Redis: `sdssplitargs`.)
///
/// # Errors
/// If quotes do not balance.
pub fn split_words(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        while let [byte, tail @ ..] = rest
            && is_blank(*byte)
        {
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(words);
        }
        let mut word = Vec::new();
        rest = take_word(rest, &mut word)?;
        words.push(word);
    }
}

/// What C's `isspace` says.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Reads one word into `word` and returns what follows it. A NUL ends the line, as in C.
fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [] => return Ok(rest),
            [0, ..] => return Ok(&[]),
            [b'"', tail @ ..] => return take_quoted(tail, b'"', word),
            [b'\'', tail @ ..] => return take_quoted(tail, b'\'', word),
            [byte, tail @ ..] if is_blank(*byte) => return Ok(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

/// Reads to the closing `quote`, behind which a blank or the end must stand.
fn take_quoted<'a>(mut rest: &'a [u8], quote: u8, word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match (quote, rest) {
            (_, []) => return Err(Unbalanced),
            (b'"', [b'\\', b'x', high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex_digit(*high) << 4 | hex_digit(*low));
                tail
            }
            (b'"', [b'\\', byte, tail @ ..]) => {
                word.push(match byte {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                tail
            }
            (b'\'', [b'\\', b'\'', tail @ ..]) => {
                word.push(b'\'');
                tail
            }
            (_, [byte, tail @ ..]) if *byte == quote => {
                return match tail.first() {
                    Some(next) if !is_blank(*next) => Err(Unbalanced),
                    _ => Ok(tail),
                };
            }
            (_, [byte, tail @ ..]) => {
                word.push(*byte);
                tail
            }
        };
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Appends `bytes` to `line` as one quoted word that [`split_words`] reads back: printable ASCII as it is, quotes,
/// backslashes and everything else escaped. (Redis: `sdscatrepr`.)
pub fn quote_word(line: &mut Vec<u8>, bytes: &[u8]) {
    line.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => line.extend_from_slice(&[b'\\', byte]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            7 => line.extend_from_slice(b"\\a"),
            8 => line.extend_from_slice(b"\\b"),
            b' '..=b'~' => line.push(byte),
            _ => line.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        let words = |line: &str| split_words(line.as_bytes());
        assert_eq!(words(" a  b\t"), Ok(vec![b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(words(r#""a b\x41\n" 'it\'s \n'"#), Ok(vec![b"a bA\n".to_vec(), b"it's \\n".to_vec()]));
        assert_eq!(words(r#""""#), Ok(vec![vec![]]));
        assert_eq!(words(r#"pre"quoted""#), Ok(vec![b"prequoted".to_vec()]));
        assert_eq!(words(r#""a"b"#), Err(Unbalanced));
        assert_eq!(words(r#""a"#), Err(Unbalanced));
        assert_eq!(words("'a"), Err(Unbalanced));
        assert_eq!(words(""), Ok(vec![]));
    }
}
