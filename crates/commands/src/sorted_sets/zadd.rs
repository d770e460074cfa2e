use super::adding::{self, Options};
use tessera_command::prelude::*;
use tessera_values::{SortedSet, double};

pub struct ZAdd;

/// The parsed words of ZADD.
pub struct ZAddArgs<'a> {
    key: &'a [u8],
    options: Options,
    counts_changes: bool,
    /// Scores and members in turn; all scores are numbers.
    pairs: Args<'a>,
    first_score: f64,
}

impl Write for ZAdd {
    const SPEC: Spec = Spec {
        name: "zadd",
        summary: "Adds members to a sorted set, or gives them other scores.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) for each member, with N the members there are.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::ZAdd, Event::ZIncr, Event::New],
        element: Some(3),
        grammar: &[
            key("key", 0),
            one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).optional().since("3.0.2"),
            one_of("comparison", &[token("gt", "GT"), token("lt", "LT")]).optional().since("6.2.0"),
            token("change", "CH").optional().since("3.0.2"),
            token("increment", "INCR").optional().since("3.0.2"),
            block("data", &[double("score"), string("member")]).multiple(),
        ],
        history: &[
            ("2.4.0", "Several members."),
            ("3.0.2", "Options `XX`, `NX`, `CH` and `INCR`."),
            ("6.2.0", "Options `GT` and `LT`."),
        ],
        ..Spec::BASE
    };
    type Args<'a> = ZAddArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<ZAddArgs<'a>, Error> {
        let key = words.word()?;
        let (mut options, mut counts_changes) = (Options::default(), false);
        while adding::take_option(words, &mut options, &mut counts_changes) {}
        if words.is_empty() || !words.left().is_multiple_of(2) {
            return Err(Error::SYNTAX);
        }
        let Options { only_new, only_present, only_greater, only_less, increments } = options;
        if only_new && only_present {
            return Err(Error::Text("ERR XX and NX options at the same time are not compatible"));
        }
        if only_new && (only_greater || only_less) || only_greater && only_less {
            return Err(Error::Text("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if increments && words.left() > 2 {
            return Err(Error::Text("ERR INCR option supports a single increment-element pair"));
        }
        let pairs = words.rest();
        let first_score = score_at(&pairs, 0)?;
        for index in (2..pairs.len()).step_by(2) {
            score_at(&pairs, index)?;
        }
        Ok(ZAddArgs { key, options, counts_changes, pairs, first_score })
    }

    fn execute(args: &ZAddArgs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let thresholds = db.settings().thresholds;
        let (mut added, mut updated, mut last) = (0, 0, None);
        let event = if args.options.increments { Event::ZIncr } else { Event::ZAdd };
        let mut add_all = |set: &mut SortedSet| {
            set.reserve(args.pairs.len() / 2, &thresholds);
            for index in (0..args.pairs.len()).step_by(2) {
                let score = if index == 0 { args.first_score } else { score_at(&args.pairs, index)? };
                let outcome = adding::add(set, &args.pairs[index + 1], score, &args.options, &thresholds)?;
                added += i64::from(outcome.is_added);
                updated += i64::from(outcome.is_updated);
                last = outcome.score;
            }
            Ok::<_, Error>(added + updated > 0)
        };
        db.change_or_create(args.key, event, |set: &mut SortedSet| {
            let result = add_all(set);
            let has_changed = *result.as_ref().unwrap_or(&false);
            (result, has_changed)
        })??;
        match last {
            Some(score) if args.options.increments => reply.double(score),
            None if args.options.increments => reply.null(),
            _ => reply.integer(if args.counts_changes { added + updated } else { added }),
        }
        Ok(if added + updated > 0 { Effect::Verbatim } else { Effect::None })
    }
}

fn score_at(pairs: &Args<'_>, index: usize) -> Result<f64, Error> {
    double::parse(&pairs[index]).ok_or(Error::NOT_A_FLOAT)
}
