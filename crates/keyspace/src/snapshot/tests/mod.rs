//! A snapshot says what was there at the cut, whatever happens meanwhile.

mod actions;
mod model;

use super::*;
use crate::stream::{self, tests::Deed};
use crate::{Event, Expire, KeyMove};
use actions::{Actor, DATABASES};
use model::Model;
use tessera_storage::rdb::put_database;
use tessera_values::Value;
use tessera_values::hash::FieldExpire;
use tessera_values::list::End;
use tessera_values::{Hash, List, SortedSet};

fn options(random: &mut fastrand::Rng) -> SnapshotOptions {
    SnapshotOptions {
        encode: EncodeOptions { compress: random.bool() },
        ahead_max_len_bytes: [0, 1000, usize::MAX][random.usize(..3)],
        piece_len_bytes: [64, 500, 4000, usize::MAX][random.usize(..4)],
    }
}

/// Panics if a walk has left anything behind.
fn check_tidy(shard: &Shard) {
    for database in &shard.databases {
        assert_eq!((database.table().marks(), database.snapshot_part), (0, None));
    }
    assert!(shard.can_begin_snapshot() && shard.snapshot().is_none());
    assert_eq!(shard.snapshot_buffer_len_bytes(), 0);
}

/// Begins a snapshot and does things until it is done, or given up at random. What it says is checked.
fn snapshot_while_acting(shard: &mut Shard, actor: &mut Actor, may_abort: bool) {
    let options = options(&mut actor.random);
    let model = Model::of(shard, options.encode);
    shard.begin_snapshot(options);
    assert_eq!(shard.snapshot(), Some(SnapshotKeys { total: model.len() as u64, done: 0 }));
    let (mut body, slice_max) = (Vec::new(), [300, 5000, 100_000][actor.random.usize(..3)]);
    let asks = actor.random.bool();
    loop {
        for _ in 0..actor.random.u8(..8) {
            // Keys are drawn anew: now and then it is one of these that is written to.
            let (db, key) = (actor.random.u16(..DATABASES), actor.key());
            if asks {
                let _ = shard.must_wait_for_snapshot(db, &key);
            }
            actor.act(shard);
            actor.defragment(shard);
        }
        if may_abort && actor.random.u8(..60) == 0 {
            shard.abort_snapshot();
            while !shard.can_begin_snapshot() {
                actor.act(shard);
                shard.reclaim(1);
            }
            break check_tidy(shard);
        }
        if shard.snapshot_some(actor.random.usize(..slice_max), &mut body) == SnapshotProgress::Done {
            let layout = shard.take_snapshot_layout();
            let by_database = sorted(&body, &layout);
            if actor.random.bool() {
                model.check(&body, shard);
            } else {
                model.check(&by_database, shard);
            }
            break check_tidy(shard);
        }
    }
}

/// The body with the runs of each database one after the other.
fn sorted(body: &[u8], layout: &SnapshotLayout) -> Vec<u8> {
    assert!(layout.is_complete);
    let mut sorted = Vec::new();
    for sizes in &layout.databases {
        put_database(&mut sorted, sizes.db, Some((sizes.keys, sizes.volatile)));
        for run in layout.runs.iter().filter(|run| run.db == sizes.db) {
            sorted.extend_from_slice(&body[run.starts_at_bytes as usize..run.ends_at_bytes as usize]);
        }
    }
    sorted
}

fn policy(seed: u64) -> EvictionPolicy {
    use EvictionPolicy::{AllKeysLfu, AllKeysLru, NoEviction, VolatileLru, VolatileTtl};
    [NoEviction, AllKeysLru, VolatileTtl, AllKeysLfu, VolatileLru][seed as usize % 5]
}

