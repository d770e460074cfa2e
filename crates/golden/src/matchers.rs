//! What may vary in a reply, and how two replies are compared in spite of it.

use regex::Regex;

/// How the children of an aggregate belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Each child stands alone.
    One,
    /// Children come in pairs of name and value. A map always counts in pairs.
    Pair,
}

/// The matchers that apply to one step. The default compares to the byte.
#[derive(Debug, Clone, Default)]
pub struct Matchers {
    /// Replacements made in the text of every scalar and every line of a long text.
    pub masks: Vec<(Regex, String)>,
    /// Children or lines to leave out.
    pub drops: Vec<Regex>,
    /// Children or lines to keep; all if there is none.
    pub keeps: Vec<Regex>,
    /// Sort the children or lines.
    pub unordered: Option<Unit>,
    /// Further children or lines may be there.
    pub subset: Option<Unit>,
    /// Integers within these bounds, both inclusive, are equal.
    pub range: Option<(i64, i64)>,
    /// Compare the type of the reply only.
    pub only_type: bool,
    /// Parts of the reply to keep under a name for later steps.
    pub captures: Vec<(String, Regex)>,
    /// The command is a SCAN to be iterated to its end.
    pub scan: bool,
    /// The command is answered with nothing.
    pub no_reply: bool,
}

impl Matchers {
    /// Adds what one directive says, as in `mask`, `\d+ => N`.
    ///
    /// Returns false if there is no such matcher.
    ///
    /// # Errors
    /// A description of what is wrong with `argument`.
    pub fn add(&mut self, name: &str, argument: &str) -> Result<bool, String> {
        match name {
            "mask" => {
                let (pattern, replacement) = argument.split_once(" => ").unwrap_or((argument, "<*>"));
                self.masks.push((regex(pattern)?, replacement.to_owned()));
            }
            "drop" => self.drops.push(regex(argument)?),
            "keep" => self.keeps.push(regex(argument)?),
            "unordered" => self.unordered = Some(unit(argument)?),
            "subset" => self.subset = Some(unit(argument)?),
            "range" => {
                let bounds = argument.split_once(' ').ok_or("@range needs two integers")?;
                let parse = |text: &str| text.trim().parse().map_err(|_| format!("not an integer: {text}"));
                self.range = Some((parse(bounds.0)?, parse(bounds.1)?));
            }
            "type" => self.only_type = true,
            "capture" => {
                let (name, pattern) =
                    argument.split_once(' ').ok_or("@capture needs a name and a pattern")?;
                self.captures.push((name.to_owned(), regex(pattern)?));
            }
            "scan" => self.scan = true,
            "noreply" => self.no_reply = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Adds all of `other`, which wins where only one can be.
    pub fn merge(&mut self, other: &Self) {
        self.masks.extend(other.masks.iter().cloned());
        self.drops.extend(other.drops.iter().cloned());
        self.keeps.extend(other.keeps.iter().cloned());
        self.captures.extend(other.captures.iter().cloned());
        self.unordered = other.unordered.or(self.unordered);
        self.subset = other.subset.or(self.subset);
        self.range = other.range.or(self.range);
        self.only_type |= other.only_type;
        self.scan |= other.scan;
        self.no_reply |= other.no_reply;
    }

    /// Whether only a part of the children or lines is compared, so that their count has no meaning.
    pub fn is_partial(&self) -> bool {
        self.subset.is_some() || !self.drops.is_empty() || !self.keeps.is_empty()
    }

    /// Whether the child or line that starts with `head` is compared.
    pub fn selects(&self, head: &str) -> bool {
        !self.drops.iter().any(|drop| drop.is_match(head))
            && (self.keeps.is_empty() || self.keeps.iter().any(|keep| keep.is_match(head)))
    }

    /// Whether `actual`, a rendered reply, is what `expected` asks for.
    pub fn accepts(&self, expected: &[String], actual: &[String]) -> bool {
        let Some(unit) = self.subset else { return expected == actual };
        let (Some((expected_head, expected)), Some((actual_head, actual))) =
            (expected.split_first(), actual.split_first())
        else {
            return expected == actual;
        };
        let unit = if expected_head.starts_with('%') { Unit::Pair } else { unit };
        let (expected, mut actual) = (groups(expected, unit), groups(actual, unit));
        expected_head == actual_head
            && expected.iter().all(|wanted| {
                let found = actual.iter().position(|group| group == wanted);
                found.map(|at| actual.swap_remove(at)).is_some()
            })
    }
}

/// Groups the lines below a head by child or by pair of children.
fn groups(lines: &[String], unit: Unit) -> Vec<Vec<&String>> {
    let mut children: Vec<Vec<&String>> = Vec::new();
    for line in lines {
        // Children are indented by two, what is below them by more.
        match children.last_mut() {
            Some(child) if line.starts_with("   ") => child.push(line),
            _ => children.push(vec![line]),
        }
    }
    match unit {
        Unit::One => children,
        Unit::Pair => children.chunks(2).map(<[_]>::concat).collect(),
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| error.to_string())
}

fn unit(argument: &str) -> Result<Unit, String> {
    match argument {
        "" => Ok(Unit::One),
        "pairs" => Ok(Unit::Pair),
        other => Err(format!("neither empty nor `pairs`: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn compares_to_the_byte_by_default() {
        let matchers = Matchers::default();
        assert!(matchers.accepts(&lines("*1\n  :1"), &lines("*1\n  :1")));
        assert!(!matchers.accepts(&lines("*1\n  :1"), &lines("*1\n  :2")));
    }

    #[test]
    fn a_subset_of_pairs_keeps_names_with_their_values() {
        let mut matchers = Matchers::default();
        matchers.add("subset", "pairs").unwrap();
        let actual = lines("*..\n  a\n  1\n  b\n  *1\n    2");
        assert!(matchers.accepts(&lines("*..\n  b\n  *1\n    2"), &actual));
        assert!(!matchers.accepts(&lines("*..\n  b\n  1"), &actual));
        assert!(!matchers.accepts(&lines("*..\n  a\n  1\n  a\n  1"), &actual));
    }
}
