//! A reader of RESP2 and RESP3 replies that keeps every distinction the wire makes.

/// The deepest nesting accepted.
const MAX_DEPTH: usize = 32;

/// One reply. `kind` is the byte that starts it on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A value that is one line: `+` `-` `:` `,` `(` `#`, and `_` with an empty text.
    Line {
        /// The type byte.
        kind: u8,
        /// What follows the type byte, without the line end.
        text: Vec<u8>,
    },
    /// A value with a length: `$` `=` `!`.
    Bulk {
        /// The type byte.
        kind: u8,
        /// The bytes announced.
        bytes: Vec<u8>,
    },
    /// `$-1` or `*-1`.
    Nil {
        /// The type byte.
        kind: u8,
    },
    /// An aggregate: `*` `~` `>` `%` `|`. A map's children alternate between keys and values. An
    /// attribute's do too, and the reply that it annotates is its last child.
    Aggregate {
        /// The type byte.
        kind: u8,
        /// The elements, in the order of the wire.
        children: Vec<Frame>,
    },
}

/// Reads one frame from the start of `input`.
///
/// Returns the frame and how many bytes it took, or `None` if `input` does not yet hold all of it.
///
/// # Errors
/// A description of the first byte that is not RESP.
pub fn read(input: &[u8]) -> Result<Option<(Frame, usize)>, String> {
    let mut at = 0;
    Ok(read_at(input, &mut at, 0)?.map(|frame| (frame, at)))
}

fn read_at(input: &[u8], at: &mut usize, depth: usize) -> Result<Option<Frame>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("nested deeper than {MAX_DEPTH}"));
    }
    let Some(text) = line(input, at)? else { return Ok(None) };
    let Some((&kind, text)) = text.split_first() else { return Err("an empty line".to_owned()) };
    match kind {
        b'+' | b'-' | b':' | b',' | b'(' | b'#' | b'_' => {
            check_line(kind, text)?;
            Ok(Some(Frame::Line { kind, text: text.to_vec() }))
        }
        b'$' | b'=' | b'!' => match length(kind, text)? {
            None => Ok(Some(Frame::Nil { kind })),
            Some(len_bytes) => {
                let Some(body) = input.get(*at..*at + len_bytes + 2) else { return Ok(None) };
                let (bytes, end) = body.split_at(len_bytes);
                if end != b"\r\n" {
                    return Err(format!("a bulk of {len_bytes} bytes does not end in CRLF"));
                }
                *at += len_bytes + 2;
                Ok(Some(Frame::Bulk { kind, bytes: bytes.to_vec() }))
            }
        },
        b'*' | b'~' | b'>' | b'%' | b'|' => {
            let Some(count) = length(kind, text)? else { return Ok(Some(Frame::Nil { kind })) };
            let count = if matches!(kind, b'%' | b'|') { count * 2 } else { count };
            let mut children = Vec::new();
            for _ in 0..count {
                let Some(child) = read_at(input, at, depth + 1)? else { return Ok(None) };
                children.push(child);
            }
            if kind == b'|' {
                let Some(annotated) = read_at(input, at, depth + 1)? else { return Ok(None) };
                children.push(annotated);
            }
            Ok(Some(Frame::Aggregate { kind, children }))
        }
        other => Err(format!("no type starts with byte 0x{other:02x}")),
    }
}

/// Takes one line that ends in CRLF.
fn line<'a>(input: &'a [u8], at: &mut usize) -> Result<Option<&'a [u8]>, String> {
    let rest = &input[*at..];
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let Some(text) = rest[..end].strip_suffix(b"\r") else {
        return Err("a line ends in LF without CR".to_owned());
    };
    *at += end + 1;
    Ok(Some(text))
}

/// Refuses values that their type does not allow.
fn check_line(kind: u8, text: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(text);
    let valid = match kind {
        b':' => text.parse::<i64>().is_ok(),
        b',' => text.parse::<f64>().is_ok(),
        b'#' => text == "t" || text == "f",
        b'_' => text.is_empty(),
        b'(' => {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => !text.contains('\r'),
    };
    if valid { Ok(()) } else { Err(format!("{}{text} is not a value of its type", char::from(kind))) }
}

/// Reads a length; `None` is the null of RESP2, which only `$` and `*` have.
fn length(kind: u8, text: &[u8]) -> Result<Option<usize>, String> {
    if text == b"-1" && matches!(kind, b'$' | b'*') {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(text);
    // Never write `+5` or `05`.
    match text.parse::<u32>() {
        Ok(value) if value.to_string() == text => Ok(Some(value as usize)),
        _ => Err(format!("{}{text} is not a length", char::from(kind))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_type() {
        let wire: &[u8] = b"*9\r\n+OK\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n_\r\n,1.5\r\n\
            %1\r\n#t\r\n:5\r\n=7\r\ntxt:foo\r\n~0\r\n";
        let (frame, len) = read(wire).unwrap().unwrap();
        assert_eq!(len, wire.len());
        let Frame::Aggregate { kind: b'*', children } = frame else { panic!("not an array") };
        assert_eq!(children[1], Frame::Bulk { kind: b'$', bytes: b"a\r\n".to_vec() });
        assert_eq!(children[3], Frame::Nil { kind: b'*' });
        assert!(matches!(&children[6], Frame::Aggregate { kind: b'%', children } if children.len() == 2));
    }

    #[test]
    fn keeps_an_attribute_with_its_reply() {
        let wire = b"|1\r\n+k\r\n+v\r\n:1\r\n:2\r\n";
        let (frame, len) = read(wire).unwrap().unwrap();
        assert_eq!(len, wire.len() - b":2\r\n".len());
        assert!(matches!(frame, Frame::Aggregate { kind: b'|', children } if children.len() == 3));
    }

    #[test]
    fn waits_for_every_prefix() {
        let wire = b"%1\r\n$3\r\nfoo\r\n*2\r\n:1\r\n_\r\n";
        for end in 0..wire.len() {
            assert_eq!(read(&wire[..end]), Ok(None), "{end}");
        }
        assert!(read(wire).unwrap().is_some());
    }

    #[test]
    fn refuses_what_is_not_resp() {
        let bad: [&[u8]; 8] = [
            b"OK\r\n",
            b"+OK\n",
            b"$03\r\nfoo\r\n",
            b"$3\r\nfooX\n",
            b":1.5\r\n",
            b"#x\r\n",
            b"~-1\r\n",
            b"\r\n",
        ];
        for wire in bad {
            assert!(read(wire).is_err(), "{}", String::from_utf8_lossy(wire));
        }
    }
}
