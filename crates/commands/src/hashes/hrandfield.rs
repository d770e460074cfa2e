use super::access::{bulk, bulk_or_null};
use std::collections::BTreeSet;
use tessera_command::prelude::*;
use tessera_values::listpack::Element;
use tessera_values::{Hash, HashRef};

/// One field of so many, or fewer, is drawn until there are enough different ones; more are chosen in a walk over all.
const DRAW_SHARE: usize = 3;
/// What a drawn field takes in a reply besides its bytes and those of its value, about.
const OVERHEAD_BYTES: usize = 16;

const COUNT_OUT_OF_RANGE: Error =
    Error::Text("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
const OUT_OF_RANGE: Error = Error::Text("ERR value is out of range");

/// How many fields, and whether with their values.
#[derive(Clone, Copy)]
pub struct Draw {
    count: i64,
    with_values: bool,
}

impl Draw {
    fn header(self, len: usize, reply: &mut Reply<'_>) {
        // As pairs in RESP3, one after the other in RESP2.
        let is_flat = self.with_values && reply.protocol() == Protocol::Resp2;
        reply.array(if is_flat { 2 * len } else { len });
    }

    fn one(self, (field, value): (Element<'_>, Element<'_>), reply: &mut Reply<'_>) {
        if self.with_values && reply.protocol() == Protocol::Resp3 {
            reply.array(2);
        }
        bulk(reply, field);
        if self.with_values {
            bulk(reply, value);
        }
    }

    /// So many fields, each drawn from all.
    fn repeated(
        self,
        hash: HashRef<'_>,
        len: usize,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        // No longer than a string may be: nobody can ask for more than the server can hold.
        let each = hash.content_bytes() / hash.len().max(1) + OVERHEAD_BYTES;
        if len > 1 && len.saturating_mul(each) as u64 > db.settings().string_max_len_bytes {
            return Err(OUT_OF_RANGE);
        }
        let (now_ms, random) = (db.now_ms(), &mut *db.shard().random());
        self.header(len, reply);
        let pairs: Vec<_> =
            if hash.is_drawn_by_walking(now_ms) { hash.iter(now_ms).collect() } else { Vec::new() };
        for _ in 0..len {
            let pair = match pairs.len() {
                0 => hash.random(now_ms, random),
                pairs_len => Some(pairs[random.usize(..pairs_len)]),
            };
            // Some field is there: of a hash of which none is, nobody asks for so many.
            self.one(pair.unwrap_or((Element::Bytes(b""), Element::Bytes(b""))), reply);
        }
        Ok(())
    }

    /// So many different fields.
    fn different(self, hash: HashRef<'_>, len: usize, db: View<'_>, reply: &mut Reply<'_>) {
        let (now_ms, random) = (db.now_ms(), &mut *db.shard().random());
        let live_len = hash.live_len(now_ms);
        let mut needed = len.min(live_len);
        self.header(needed, reply);
        if !hash.is_drawn_by_walking(now_ms) && needed.saturating_mul(DRAW_SHARE) <= live_len {
            let mut seen = BTreeSet::new();
            // There are many more fields than are needed.
            while seen.len() < needed
                && let Some(pair) = hash.random(now_ms, random)
            {
                if seen.insert(pair.0.to_vec()) {
                    self.one(pair, reply);
                }
            }
            return;
        }
        // Each field is taken with the chance that makes all choices alike (Knuth's algorithm S).
        for (passed, pair) in hash.iter(now_ms).enumerate() {
            if needed == 0 {
                break;
            }
            if random.usize(..live_len - passed) < needed {
                self.one(pair, reply);
                needed -= 1;
            }
        }
    }
}

pub struct HRandField;

impl Read for HRandField {
    const SPEC: Spec = Spec {
        name: "hrandfield",
        summary: "Answers random fields of a hash.",
        since: "6.2.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields answered.",
        categories: Categories::HASH,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            block("options", &[integer("count"), token("withvalues", "WITHVALUES").optional()]).optional(),
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
            return Err(COUNT_OUT_OF_RANGE);
        }
        let with_values = words.take("WITHVALUES");
        words.end()?;
        if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
            return Err(OUT_OF_RANGE);
        }
        Ok((key, Some(Draw { count, with_values })))
    }

    fn execute((key, draw): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let hash = db.collection::<Hash>(key)?;
        let Some(draw) = draw else {
            let pair = hash.and_then(|hash| hash.random(db.now_ms(), &mut db.shard().random()));
            bulk_or_null(reply, pair.map(|(field, _)| field));
            return Ok(());
        };
        let Some(hash) = hash.filter(|hash| draw.count != 0 && hash.live_len(db.now_ms()) > 0) else {
            reply.array(0);
            return Ok(());
        };
        let len = usize::try_from(draw.count.unsigned_abs()).unwrap_or(usize::MAX);
        if draw.count < 0 {
            return draw.repeated(hash, len, db, reply);
        }
        draw.different(hash, len, db, reply);
        Ok(())
    }
}