#[test]
fn it_says_what_was_there_at_the_cut_whatever_happens_meanwhile() {
    for seed in 0..20 {
        let mut shard = Shard::new(DATABASES, seed);
        shard.set_settings(ShardSettings { eviction_policy: policy(seed), ..ShardSettings::default() });
        shard.set_now_ms(1_000_000);
        let mut actor = Actor::new(seed, [20, 150, 1000][seed as usize % 3]);
        for _ in 0..4 {
            for _ in 0..actor.random.u16(..2000) {
                actor.act(&mut shard);
                actor.defragment(&mut shard);
            }
            snapshot_while_acting(&mut shard, &mut actor, true);
        }
        actor.end_streams(&mut shard);
        assert!(
            actor.defragmented.hits > 1000 && actor.defragmented.misses > 1000,
            "{:?}",
            actor.defragmented
        );
    }
}

/// Begins a snapshot of `shard` and does something when it has been written so far. What it says is checked.
fn check_beside(mut shard: Shard, slices: usize, (name, deed): &Deed) {
    let encode = EncodeOptions { compress: false };
    let model = Model::of(&shard, encode);
    shard.begin_snapshot(SnapshotOptions { encode, ahead_max_len_bytes: usize::MAX, piece_len_bytes: 200 });
    let mut body = Vec::new();
    for _ in 0..slices {
        assert_eq!(shard.snapshot_some(300, &mut body), SnapshotProgress::More, "{name}");
    }
    deed(&mut shard);
    loop {
        match shard.snapshot_some(300, &mut body) {
            SnapshotProgress::More => {}
            SnapshotProgress::Done => break,
            SnapshotProgress::Lost => panic!("it was given up: {name}"),
        }
    }
    model.check(&body, &shard);
    while shard.reclaim(1) {}
    check_tidy(&shard);
}

#[test]
fn it_says_what_was_there_whatever_becomes_of_a_value() {
    let more: &[Deed] = &[
        ("its expiry is set", |shard| assert!(shard.view_mut(0, true).set_expire(b"key", Some(5000)))),
        ("it goes to another key", |shard| {
            let key_move = KeyMove {
                from: (0, b"key"),
                from_event: Event::RenameFrom,
                to: (1, b"key"),
                to_event: Event::RenameTo,
            };
            assert!(shard.move_key(key_move));
        }),
    ];
    for deed in stream::tests::DEEDS.iter().chain(more) {
        // Before it is written, and in the middle.
        for slices in [0, 3] {
            check_beside(stream::tests::filled(), slices, deed);
        }
    }
    for deed in stream::string_tests::DEEDS.iter().chain(more) {
        check_beside(stream::string_tests::filled(1000, false), 0, deed);
    }
    let enlarging: Deed =
        ("it is kept otherwise", |shard| shard.view_mut(0, true).enlarge_sorted_set(b"key"));
    let mut shard = Shard::new(2, 1);
    let mut set = SortedSet::default();
    set.set(b"member", 1.0, &shard.settings().thresholds);
    shard.view_mut(0, true).put(b"key", set, Expire::Clear, Event::ZAdd);
    check_beside(shard, 0, &enlarging);
}

#[test]
fn it_holds_while_a_large_table_grows_and_shrinks() {
    let mut shard = Shard::new(DATABASES, 1);
    let mut actor = Actor::new(1, 150_000);
    for _ in 0..4 {
        actor.many(&mut shard);
        let options = options(&mut actor.random);
        let model = Model::of(&shard, options.encode);
        shard.begin_snapshot(options);
        let (mut body, mut slices) = (Vec::new(), 0);
        while shard.snapshot_some(100_000, &mut body) == SnapshotProgress::More {
            slices += 1;
            actor.defragment(&mut shard);
            if slices % 10 == 3 {
                actor.many(&mut shard);
                shard.reclaim(100);
            }
        }
        model.check(&body, &shard);
        check_tidy(&shard);
    }
}

fn put_list(shard: &mut Shard, key: &[u8], count: usize) {
    let elements = vec![b"an element".as_slice(); count];
    let list = List::stored(elements, -2);
    shard.view_mut(0, true).put(key, list, Expire::Clear, Event::Set);
}

const OPTIONS: SnapshotOptions = SnapshotOptions {
    encode: EncodeOptions { compress: false },
    ahead_max_len_bytes: 10_000,
    piece_len_bytes: 1000,
};

