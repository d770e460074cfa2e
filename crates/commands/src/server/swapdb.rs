use crate::keys::database;
use tessera_command::prelude::*;

pub struct SwapDb;

impl Write for SwapDb {
    const SPEC: Spec = Spec {
        name: "swapdb",
        summary: "Exchanges the contents of two databases.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(1) on every shard",
        spread: Some(Spread::AllShards(Merge::AllOk)),
        flags: Flags::FAST,
        categories: Categories::KEYSPACE.with(Categories::DANGEROUS),
        grammar: &[integer("index1"), integer("index2")],
        policy: Policy::AsTips,
        ..Spec::BASE
    };
    type Args<'a> = (i32, i32);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let first = database::number(words.word()?).map_err(|_| Error::Text("ERR invalid first DB index"))?;
        let second =
            database::number(words.word()?).map_err(|_| Error::Text("ERR invalid second DB index"))?;
        Ok((first, second))
    }

    fn execute(
        (first, second): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let shard = db.shard_mut();
        let first = database::existing(*first, shard.databases_len())?;
        let second = database::existing(*second, shard.databases_len())?;
        shard.swap(first, second);
        reply.ok();
        Ok(Effect::Verbatim)
    }
}
