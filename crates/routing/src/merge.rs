//! The replies of a command's parts as one reply.

use crate::cursor::{Onward, Walk};
use tessera_command::Merge;
use tessera_resp::{Protocol, Reply, scan};

/// Collects the parts of one command.
#[derive(Debug)]
pub struct Assembly {
    merge: Merge,
    parts: Vec<Option<Box<[u8]>>>,
    missing: usize,
    /// For each key: which part has it. Only for [`Merge::ByPosition`].
    order: Vec<u16>,
}

impl Assembly {
    /// Awaits `parts` replies.
    pub fn new(merge: Merge, parts: usize, order: Vec<u16>) -> Assembly {
        Assembly { merge, parts: (0..parts).map(|_| None).collect(), missing: parts, order }
    }

    /// Awaits the replies of so many shards, in the order in which they are preferred, of which any would do: the first
    /// that is something is the whole reply.
    pub fn of_first_present(parts: usize) -> Assembly {
        Assembly::new(Merge::By(first_present), parts, Vec::new())
    }

    /// Takes in the reply of part number `part`; true when none is missing any more. A part that was not awaited,
    /// or came before, changes nothing.
    pub fn take(&mut self, part: u32, reply: &[u8]) -> bool {
        if let Some(place @ None) = self.parts.get_mut(part as usize) {
            *place = Some(reply.into());
            self.missing -= 1;
        }
        self.missing == 0
    }

    /// Bytes held for the parts that came.
    pub fn held_bytes(&self) -> usize {
        self.parts.iter().flatten().map(|part| part.len()).sum()
    }

    /// Writes the merged reply. All parts must have come.
    pub fn finish(&self, out: &mut Vec<u8>, protocol: Protocol) {
        let parts: Vec<&[u8]> = self.parts.iter().flatten().map(|part| &**part).collect();
        self.merge(&parts, out, protocol);
    }

    /// Writes the merged reply of these parts.
    fn merge(&self, parts: &[&[u8]], out: &mut Vec<u8>, protocol: Protocol) {
        let mut reply = Reply::new(out, protocol);
        let success = match self.merge {
            Merge::SumOrAny => parts.iter().find(|part| !scan::is_error(part)),
            _ => None,
        };
        if let Some(error) = parts.iter().find(|part| scan::is_error(part))
            && success.is_none()
        {
            return reply.raw(error);
        }
        match self.merge {
            Merge::Sum => reply.integer(integers(parts).sum()),
            Merge::SumOrAny => match success {
                Some(part) if scan::integer(part).is_none() => reply.raw(part),
                _ => reply.integer(integers(parts).sum()),
            },
            Merge::Max => reply.integer(integers(parts).max().unwrap_or(0)),
            Merge::AllOk => reply.raw(parts.first().copied().unwrap_or(b"+OK\r\n")),
            Merge::ByPosition => {
                let mut elements: Vec<_> = parts.iter().map(|part| scan::elements(part)).collect();
                reply.array(self.order.len());
                for part in &self.order {
                    match elements[usize::from(*part)].as_mut().and_then(Iterator::next) {
                        Some(element) => reply.raw(element),
                        None => reply.null(),
                    }
                }
            }
            Merge::Concat => {
                let elements: Vec<&[u8]> =
                    parts.iter().filter_map(|part| scan::elements(part)).flatten().collect();
                reply.array(elements.len());
                elements.iter().for_each(|element| reply.raw(element));
            }
            Merge::ClientLines => reply.verbatim("txt", &client_lines(parts)),
            Merge::By(merge) => merge(parts, &mut reply),
        }
    }
}

/// How the replies of a command's parts become one.
#[derive(Debug)]
pub enum Merging {
    /// There is only one.
    Only,
    /// By what the command says.
    Assembly(Assembly),
    /// Each is what a shard scanned.
    Walk(Box<Walk>),
}