/// Takes the rest of a snapshot.
fn rest(shard: &mut Shard, body: &mut Vec<u8>) {
    while shard.snapshot_some(1000, body) == SnapshotProgress::More {}
}

#[test]
fn a_large_value_that_somebody_waits_for_is_next_and_is_written_in_pieces() {
    let mut shard = Shard::new(1, 1);
    for number in 0..1000 {
        shard.view_mut(0, true).put_string(
            format!("key:{number}").as_bytes(),
            b"value",
            Expire::Clear,
            Event::Set,
        );
    }
    put_list(&mut shard, b"wanted", 10_000);
    let model = Model::of(&shard, OPTIONS.encode);
    shard.begin_snapshot(OPTIONS);
    assert!(shard.must_wait_for_snapshot(0, b"wanted"));
    assert!(!shard.must_wait_for_snapshot(0, b"key:1") && !shard.must_wait_for_snapshot(0, b"new"));
    let (mut body, mut slices) = (Vec::new(), 0);
    while shard.must_wait_for_snapshot(0, b"wanted") {
        assert_eq!(shard.snapshot_some(1000, &mut body), SnapshotProgress::More);
        slices += 1;
    }
    assert!(slices > 50, "it is written in pieces: {slices}");
    assert!(shard.snapshot().unwrap().done < 200, "and before most others");
    assert!(body.len() < slices * 1200, "each slice is as long as asked: {} in {slices}", body.len());
    put_list(&mut shard, b"wanted", 1);
    assert_eq!(shard.snapshot_buffer_len_bytes(), 0);
    rest(&mut shard, &mut body);
    model.check(&body, &shard);
}

#[test]
fn a_value_that_changes_half_way_through_is_finished_as_it_was() {
    for (seed, times_over) in [(1, false), (2, true)] {
        let mut shard = Shard::new(1, seed);
        put_list(&mut shard, b"list", 10_000);
        shard.view_mut(0, true).set_expire(b"list", Some(50));
        let model = Model::of(&shard, OPTIONS.encode);
        shard.begin_snapshot(OPTIONS);
        let mut body = Vec::new();
        for _ in 0..5 {
            assert_eq!(shard.snapshot_some(1000, &mut body), SnapshotProgress::More);
        }
        if times_over {
            // Nobody asks before a key expires: the value is kept until it is written.
            shard.set_now_ms(51);
            assert_eq!(shard.expire_cycle(|| true), 1);
            assert!(!shard.must_wait_for_snapshot(0, b"list"));
            assert_eq!(shard.snapshot_buffer_len_bytes(), 0);
        } else {
            let push = |list: &mut List| (list.push(End::Back, [b"more".as_slice()].into_iter(), -2), true);
            shard.view_mut(0, true).change(b"list", Event::Changed, push).unwrap().unwrap();
            assert!(shard.snapshot_buffer_len_bytes() > 90_000);
        }
        put_list(&mut shard, b"list", 3);
        rest(&mut shard, &mut body);
        assert!(body.len() > 90_000);
        shard.set_now_ms(0);
        model.check(&body, &shard);
        assert!(shard.has_garbage());
        while shard.reclaim(1) {}
        check_tidy(&shard);
    }
}

#[test]
fn fields_that_expire_half_way_through_stay_until_the_hash_is_written() {
    let mut shard = Shard::new(1, 1);
    let thresholds = shard.settings().thresholds;
    let mut hash = Hash::default();
    for number in 0..5000 {
        let expire = FieldExpire::AtMs(if number % 2 == 0 { 10 } else { 1000 });
        hash.set(format!("field:{number}").as_bytes(), b"value", expire, &thresholds);
    }
    shard.view_mut(0, true).put(b"hash", hash, Expire::Clear, Event::Set);
    assert_eq!(shard.rdb_version(), 12);
    let model = Model::of(&shard, OPTIONS.encode);
    shard.begin_snapshot(OPTIONS);
    let mut body = Vec::new();
    for _ in 0..5 {
        assert_eq!(shard.snapshot_some(1000, &mut body), SnapshotProgress::More);
    }
    shard.set_now_ms(11);
    shard.expire_cycle(|| true);
    let fields = |shard: &Shard| shard.view(0, true).peek(b"hash").unwrap().value().elements_len();
    assert_eq!((fields(&shard), shard.snapshot_buffer_len_bytes()), (5000, 0));
    rest(&mut shard, &mut body);
    model.check(&body, &shard);
    shard.expire_cycle(|| true);
    assert_eq!(fields(&shard), 2500);
}

