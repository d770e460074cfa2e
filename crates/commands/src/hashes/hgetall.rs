use super::access::bulk;
use tessera_command::prelude::*;
use tessera_values::Hash;

pub struct HGetAll;

impl Read for HGetAll {
    const SPEC: Spec = Spec {
        name: "hgetall",
        summary: "Answers all fields of a hash with their values.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields.",
        spread: Spread::OneShard,
        categories: Categories::HASH,
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let Some(hash) = db.collection::<Hash>(key)? else {
            reply.map(0);
            return Ok(());
        };
        reply.map(hash.live_len(db.now_ms()));
        for (field, value) in hash.iter(db.now_ms()) {
            bulk(reply, field);
            bulk(reply, value);
        }
        Ok(())
    }
}
