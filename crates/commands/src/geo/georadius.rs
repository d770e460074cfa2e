use super::query::Form;
use super::{grammar, storing};
use tessera_command::prelude::*;

pub struct GeoRadius;

const FORM: Form = Form::Radius { stores: true };

impl Gather for GeoRadius {
    const SPEC: Spec = Spec {
        name: "georadius",
        summary: "Finds members within a distance from a place, and stores them if asked to.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(N+log(M)) with N the members in the cells of the map around the area, and M the members of the \
            sorted set.",
        flags: Flags::DENY_OOM,
        categories: Categories::GEO,
        keys: &[
            KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS)),
            grammar::stored("STORE", 6),
            grammar::stored("STOREDIST", 6),
        ],
        events: &[Event::GeoRadiusStore, Event::Del, Event::New],
        grammar: &[
            key("key", 0),
            double("longitude"),
            double("latitude"),
            double("radius"),
            grammar::UNIT,
            grammar::WITH_COORDINATES,
            grammar::WITH_DISTANCE,
            grammar::WITH_SCORE,
            grammar::COUNT_ANY_SINCE_6_2,
            grammar::ORDER,
            grammar::STORE,
        ],
        history: &[("6.2.0", "Option `ANY` of `COUNT`."), ("7.0.0", "Units in upper case.")],
        deprecated: Some(("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument")),
        ..Spec::BASE
    };
    /// All words.
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.all())
    }

    fn needs<'a>(args: &Args<'a>, _context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        let source = args.get(1).ok_or(Error::SYNTAX)?;
        storing::needs(*args, FORM, source, needs);
        Ok(())
    }

    fn decide(
        args: &Args<'_>,
        context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        storing::decide(*args, FORM, Event::GeoRadiusStore, context, found, changes, reply)
    }
}