#[test]
fn segments_may_merge_half_way_through_those_that_share_a_position() {
    for seed in 0..40 {
        let mut shard = Shard::new(1, seed);
        let keys: Vec<String> = (0..2000).map(|number| format!("key:{number}")).collect();
        for key in &keys {
            shard.view_mut(0, true).put_string(key.as_bytes(), b"", Expire::Clear, Event::Set);
        }
        let model = Model::of(&shard, OPTIONS.encode);
        shard.begin_snapshot(OPTIONS);
        let (mut body, mut walked) = (Vec::new(), 0);
        while walked < 700 {
            let _ = shard.snapshot_some(1, &mut body);
            walked = shard.snapshot().unwrap().done;
        }
        // The key that was walked last stays, nearly all others go.
        let last = body.iter().rposition(|byte| *byte == b'k').unwrap();
        let last = body[last..body.len() - 1].to_vec();
        assert_eq!(body.last(), Some(&0), "the empty value ends the entry");
        for key in keys.iter().filter(|key| key.as_bytes() != last) {
            shard.view_mut(0, true).delete(key.as_bytes());
        }
        assert_eq!(shard.database(0).len(), 1);
        rest(&mut shard, &mut body);
        model.check(&body, &shard);
        check_tidy(&shard);
    }
}

#[test]
fn writers_wait_if_much_is_saved_ahead_and_go_on_when_it_was_taken() {
    let mut shard = Shard::new(1, 1);
    let keys: Vec<String> = (0..100_000).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        shard.view_mut(0, true).put_string(key.as_bytes(), b"value", Expire::Clear, Event::Set);
    }
    let model = Model::of(&shard, OPTIONS.encode);
    shard.begin_snapshot(OPTIONS);
    let mut written = 0;
    for key in &keys {
        if shard.must_wait_for_snapshot(0, key.as_bytes()) {
            break;
        }
        shard.view_mut(0, true).put_string(key.as_bytes(), b"other", Expire::Clear, Event::Set);
        written += 1;
    }
    let ahead = shard.snapshot_buffer_len_bytes();
    assert!((10_000..10_100).contains(&ahead) && (300..700).contains(&written), "{ahead} {written}");
    assert!(!shard.must_wait_for_snapshot(0, b"new"), "what is new can be written");
    assert!(!shard.must_wait_for_snapshot(0, keys[0].as_bytes()), "and what is saved");
    let mut body = Vec::new();
    assert_eq!(shard.snapshot_some(5000, &mut body), SnapshotProgress::More);
    assert!(!shard.must_wait_for_snapshot(0, keys[written].as_bytes()));
    let mut named = Vec::new();
    put_database(&mut named, 0, Some((keys.len() as u64, 0)));
    let taken = ahead - shard.snapshot_buffer_len_bytes();
    assert_eq!((body.len(), taken), (5000, 5000 - named.len()));
    rest(&mut shard, &mut body);
    model.check(&body, &shard);
}

#[test]
fn eviction_leaves_what_would_have_to_be_copied() {
    let mut shard = Shard::new(1, 1);
    let eviction_policy = EvictionPolicy::AllKeysRandom;
    shard.set_settings(ShardSettings { eviction_policy, ..ShardSettings::default() });
    put_list(&mut shard, b"list", 1000);
    let model = Model::of(&shard, OPTIONS.encode);
    shard.begin_snapshot(OPTIONS);
    assert_eq!(shard.evict(), None);
    let mut body = Vec::new();
    rest(&mut shard, &mut body);
    model.check(&body, &shard);
    assert!(shard.evict().is_some() && shard.database(0).is_empty());
}

