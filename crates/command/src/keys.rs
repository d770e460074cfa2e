//! Finds the keys among a command's words, by its key specs.

use crate::command::Command;
use crate::flags::KeyFlags;
use crate::spec::{Begin, Find, KeySpec};
use tessera_resp::Args;
use tessera_resp::number::parse_i64;

/// A key among the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAt {
    /// Which word.
    pub index: usize,
    /// What is done with it.
    pub flags: KeyFlags,
}

/// Appends the positions of all keys of `args` to `found`. False if the words do not say (a count that is no
/// number, or points beyond the end).
pub fn find_keys(command: &Command, args: Args<'_>, found: &mut Vec<KeyAt>) -> bool {
    command.spec.keys.iter().all(|spec| find_by_spec(spec, args, found))
}

fn find_by_spec(spec: &KeySpec, args: Args<'_>, found: &mut Vec<KeyAt>) -> bool {
    let words = args.len();
    let begin = match spec.begin {
        Begin::Index(index) => index,
        Begin::Keyword { word, from } => match find_keyword(word, from, args) {
            Some(index) => index + 1,
            // The keys behind an optional keyword are optional.
            None => return true,
        },
    };
    let (first, last, step) = match spec.find {
        Find::Range { last, step, limit } => {
            let last = match usize::try_from(last) {
                Ok(offset) => begin + offset,
                Err(_) if last == -1 && limit > 1 => {
                    begin + (words.saturating_sub(begin) / limit).saturating_sub(1)
                }
                Err(_) => words.saturating_sub(last.unsigned_abs() as usize),
            };
            (begin, last, step)
        }
        Find::Count { at, first, step } => {
            let count =
                args.get(begin + at).and_then(parse_i64).and_then(|count| usize::try_from(count).ok());
            match count {
                Some(0) => return true,
                Some(count) if count <= words => (begin + first, begin + first + (count - 1) * step, step),
                _ => return false,
            }
        }
    };
    if last >= words {
        return false;
    }
    found.extend((first..=last).step_by(step).map(|index| KeyAt { index, flags: spec.flags }));
    true
}

fn find_keyword(word: &str, from: i32, args: Args<'_>) -> Option<usize> {
    let is_it = |index: &usize| args.get(*index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    match usize::try_from(from) {
        Ok(from) => (from..args.len()).find(is_it),
        Err(_) => (1..=args.len().checked_sub(from.unsigned_abs() as usize)?).rev().find(is_it),
    }
}
