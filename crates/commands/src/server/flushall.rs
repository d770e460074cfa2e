use super::flush_mode::FlushMode;
use tessera_command::prelude::*;

pub struct FlushAll;

impl Write for FlushAll {
    const SPEC: Spec = Spec {
        name: "flushall",
        summary: "Removes all keys of all databases.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of keys; with `ASYNC` most of it happens later.",
        spread: Some(Spread::AllShards(Merge::AllOk)),
        flags: Flags::REMOVES_ALL,
        categories: Categories::KEYSPACE.with(Categories::DANGEROUS),
        grammar: &[one_of(
            "flush-type",
            &[token("async", "ASYNC").since("4.0.0"), token("sync", "SYNC").since("6.2.0")],
        )
        .optional()],
        history: &[("4.0.0", "Option `ASYNC`."), ("6.2.0", "Option `SYNC`.")],
        ..Spec::BASE
    };
    type Args<'a> = FlushMode;

    fn parse<'a>(words: &mut Words<'a>) -> Result<FlushMode, Error> {
        FlushMode::parse(words)
    }

    fn execute(mode: &Self::Args<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let is_lazy = mode.is_lazy(db.settings());
        for number in 0..db.shard_mut().databases_len() {
            db.shard_mut().flush(number as u16, is_lazy);
        }
        reply.ok();
        Ok(Effect::Verbatim)
    }
}
