use super::access::bulk;
use tessera_command::prelude::*;
use tessera_values::Hash;

pub struct HVals;

impl Read for HVals {
    const SPEC: Spec = Spec {
        name: "hvals",
        summary: "Answers the values of all fields of a hash.",
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
            reply.array(0);
            return Ok(());
        };
        reply.array(hash.live_len(db.now_ms()));
        for (_, value) in hash.iter(db.now_ms()) {
            bulk(reply, value);
        }
        Ok(())
    }
}
