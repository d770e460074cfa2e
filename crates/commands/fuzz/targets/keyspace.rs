//! A shard does what a map does, whatever is done to it, and no byte of it is touched that is not its own. Snapshots
//! say what was there when they began.
//!
//! Each step is an operation and what it is about. Keys are numbers; one operation makes or removes hundreds of them,
//! so that short inputs reach tables that split and merge.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use tessera_keyspace::{Event, Expire, Shard, SnapshotOptions, SnapshotProgress, WrongType};
use tessera_storage::rdb::{DecodeOptions, Decoder, EncodeOptions, Item, opcodes, put_end, put_header};
use tessera_values::{Digits, StringValue, Value, ValueRef};

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

/// Most have an empty or a short rest; some are kept apart from their entry.
fn key(number: u16) -> Vec<u8> {
    let mut key = number.to_string().into_bytes();
    key.resize(key.len() + if number % 97 == 0 { 300 } else { usize::from(number % 13) }, b'k');
    key
}

fn value(number: u16) -> Vec<u8> {
    match number % 7 {
        0 => number.to_string().into_bytes(),
        kind => {
            vec![b'v'; usize::from(number) % [0, 10, 70, 130, 600, 5000, 70_000][usize::from(kind)].max(1)]
        }
    }
}

fn put(shard: &mut Shard, model: &mut Model, number: u16, about: u16) {
    let (key, value, now_ms) = (key(number), value(about), shard.now_ms());
    let at_ms = (about % 3 == 0).then(|| now_ms + i64::from(about % 50));
    let expire = at_ms.map_or(Expire::Clear, Expire::AtMs);
    if about % 11 == 0 {
        shard.view_mut(0, true).put(&key, StringValue::raw(value.clone()), expire, Event::Set);
    } else {
        shard.view_mut(0, true).put_string(&key, &value, expire, Event::Set);
    }
    model.insert(key, (value, at_ms));
}

fn check(shard: &Shard, model: &Model) {
    let mut position = Some(0);
    let mut seen = BTreeMap::new();
    while let Some(at) = position {
        position = shard.view(0, true).scan(at, 7, |entry| {
            let ValueRef::String(string) = entry.value() else { unreachable!("only strings were put in") };
            let bytes = string.as_bytes(&mut Digits::new()).to_vec();
            seen.insert(entry.key().to_vec(), (bytes, entry.expire_at_ms()));
        });
    }
    assert_eq!(&seen, model);
}

/// A snapshot under way: what must be in it, and what came of it so far.
struct Snapshot {
    model: Model,
    file: Vec<u8>,
}

impl Snapshot {
    fn begin(shard: &mut Shard, model: &Model, about: u16) -> Snapshot {
        shard.begin_snapshot(SnapshotOptions {
            encode: EncodeOptions { compress: about % 2 == 0 },
            ahead_max_len_bytes: usize::from(about),
            piece_len_bytes: 1 << (about % 15),
        });
        let mut file = Vec::new();
        put_header(&mut file, opcodes::VERSION_WRITTEN, &[]);
        Snapshot { model: model.clone(), file }
    }

    /// Panics unless all is in it that was there and has not expired since.
    fn check(mut self, now_ms: i64) {
        put_end(&mut self.file);
        self.file.extend_from_slice(&[0; 8]);
        let mut decoder = Decoder::new(DecodeOptions::default());
        decoder.feed(&self.file);
        loop {
            match decoder.next() {
                Ok(Some(Item::Entry(entry))) => {
                    let (bytes, at_ms) = self.model.remove(&entry.key).expect("it was there, once");
                    assert_eq!(entry.value, Value::String(StringValue::new(&bytes)));
                    assert_eq!((entry.db, entry.expire_at_ms), (0, at_ms));
                }
                Ok(Some(Item::End)) => break,
                Ok(Some(Item::Sizes { .. })) => {}
                other => panic!("a snapshot has nothing else in it: {other:?}"),
            }
        }
        let missing = self.model.into_values().find(|(_, at_ms)| at_ms.is_none_or(|at_ms| now_ms <= at_ms));
        assert_eq!(missing, None);
    }
}

