use super::combining;
use super::inputs::{Request, Syntax};
use super::storing;
use tessera_command::prelude::*;

pub struct ZUnionStore;

impl Gather for ZUnionStore {
    const SPEC: Spec = Spec {
        name: "zunionstore",
        summary: "Keeps the members that any of several sorted sets has.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(N+M*log(M)) with N the members of all inputs and M those of the result.",
        flags: Flags::DENY_OOM,
        categories: Categories::SORTED_SET,
        keys: &[
            KeySpec::at(1, KeyFlags::OW.with(KeyFlags::UPDATE)),
            KeySpec::counted(2, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        events: &[Event::ZUnionStore, Event::Del, Event::New],
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
            Request::parse(words, "zunionstore", Syntax { weighs: true, ..Syntax::default() })?,
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
        let combined = combining::unite(inputs, request.aggregate, context.settings.thresholds.seed);
        let result = combined.to_sorted_set(&context.settings.thresholds);
        storing::store(result, Event::ZUnionStore, destination, changes, reply);
        Ok(())
    }
}