#[test]
fn looking_at_nothing_takes_a_bounded_time_too() {
    let mut shard = Shard::new(1, 1);
    let keys: Vec<String> = (0..50_000).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        shard.view_mut(0, true).put_string(key.as_bytes(), b"value", Expire::AtMs(5), Event::Set);
    }
    shard.begin_snapshot(OPTIONS);
    shard.set_now_ms(6);
    let (mut body, mut slices) = (Vec::new(), 0);
    while shard.snapshot_some(3200, &mut body) == SnapshotProgress::More {
        slices += 1;
    }
    assert!(body.len() < 20 && slices > 50, "no more than the choice of the database: {body:?}, {slices}");
}

#[test]
fn what_is_flushed_is_still_written_and_freed_then() {
    let mut shard = Shard::new(2, 1);
    for number in 0..1000 {
        shard.view_mut(0, true).put_string(
            format!("key:{number}").as_bytes(),
            b"value",
            Expire::Clear,
            Event::Set,
        );
        shard.view_mut(1, true).put_string(
            format!("key:{number}").as_bytes(),
            b"other",
            Expire::Clear,
            Event::Set,
        );
    }
    put_list(&mut shard, b"list", 1000);
    let model = Model::of(&shard, OPTIONS.encode);
    shard.begin_snapshot(OPTIONS);
    let mut body = Vec::new();
    assert_eq!(shard.snapshot_some(3000, &mut body), SnapshotProgress::More);
    shard.swap(0, 1);
    assert!(shard.must_wait_for_snapshot(1, b"list"));
    shard.flush(1, false);
    assert!(!shard.must_wait_for_snapshot(1, b"list") && !shard.has_garbage());
    shard.view_mut(1, true).put_string(b"key:5", b"new", Expire::Clear, Event::Set);
    rest(&mut shard, &mut body);
    model.check(&body, &shard);
    assert!(shard.has_garbage());
    while shard.reclaim(1) {}
    check_tidy(&shard);
}

#[test]
fn use_is_loaded_as_it_was_saved() {
    let mut shard = Shard::new(1, 1);
    shard.set_now_ms(1_700_000_000_000);
    let text = || Value::from(tessera_values::StringValue::new(b"text"));
    assert!(shard.insert_loaded(0, b"idle", text(), Some(1_700_000_000_500), Some(77), Some(3)));
    assert!(!shard.insert_loaded(0, b"idle", text(), None, None, None));
    assert!(shard.insert_loaded(0, b"old", text(), None, Some(u64::MAX), None));
    let idle_s = |key: &[u8]| shard.idle_s(shard.view(0, true).peek(key).unwrap());
    assert_eq!(idle_s(b"idle"), 77);
    assert!(idle_s(b"old") > 150 * 86_400);
    let eviction_policy = EvictionPolicy::AllKeysLfu;
    shard.set_settings(ShardSettings { eviction_policy, ..ShardSettings::default() });
    assert!(shard.insert_loaded(0, b"often", text(), None, Some(77), Some(200)));
    assert!(shard.insert_loaded(0, b"new", text(), None, Some(77), None));
    let frequency = |key: &[u8]| shard.frequency(shard.view(0, true).peek(key).unwrap());
    assert_eq!((frequency(b"often"), frequency(b"new")), (200, 5));
    assert_eq!(shard.stats(), crate::ShardStats::default());
    assert_eq!(shard.database(0).volatile_len(), 1);
}

