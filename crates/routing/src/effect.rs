//! What the steps of a command over several shards come down to on each of them. The command's own words would do
//! something else there: a shard that replays what it did has only its own keys.

use tessera_command::gather::ElementEffect;
use tessera_keyspace::Shard;
use tessera_resp::args::OwnedArgs;
use tessera_storage::rdb::dump;
use tessera_values::{Digits, ValueRef};

/// Records that the key holds what it holds now: SET for a string, RESTORE for all else.
pub(crate) fn record_put(shard: &mut Shard, db: u16, key: &[u8]) {
    if !shard.effects_mut().is_recording() {
        return;
    }
    let compress = shard.settings().compress_dumps;
    // Also if its time was over before it came here: it is there until somebody removes it, which is recorded in turn.
    let Some(entry) = shard.database(db).table().get(key) else { return };
    let (mut digits, mut time) = (Digits::new(), Digits::new());
    let at_ms = entry.expire_at_ms().map(|at_ms| time.format(at_ms).as_bytes());
    let mut words: Vec<&[u8]> = Vec::with_capacity(6);
    let dumped;
    match entry.value() {
        ValueRef::String(string) => {
            words.extend([b"SET".as_slice(), key, string.as_bytes(&mut digits)]);
            words.extend(at_ms.into_iter().flat_map(|at_ms| [b"PXAT".as_slice(), at_ms]));
        }
        value => {
            dumped = dump(value, compress);
            words.extend([b"RESTORE".as_slice(), key, at_ms.unwrap_or(b"0"), &dumped, b"REPLACE", b"ABSTTL"]);
        }
    }
    let words = OwnedArgs::from_words(&words);
    shard.effects_mut().push(db, words);
}

/// Records that the key is gone.
pub(crate) fn record_removed(shard: &mut Shard, db: u16, key: &[u8]) {
    shard.effects_mut().record(db, &[b"DEL", key]);
}

/// Records what was done with an element.
pub(crate) fn record_element(shard: &mut Shard, db: u16, key: &[u8], element: &[u8], effect: ElementEffect) {
    if shard.effects_mut().is_recording() {
        shard.effects_mut().record(db, &effect(key, element));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_keyspace::{Event, Expire};
    use tessera_values::list::End;
    use tessera_values::{List, StringValue, Value};

    #[test]
    fn what_is_put_is_recorded_with_its_time() {
        let mut list = List::default();
        list.push(End::Back, [b"element".as_slice()].into_iter(), 128);
        let list = Value::from(list);
        let payload = dump(list.as_ref(), false);
        let text = || Value::String(StringValue::new(b"text"));
        let cases: [(Value, Expire, Vec<&[u8]>); 4] = [
            (text(), Expire::Clear, vec![b"SET", b"key", b"text"]),
            (text(), Expire::AtMs(5000), vec![b"SET", b"key", b"text", b"PXAT", b"5000"]),
            (list.clone(), Expire::Clear, vec![b"RESTORE", b"key", b"0", &payload, b"REPLACE", b"ABSTTL"]),
            (
                list.clone(),
                Expire::AtMs(5000),
                vec![b"RESTORE", b"key", b"5000", &payload, b"REPLACE", b"ABSTTL"],
            ),
        ];
        for (value, expire, words) in cases {
            let mut shard = Shard::new(2, 1);
            let mut settings = shard.settings();
            settings.compress_dumps = false;
            shard.set_settings(settings);
            shard.effects_mut().set_recording(true);
            shard.view_mut(1, true).put(b"key", value, expire, Event::RenameTo);
            record_put(&mut shard, 1, b"key");
            assert_eq!(shard.effects_mut().take(), [(1, OwnedArgs::from_words(words))]);
        }
    }
}
