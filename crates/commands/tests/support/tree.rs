//! A RESP3 reply as a tree, for comparing replies by their parts.

// Each user takes its part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use tessera_resp::scan;

/// One reply, or an element of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// A simple string, an integer, a null ...: the line as it is, without its end.
    Line(String),
    /// A bulk string.
    Text(String),
    /// An array, a set or a map, by its type byte; a map's keys and values in turn.
    Many(u8, Vec<Node>),
}

impl Node {
    /// Reads one whole reply. Panics if it is none: recorded replies and our own are whole.
    pub fn parse(reply: &[u8]) -> Node {
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        match reply[0] {
            b'$' => Node::Text(string(scan::text(reply).expect("a whole bulk string"))),
            kind @ (b'*' | b'~' | b'%') => {
                Node::Many(kind, scan::elements(reply).expect("a whole aggregate").map(Node::parse).collect())
            }
            _ => Node::Line(string(reply.strip_suffix(b"\r\n").expect("a whole line"))),
        }
    }

    /// Writes it as RESP3.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Node::Line(line) => out.extend_from_slice(format!("{line}\r\n").as_bytes()),
            Node::Text(text) => out.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes()),
            Node::Many(kind, members) => {
                let len = if *kind == b'%' { members.len() / 2 } else { members.len() };
                out.extend_from_slice(format!("{}{len}\r\n", char::from(*kind)).as_bytes());
                members.iter().for_each(|member| member.write(out));
            }
        }
    }

    /// The text of a bulk string.
    pub fn text(&self) -> &str {
        match self {
            Node::Text(text) => text,
            other => panic!("a bulk string was expected: {other:?}"),
        }
    }

    /// The members of an aggregate.
    pub fn members(&self) -> &[Node] {
        match self {
            Node::Many(_, members) => members,
            other => panic!("an aggregate was expected: {other:?}"),
        }
    }

    /// The number of an integer.
    pub fn integer(&self) -> i64 {
        match self {
            Node::Line(line) => {
                line.strip_prefix(':').and_then(|digits| digits.parse().ok()).expect("an integer")
            }
            other => panic!("an integer was expected: {other:?}"),
        }
    }

    /// What a map holds under `name`.
    pub fn field(&self, name: &str) -> Option<&Node> {
        self.members().chunks(2).find(|pair| pair[0].text() == name).map(|pair| &pair[1])
    }

    fn members_mut(&mut self) -> &mut Vec<Node> {
        match self {
            Node::Many(_, members) => members,
            other => panic!("an aggregate was expected: {other:?}"),
        }
    }
}

/// The descriptions in a COMMAND INFO reply, subcommands included, by full name. Each is without its subcommands.
pub fn descriptions(infos: &[Node], by_name: &mut BTreeMap<String, Node>) {
    const SUBCOMMANDS: usize = 9;
    for info in infos {
        let mut info = info.clone();
        let subcommands =
            std::mem::replace(&mut info.members_mut()[SUBCOMMANDS], Node::Many(b'~', Vec::new()));
        descriptions(subcommands.members(), by_name);
        by_name.insert(info.members()[0].text().to_owned(), info);
    }
}

/// The documents in a COMMAND DOCS reply, subcommands included, by full name. Each is without its subcommands, and
/// what is written for people is left out: only that it is there stays.
pub fn documents(docs: &[Node], by_name: &mut BTreeMap<String, Node>) {
    for pair in docs.chunks(2) {
        let mut doc = pair[1].clone();
        let mut fields = Vec::new();
        for field in doc.members().chunks(2) {
            match field[0].text() {
                "subcommands" => documents(field[1].members(), by_name),
                "summary" | "complexity" | "replaced_by" => {
                    fields.extend([field[0].clone(), Node::Text(String::new())]);
                }
                "history" => {
                    let mut history = field[1].clone();
                    for change in history.members_mut() {
                        change.members_mut()[1] = Node::Text(String::new());
                    }
                    fields.extend([field[0].clone(), history]);
                }
                _ => fields.extend_from_slice(field),
            }
        }
        *doc.members_mut() = fields;
        by_name.insert(pair[0].text().to_owned(), doc);
    }
}
