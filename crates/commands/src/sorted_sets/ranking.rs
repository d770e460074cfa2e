//! ZRANK and ZREVRANK.

use tessera_command::prelude::*;
use tessera_values::SortedSet;

/// The words of both.
pub struct RankArgs<'a> {
    key: &'a [u8],
    member: &'a [u8],
    with_score: bool,
}

/// Reads the words.
pub(super) fn parse<'a>(words: &mut Words<'a>) -> Result<RankArgs<'a>, Error> {
    let (key, member) = (words.word()?, words.word()?);
    if words.left() > 1 {
        return Err(Error::Arity);
    }
    let with_score = words.take("WITHSCORE");
    words.end()?;
    Ok(RankArgs { key, member, with_score })
}

/// Answers the rank, counted from the end if `is_reversed`.
pub(super) fn execute(
    args: &RankArgs<'_>,
    is_reversed: bool,
    db: View<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Error> {
    let set = db.collection::<SortedSet>(args.key)?;
    match set.and_then(|set| Some((set.len(), set.rank(args.member)?))) {
        Some((len, (rank, score))) => {
            if args.with_score {
                reply.array(2);
            }
            reply.integer(if is_reversed { len - 1 - rank } else { rank } as i64);
            if args.with_score {
                reply.double(score);
            }
        }
        None if args.with_score => reply.null_array(),
        None => reply.null(),
    }
    Ok(())
}
