use super::selection::{Selection, Syntax};
use super::storing;
use tessera_command::prelude::*;
use tessera_values::listpack::Element;
use tessera_values::{SortedSet, SortedSetRef};

pub struct ZRangeStore;

impl Gather for ZRangeStore {
    const SPEC: Spec = Spec {
        name: "zrangestore",
        summary: "Keeps a range of the members of a sorted set at another key.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) with N the members there are and M those kept.",
        flags: Flags::DENY_OOM,
        categories: Categories::SORTED_SET,
        keys: &[
            KeySpec::at(1, KeyFlags::OW.with(KeyFlags::UPDATE)),
            KeySpec::at(2, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        events: &[Event::ZRangeStore, Event::Del, Event::New],
        grammar: &[
            key("dst", 0),
            key("src", 1),
            string("min"),
            string("max"),
            one_of("sortby", &[token("byscore", "BYSCORE"), token("bylex", "BYLEX")]).optional(),
            token("rev", "REV").optional(),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
        ],
        ..Spec::BASE
    };
    /// The destination, the source, and what is selected of it.
    type Args<'a> = (&'a [u8], &'a [u8], Selection<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let syntax = Syntax { by: None, is_reversed: None, takes_scores: false };
        Ok((words.word()?, words.word()?, Selection::parse(words, syntax)?))
    }

    fn needs<'a>(
        (destination, source, _): &Self::Args<'a>,
        _: Context,
        needs: &mut Vec<Need<'a>>,
    ) -> Result<(), Error> {
        needs.push(Need { key: destination, db: None, what: What::Presence });
        needs.push(Need { key: source, db: None, what: What::Value });
        Ok(())
    }

    fn decide(
        (_, _, selection): &Self::Args<'_>,
        context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let [destination, source] = found else { return Err(Error::SYNTAX) };
        let result = match source.value {
            None => SortedSet::default(),
            Some(value) => {
                let set = SortedSet::of_ref(value).ok_or(Error::WRONG_TYPE)?;
                copy(set, selection, &context.settings.thresholds)
            }
        };
        storing::store(result, Event::ZRangeStore, destination, changes, reply);
        Ok(())
    }
}

/// What is selected, added one by one as Redis does it: what was added while the copy was small has lost the sign of a
/// score of -0.
fn copy(set: SortedSetRef<'_>, selection: &Selection<'_>, thresholds: &Thresholds) -> SortedSet {
    let elements = set.range(selection.ranks(set));
    let mut copy = SortedSet::default();
    if selection.knows_its_len() {
        copy.reserve(elements.len(), thresholds);
    }
    let mut digits = Digits::new();
    let mut add = |(member, score): (Element<'_>, f64)| {
        copy.set(member.as_bytes(&mut digits), score, thresholds);
    };
    if selection.is_reversed {
        elements.rev().for_each(&mut add);
    } else {
        elements.for_each(&mut add);
    }
    copy
}