/// The manifest says how many keys a file has, and loading compares.
#[test]
fn keys_that_are_left_out_are_not_counted() {
    let mut shard = Shard::new(2, 1);
    shard.set_now_ms(500);
    let key = |number: usize| format!("key:{number}").into_bytes();
    let long = vec![b'x'; 10_000];
    for number in 0..100 {
        let value: &[u8] = if number % 10 == 0 { &long } else { b"value" };
        let mut view = shard.view_mut(1, true);
        view.put_string(&key(number), value, Expire::Clear, Event::Set);
        if number % 3 == 0 {
            view.set_expire(&key(number), Some(1000));
        }
    }
    shard.begin_snapshot(SnapshotOptions { piece_len_bytes: 1000, ..OPTIONS });
    // What is saved ahead in time is saved, whatever becomes of it.
    shard.view_mut(1, true).delete(&key(6));
    shard.set_now_ms(2000);
    for number in [9, 10, 12] {
        shard.view_mut(1, true).delete(&key(number));
    }
    let mut body = Vec::new();
    rest(&mut shard, &mut body);
    let layout = shard.take_snapshot_layout();
    assert_eq!((layout.databases[0].keys, layout.entries), (100, 67));
}

/// Readers show a database as often as it is named.
#[test]
fn each_database_is_named_once() {
    let mut shard = Shard::new(4, 1);
    let key = |number: usize| format!("key:{number}").into_bytes();
    for number in 0..3000 {
        shard.view_mut(number as u16 % 3, true).put_string(&key(number), b"value", Expire::Clear, Event::Set);
    }
    shard.view_mut(2, true).set_expire(b"key:2", Some(i64::MAX / 2));
    shard.begin_snapshot(SnapshotOptions { ahead_max_len_bytes: 1_000_000, ..OPTIONS });
    let mut body = Vec::new();
    for number in 0..600 {
        // Some are saved before the walk has begun, and before it comes to them; a database that is filled later does
        // not count.
        let changed = number * 5;
        shard.view_mut(changed as u16 % 3, true).put_string(
            &key(changed),
            b"changed",
            Expire::Clear,
            Event::Set,
        );
        shard.view_mut(3, true).put_string(&key(number), b"new", Expire::Clear, Event::Set);
        if number % 3 == 1 {
            let _ = shard.snapshot_some(100, &mut body);
        }
    }
    rest(&mut shard, &mut body);
    let layout = shard.take_snapshot_layout();
    let sizes: Vec<(u16, u64, u64)> =
        layout.databases.iter().map(|sizes| (sizes.db, sizes.keys, sizes.volatile)).collect();
    assert_eq!(sizes, [(0, 1000, 0), (1, 1000, 0), (2, 1000, 1)]);
    let (mut named, mut end) = (Vec::new(), 0);
    for (run, (db, keys, volatile)) in layout.runs.iter().zip(sizes) {
        named.clear();
        put_database(&mut named, db, Some((keys, volatile)));
        let starts = run.starts_at_bytes as usize;
        assert_eq!((run.db, &body[end..starts]), (db, &named[..]));
        end = run.ends_at_bytes as usize;
    }
    assert_eq!((layout.runs.len(), end), (3, body.len()));
}

/// A fault in the engine: the value goes without anybody being told.
fn take_unnoticed(shard: &mut Shard, key: &[u8]) {
    assert!(shard.remove_unnoticed(0, key));
}

#[test]
fn a_value_that_goes_unnoticed_is_the_end_of_the_snapshot_and_of_nothing_else() {
    let mut shard = Shard::new(DATABASES, 1);
    put_list(&mut shard, b"large", 2000);
    shard.view_mut(0, true).put_string(b"small", b"value", Expire::Clear, Event::Set);
    shard.begin_snapshot(OPTIONS);
    let mut body = Vec::new();
    while !shard.is_in_pieces(0, b"large") {
        assert_eq!(shard.snapshot_some(300, &mut body), SnapshotProgress::More);
    }
    take_unnoticed(&mut shard, b"large");
    assert_eq!(shard.snapshot_some(300, &mut body), SnapshotProgress::Lost);
    assert!(shard.snapshot().is_none());
    while !shard.can_begin_snapshot() {
        shard.reclaim(1);
    }
    check_tidy(&shard);
    shard.begin_snapshot(OPTIONS);
    let model = Model::of(&shard, OPTIONS.encode);
    body.clear();
    rest(&mut shard, &mut body);
    model.check(&body, &shard);
}
