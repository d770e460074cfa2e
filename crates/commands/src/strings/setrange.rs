use super::check_len;
use tessera_command::prelude::*;

pub struct SetRange;

impl Write for SetRange {
    const SPEC: Spec = Spec {
        name: "setrange",
        summary: "Overwrites a part of the string at a key, which grows as needed.",
        since: "2.2.0",
        group: Group::String,
        complexity: "O(M) with M the length of the new part.",
        flags: Flags::DENY_OOM,
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::SetRange, Event::New],
        grammar: &[key("key", 0), integer("offset"), string("value")],
        ..Spec::BASE
    };
    /// Key, offset in bytes, new part.
    type Args<'a> = (&'a [u8], u64, &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let (key, offset) = (words.word()?, words.integer()?);
        let offset = u64::try_from(offset).map_err(|_| Error::Text("ERR offset is out of range"))?;
        Ok((key, offset, words.word()?))
    }

    fn execute(
        (key, offset, part): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let settings = db.settings();
        if part.is_empty() {
            let held = db.look_to_write(key, |entry| match entry.value() {
                ValueRef::String(string) => Ok(string.len_bytes()),
                _ => Err(WrongType),
            });
            reply.integer(held.transpose()?.unwrap_or(0) as i64);
            return Ok(Effect::None);
        }
        let span = || -> Result<(usize, usize), Error> {
            check_len(settings, *offset, part.len())?;
            Ok((*offset as usize, *offset as usize + part.len()))
        };
        let len_bytes = db.change_string(key, Event::SetRange, |entry| {
            let (start, end) = span()?;
            let len_bytes = entry.change_raw_to(end, |bytes| {
                if bytes.len() < end {
                    // Zeros only up to the new part.
                    bytes.resize(bytes.len().max(start), 0);
                    let overlap = bytes.len() - start;
                    bytes[start..].copy_from_slice(&part[..overlap]);
                    bytes.extend_from_slice(&part[overlap..]);
                } else {
                    bytes[start..end].copy_from_slice(part);
                }
                bytes.len()
            });
            Ok::<_, Error>((len_bytes.unwrap_or(0), true))
        })?;
        let len_bytes = match len_bytes {
            Some(len_bytes) => len_bytes,
            None => {
                let (start, end) = span()?;
                let mut bytes = vec![0; end];
                bytes[start..].copy_from_slice(part);
                db.put(key, StringValue::raw(bytes), Expire::Clear, Event::SetRange);
                end
            }
        };
        reply.integer(len_bytes as i64);
        Ok(Effect::Verbatim)
    }
}
