//! Who is told of which change: clients that wait for a key, and listeners.

use crate::{Event, EvictionPolicy, Expire, KeyMove, Shard, ShardSettings, SnapshotOptions, WrongType};
use tessera_values::hash::FieldExpire;
use tessera_values::list::End;
use tessera_values::{Hash, List, SortedSet, StringValue};

/// What is done, for which keys somebody who waits is woken, and what is told.
type Case =
    (&'static str, fn(&mut Shard), &'static [(u16, &'static str)], &'static [(u16, &'static str, Event)]);

fn list(elements: &[&[u8]]) -> List {
    let mut list = List::default();
    list.push(End::Back, elements.iter().copied(), 128);
    list
}

fn hash(expire: FieldExpire) -> Hash {
    let mut hash = Hash::default();
    hash.set(b"field", b"value", expire, &tessera_values::Thresholds::default());
    hash
}

fn push(list: &mut List) -> ((), bool) {
    list.push(End::Back, [b"element".as_slice()].into_iter(), 128);
    ((), true)
}

fn pop(list: &mut List) -> ((), bool) {
    list.pop(End::Front, 128);
    ((), true)
}

fn rename(from: (u16, &'static [u8]), to: (u16, &'static [u8])) -> KeyMove<'static> {
    KeyMove { from, from_event: Event::RenameFrom, to, to_event: Event::RenameTo }
}

fn evict_all(shard: &mut Shard) {
    let eviction_policy = EvictionPolicy::AllKeysRandom;
    shard.set_settings(ShardSettings { eviction_policy, ..ShardSettings::default() });
    while shard.evict().is_some() {}
}

/// Database 0 has the lists `one` and `two` of one and of two elements, the string `text`, and `over`, whose time is
/// over. The keys `none` and, in database 1, `other` are not there.
const CASES: &[Case] = &[
    (
        "a value is put where none was",
        |shard| shard.view_mut(0, true).put(b"none", list(&[b"a"]), Expire::Clear, Event::SortStore),
        &[(0, "none")],
        &[(0, "none", Event::New), (0, "none", Event::SortStore)],
    ),
    (
        "a value is put over another",
        |shard| shard.view_mut(0, true).put(b"text", list(&[b"a"]), Expire::Clear, Event::SortStore),
        &[(0, "text")],
        &[(0, "text", Event::SortStore)],
    ),
    (
        "a string is put over another",
        |shard| shard.view_mut(0, true).put_string(b"text", b"other", Expire::Clear, Event::Set),
        &[(0, "text")],
        &[(0, "text", Event::Set)],
    ),
    (
        "a value is restored over another",
        |shard| {
            assert!(shard.view_mut(0, true).delete(b"one"));
            shard.view_mut(0, true).put(b"one", list(&[b"a"]), Expire::Clear, Event::Restore);
        },
        &[(0, "one")],
        &[(0, "one", Event::Del), (0, "one", Event::New), (0, "one", Event::Restore)],
    ),
    (
        "a copy is put over another",
        |shard| shard.view_mut(0, true).put(b"text", list(&[b"a"]), Expire::Clear, Event::CopyTo),
        &[(0, "text")],
        &[(0, "text", Event::New), (0, "text", Event::CopyTo)],
    ),
    (
        "a value is put where the time of another was over",
        |shard| shard.view_mut(0, true).put(b"over", list(&[b"a"]), Expire::Keep, Event::SortStore),
        &[(0, "over")],
        &[(0, "over", Event::Expired), (0, "over", Event::New), (0, "over", Event::SortStore)],
    ),
    (
        "an element is pushed to what was not there",
        |shard| shard.view_mut(0, true).change_or_create(b"none", Event::RPush, push).unwrap(),
        &[(0, "none")],
        &[(0, "none", Event::New), (0, "none", Event::RPush)],
    ),
    (
        "an element is pushed to what was there",
        |shard| shard.view_mut(0, true).change_or_create(b"one", Event::RPush, push).unwrap(),
        &[(0, "one")],
        &[(0, "one", Event::RPush)],
    ),
    (
        "an element is pushed to what was over",
        |shard| shard.view_mut(0, true).change_or_create(b"over", Event::RPush, push).unwrap(),
        &[(0, "over")],
        &[(0, "over", Event::Expired), (0, "over", Event::New), (0, "over", Event::RPush)],
    ),
    (
        "an element is taken",
        |shard| assert!(shard.view_mut(0, true).change(b"two", Event::LPop, pop).unwrap().is_some()),
        &[(0, "two")],
        &[(0, "two", Event::LPop)],
    ),
    (
        "the last element is taken",
        |shard| assert!(shard.view_mut(0, true).change(b"one", Event::LPop, pop).unwrap().is_some()),
        &[],
        &[(0, "one", Event::LPop), (0, "one", Event::Del)],
    ),
    (
        "a write finds nothing to change",
        |shard| {
            let look = |_: &mut List| ((), false);
            assert!(shard.view_mut(0, true).change(b"one", Event::LRem, look).unwrap().is_some());
            assert!(shard.view_mut(0, true).has_to_write(b"text"));
        },
        &[],
        &[],
    ),
    (
        "a string is appended to",
        |shard| {
            let appended = shard.view_mut(0, true).change_string(b"text", Event::Append, |entry| {
                entry.set_string(StringValue::new(b"longer"));
                Ok::<_, WrongType>(((), true))
            });
            assert_eq!(appended, Ok(Some(())));
        },
        &[(0, "text")],
        &[(0, "text", Event::Append)],
    ),
    (
        "a string is looked at to be changed",
        |shard| {
            let looked_at = shard
                .view_mut(0, true)
                .change_string(b"text", Event::Append, |_| Ok::<_, WrongType>(((), false)));
            assert_eq!(looked_at, Ok(Some(())));
        },
        &[],
        &[],
    ),
    (
        "what was over is appended to as a string",
        |shard| {
            let appended = shard
                .view_mut(0, true)
                .change_string(b"over", Event::Append, |_| Ok::<_, WrongType>(((), true)));
            assert_eq!(appended, Ok(None));
        },
        &[],
        &[(0, "over", Event::Expired)],
    ),
    (
        "a string is set with its expiry",
        |shard| {
            let mut db = shard.view_mut(0, true);
            db.put_string(b"none", b"text", Expire::AtMs(5000), Event::Set);
            db.tell_more(b"none", Event::Expire);
        },
        &[(0, "none")],
        &[(0, "none", Event::New), (0, "none", Event::Set), (0, "none", Event::Expire)],
    ),
    (
        "expiry is set and cleared",
        |shard| {
            assert!(shard.view_mut(0, true).set_expire(b"text", Some(5000)));
            assert!(shard.view_mut(0, true).set_expire(b"text", None));
        },
        &[(0, "text")],
        &[(0, "text", Event::Expire), (0, "text", Event::Persist)],
    ),
    (
        "a key is deleted",
        |shard| assert!(shard.view_mut(0, true).delete(b"one")),
        &[],
        &[(0, "one", Event::Del)],
    ),
    (
        "a key is taken",
        |shard| assert!(shard.view_mut(0, true).remove(b"one", Event::MoveFrom).is_some()),
        &[],
        &[(0, "one", Event::MoveFrom)],
    ),
    (
        "a key gets another name",
        |shard| assert!(shard.move_key(rename((0, b"one"), (0, b"none")))),
        &[(0, "none")],
        &[(0, "none", Event::New), (0, "one", Event::RenameFrom), (0, "none", Event::RenameTo)],
    ),
    (
        "a key goes to another database",
        |shard| {
            let (from, to) = ((0, b"one".as_slice()), (1, b"other".as_slice()));
            assert!(shard.move_key(KeyMove {
                from,
                from_event: Event::MoveFrom,
                to,
                to_event: Event::MoveTo
            }));
        },
        &[(1, "other")],
        &[(1, "other", Event::New), (0, "one", Event::MoveFrom), (1, "other", Event::MoveTo)],
    ),
    (
        "a key gets the name of one that is over",
        |shard| assert!(shard.move_key(rename((0, b"one"), (0, b"over")))),
        &[(0, "over")],
        &[
            (0, "over", Event::Expired),
            (0, "over", Event::New),
            (0, "one", Event::RenameFrom),
            (0, "over", Event::RenameTo),
        ],
    ),
    (
        "a key that is over is deleted",
        |shard| assert!(!shard.view_mut(0, true).delete(b"over")),
        &[],
        &[(0, "over", Event::Expired)],
    ),
    (
        "a write meets a key that is over",
        |shard| assert!(!shard.view_mut(0, true).has_to_write(b"over")),
        &[],
        &[(0, "over", Event::Expired)],
    ),
    (
        "the cycle finds a key that is over",
        |shard| assert_eq!(shard.expire_cycle(|| true), 1),
        &[],
        &[(0, "over", Event::Expired)],
    ),
    (
        "fields are over, and then the last",
        |shard| {
            let mut fields = hash(FieldExpire::AtMs(1500));
            let thresholds = shard.settings().thresholds;
            fields.set(b"later", b"value", FieldExpire::AtMs(1600), &thresholds);
            assert!(shard.insert_loaded(0, b"none", fields.into(), None, None, None));
            for now_ms in [1550, 1650] {
                shard.set_now_ms(now_ms);
                shard.remove_expired_fields(0, b"none", 10);
            }
        },
        &[(0, "none")],
        &[(0, "none", Event::HExpired), (0, "none", Event::HExpired), (0, "none", Event::Del)],
    ),
    (
        "memory is short",
        |shard| {
            for key in ["one", "two", "over"] {
                shard.view_mut(0, true).delete(key.as_bytes());
            }
            shard.events_mut().take();
            evict_all(shard);
        },
        &[],
        &[(0, "text", Event::Evicted)],
    ),
    (
        "databases change places",
        |shard| {
            assert!(shard.insert_loaded(1, b"other", list(&[b"a"]).into(), None, None, None));
            assert!(shard.insert_loaded(1, b"none", list(&[b"a"]).into(), None, None, None));
            shard.swap(0, 1);
        },
        &[(0, "none")],
        &[],
    ),
    ("a database is emptied", |shard| shard.flush(0, false), &[], &[]),
    (
        "a collection is kept otherwise",
        |shard| {
            let mut set = SortedSet::default();
            set.set(b"member", 1.0, &shard.settings().thresholds);
            assert!(shard.insert_loaded(0, b"none", set.into(), None, None, None));
            shard.view_mut(0, true).enlarge_sorted_set(b"none");
        },
        &[],
        &[],
    ),
];

fn filled() -> Shard {
    let mut shard = Shard::new(2, 1);
    shard.set_now_ms(1000);
    let mut db = shard.view_mut(0, true);
    db.put(b"one", list(&[b"a"]), Expire::Clear, Event::RPush);
    db.put(b"two", list(&[b"a", b"b"]), Expire::Clear, Event::RPush);
    db.put_string(b"text", b"text", Expire::Clear, Event::Set);
    db.put(b"over", list(&[b"a"]), Expire::AtMs(1001), Event::RPush);
    shard.set_now_ms(1200);
    shard
}

#[test]
fn who_waits_and_who_listens_is_told_of_every_change() {
    for (name, deed, woken, told) in CASES {
        let mut shard = filled();
        shard.events_mut().set_listened(true);
        for key in ["one", "two", "text", "over", "none"] {
            shard.waited_keys().add(0, key.as_bytes());
        }
        shard.waited_keys().add(1, b"other");
        deed(&mut shard);
        let ready = shard.waited_keys().take_ready();
        let woken: Vec<_> = woken.iter().map(|(db, key)| (*db, key.as_bytes().into())).collect();
        assert_eq!(ready, woken, "{name}: who waits");
        let events = shard.events_mut().take();
        let events: Vec<_> = events
            .iter()
            .map(|told| (told.db, std::str::from_utf8(&told.key).unwrap(), told.event))
            .collect();
        assert_eq!(events, *told, "{name}: who listens");
    }
}

#[test]
fn nobody_is_told_who_does_not_want_to_know() {
    for (name, deed, ..) in CASES {
        let mut shard = filled();
        deed(&mut shard);
        assert_eq!((shard.waited_keys().take_ready(), shard.events_mut().take()), (vec![], vec![]), "{name}");
    }
}

#[test]
fn who_only_looks_disturbs_nobody() {
    let encode = tessera_storage::rdb::EncodeOptions { compress: false };
    let mut shard = filled();
    shard.begin_snapshot(SnapshotOptions { encode, ahead_max_len_bytes: usize::MAX, piece_len_bytes: 200 });
    let mut db = shard.view_mut(0, true);
    assert!(db.has_to_write(b"text"));
    assert_eq!(db.look_to_write(b"one", |entry| entry.expire_at_ms()), Some(None));
    // What is over is gone for a snapshot, too.
    assert!(!db.has_to_write(b"over") && !db.has_to_write(b"none") && !db.delete(b"none"));
    assert_eq!(shard.snapshot_buffer_len_bytes(), 0);
    assert!(shard.view_mut(0, true).delete(b"text"));
    assert_ne!(shard.snapshot_buffer_len_bytes(), 0);
}
