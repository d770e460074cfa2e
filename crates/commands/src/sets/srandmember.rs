use super::answer;
use tessera_command::prelude::*;
use tessera_values::{Set, SetRef};

/// The shortest bulk string in a reply, in bytes.
const BULK_MIN_LEN_BYTES: u64 = 6;

pub struct SRandMember;

/// What the words ask for.
pub struct Request<'a> {
    key: &'a [u8],
    /// Without a count, one member is answered by itself; a negative count draws the same members again.
    count: Option<i64>,
}

impl Read for SRandMember {
    const SPEC: Spec = Spec {
        name: "srandmember",
        summary: "Tells random members of a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1) without a count, O(N) in the absolute value of the count otherwise.",
        categories: Categories::SET,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0), integer("count").optional().since("2.6.0")],
        history: &[("2.6.0", "Argument `count`.")],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        let key = words.word()?;
        if words.is_empty() {
            return Ok(Request { key, count: None });
        }
        if words.left() > 1 {
            return Err(Error::SYNTAX);
        }
        let count = words.integer()?;
        if count == i64::MIN {
            return Err(Error::Text(
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            ));
        }
        Ok(Request { key, count: Some(count) })
    }

    fn execute(request: &Request<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<Set>(request.key)?;
        let random = &mut *db.shard().random();
        match (set, request.count) {
            (None, None) => reply.null(),
            (None, Some(_)) | (_, Some(0)) => reply.array(0),
            (Some(set), None) => {
                if let Some(member) = set.random(random) {
                    answer::member(member, reply);
                }
            }
            (Some(set), Some(count @ 1..)) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX).min(set.len());
                reply.array(count);
                set.sample(count, random, |member| answer::member(member, reply));
            }
            (Some(set), Some(count)) => {
                let most = db.settings().string_max_len_bytes;
                return draw_again_and_again(set, count.unsigned_abs(), most, random, reply);
            }
        }
        Ok(())
    }
}

/// Draws `count` members, each from the whole set. A reply is bounded like a string: Redis goes on until its memory
/// ends.
fn draw_again_and_again(
    set: SetRef<'_>,
    count: u64,
    reply_max_len_bytes: u64,
    random: &mut fastrand::Rng,
    reply: &mut Reply<'_>,
) -> Result<(), Error> {
    const TOO_MANY: Error = Error::Text("ERR value is out of range");
    if count > reply_max_len_bytes / BULK_MIN_LEN_BYTES {
        return Err(TOO_MANY);
    }
    let start = reply.position();
    reply.array(count as usize);
    for _ in 0..count {
        if let Some(member) = set.random(random) {
            answer::member(member, reply);
        }
        if (reply.position() - start) as u64 > reply_max_len_bytes {
            reply.truncate(start);
            return Err(TOO_MANY);
        }
    }
    Ok(())
}
