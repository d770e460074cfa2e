use super::*;
use crate::{Event, EvictionPolicy, Expire, ShardSettings, SnapshotOptions, SnapshotProgress};
use tessera_storage::rdb::EncodeOptions;
use tessera_values::hash::FieldExpire;
use tessera_values::list::End;
use tessera_values::listpack::Element;
use tessera_values::{Hash, List, Set, SortedSet, Value};

const FIELDS: u32 = 1200;
const PIECE_LEN_BYTES: usize = 2000;

/// Fields and values of a hash, as far as they had not expired when it began.
#[derive(Debug)]
struct Fields {
    left: usize,
    position: u64,
    now_ms: i64,
}

impl Stream for Fields {
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let ValueRef::Hash(hash) = value else { return false };
        let end = out.len().saturating_add(len_bytes);
        while out.len() < end {
            let next = hash.scan(self.position, 60, self.now_ms, |field, value| {
                self.left -= 1;
                out.extend(line(field, value).bytes());
                out.push(b'\n');
            });
            let Some(next) = next else { return false };
            self.position = next;
        }
        self.left > 0
    }

    fn left_len(&self) -> usize {
        self.left
    }
}

fn line(field: Element<'_>, value: Element<'_>) -> String {
    let text = |element: Element<'_>| {
        String::from_utf8(element.as_bytes(&mut tessera_values::Digits::new()).to_vec()).unwrap()
    };
    format!("{} {}", text(field), text(value))
}

fn hash(len: u32, expire: FieldExpire) -> Hash {
    let mut hash = Hash::default();
    for number in 0..len {
        hash.set(format!("field:{number}").as_bytes(), b"a value", expire, &thresholds());
    }
    hash
}

fn thresholds() -> tessera_values::Thresholds {
    tessera_values::Thresholds::default()
}

fn lines(shard: &Shard, db: u16, key: &[u8]) -> Vec<String> {
    let found = shard.view(db, false).collection::<Hash>(key).unwrap().unwrap();
    let mut lines: Vec<String> =
        found.iter(shard.now_ms()).map(|(field, value)| line(field, value)).collect();
    lines.sort();
    lines
}

/// Begins to read a hash, and reads a piece.
fn begin(shard: &mut Shard, db: u16, key: &[u8]) -> (u64, Vec<u8>, Vec<String>) {
    let expected = lines(shard, db, key);
    let fields = Fields { left: expected.len(), position: 0, now_ms: shard.now_ms() };
    let id = shard.open_stream(db, key, Box::new(fields));
    let mut read = Vec::new();
    assert_eq!(shard.stream_some(id, PIECE_LEN_BYTES, &mut read), StreamProgress::More);
    (id, read, expected)
}

/// Reads the rest, which must be what was there when it began.
fn end(shard: &mut Shard, (id, mut read, expected): (u64, Vec<u8>, Vec<String>), deed: &str) {
    loop {
        match shard.stream_some(id, PIECE_LEN_BYTES, &mut read) {
            StreamProgress::More => {}
            StreamProgress::Done => break,
            StreamProgress::Lost => panic!("the reply was lost: {deed}"),
        }
    }
    let mut read: Vec<&str> = std::str::from_utf8(&read).unwrap().lines().collect();
    read.sort_unstable();
    assert_eq!(read, expected, "{deed}");
}

/// A write has the value before it, and may change it, but does not.
fn may_change(shard: &mut Shard) -> bool {
    let mut db = shard.view_mut(0, true);
    db.change(b"key", Event::Changed, |_: &mut Hash| ((), false)).unwrap().is_some()
}

