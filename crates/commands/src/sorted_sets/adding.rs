//! What ZADD and ZINCRBY do.

use tessera_command::prelude::*;
use tessera_values::SortedSet;

const NOT_A_NUMBER: Error = Error::Text("ERR resulting score is not a number (NaN)");

/// What the words ask for besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Only members that are not there.
    pub only_new: bool,
    /// Only members that are there.
    pub only_present: bool,
    /// Only to a larger score.
    pub only_greater: bool,
    /// Only to a smaller score.
    pub only_less: bool,
    /// The score is added to the one that is there.
    pub increments: bool,
}

impl Options {
    fn are_none(&self) -> bool {
        !(self.only_new || self.only_present || self.only_greater || self.only_less || self.increments)
    }
}

/// Takes a word that is an option.
pub(super) fn take_option(words: &mut Words<'_>, options: &mut Options, counts_changes: &mut bool) -> bool {
    let option = if words.take("NX") {
        &mut options.only_new
    } else if words.take("XX") {
        &mut options.only_present
    } else if words.take("CH") {
        counts_changes
    } else if words.take("INCR") {
        &mut options.increments
    } else if words.take("GT") {
        &mut options.only_greater
    } else if words.take("LT") {
        &mut options.only_less
    } else {
        return false;
    };
    *option = true;
    true
}

/// What became of one member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub is_added: bool,
    pub is_updated: bool,
    /// Its score. `None` if the options forbade the change.
    pub score: Option<f64>,
}

const FORBIDDEN: Outcome = Outcome { is_added: false, is_updated: false, score: None };

/// Adds a member or changes its score.
pub(super) fn add(
    set: &mut SortedSet,
    member: &[u8],
    score: f64,
    options: &Options,
    thresholds: &Thresholds,
) -> Result<Outcome, Error> {
    if options.are_none() {
        let before = set.set(member, score, thresholds);
        let is_updated = before.is_some_and(|before| before != score);
        return Ok(Outcome { is_added: before.is_none(), is_updated, score: Some(score) });
    }
    let Some(before) = set.as_ref().score(member) else {
        if options.only_present {
            return Ok(FORBIDDEN);
        }
        set.set(member, score, thresholds);
        return Ok(Outcome { is_added: true, is_updated: false, score: Some(score) });
    };
    if options.only_new {
        return Ok(FORBIDDEN);
    }
    let score = if options.increments { before + score } else { score };
    if score.is_nan() {
        return Err(NOT_A_NUMBER);
    }
    if options.only_less && score >= before || options.only_greater && score <= before {
        return Ok(FORBIDDEN);
    }
    if score != before {
        set.set(member, score, thresholds);
    }
    Ok(Outcome { is_added: false, is_updated: score != before, score: Some(score) })
}
