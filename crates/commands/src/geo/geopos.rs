use super::answer;
use tessera_command::prelude::*;
use tessera_values::SortedSet;
use tessera_values::geo::Position;

pub struct GeoPos;

impl Read for GeoPos {
    const SPEC: Spec = Spec {
        name: "geopos",
        summary: "Tells members' longitudes and latitudes.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(1) for each member.",
        categories: Categories::GEO,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        element: Some(2),
        grammar: &[key("key", 0), string("member").optional().multiple()],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Args<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.rest()))
    }

    fn execute((key, members): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<SortedSet>(key)?;
        reply.array(members.len());
        for member in members.iter() {
            match set.and_then(|set| set.score(member)) {
                Some(score) => answer::position(Position::from_score(score), reply),
                None => reply.null_array(),
            }
        }
        Ok(())
    }
}