pub(crate) type Deed = (&'static str, fn(&mut Shard));

/// All that may become of a value, each by the way that commands or time go.
pub(crate) const DEEDS: &[Deed] = &[
    ("a field is set", |shard| {
        let change = |hash: &mut Hash| (hash.set(b"field:1", b"x", FieldExpire::Clear, &thresholds()), true);
        shard.view_mut(0, true).change::<Hash, _>(b"key", Event::Changed, change).unwrap();
    }),
    ("a field is removed", |shard| {
        shard
            .view_mut(0, true)
            .change::<Hash, _>(b"key", Event::Changed, |hash| (hash.remove(b"field:2"), true))
            .unwrap();
    }),
    ("all fields are removed", |shard| {
        let remove = |hash: &mut Hash| {
            (0..FIELDS).for_each(|number| _ = hash.remove(format!("field:{number}").as_bytes()));
            ((), true)
        };
        shard.view_mut(0, true).change::<Hash, _>(b"key", Event::Changed, remove).unwrap();
    }),
    ("an entry is found to be changed", |shard| assert!(may_change(shard))),
    ("it is deleted", |shard| assert!(shard.view_mut(0, true).delete_and_free(b"key", false))),
    ("it is unlinked", |shard| assert!(shard.view_mut(0, true).delete_and_free(b"key", true))),
    ("it is taken, and put elsewhere", |shard| {
        let (value, _) = shard.view_mut(0, true).remove(b"key", Event::Del).unwrap();
        shard.view_mut(1, true).put(b"other", value, Expire::Clear, Event::Set);
    }),
    ("a string is put over it", |shard| {
        shard.view_mut(0, true).put_string(b"key", b"x", Expire::Keep, Event::Set)
    }),
    ("a number is put over it", |shard| {
        shard.view_mut(0, true).put_string(b"key", b"17", Expire::Clear, Event::Set)
    }),
    ("a value is put over it", |shard| {
        shard.view_mut(0, true).put(b"key", hash(3, FieldExpire::Clear), Expire::Clear, Event::Set);
    }),
    ("its expiry is set and cleared", |shard| {
        shard.view_mut(0, true).set_expire(b"key", Some(50));
        shard.view_mut(0, true).set_expire(b"key", None);
    }),
    ("it expires and is met", |shard| {
        shard.view_mut(0, true).set_expire(b"key", Some(50));
        shard.set_now_ms(51);
        assert!(shard.view(0, true).find(b"key").is_none());
        shard.remove_met_expired();
    }),
    ("it expires and is found by the cycle", |shard| {
        shard.view_mut(0, true).set_expire(b"key", Some(50));
        shard.set_now_ms(51);
        assert_eq!(shard.expire_cycle(|| true), 1);
    }),
    ("it expires and a write meets it", |shard| {
        shard.view_mut(0, true).set_expire(b"key", Some(50));
        shard.set_now_ms(51);
        assert!(!may_change(shard));
    }),
    ("it expires and is deleted", |shard| {
        shard.view_mut(0, true).set_expire(b"key", Some(50));
        shard.set_now_ms(51);
        assert!(!shard.view_mut(0, true).delete(b"key"));
    }),
    ("it expires and is put anew", |shard| {
        shard.view_mut(0, true).set_expire(b"key", Some(50));
        shard.set_now_ms(51);
        shard.view_mut(0, true).put(b"key", hash(3, FieldExpire::Clear), Expire::Keep, Event::Set);
    }),
    ("it is evicted", |shard| {
        let eviction_policy = EvictionPolicy::AllKeysRandom;
        shard.set_settings(ShardSettings { eviction_policy, ..ShardSettings::default() });
        while shard.evict().is_some() {}
    }),
    ("the database is flushed", |shard| shard.flush(0, false)),
    ("the database is flushed lazily", |shard| shard.flush(0, true)),
    ("databases are swapped", |shard| shard.swap(0, 1)),
    ("databases are swapped and flushed", |shard| {
        shard.swap(0, 1);
        shard.flush(0, true);
        shard.flush(1, true);
    }),
    ("what lies badly is moved", |shard| {
        let mut pass = crate::DefragPass::default();
        while shard.defragment_some(&mut pass, u64::MAX, &|_| true, || true) {}
        assert!(pass.counts.hits > 0);
    }),
    ("a key of the same name is loaded", |shard| {
        assert!(!shard.insert_loaded(0, b"key", hash(3, FieldExpire::Clear).into(), None, None, None));
    }),
    ("some fields expire", |shard| {
        shard.set_now_ms(11);
        while shard.expire_cycle(|| true) > 0 {}
    }),
    ("all fields expire", |shard| {
        shard.set_now_ms(101);
        shard.expire_cycle(|| true);
        shard.remove_met_expired();
    }),
    ("all fields expire and are met", |shard| {
        shard.set_now_ms(101);
        assert!(shard.view(0, true).find(b"key").is_none());
        shard.remove_met_expired();
    }),
];

/// A shard with a large hash whose fields expire.
pub(crate) fn filled() -> Shard {
    let mut shard = Shard::new(2, 7);
    shard.set_now_ms(1);
    let mut timed = hash(FIELDS / 2, FieldExpire::AtMs(10));
    for number in FIELDS / 2..FIELDS {
        let field = format!("field:{number}");
        timed.set(field.as_bytes(), b"a value", FieldExpire::AtMs(100), &thresholds());
    }
    shard.view_mut(0, true).put(b"key", timed, Expire::Clear, Event::Set);
    shard.view_mut(1, true).put(b"key", hash(5, FieldExpire::Clear), Expire::Clear, Event::Set);
    shard
}

fn check_tidy(shard: &mut Shard) {
    while shard.has_to_keep() {
        shard.keep_some(1000);
    }
    while shard.reclaim(1) {}
    assert_eq!((shard.kept_bytes(), shard.has_streams(), shard.has_readers()), (0, false, false));
}

#[test]
fn a_reply_shows_what_was_there_whatever_becomes_of_it() {
    for (name, deed) in DEEDS {
        for (waits, readers) in [(false, 1), (true, 1), (false, 4), (true, 4)] {
            let mut shard = filled();
            let mut open: Vec<_> = (0..readers).map(|_| begin(&mut shard, 0, b"key")).collect();
            if waits {
                assert!(shard.must_wait_for_readers(0, b"key"));
                while shard.must_wait_for_readers(0, b"key") {
                    shard.keep_some(1000);
                }
                assert_eq!(
                    (shard.take_kept(), shard.has_readers(), shard.kept_bytes() > 0),
                    (true, false, true)
                );
            }
            deed(&mut shard);
            // Of those that are read some may be left early.
            if readers > 1 {
                shard.close_stream(open.pop().unwrap().0);
            }
            open.into_iter().for_each(|reading| end(&mut shard, reading, name));
            check_tidy(&mut shard);
        }
    }
}

#[test]
fn nor_does_a_snapshot_disturb_it_that_is_before_half_way_through_or_behind() {
    let options = SnapshotOptions {
        encode: EncodeOptions { compress: false },
        ahead_max_len_bytes: 10_000,
        piece_len_bytes: 200,
    };
    for (name, deed) in DEEDS {
        for slices in [0, 3, 300] {
            let mut shard = filled();
            let before = begin(&mut shard, 0, b"key");
            shard.begin_snapshot(options);
            let (mut body, mut is_over) = (Vec::new(), false);
            for _ in 0..slices {
                is_over |= shard.snapshot_some(300, &mut body) == SnapshotProgress::Done;
            }
            let during = begin(&mut shard, 0, b"key");
            deed(&mut shard);
            end(&mut shard, before, name);
            while !is_over {
                is_over = shard.snapshot_some(300, &mut body) == SnapshotProgress::Done;
            }
            end(&mut shard, during, name);
            check_tidy(&mut shard);
            let has_last = body.windows(10).any(|bytes| bytes == b"field:1199");
            let may_miss = name.contains("expire") || name.contains("met");
            assert!(has_last || may_miss, "{name}");
        }
    }
}

#[test]
fn memory_of_what_is_kept_is_not_free() {
    let (mut shard, mut other) = (filled(), filled());
    for shard in [&mut shard, &mut other] {
        let mut settings = shard.settings();
        settings.lazy_free.eviction = false;
        shard.set_settings(settings);
    }
    let reading = begin(&mut shard, 0, b"key");
    assert_eq!((shard.evict_key(0, b"key"), shard.kept_bytes() > 10_000), (Some(0), true));
    assert!(other.evict_key(0, b"key").is_some_and(|freed_bytes| freed_bytes > 10_000));
    end(&mut shard, reading, "it is evicted");
}

/// A value of each kind that is copied in pieces, and of some that are not.
fn values() -> Vec<Value> {
    let (mut list, mut set, mut sorted_set) = (List::default(), Set::default(), SortedSet::default());
    for number in 0..2000_u32 {
        let text = if number % 500 == 3 { "long".repeat(10_000) } else { number.to_string() };
        list.push(End::Back, [text.as_bytes()].into_iter(), -2);
        set.add(Element::new(format!("{number}a").as_bytes()), &thresholds());
        sorted_set.set(text.as_bytes(), f64::from(number % 77), &thresholds());
    }
    let mut timed = hash(1000, FieldExpire::AtMs(77));
    timed.set(b"lasting", b"value", FieldExpire::Clear, &thresholds());
    let string = tessera_values::StringValue::raw(b"some text".repeat(1000));
    vec![
        list.into(),
        set.into(),
        sorted_set.into(),
        timed.into(),
        hash(FIELDS, FieldExpire::Clear).into(),
        string.into(),
    ]
}

#[test]
fn a_copy_made_in_pieces_is_as_the_original() {
    for original in values() {
        for len_bytes in [1, 300, 100_000] {
            let mut copying = copying::Copying::begin(original.as_ref(), thresholds()).unwrap();
            let mut steps = 0;
            while !copying.is_done() {
                copying.copy_some(original.as_ref(), len_bytes);
                steps += 1;
            }
            assert!(steps > 1 || len_bytes > 1000, "{steps}");
            let copy = copying.finish();
            assert_eq!(copy, original);
            assert_eq!(copy.as_ref().encoding_name(), original.as_ref().encoding_name());
            if let (ValueRef::Hash(copy), ValueRef::Hash(original)) = (copy.as_ref(), original.as_ref()) {
                assert_eq!(copy.next_field_expire_at_ms(), original.next_field_expire_at_ms());
                assert_eq!(copy.live_len(78), original.live_len(78));
            }
        }
    }
}

#[test]
fn readers_of_one_value_share_what_is_kept() {
    let mut shard = filled();
    let value_bytes = shard.database(0).entry_bytes();
    let open: Vec<_> = (0..30).map(|_| begin(&mut shard, 0, b"key")).collect();
    while shard.must_wait_for_readers(0, b"key") {
        shard.keep_some(1000);
    }
    let unsent = shard.take_unsent();
    assert!(unsent.iter().all(|unsent| unsent.len_bytes > value_bytes / 2), "{unsent:?}");
    assert!(open.iter().all(|(id, ..)| unsent.iter().any(|unsent| unsent.stream == *id)));
    assert!(shard.kept_bytes() < value_bytes * 5 / 4, "{} {value_bytes}", shard.kept_bytes());
    assert!(shard.database(0).entry_bytes() < value_bytes * 5 / 4);
    open.into_iter().for_each(|reading| end(&mut shard, reading, "it is kept"));
    check_tidy(&mut shard);
}

#[test]
fn no_more_is_kept_than_is_still_to_be_read() {
    let mut shard = filled();
    let value_bytes = shard.database(0).entry_bytes();
    let near_end = |shard: &mut Shard| {
        let mut reading = begin(shard, 0, b"key");
        while reading.1.len() < 19_000 {
            assert_eq!(shard.stream_some(reading.0, PIECE_LEN_BYTES, &mut reading.1), StreamProgress::More);
        }
        reading
    };
    // Changed, it is made for the one that is nearly done; removed, too, as soon as there is time.
    for removes in [false, true] {
        let reading = near_end(&mut shard);
        if removes {
            shard.view_mut(0, true).delete(b"key");
            assert!(shard.kept_bytes() > value_bytes / 2);
        } else {
            assert!(shard.must_wait_for_readers(0, b"key"));
        }
        while shard.has_to_keep() {
            shard.keep_some(1000);
        }
        assert!((1..value_bytes / 4).contains(&shard.kept_bytes()), "{} {value_bytes}", shard.kept_bytes());
        end(&mut shard, reading, "little is left");
        check_tidy(&mut shard);
    }
}

#[test]
fn readers_who_come_while_rests_are_made_share_what_is_kept_too() {
    let mut shard = filled();
    let value_bytes = shard.database(0).entry_bytes();
    let mut first = begin(&mut shard, 0, b"key");
    while first.1.len() < 10_000 {
        assert_eq!(shard.stream_some(first.0, PIECE_LEN_BYTES, &mut first.1), StreamProgress::More);
    }
    // Its rest is less than the value. Theirs are many times that.
    assert!(shard.must_wait_for_readers(0, b"key"));
    shard.keep_some(1000);
    assert!(shard.kept_bytes() > 0 && shard.has_kept_news());
    let later: Vec<_> = (0..30).map(|_| begin(&mut shard, 0, b"key")).collect();
    while shard.must_wait_for_readers(0, b"key") {
        shard.keep_some(1000);
    }
    assert!(shard.kept_bytes() < value_bytes * 5 / 4, "{} {value_bytes}", shard.kept_bytes());
    let unsent = shard.take_unsent();
    assert!(later.iter().all(|(id, ..)| unsent.iter().any(|unsent| unsent.stream == *id)));
    for reading in later.into_iter().chain([first]) {
        end(&mut shard, reading, "it is kept");
    }
    check_tidy(&mut shard);
}

#[test]
fn who_waits_is_let_go_when_nobody_reads_any_more() {
    let mut shard = filled();
    let reading = begin(&mut shard, 0, b"key");
    assert!(shard.must_wait_for_readers(0, b"key"));
    shard.keep_some(1000);
    assert!(shard.must_wait_for_readers(0, b"key") && !shard.take_kept());
    assert!(!shard.take_unsent().is_empty());
    assert!(!shard.has_kept_news());
    shard.close_stream(reading.0);
    // Nothing is to be kept, but somebody is to be told that.
    assert!(shard.has_kept_news() && !shard.has_to_keep());
    assert!(shard.take_kept() && !shard.must_wait_for_readers(0, b"key"));
    assert!(!shard.must_wait_for_readers(1, b"key") && !shard.must_wait_for_readers(0, b"none"));
    check_tidy(&mut shard);
}

#[test]
fn a_stream_that_is_not_there_is_lost_and_no_more() {
    let mut shard = filled();
    assert_eq!(shard.stream_some(77, 10, &mut Vec::new()), StreamProgress::Lost);
    shard.close_stream(77);
}
