//! Quoting of commands: words as `redis-cli` splits them, with a repeat count for long values.

/// Splits `line` into words.
///
/// A word is a sequence of unquoted bytes, `"double"` and `'single'` quoted pieces. Double quotes know `\n`, `\r`,
/// `\t`, `\a`, `\b`, `\\`, `\"` and `\xHH`; single quotes know `\'`. A quoted piece followed by `*N` stands for N
/// copies of itself.
///
/// # Errors
/// A description of the first unbalanced quote or malformed repeat count.
pub fn split(line: &str) -> Result<Vec<Vec<u8>>, String> {
    let bytes = line.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        while bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        if at >= bytes.len() {
            return Ok(words);
        }
        let mut word = Vec::new();
        while at < bytes.len() && bytes[at] != b' ' {
            match bytes[at] {
                b'"' | b'\'' => {
                    let (piece, next) = quoted(bytes, at)?;
                    let (count, next) = repeat_count(bytes, next)?;
                    for _ in 0..count {
                        word.extend_from_slice(&piece);
                    }
                    at = next;
                }
                byte => {
                    word.push(byte);
                    at += 1;
                }
            }
        }
        words.push(word);
    }
}

/// Reads the quoted piece that starts at `start`; returns it and the index after its closing quote.
fn quoted(bytes: &[u8], start: usize) -> Result<(Vec<u8>, usize), String> {
    let quote = bytes[start];
    let mut piece = Vec::new();
    let mut at = start + 1;
    loop {
        let byte = *bytes.get(at).ok_or("unbalanced quotes")?;
        at += 1;
        if byte == quote {
            return Ok((piece, at));
        }
        if byte != b'\\' {
            piece.push(byte);
            continue;
        }
        let escape = *bytes.get(at).ok_or("unbalanced quotes")?;
        at += 1;
        if quote == b'\'' {
            if escape != b'\'' {
                piece.push(b'\\');
            }
            piece.push(escape);
            continue;
        }
        piece.push(match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'a' => 7,
            b'b' => 8,
            b'x' => {
                let digits = bytes.get(at..at + 2).ok_or("\\x needs two digits")?;
                at += 2;
                let digits = std::str::from_utf8(digits).map_err(|_| "\\x needs two digits")?;
                u8::from_str_radix(digits, 16).map_err(|_| "\\x needs two hexadecimal digits")?
            }
            other => other,
        });
    }
}

/// Reads an optional `*N` at `at`; returns the count and the index after it.
fn repeat_count(bytes: &[u8], at: usize) -> Result<(usize, usize), String> {
    if bytes.get(at) != Some(&b'*') {
        return Ok((1, at));
    }
    let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(&bytes[at + 1..at + 1 + digits]).unwrap_or_default();
    let count = text.parse().map_err(|_| format!("malformed repeat count at column {}", at + 1))?;
    Ok((count, at + 1 + digits))
}

/// Runs of at least this many equal bytes are shown as `"a"*N`.
const SHORTEST_RUN: usize = 48;

/// Shows `bytes` as quoted text: `"..."`, or several pieces where a byte repeats many times.
pub fn quote(bytes: &[u8]) -> String {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|byte| **byte == bytes[at]).count();
        if run >= SHORTEST_RUN {
            if plain_from < at {
                pieces.push(format!("\"{}\"", escape(&bytes[plain_from..at])));
            }
            pieces.push(format!("\"{}\"*{run}", escape(&bytes[at..=at])));
            plain_from = at + run;
        }
        at += run;
    }
    if plain_from < bytes.len() || bytes.is_empty() {
        pieces.push(format!("\"{}\"", escape(&bytes[plain_from..])));
    }
    pieces.join("")
}

/// Escapes `bytes` for a double-quoted piece: printable ASCII stays, all else is escaped.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            b'"' => text.push_str("\\\""),
            0x20..=0x7e => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_quotes_escapes_and_repeats() {
        let words = split(r#"SET  "a b" 'it\'s' "\x00\n"*2 x"y"*3z "" "#).unwrap();
        let expected: [&[u8]; 6] = [b"SET", b"a b", b"it's", b"\0\n\0\n", b"xyyyz", b""];
        assert_eq!(words, expected);
    }

    #[test]
    fn refuses_what_is_unbalanced() {
        for line in [r#"SET "a"#, "SET 'a", r#"SET "\x1"#, r#"SET "a"*"#] {
            assert!(split(line).is_err(), "{line}");
        }
    }

    #[test]
    fn quoting_reads_back() {
        for bytes in
            [&b""[..], b"plain", b"q\"\\\r\n\t\x00\xff", &[b'z'; 100], &[&[0; 60][..], b"tail"].concat()]
        {
            let words = split(&quote(bytes)).unwrap();
            assert_eq!(words.concat(), bytes);
        }
    }
}
