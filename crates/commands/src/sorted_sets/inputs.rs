//! The words of the commands on several sorted sets, and what is at their keys.

use tessera_command::prelude::*;
use tessera_values::listpack::Element;
use tessera_values::{SetRef, SortedSetRef, double};

/// How the scores of a member become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// They are added up.
    Sum,
    /// The least.
    Min,
    /// The largest.
    Max,
}

impl Aggregate {
    /// A score with another one.
    pub(super) fn apply(self, score: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => number_or_zero(score + other),
            Aggregate::Min if other < score => other,
            Aggregate::Max if other > score => other,
            Aggregate::Min | Aggregate::Max => score,
        }
    }
}

/// An infinity with its opposite, or nothing times an infinity, counts as nothing.
pub(super) fn number_or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// The options that a command has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Syntax {
    /// WEIGHTS and AGGREGATE.
    pub weighs: bool,
    /// WITHSCORES.
    pub shows_scores: bool,
    /// LIMIT.
    pub counts: bool,
}

/// Keys and options.
pub struct Request<'a> {
    keys: Vec<&'a [u8]>,
    /// One for each key, if there are any.
    weights: Vec<f64>,
    /// How scores are brought together.
    pub aggregate: Aggregate,
    /// Scores are asked for.
    pub with_scores: bool,
    /// How far to count.
    pub limit: Option<usize>,
    /// What is wrong with the words behind the keys. Redis looks at the keys before it looks at them.
    failure: Option<Error>,
}

impl<'a> Request<'a> {
    /// Reads the words from the number of keys on.
    pub(super) fn parse(words: &mut Words<'a>, name: &str, syntax: Syntax) -> Result<Request<'a>, Error> {
        let count = words.integer()?;
        if count < 1 {
            return Err(Error::built(format!("ERR at least 1 input key is needed for '{name}' command")));
        }
        let count =
            usize::try_from(count).ok().filter(|count| *count <= words.left()).ok_or(Error::SYNTAX)?;
        let mut request = Request {
            keys: (0..count).map(|_| words.word()).collect::<Result<_, _>>()?,
            weights: Vec::new(),
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: None,
            failure: None,
        };
        request.failure = request.parse_options(words, syntax).err();
        Ok(request)
    }

    fn parse_options(&mut self, words: &mut Words<'a>, syntax: Syntax) -> Result<(), Error> {
        while !words.is_empty() {
            if syntax.weighs && words.left() > self.keys.len() && words.take("WEIGHTS") {
                self.weights.clear();
                for _ in 0..self.keys.len() {
                    let weight = double::parse(words.word()?);
                    self.weights.push(weight.ok_or(Error::Text("ERR weight value is not a float"))?);
                }
            } else if syntax.weighs && words.left() >= 2 && words.take("AGGREGATE") {
                self.aggregate = if words.take("SUM") {
                    Aggregate::Sum
                } else if words.take("MIN") {
                    Aggregate::Min
                } else if words.take("MAX") {
                    Aggregate::Max
                } else {
                    return Err(Error::SYNTAX);
                };
            } else if syntax.shows_scores && words.take("WITHSCORES") {
                self.with_scores = true;
            } else if syntax.counts && words.left() >= 2 && words.take("LIMIT") {
                const NEGATIVE: Error = Error::Text("ERR LIMIT can't be negative");
                let limit = words.integer().map_err(|_| NEGATIVE)?;
                let limit = usize::try_from(limit).map_err(|_| NEGATIVE)?;
                self.limit = Some(limit).filter(|limit| *limit > 0);
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(())
    }

    /// Needs what is at the keys.
    pub(super) fn need(&self, needs: &mut Vec<Need<'a>>) {
        needs.extend(self.keys.iter().map(|key| Need { key, db: None, what: What::Value }));
    }

    /// What is at the keys.
    pub(super) fn inputs<'v>(&self, found: &[Found<'v>]) -> Result<Vec<Input<'v>>, Error> {
        let weight = |index: usize| self.weights.get(index).copied().unwrap_or(1.0);
        let inputs = found.iter().enumerate().map(|(index, found)| Input::new(found, weight(index)));
        let inputs = inputs.collect::<Result<_, _>>()?;
        self.failure.clone().map_or(Ok(inputs), Err)
    }
}

#[derive(Clone, Copy)]
enum Members<'v> {
    None,
    Sorted(SortedSetRef<'v>),
    /// Each with a score of 1.
    Plain(SetRef<'v>),
}

/// What one key brings in.
#[derive(Clone, Copy)]
pub(super) struct Input<'v> {
    members: Members<'v>,
    pub weight: f64,
}

impl<'v> Input<'v> {
    fn new(found: &Found<'v>, weight: f64) -> Result<Input<'v>, Error> {
        let members = match found.value {
            None => Members::None,
            Some(ValueRef::SortedSet(set)) => Members::Sorted(set),
            Some(ValueRef::Set(set)) => Members::Plain(set),
            Some(_) => return Err(Error::WRONG_TYPE),
        };
        Ok(Input { members, weight })
    }

    /// How many members.
    pub fn len(&self) -> usize {
        match self.members {
            Members::None => 0,
            Members::Sorted(set) => set.len(),
            Members::Plain(set) => set.len(),
        }
    }

    /// The score of a member, without weight.
    pub fn score(&self, member: Element<'_>) -> Option<f64> {
        match self.members {
            Members::None => None,
            Members::Sorted(set) => set.score(member.as_bytes(&mut Digits::new())),
            Members::Plain(set) => {
                let mut digits = Digits::new();
                // A set knows integers by their value.
                set.contains(Element::new(member.as_bytes(&mut digits))).then_some(1.0)
            }
        }
    }

    /// Visits all members with their scores, without weight, until `visit` is false.
    pub fn visit(&self, mut visit: impl FnMut(Element<'v>, f64) -> bool) {
        match self.members {
            Members::None => {}
            Members::Sorted(set) => {
                set.iter().all(|(member, score)| visit(member, score));
            }
            Members::Plain(set) => {
                set.iter().all(|member| visit(member, 1.0));
            }
        }
    }
}
