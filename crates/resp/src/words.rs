//! Splitting a line into words, with Redis's quoting rules.
//!
//! The same rules serve inline commands, lines of a configuration file and multi-word values on the command line.

use std::error::Error;
use std::fmt;

/// A quote that is not closed, or one that is closed and followed by something other than a blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

impl fmt::Display for Unbalanced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("unbalanced quotes")
    }
}

impl Error for Unbalanced {}

/// Splits `line` into its words.
///
/// Words are separated by blanks. Double quotes understand `\n`, `\r`, `\t`, `\b`, `\a`, `\xHH`, and a backslash
/// before any other byte stands for that byte. Single quotes understand `\'` only. A quote may open in the middle
/// of a word; after its closing quote only a blank or the end of the line may follow. A NUL byte ends the line, as
/// it does in Redis, whose lines are C strings.
///
/// The result has at most one word per byte of `line` and no more bytes than it, so a bound on the line bounds both.
///
/// # Errors
///
/// [`Unbalanced`] when a quote is not closed or its closing quote touches another word.
pub fn split_words(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let end = line.iter().position(|&byte| byte == 0).unwrap_or(line.len());
    let mut rest = &line[..end];
    let mut words = Vec::new();
    loop {
        while let Some((first, tail)) = rest.split_first()
            && is_blank(*first)
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

/// C's `isspace` in the "C" locale, which is wider than Rust's `is_ascii_whitespace` by the vertical tab.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r')
}

/// Reads one word from the start of `rest`, which must not start with a blank, and returns what follows it.
fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    while let Some((&byte, tail)) = rest.split_first() {
        match byte {
            // Not `is_blank`: the vertical tab and the form feed separate words but do not end one.
            b' ' | b'\n' | b'\r' | b'\t' => return Ok(tail),
            b'"' => return after_quote(take_double_quoted(tail, word)?),
            b'\'' => return after_quote(take_single_quoted(tail, word)?),
            _ => {
                word.push(byte);
                rest = tail;
            }
        }
    }
    Ok(rest)
}

fn after_quote(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    match rest.first() {
        Some(&byte) if !is_blank(byte) => Err(Unbalanced),
        _ => Ok(rest),
    }
}

fn take_double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [] => return Err(Unbalanced),
            [b'"', tail @ ..] => return Ok(tail),
            [b'\\', b'x', high, low, tail @ ..]
                if let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low)) =>
            {
                word.push(high << 4 | low);
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => b'\x08',
                    b'a' => b'\x07',
                    other => *other,
                });
                rest = tail;
            }
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [] => return Err(Unbalanced),
            [b'\'', tail @ ..] => return Ok(tail),
            [b'\\', b'\'', tail @ ..] => {
                word.push(b'\'');
                rest = tail;
            }
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Appends `bytes` to `line` as one quoted word that [`split_words`] reads back.
///
/// Printable ASCII stays as it is; quotes, backslashes and everything else are escaped.
pub fn quote_word(line: &mut Vec<u8>, bytes: &[u8]) {
    line.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => line.extend([b'\\', byte]),
            b'\n' => line.extend(b"\\n"),
            b'\r' => line.extend(b"\\r"),
            b'\t' => line.extend(b"\\t"),
            b'\x07' => line.extend(b"\\a"),
            b'\x08' => line.extend(b"\\b"),
            b' '..=b'~' => line.push(byte),
            _ => line.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<String>, Unbalanced> {
        split_words(line.as_bytes())
            .map(|words| words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect())
    }

    #[test]
    fn words_follow_the_quoting_rules() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" \t\r\n\x0b\x0c ", &[]),
            ("a b  c", &["a", "b", "c"]),
            ("  set key value \r\n", &["set", "key", "value"]),
            ("a\tb\rc\nd", &["a", "b", "c", "d"]),
            ("a\x0bb", &["a\x0bb"]),
            ("\"\" ''", &["", ""]),
            (r#""a b" 'c d'"#, &["a b", "c d"]),
            (r#"pre"fix ed""#, &["prefix ed"]),
            (r#""\n\r\t\b\a\\\"\q""#, &["\n\r\t\x08\x07\\\"q"]),
            (r#""\x41\x4a\x4A""#, &["AJJ"]),
            (r#""\x4" "\xZZ""#, &["x4", "xZZ"]),
            (r"'it\'s' '\n'", &["it's", r"\n"]),
            (r"plain\n \x41", &[r"plain\n", r"\x41"]),
            ("\"a\"\x0bb", &["a", "b"]),
            ("a\0b c", &["a"]),
            ("'\"' \"'\"", &["\"", "'"]),
        ];
        for (line, expected) in cases {
            let expected: Vec<String> = expected.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(split(line), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in ["\"", "'", "\"a", "'a", "a\"", "\"a\"b", "'a'b", "\"a\"\"b\"", "\"\\", "'\\'", "\"a\0\""]
        {
            assert_eq!(split(line), Err(Unbalanced), "{line:?}");
        }
    }

    #[test]
    fn what_is_quoted_reads_back() {
        let every_byte: Vec<u8> = (0..=255).collect();
        let mut line = b"x ".to_vec();
        quote_word(&mut line, &every_byte);
        assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
        assert_eq!(split_words(&line), Ok(vec![b"x".to_vec(), every_byte]));
    }
}
