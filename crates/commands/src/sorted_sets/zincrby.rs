use super::adding::{self, Options};
use tessera_command::prelude::*;
use tessera_values::{SortedSet, double};

pub struct ZIncrBy;

impl Write for ZIncrBy {
    const SPEC: Spec = Spec {
        name: "zincrby",
        summary: "Adds to the score of a member.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) with N the members there are.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::ZIncr, Event::New],
        element: Some(3),
        grammar: &[key("key", 0), integer("increment"), string("member")],
        ..Spec::BASE
    };
    /// The key, the increment and the member.
    type Args<'a> = (&'a [u8], f64, &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let key = words.word()?;
        // Redis reads it like ZADD, whose options leave too few words.
        if adding::take_option(words, &mut Options::default(), &mut false) {
            return Err(Error::SYNTAX);
        }
        let (increment, member) = (words.word()?, words.word()?);
        Ok((key, double::parse(increment).ok_or(Error::NOT_A_FLOAT)?, member))
    }

    fn execute(
        &(key, increment, member): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let thresholds = db.settings().thresholds;
        let options = Options { increments: true, ..Options::default() };
        let outcome = db.change_or_create(key, Event::ZIncr, |set: &mut SortedSet| {
            set.reserve(1, &thresholds);
            let outcome = adding::add(set, member, increment, &options, &thresholds);
            let has_changed = outcome.as_ref().is_ok_and(|outcome| outcome.is_added || outcome.is_updated);
            (outcome, has_changed)
        })??;
        reply.double(outcome.score.unwrap_or_default());
        Ok(if outcome.is_added || outcome.is_updated { Effect::Verbatim } else { Effect::None })
    }
}
