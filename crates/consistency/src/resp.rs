//! Replies in RESP2, as far as the workloads need them.

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A status, without `+`.
    Status(String),
    /// An error, without `-`.
    Error(String),
    /// An integer.
    Integer(i64),
    /// A text, or none.
    Bulk(Option<Vec<u8>>),
    /// An array, or none.
    Array(Option<Vec<Reply>>),
}

/// The reply at the start of `bytes`, and its length. `None`: it is not whole, or none.
pub fn parse(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(bytes.get(1..end)?).ok()?;
    let mut at = end + 2;
    let reply = match bytes[0] {
        b'+' => Reply::Status(line.to_owned()),
        b'-' => Reply::Error(line.to_owned()),
        b':' => Reply::Integer(line.parse().ok()?),
        b'$' if line == "-1" => Reply::Bulk(None),
        b'$' => {
            let len: usize = line.parse().ok()?;
            let text = bytes.get(at..at + len)?;
            bytes.get(at + len..at + len + 2)?;
            at += len + 2;
            Reply::Bulk(Some(text.to_vec()))
        }
        b'*' if line == "-1" => Reply::Array(None),
        b'*' => {
            let mut elements = Vec::new();
            for _ in 0..line.parse::<usize>().ok()? {
                let (element, len) = parse(&bytes[at..])?;
                at += len;
                elements.push(element);
            }
            Reply::Array(Some(elements))
        }
        _ => return None,
    };
    Some((reply, at))
}
