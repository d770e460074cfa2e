use super::answer::{self, Listing};
use std::collections::BTreeSet;
use tessera_command::prelude::*;
use tessera_values::{SortedSet, SortedSetRef};

/// One member of so many, or fewer, is drawn until there are enough different ones; more are chosen in a walk over all.
const DRAW_SHARE: usize = 3;
/// The shortest member in a reply, in bytes.
const BULK_MIN_LEN_BYTES: u64 = 6;

const OUT_OF_RANGE: Error = Error::Text("ERR value is out of range");

/// How many members, and whether with their scores.
#[derive(Clone, Copy)]
pub struct Draw {
    /// A negative count draws the same members again.
    count: i64,
    with_scores: bool,
}

impl Draw {
    /// So many members, each drawn from all. A reply is bounded like a string: Redis goes on until its memory ends.
    fn repeated(self, set: SortedSetRef<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let (count, most) = (self.count.unsigned_abs(), db.settings().string_max_len_bytes);
        if count > most / BULK_MIN_LEN_BYTES {
            return Err(OUT_OF_RANGE);
        }
        let random = &mut *db.shard().random();
        let (start, listing) = (reply.position(), Listing { with_scores: self.with_scores });
        listing.begin(count as usize, reply);
        for _ in 0..count {
            if let Some(element) = set.get(random.usize(..set.len())) {
                listing.element(element, reply);
            }
            if (reply.position() - start) as u64 > most {
                reply.truncate(start);
                return Err(OUT_OF_RANGE);
            }
        }
        Ok(())
    }

    /// So many different members, or all.
    fn different(self, set: SortedSetRef<'_>, db: View<'_>, reply: &mut Reply<'_>) {
        let (len, random) = (set.len(), &mut *db.shard().random());
        let mut needed = usize::try_from(self.count).unwrap_or(usize::MAX).min(len);
        let listing = Listing { with_scores: self.with_scores };
        listing.begin(needed, reply);
        if needed.saturating_mul(DRAW_SHARE) <= len {
            let mut drawn = BTreeSet::new();
            while drawn.len() < needed {
                let rank = random.usize(..len);
                if drawn.insert(rank)
                    && let Some(element) = set.get(rank)
                {
                    listing.element(element, reply);
                }
            }
            return;
        }
        // Each member is taken with the chance that makes all choices alike (Knuth's algorithm S).
        for (passed, element) in set.iter().enumerate() {
            if random.usize(..len - passed) < needed {
                listing.element(element, reply);
                needed -= 1;
            }
        }
    }
}

pub struct ZRandMember;

impl Read for ZRandMember {
    const SPEC: Spec = Spec {
        name: "zrandmember",
        summary: "Tells random members of a sorted set.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) with N the members there are and M those told.",
        categories: Categories::SORTED_SET,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            block("options", &[integer("count"), token("withscores", "WITHSCORES").optional()]).optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Option<Draw>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let key = words.word()?;
        if words.is_empty() {
            return Ok((key, None));
        }
        let count = words.integer()?;
        if count == i64::MIN {
            return Err(Error::Text(
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            ));
        }
        let with_scores = words.take("WITHSCORES");
        words.end()?;
        if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
            return Err(OUT_OF_RANGE);
        }
        Ok((key, Some(Draw { count, with_scores })))
    }

    fn execute((key, draw): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<SortedSet>(key)?;
        match (set, draw) {
            (None, None) => reply.null(),
            (None, Some(_)) | (_, Some(Draw { count: 0, .. })) => reply.array(0),
            (Some(set), None) => {
                let rank = db.shard().random().usize(..set.len());
                if let Some((member, _)) = set.get(rank) {
                    answer::member(member, reply);
                }
            }
            (Some(set), Some(draw)) if draw.count < 0 => return draw.repeated(set, db, reply),
            (Some(set), Some(draw)) => draw.different(set, db, reply),
        }
        Ok(())
    }
}