impl Merging {
    /// Of the replies of all parts, in their order.
    pub fn merge(&mut self, replies: Vec<Vec<u8>>, protocol: Protocol) -> Vec<u8> {
        match self {
            Merging::Only => replies.into_iter().next().unwrap_or_default(),
            Merging::Assembly(assembly) => {
                let parts: Vec<&[u8]> = replies.iter().map(Vec::as_slice).collect();
                let mut out = Vec::new();
                assembly.merge(&parts, &mut out, protocol);
                out
            }
            Merging::Walk(walk) => {
                let mut scanned = replies.iter().map(|reply| walk.take(reply));
                let done = scanned.find_map(|onward| match onward {
                    Onward::Done(reply) => Some(reply),
                    Onward::Ask(_) => None,
                });
                done.unwrap_or_default()
            }
        }
    }
}

/// What RANDOMKEY and its like answer when the shard has nothing.
pub fn is_null(reply: &[u8]) -> bool {
    matches!(reply, b"$-1\r\n" | b"_\r\n" | b"*-1\r\n")
}

/// The first of these replies that is something.
fn first_present(parts: &[&[u8]], reply: &mut Reply<'_>) {
    match parts.iter().find(|part| !is_null(part)).or(parts.first()) {
        Some(part) => reply.raw(part),
        None => reply.null(),
    }
}

fn integers(parts: &[&[u8]]) -> impl Iterator<Item = i64> {
    parts.iter().filter_map(|part| scan::integer(part))
}

/// The lines of all parts in the order of the numbers behind `id=`.
fn client_lines(parts: &[&[u8]]) -> Vec<u8> {
    let mut lines: Vec<(u64, &[u8])> = parts
        .iter()
        .filter_map(|part| scan::text(part))
        .flat_map(|text| text.split_inclusive(|byte| *byte == b'\n'))
        .map(|line| (client_number(line), line))
        .collect();
    // One part alone is in the order that was asked for.
    if parts.len() > 1 {
        lines.sort_by_key(|(number, _)| *number);
    }
    lines.iter().flat_map(|(_, line)| line.iter().copied()).collect()
}

fn client_number(line: &[u8]) -> u64 {
    let digits = line.strip_prefix(b"id=").unwrap_or_default();
    digits.iter().take_while(|byte| byte.is_ascii_digit()).fold(0, |n, byte| n * 10 + u64::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(merge: Merge, order: &[u16], parts: &[&str]) -> String {
        let mut assembly = Assembly::new(merge, parts.len(), order.to_vec());
        // They may come in any order.
        for (number, part) in parts.iter().enumerate().rev() {
            assert_eq!(assembly.take(number as u32, part.as_bytes()), number == 0);
        }
        let mut out = Vec::new();
        assembly.finish(&mut out, Protocol::Resp2);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_policy() {
        assert_eq!(merged(Merge::Sum, &[], &[":1\r\n", ":2\r\n"]), ":3\r\n");
        assert_eq!(merged(Merge::SumOrAny, &[], &[":1\r\n", ":2\r\n"]), ":3\r\n");
        assert_eq!(merged(Merge::SumOrAny, &[], &["-ERR no\r\n", "+OK\r\n"]), "+OK\r\n");
        assert_eq!(merged(Merge::SumOrAny, &[], &["-ERR no\r\n", "-ERR no\r\n"]), "-ERR no\r\n");
        assert_eq!(merged(Merge::ClientLines, &[], &["$10\r\nid=3\nid=1\n\r\n"]), "$10\r\nid=3\nid=1\n\r\n");
        assert_eq!(merged(Merge::AllOk, &[], &["+OK\r\n", "+OK\r\n"]), "+OK\r\n");
        assert_eq!(merged(Merge::AllOk, &[], &["+OK\r\n", "-ERR no\r\n"]), "-ERR no\r\n");
        assert_eq!(
            merged(Merge::ByPosition, &[1, 0, 1], &["*1\r\n$1\r\na\r\n", "*2\r\n$-1\r\n$1\r\nb\r\n"]),
            "*3\r\n$-1\r\n$1\r\na\r\n$1\r\nb\r\n"
        );
        assert_eq!(
            merged(Merge::Concat, &[], &["*1\r\n:1\r\n", "*0\r\n", "*1\r\n:2\r\n"]),
            "*2\r\n:1\r\n:2\r\n"
        );
        assert_eq!(
            merged(Merge::ClientLines, &[], &["$12\r\nid=3 a\nid=1\n\r\n", "$5\r\nid=2\n\r\n"]),
            "$17\r\nid=1\nid=2\nid=3 a\n\r\n"
        );
    }
}
