use super::{algebra, multiple};
use tessera_command::prelude::*;
use tessera_command::spec::Find;

pub struct SInterCard;

/// The parsed words of SINTERCARD.
pub struct SInterCardArgs<'a> {
    /// The keys, and perhaps more behind them.
    keys: Args<'a>,
    keys_len: usize,
    /// How far to count.
    limit: Option<u64>,
}

impl Gather for SInterCard {
    const SPEC: Spec = Spec {
        name: "sintercard",
        summary: "Counts the members that all of several sets have.",
        since: "7.0.0",
        group: Group::Set,
        complexity: "O(N*M) with N the members of the smallest set and M the number of sets.",
        categories: Categories::SET,
        keys: &[KeySpec {
            find: Find::Count { at: 0, first: 1, step: 1 },
            ..KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))
        }],
        grammar: &[integer("numkeys"), key("key", 0).multiple(), integer("limit").after("LIMIT").optional()],
        ..Spec::BASE
    };
    type Args<'a> = SInterCardArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<SInterCardArgs<'a>, Error> {
        let count = words.integer().ok().and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count > 0);
        let count = count.ok_or(Error::Text("ERR numkeys should be greater than 0"))?;
        if count > words.left() {
            return Err(Error::Text("ERR Number of keys can't be greater than number of args"));
        }
        let keys = words.clone().rest();
        for _ in 0..count {
            words.word()?;
        }
        let mut limit = None;
        while !words.is_empty() {
            if words.left() < 2 || !words.take("LIMIT") {
                return Err(Error::SYNTAX);
            }
            let given = words.integer().ok().and_then(|limit| u64::try_from(limit).ok());
            let given = given.ok_or(Error::Text("ERR LIMIT can't be negative"))?;
            limit = Some(given).filter(|limit| *limit > 0);
        }
        Ok(SInterCardArgs { keys, keys_len: count, limit })
    }

    fn needs<'a>(args: &SInterCardArgs<'a>, _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        multiple::need_values(args.keys.iter().take(args.keys_len), needs);
        Ok(())
    }

    fn decide(
        args: &SInterCardArgs<'_>,
        _: Context,
        found: &[Found<'_>],
        _: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let mut count = 0u64;
        algebra::intersect(&algebra::sets_of(found)?, |_| {
            count += 1;
            args.limit.is_none_or(|limit| count < limit)
        });
        reply.integer(i64::try_from(count).unwrap_or(i64::MAX));
        Ok(())
    }
}
