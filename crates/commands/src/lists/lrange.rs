use super::{answer_element, index};
use tessera_command::prelude::*;
use tessera_values::List;

pub struct LRange;

impl Read for LRange {
    const SPEC: Spec = Spec {
        name: "lrange",
        summary: "Answers the elements of a list from one index to another.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(S+N) with S the cost of LINDEX for the first of them and N their number.",
        categories: Categories::LIST,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0), integer("start"), integer("stop")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], i64, i64);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.integer()?, words.integer()?))
    }

    fn execute(
        (key, start, stop): &Self::Args<'_>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let list = db.collection::<List>(key)?;
        match list.and_then(|list| index::range(*start, *stop, list.len()).map(|range| (list, range))) {
            Some((list, (_, count))) if reply.may_stream() && is_long(list, count) => {
                return Err(Error::LongReply);
            }
            Some((list, (first, count))) => {
                reply.array(count);
                list.range(first, count).for_each(|element| answer_element(element, reply));
            }
            None => reply.array(0),
        }
        Ok(())
    }
}

/// Elements of a list that are still to be written.
#[derive(Debug)]
struct Rest {
    next: usize,
    left: usize,
    protocol: Protocol,
}

impl Stream for Rest {
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let Some(list) = List::of_ref(value) else { return false };
        let end = out.len().saturating_add(len_bytes);
        let mut reply = Reply::new(out, self.protocol);
        for element in list.range(self.next, self.left) {
            answer_element(element, &mut reply);
            (self.next, self.left) = (self.next + 1, self.left - 1);
            if reply.position() >= end {
                break;
            }
        }
        self.left > 0
    }

    fn left_len(&self) -> usize {
        self.left
    }
}

impl Streamed for LRange {
    fn stream<'a>(
        (key, start, stop): &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        let list = List::of_ref(db.peek(key)?.value())?;
        let (next, left) = index::range(*start, *stop, list.len())?;
        reply.array(left);
        Some((key, Box::new(Rest { next, left, protocol: reply.protocol() })))
    }
}
