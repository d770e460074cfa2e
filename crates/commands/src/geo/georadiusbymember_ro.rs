use super::query::{Form, Query};
use super::{found, grammar};
use tessera_command::prelude::*;
use tessera_values::SortedSet;

pub struct GeoRadiusByMemberRo;

impl Read for GeoRadiusByMemberRo {
    const SPEC: Spec = Spec {
        name: "georadiusbymember_ro",
        summary: "Finds members within a distance from a member.",
        since: "3.2.10",
        group: Group::Geo,
        complexity: "O(N+log(M)) with N the members in the cells of the map around the area, and M the members of the \
            sorted set.",
        categories: Categories::GEO,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            string("member"),
            double("radius"),
            grammar::UNIT,
            grammar::WITH_COORDINATES,
            grammar::WITH_DISTANCE,
            grammar::WITH_SCORE,
            grammar::COUNT,
            grammar::ORDER,
        ],
        deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments")),
        ..Spec::BASE
    };
    /// All words.
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.all())
    }

    fn execute(args: &Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let source = args.get(1).ok_or(Error::SYNTAX)?;
        let set = db.collection::<SortedSet>(source)?;
        let query = Query::parse(*args, Form::RadiusByMember { stores: false }, set)?;
        found::answer(&query, set, reply);
        Ok(())
    }
}
