use tessera_command::prelude::*;
use tessera_values::SortedSet;
use tessera_values::geo::Position;

pub struct GeoHash;

impl Read for GeoHash {
    const SPEC: Spec = Spec {
        name: "geohash",
        summary: "Tells members' places as geohashes.",
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
            let score = set.and_then(|set| set.score(member));
            let text = score.map(|score| Position::from_score(score).geohash());
            reply.bulk_or_null(text.as_ref().map(<[u8; 11]>::as_slice));
        }
        Ok(())
    }
}
