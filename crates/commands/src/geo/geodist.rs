use super::{answer, grammar, units};
use tessera_command::prelude::*;
use tessera_values::SortedSet;
use tessera_values::geo::Position;

pub struct GeoDist;

/// The parsed words of GEODIST.
pub struct GeoDistArgs<'a> {
    key: &'a [u8],
    members: [&'a [u8]; 2],
    unit_m: f64,
}

impl Read for GeoDist {
    const SPEC: Spec = Spec {
        name: "geodist",
        summary: "Tells how far two members are from each other.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(1)",
        categories: Categories::GEO,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        element: Some(2),
        grammar: &[key("key", 0), string("member1"), string("member2"), grammar::UNIT.optional()],
        ..Spec::BASE
    };
    type Args<'a> = GeoDistArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<GeoDistArgs<'a>, Error> {
        let (key, members) = (words.word()?, [words.word()?, words.word()?]);
        if words.left() > 1 {
            return Err(Error::SYNTAX);
        }
        let unit_m = words.next_word().map_or(Ok(1.0), units::unit_m)?;
        Ok(GeoDistArgs { key, members, unit_m })
    }

    fn execute(args: &GeoDistArgs<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<SortedSet>(args.key)?;
        let position = |member: &[u8]| set?.score(member).map(Position::from_score);
        match args.members.map(position) {
            [Some(one), Some(other)] => answer::distance(one.distance_m(other) / args.unit_m, reply),
            _ => reply.null(),
        }
        Ok(())
    }
}
