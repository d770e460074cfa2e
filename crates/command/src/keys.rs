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
    let known = command.spec.keys.iter().all(|spec| find_by_spec(spec, args, found));
    if known && let Some(own_keys) = command.spec.own_keys {
        own_keys(args, found);
    }
    known
}

/// The same with what this call of the command does with each of its keys, and without words that are only routed like
/// keys.
pub fn find_keys_with_flags(command: &Command, args: Args<'_>, found: &mut Vec<KeyAt>) -> bool {
    let known = find_keys(command, args, found);
    found.retain(|key| !key.flags.has(KeyFlags::NOT_KEY));
    if let Some(flags) = command.spec.key_flags.map(|key_flags| key_flags(args)) {
        found.iter_mut().for_each(|key| key.flags = flags);
    }
    known
}

/// Where keys are, in the terms of before there were key specs: COMMAND INFO's first, last and step. All 0 without
/// keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPositions {
    /// The first key.
    pub first: i32,
    /// The last key; counted from the command's end if negative.
    pub last: i32,
    /// From one key to the next.
    pub step: i32,
    /// These three find every key.
    pub suffice: bool,
}

impl KeyPositions {
    /// What the key specs come down to: the ranges that follow upon each other from the first one on.
    pub const fn of(specs: &[KeySpec]) -> KeyPositions {
        let mut all = KeyPositions { first: 0, last: 0, step: 0, suffice: true };
        let mut at = 0;
        while at < specs.len() {
            let KeySpec { begin, find, flags, .. } = specs[at];
            at += 1;
            let (Begin::Index(first), Find::Range { last, step, .. }) = (begin, find) else {
                all.suffice = false;
                continue;
            };
            let first = first as i32;
            // A lone range may have any step.
            let plain = specs.len() == 1 || step == 1;
            if !plain || (all.last != 0 && all.last != first - 1) {
                all.suffice = false;
                continue;
            }
            if flags.has(KeyFlags::INCOMPLETE) {
                all.suffice = false;
            }
            if all.first == 0 {
                all.first = first;
            }
            all.last = if last >= 0 { first + last } else { last };
            all.step = step as i32;
        }
        all
    }
}

fn find_by_spec(spec: &KeySpec, args: Args<'_>, found: &mut Vec<KeyAt>) -> bool {
    let words = args.len();
    let begin = match spec.begin {
        Begin::Index(index) => index,
        Begin::Unknown => return true,
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
        Find::Unknown => return true,
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
