use super::answer;
use tessera_command::prelude::*;
use tessera_values::Set;

/// Members visited between two looks at how long a piece has become.
const STEP_MEMBERS: usize = 100;

pub struct SMembers;

impl Read for SMembers {
    const SPEC: Spec = Spec {
        name: "smembers",
        summary: "Tells all members of a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) in the number of members.",
        tips: &["nondeterministic_output_order"],
        categories: Categories::SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<Set>(key)?;
        if reply.may_stream() && set.is_some_and(|set| is_long(set, set.len())) {
            return Err(Error::LongReply);
        }
        answer::members(set, reply);
        Ok(())
    }
}

impl Streamed for SMembers {
    fn stream<'a>(
        key: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        let set = Set::of_ref(db.peek(key)?.value())?;
        let left = set.len();
        reply.set(left);
        Some((key, Box::new(Rest { position: 0, left, protocol: reply.protocol() })))
    }
}

/// Members that are still to be written.
#[derive(Debug)]
struct Rest {
    position: u64,
    left: usize,
    protocol: Protocol,
}

impl Stream for Rest {
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let Some(set) = Set::of_ref(value) else { return false };
        let end = out.len().saturating_add(len_bytes);
        let mut reply = Reply::new(out, self.protocol);
        while reply.position() < end {
            let next = set.scan(self.position, STEP_MEMBERS, |member| {
                self.left = self.left.saturating_sub(1);
                answer::member(member, &mut reply);
            });
            match next {
                Some(next) => self.position = next,
                None => return false,
            }
        }
        true
    }

    fn left_len(&self) -> usize {
        self.left
    }
}