/// Goes on with the snapshot under way, or begins or aborts one.
fn step_snapshot(shard: &mut Shard, model: &Model, under_way: &mut Option<Snapshot>, about: u16) {
    let Some(mut snapshot) = under_way.take() else {
        if shard.can_begin_snapshot() {
            *under_way = Some(Snapshot::begin(shard, model, about));
        }
        return;
    };
    if about % 32 == 0 {
        shard.abort_snapshot();
    } else if shard.snapshot_some(usize::from(about), &mut snapshot.file) == SnapshotProgress::Done {
        snapshot.check(shard.now_ms());
    } else {
        *under_way = Some(snapshot);
    }
}

fuzz_target!(|data: &[u8]| {
    let mut shard = Shard::new(2, 7);
    let (mut model, mut snapshot) = (Model::new(), None);
    for step in data.chunks_exact(5).take(64) {
        let number = u16::from_le_bytes([step[1], step[2]]);
        let about = u16::from_le_bytes([step[3], step[4]]);
        let now_ms = shard.now_ms();
        match step[0] % 14 {
            0 => put(&mut shard, &mut model, number, about),
            1 => {
                let expected = model.remove(&key(number)).is_some();
                assert_eq!(shard.view_mut(0, true).delete(&key(number)), expected);
            }
            2 => {
                (0..about % 700).for_each(|more| put(&mut shard, &mut model, number.wrapping_add(more), more))
            }
            3 => {
                for more in 0..about % 700 {
                    let key = key(number.wrapping_add(more));
                    let expected =
                        model.remove(&key).map(|(bytes, at_ms)| (StringValue::fixed(&bytes), at_ms));
                    let removed = shard.view_mut(0, true).remove(&key, Event::Del).map(|(value, at_ms)| {
                        let Value::String(string) = value else { unreachable!("only strings were put in") };
                        (string, at_ms)
                    });
                    assert_eq!(removed, expected);
                }
            }
            4 => {
                let at_ms = (about % 2 == 0).then(|| now_ms + i64::from(about % 100));
                let known = model.get_mut(&key(number));
                assert_eq!(shard.view_mut(0, true).set_expire(&key(number), at_ms), known.is_some());
                if let Some(known) = known {
                    known.1 = at_ms;
                }
            }
            5 => {
                let mut db = shard.view_mut(0, true);
                let appended = db.change_string(&key(number), Event::Append, |entry| {
                    entry.change_raw(|bytes| bytes.extend_from_slice(&value(about)));
                    Ok::<_, WrongType>(((), true))
                });
                if let Ok(Some(())) = appended {
                    model
                        .get_mut(&key(number))
                        .expect("the model has what the shard has")
                        .0
                        .extend(value(about));
                }
            }
            6 => {
                shard.set_now_ms(now_ms + i64::from(about % 20));
                let now_ms = shard.now_ms();
                model.retain(|_, (_, at_ms)| at_ms.is_none_or(|at_ms| now_ms <= at_ms));
            }
            7 => drop(shard.expire_cycle(|| true)),
            8 => {
                shard.flush(0, about % 2 == 0);
                model.clear();
            }
            9 => drop(shard.reclaim(usize::from(about % 4))),
            10 => drop(shard.must_wait_for_snapshot(0, &key(number))),
            _ => step_snapshot(&mut shard, &model, &mut snapshot, about),
        }
        // What has expired is not there any more, whether it was removed or not.
        assert!(shard.database(0).len() >= model.len());
        let found = shard.view(0, true).find(&key(number)).map(|entry| entry.expire_at_ms());
        assert_eq!(found, model.get(&key(number)).map(|known| known.1));
    }
    check(&shard, &model);
    while snapshot.is_some() {
        step_snapshot(&mut shard, &model, &mut snapshot, 5001);
    }
});
