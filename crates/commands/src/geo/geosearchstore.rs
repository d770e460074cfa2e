use super::query::Form;
use super::{grammar, storing};
use tessera_command::prelude::*;

pub struct GeoSearchStore;

const FORM: Form = Form::SearchStore;

impl Gather for GeoSearchStore {
    const SPEC: Spec = Spec {
        name: "geosearchstore",
        summary: "Finds members within a circle or a box and stores them.",
        since: "6.2.0",
        group: Group::Geo,
        complexity: "O(N+log(M)) with N the members in the cells of the map around the area, and M the members of the \
            sorted set.",
        flags: Flags::DENY_OOM,
        categories: Categories::GEO,
        keys: &[
            KeySpec::at(1, KeyFlags::OW.with(KeyFlags::UPDATE)),
            KeySpec::at(2, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        events: &[Event::GeoSearchStore, Event::Del, Event::New],
        grammar: &[
            key("destination", 0),
            key("source", 1),
            grammar::FROM,
            grammar::BY,
            grammar::ORDER,
            grammar::COUNT,
            token("storedist", "STOREDIST").optional(),
        ],
        history: &[("7.0.0", "Units in upper case.")],
        ..Spec::BASE
    };
    /// All words.
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.all())
    }

    fn needs<'a>(args: &Args<'a>, _context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        let source = args.get(2).ok_or(Error::SYNTAX)?;
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
        storing::decide(*args, FORM, Event::GeoSearchStore, context, found, changes, reply)
    }
}
