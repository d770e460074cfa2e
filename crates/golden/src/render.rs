//! Replies as lines of text: one line per RESP line, children indented by two.

use crate::frame::Frame;
use crate::matchers::{Matchers, Unit};
use crate::words::{escape, quote};

/// A line and what is indented below it.
#[derive(Debug, Clone)]
struct Block {
    head: String,
    children: Vec<Block>,
}

impl Block {
    fn leaf(head: String) -> Self {
        Self { head, children: Vec::new() }
    }

    fn write(&self, indent: usize, lines: &mut Vec<String>) {
        lines.push(format!("{:indent$}{}", "", self.head));
        for child in &self.children {
            child.write(indent + 2, lines);
        }
    }
}

/// Shows `frame` with what may vary taken out of it.
pub fn render(frame: &Frame, matchers: &Matchers) -> Vec<String> {
    if matchers.only_type {
        return vec![type_of(frame)];
    }
    let mut block = block(frame, matchers);
    let unit = match frame {
        Frame::Aggregate { kind: b'%' | b'|', .. } => Unit::Pair,
        _ => matchers.unordered.or(matchers.subset).unwrap_or(Unit::One),
    };
    select(&mut block, frame, matchers, unit);
    let mut lines = Vec::new();
    block.write(0, &mut lines);
    lines
}

/// Leaves out, sorts and hides the count, as the matchers ask.
fn select(block: &mut Block, frame: &Frame, matchers: &Matchers, unit: Unit) {
    let step = if unit == Unit::Pair { 2 } else { 1 };
    let mut groups: Vec<Vec<Block>> = block.children.chunks(step).map(<[_]>::to_vec).collect();
    groups.retain(|group| matchers.selects(&group[0].head));
    if matchers.unordered.is_some() {
        groups.sort_by_cached_key(|group| {
            let mut lines = Vec::new();
            group.iter().for_each(|block| block.write(0, &mut lines));
            lines
        });
    }
    block.children = groups.concat();
    if matchers.is_partial() && matches!(frame, Frame::Bulk { .. } | Frame::Aggregate { .. }) {
        let format = block.head.split_once(' ').map_or(String::new(), |(_, format)| format!(" {format}"));
        block.head = format!("{}..{format}", &block.head[..1]);
    }
}

fn type_of(frame: &Frame) -> String {
    match frame {
        Frame::Line { kind, .. } | Frame::Bulk { kind, .. } | Frame::Aggregate { kind, .. } => {
            format!("{}..", char::from(*kind))
        }
        Frame::Nil { kind } => format!("{}-1", char::from(*kind)),
    }
}

fn block(frame: &Frame, matchers: &Matchers) -> Block {
    match frame {
        Frame::Line { kind, text } => Block::leaf(line(*kind, text, matchers)),
        Frame::Nil { kind } => Block::leaf(format!("{}-1", char::from(*kind))),
        Frame::Bulk { kind, bytes } => bulk(*kind, bytes, matchers),
        Frame::Aggregate { kind, children } => {
            let count = if matches!(kind, b'%' | b'|') { children.len() / 2 } else { children.len() };
            let head = format!("{}{count}", char::from(*kind));
            Block { head, children: children.iter().map(|child| block(child, matchers)).collect() }
        }
    }
}

fn line(kind: u8, text: &[u8], matchers: &Matchers) -> String {
    let text = escape(text).replace("\\\"", "\"");
    if let (b':', Some((low, high))) = (kind, matchers.range)
        && text.parse().is_ok_and(|value| (low..=high).contains(&value))
    {
        return format!(":{low}..{high}");
    }
    format!("{}{}", char::from(kind), mask(&text, matchers))
}

fn bulk(kind: u8, bytes: &[u8], matchers: &Matchers) -> Block {
    let (format, body) = match bytes.split_at_checked(4) {
        Some((prefix, body)) if kind == b'=' => (format!(" {}", escape(prefix)), body),
        _ => (String::new(), bytes),
    };
    let kind = char::from(kind);
    let is_text = body.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b'\t' | 0x20..=0x7e));
    // A part of the lines can only be taken where lines are apart, even if there is but one.
    if matchers.is_partial() || is_text && body[..body.len().saturating_sub(1)].contains(&b'\n') {
        let mut varies = false;
        let children = body
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| {
                let text = quote(line);
                let masked = mask_quoted(&text, matchers);
                varies |= text != masked;
                Block::leaf(masked)
            })
            .collect();
        let length = if varies { "..".to_owned() } else { bytes.len().to_string() };
        return Block { head: format!("{kind}{length}{format}"), children };
    }
    let text = quote(body);
    let masked = mask_quoted(&text, matchers);
    let length = if text == masked { bytes.len().to_string() } else { "..".to_owned() };
    Block::leaf(format!("{kind}{length}{format} {masked}"))
}

/// Masks within the quotes, so that `^` and `$` stand for the ends of the value.
fn mask_quoted(text: &str, matchers: &Matchers) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) => format!("\"{}\"", mask(inner, matchers)),
        None => text.to_owned(),
    }
}

fn mask(text: &str, matchers: &Matchers) -> String {
    let mut text = text.to_owned();
    for (pattern, replacement) in &matchers.masks {
        text = pattern.replace_all(&text, replacement.as_str()).into_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::read;

    fn show(wire: &[u8], matchers: &[(&str, &str)]) -> String {
        let mut all = Matchers::default();
        for (name, argument) in matchers {
            assert!(all.add(name, argument).unwrap());
        }
        render(&read(wire).unwrap().unwrap().0, &all).join("\n")
    }

    #[test]
    fn shows_nested_replies() {
        assert_eq!(
            show(b"*2\r\n$3\r\na\x00\"\r\n%1\r\n+k\r\n_\r\n", &[]),
            "*2\n  $3 \"a\\x00\\\"\"\n  %1\n    +k\n    _"
        );
        assert_eq!(show(b"=7\r\ntxt:foo\r\n", &[]), "=7 txt: \"foo\"");
        assert_eq!(show(b"$8\r\na:1\r\nb:2\r\n", &[]), "$8\n  \"a:1\\r\\n\"\n  \"b:2\"");
    }

    #[test]
    fn takes_out_what_varies() {
        assert_eq!(show(b":7\r\n", &[("range", "5 9")]), ":5..9");
        assert_eq!(show(b":4\r\n", &[("range", "5 9")]), ":4");
        assert_eq!(show(b"$4\r\nid=7\r\n", &[("mask", r"id=\d+ => id=N")]), "$.. \"id=N\"");
        assert_eq!(show(b"*2\r\n:2\r\n:1\r\n", &[("unordered", "")]), "*2\n  :1\n  :2");
        assert_eq!(
            show(b"*4\r\n+z\r\n+1\r\n+a\r\n+2\r\n", &[("unordered", "pairs")]),
            "*4\n  +a\n  +2\n  +z\n  +1"
        );
        assert_eq!(show(b"*2\r\n+ab\r\n+cd\r\n", &[("drop", "^.ab")]), "*..\n  +cd");
    }
}
