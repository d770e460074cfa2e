use super::combining;
use super::inputs::{Request, Syntax};
use super::storing;
use tessera_command::prelude::*;

pub struct ZInterStore;

impl Gather for ZInterStore {
    const SPEC: Spec = Spec {
        name: "zinterstore",
        summary: "Keeps the members that all of several sorted sets have.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(N*K+M*log(M)) with N the members of the smallest input, K the inputs and M the members of the \
            result.",
        flags: Flags::DENY_OOM,
        categories: Categories::SORTED_SET,
        keys: &[
            KeySpec::at(1, KeyFlags::OW.with(KeyFlags::UPDATE)),
            KeySpec::counted(2, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        events: &[Event::ZInterStore, Event::Del, Event::New],
        grammar: &[
            key("destination", 0),
            integer("numkeys"),
            key("key", 1).multiple(),
            integer("weight").after("WEIGHTS").optional().multiple(),
            one_of("aggregate", &[token("sum", "SUM"), token("min", "MIN"), token("max", "MAX")])
                .after("AGGREGATE")
                .optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Request<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((
            words.word()?,
            Request::parse(words, "zinterstore", Syntax { weighs: true, ..Syntax::default() })?,
        ))
    }

    fn needs<'a>(
        (destination, request): &Self::Args<'a>,
        _: Context,
        needs: &mut Vec<Need<'a>>,
    ) -> Result<(), Error> {
        needs.push(Need { key: destination, db: None, what: What::Presence });
        request.need(needs);
        Ok(())
    }

    fn decide(
        (_, request): &Self::Args<'_>,
        context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let [destination, found @ ..] = found else { return Err(Error::SYNTAX) };
        let inputs = request.inputs(found)?;
        let combined = combining::intersect(inputs, request.aggregate);
        let result = combined.to_sorted_set(&context.settings.thresholds);
        storing::store(result, Event::ZInterStore, destination, changes, reply);
        Ok(())
    }
}
