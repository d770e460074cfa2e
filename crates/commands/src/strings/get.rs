use super::long;
use tessera_command::prelude::*;

pub struct Get;

impl Read for Get {
    const SPEC: Spec = Spec {
        name: "get",
        summary: "Answers the string at a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &&[u8], db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        match db.string(key)? {
            Some(value) => {
                let mut digits = Digits::new();
                let bytes = value.as_bytes(&mut digits);
                if is_long_string(bytes.len()) && reply.may_stream() {
                    return Err(Error::LongReply);
                }
                reply.bulk(bytes);
            }
            None => reply.null(),
        }
        Ok(())
    }
}

impl Streamed for Get {
    fn stream<'a>(
        key: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        let ValueRef::String(string) = db.peek(key)?.value() else { return None };
        Some((key, long::begin(0, string.len_bytes(), reply)))
    }
}

/// Answers the string at `key`, or null, before a write changes what is there: GETSET and its like. A long one is left
/// to a stream, which shows it as it is now.
///
/// # Errors
/// If the key holds something else.
pub(super) fn answer_before(key: &[u8], db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
    let len_bytes = match db.read().string(key)? {
        Some(value) => {
            let mut digits = Digits::new();
            let bytes = value.as_bytes(&mut digits);
            if !(is_long_string(bytes.len()) && reply.may_stream()) {
                reply.bulk(bytes);
                return Ok(());
            }
            bytes.len()
        }
        None => {
            reply.null();
            return Ok(());
        }
    };
    db.stream(key, long::begin(0, len_bytes, reply));
    Ok(())
}
