//! Names of keys with a hole for an element: `weight_*`, `object_*->field`.

use tessera_command::TextNeed;

/// What stands behind GET or BY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern<'a> {
    /// `#`: the element itself.
    Itself,
    /// A name without a hole, which leads nowhere.
    Nowhere,
    /// The text at the key that it becomes with the element in the hole.
    Key {
        /// Before the hole.
        before: &'a [u8],
        /// Behind it.
        behind: &'a [u8],
        /// Of the hash at that key.
        field: Option<&'a [u8]>,
    },
}

/// As far as C's string functions see: to the first zero byte.
fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

impl<'a> Pattern<'a> {
    /// Redis looks for the hole, the arrow and the field in C's way: none of them begins behind a zero byte.
    pub fn parse(word: &'a [u8]) -> Pattern<'a> {
        if until_zero(word) == b"#" {
            return Pattern::Itself;
        }
        let Some(hole) = until_zero(word).iter().position(|byte| *byte == b'*') else {
            return Pattern::Nowhere;
        };
        let (before, behind) = (&word[..hole], &word[hole + 1..]);
        let arrow = until_zero(behind).windows(2).position(|pair| pair == b"->");
        match arrow.map(|arrow| (&behind[..arrow], &behind[arrow + 2..])) {
            Some((behind, field)) if !until_zero(field).is_empty() => {
                Pattern::Key { before, behind, field: Some(field) }
            }
            _ => Pattern::Key { before, behind, field: None },
        }
    }

    /// Where the text for an element is.
    pub fn need(self, element: &[u8]) -> Option<TextNeed> {
        let Pattern::Key { before, behind, field } = self else { return None };
        let key = [before, element, behind].concat().into_boxed_slice();
        Some(TextNeed { key, field: field.map(Box::from) })
    }

    /// It leads to keys.
    pub fn has_keys(self) -> bool {
        matches!(self, Pattern::Key { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hole_takes_the_element() {
        for (pattern, key, field) in [
            ("w_*", "w_x", None),
            ("*", "x", None),
            ("*_*", "x_*", None),
            ("o_*->f", "o_x", Some("f")),
            ("o_*->f->g", "o_x", Some("f->g")),
            ("o_*a->*", "o_xa", Some("*")),
            ("a->b*", "a->bx", None),
            ("o_*->", "o_x->", None),
            ("o_*->\0f", "o_x->\0f", None),
            ("o_*->f\0g", "o_x", Some("f\0g")),
            ("o_*\0->f", "o_x\0->f", None),
        ] {
            let need = Pattern::parse(pattern.as_bytes()).need(b"x").unwrap();
            assert_eq!((&*need.key, need.field.as_deref()), (key.as_bytes(), field.map(str::as_bytes)));
        }
        for (pattern, expected) in [
            ("#", Pattern::Itself),
            ("#\0*", Pattern::Itself),
            ("##", Pattern::Nowhere),
            ("", Pattern::Nowhere),
            ("nosort", Pattern::Nowhere),
            ("a\0*", Pattern::Nowhere),
        ] {
            assert_eq!(Pattern::parse(pattern.as_bytes()), expected);
        }
    }
}
