use super::object::reference_count;
use tessera_command::prelude::*;

pub struct DebugObject;

/// Bits of the clock that Redis keeps with each object.
const CLOCK_MASK: i64 = (1 << 24) - 1;

impl Read for DebugObject {
    const SPEC: Spec = Spec {
        name: "debug|object",
        summary: "Tells how a key is kept, in one line for people and test tools.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        spread: Spread::OneShard,
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        protected: true,
        private_subcommands: true,
        keys: &[KeySpec::at(2, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &&[u8], db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let entry = db.peek(key).ok_or(Error::NO_SUCH_KEY)?;
        let idle_s = db.shard().idle_s(entry);
        let clock = (db.now_ms() / 1000 - idle_s as i64) & CLOCK_MASK;
        reply.simple(&format!(
            "Value at:{:p} refcount:{} encoding:{} serializedlength:{} lru:{clock} lru_seconds_idle:{idle_s}",
            entry.key().as_ptr(),
            reference_count(entry.value()),
            entry.value().encoding_name(),
            serialized_len_bytes(entry.value()),
        ));
        Ok(())
    }
}

/// How long the value is in an RDB file without compression, in bytes: a length and the bytes, or a marker and an
/// integer of 1, 2 or 4 bytes.
fn serialized_len_bytes(value: ValueRef<'_>) -> usize {
    let ValueRef::String(string) = value else { return length_len_bytes(value.elements_len()) };
    match string.as_integer() {
        Some(integer) if i8::try_from(integer).is_ok() => 2,
        Some(integer) if i16::try_from(integer).is_ok() => 3,
        Some(integer) if i32::try_from(integer).is_ok() => 5,
        _ => length_len_bytes(string.len_bytes()) + string.len_bytes(),
    }
}

/// How long a length is in an RDB file, in bytes.
fn length_len_bytes(len: usize) -> usize {
    match len {
        ..0x40 => 1,
        0x40..0x4000 => 2,
        _ => 5,
    }
}
