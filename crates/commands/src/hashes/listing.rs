//! All fields of a hash, their values, or both: at once, or a piece at a time.

use super::access::bulk;
use tessera_command::prelude::*;
use tessera_values::Hash;
use tessera_values::listpack::Element;

/// Fields visited between two looks at how long a piece has become.
const STEP_FIELDS: usize = 100;

/// What of a field is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Fields,
    Values,
    Both,
}

impl Shown {
    fn header(self, len: usize, reply: &mut Reply<'_>) {
        if self == Shown::Both { reply.map(len) } else { reply.array(len) }
    }

    fn pair(self, field: Element<'_>, value: Element<'_>, reply: &mut Reply<'_>) {
        if self != Shown::Values {
            bulk(reply, field);
        }
        if self != Shown::Fields {
            bulk(reply, value);
        }
    }
}

/// Answers all at once, unless that is long and may come in pieces.
pub(super) fn execute(key: &[u8], shown: Shown, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
    let Some(hash) = db.collection::<Hash>(key)? else {
        shown.header(0, reply);
        return Ok(());
    };
    if reply.may_stream() && is_long(hash, hash.len()) {
        return Err(Error::LongReply);
    }
    shown.header(hash.live_len(db.now_ms()), reply);
    hash.iter(db.now_ms()).for_each(|(field, value)| shown.pair(field, value, reply));
    Ok(())
}

/// Begins to answer a piece at a time.
pub(super) fn stream<'a>(
    key: &'a [u8],
    shown: Shown,
    db: View<'_>,
    reply: &mut Reply<'_>,
) -> Option<(&'a [u8], Box<dyn Stream>)> {
    let hash = Hash::of_ref(db.peek(key)?.value())?;
    let now_ms = db.now_ms();
    let left = hash.live_len(now_ms);
    shown.header(left, reply);
    Some((key, Box::new(Rest { position: 0, left, shown, now_ms, protocol: reply.protocol() })))
}

/// Fields that are still to be written.
#[derive(Debug)]
struct Rest {
    position: u64,
    left: usize,
    shown: Shown,
    now_ms: i64,
    protocol: Protocol,
}

impl Stream for Rest {
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let Some(hash) = Hash::of_ref(value) else { return false };
        let end = out.len().saturating_add(len_bytes);
        let mut reply = Reply::new(out, self.protocol);
        while reply.position() < end {
            let next = hash.scan(self.position, STEP_FIELDS, self.now_ms, |field, value| {
                self.left = self.left.saturating_sub(1);
                self.shown.pair(field, value, &mut reply);
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
