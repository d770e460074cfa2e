//! Replies that are a long string.

use super::*;
use crate::{Event, EvictionPolicy, Expire, ShardSettings, SnapshotOptions, SnapshotProgress, WrongType};
use tessera_storage::rdb::EncodeOptions;
use tessera_values::{Digits, StringValue};

const PIECE_LEN_BYTES: usize = 700;
const LEN_BYTES: usize = 9000;
/// So long that it has a box.
const BOXED_LEN_BYTES: usize = 17 << 20;

/// The rest of a string.
#[derive(Debug)]
struct Rest(usize, usize);

impl Stream for Rest {
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let ValueRef::String(string) = value else { return false };
        let end = self.0 + len_bytes.min(self.1);
        out.extend_from_slice(&string.as_bytes(&mut Digits::new())[self.0..end]);
        self.1 -= end - self.0;
        self.0 = end;
        self.1 > 0
    }

    fn left_len(&self) -> usize {
        self.1
    }
}

fn text(len_bytes: usize) -> Vec<u8> {
    let mut text = b"abcdefghijklmnopqrstuvw".repeat(len_bytes / 23 + 1);
    text.truncate(len_bytes);
    text
}

/// A shard with a string of each form.
pub(crate) fn filled(len_bytes: usize, is_growing: bool) -> Shard {
    let mut shard = Shard::new(2, 7);
    shard.set_now_ms(1);
    let value =
        if is_growing { StringValue::raw(text(len_bytes)) } else { StringValue::fixed(&text(len_bytes)) };
    shard.view_mut(0, true).put(b"key", value, Expire::Clear, Event::Set);
    shard
}

fn held(shard: &Shard) -> Vec<u8> {
    let string = shard.view(0, false).string(b"key").unwrap().unwrap();
    string.as_bytes(&mut Digits::new()).to_vec()
}

fn begin(shard: &mut Shard) -> (u64, Vec<u8>) {
    let len_bytes = held(shard).len();
    let id = shard.open_stream(0, b"key", Box::new(Rest(0, len_bytes)));
    let mut read = Vec::new();
    assert_eq!(shard.stream_some(id, PIECE_LEN_BYTES, &mut read), StreamProgress::More);
    (id, read)
}

fn end(shard: &mut Shard, (id, mut read): (u64, Vec<u8>), len_bytes: usize, deed: &str) {
    loop {
        match shard.stream_some(id, PIECE_LEN_BYTES.max(len_bytes / 100), &mut read) {
            StreamProgress::More => {}
            StreamProgress::Done => break,
            StreamProgress::Lost => panic!("the reply was lost: {deed}"),
        }
    }
    assert!(read == text(len_bytes), "{deed}: another string, of {} bytes", read.len());
}

fn append(shard: &mut Shard, tail: &[u8]) {
    let len_bytes = held(shard).len() + tail.len();
    let mut db = shard.view_mut(0, true);
    let appended = db.change_string(b"key", Event::Append, |entry| {
        entry.change_raw_to(len_bytes, |bytes| bytes.extend_from_slice(tail)).unwrap();
        Ok::<_, WrongType>(((), true))
    });
    appended.unwrap().unwrap();
}

pub(crate) type Deed = (&'static str, fn(&mut Shard));

pub(crate) const DEEDS: &[Deed] = &[
    ("it is appended to", |shard| {
        let expected = [held(shard), b"tail".to_vec()].concat();
        append(shard, b"tail");
        assert!(held(shard) == expected);
    }),
    ("a part is overwritten", |shard| {
        let filled = shard.view_mut(0, true).change_string(b"key", Event::SetRange, |entry| {
            entry.change_raw(|bytes| bytes.fill(b'.')).unwrap();
            Ok::<_, WrongType>(((), true))
        });
        filled.unwrap().unwrap();
    }),
    ("it is set to a number", |shard| {
        let set = shard.view_mut(0, true).change_string(b"key", Event::Set, |entry| {
            entry.set_string(StringValue::integer(17));
            Ok::<_, WrongType>(((), true))
        });
        set.unwrap().unwrap();
    }),
    ("another of its length is put over it", |shard| {
        let other = vec![b'.'; held(shard).len()];
        shard.view_mut(0, true).put_string(b"key", &other, Expire::Keep, Event::Set);
        assert!(held(shard) == other);
    }),
    ("a shorter one is put over it", |shard| {
        shard.view_mut(0, true).put_string(b"key", b"x", Expire::Clear, Event::Set)
    }),
    ("a number is put over it", |shard| {
        shard.view_mut(0, true).put_string(b"key", b"17", Expire::Clear, Event::Set)
    }),
    ("it is deleted", |shard| assert!(shard.view_mut(0, true).delete_and_free(b"key", false))),
    ("it is unlinked", |shard| assert!(shard.view_mut(0, true).delete_and_free(b"key", true))),
    ("it is taken, and put elsewhere", |shard| {
        let (value, _) = shard.view_mut(0, true).remove(b"key", Event::Del).unwrap();
        shard.view_mut(1, true).put(b"other", value, Expire::Clear, Event::Set);
    }),
    ("its expiry is set and cleared", |shard| {
        assert!(shard.view_mut(0, true).has_to_write(b"key"));
        shard.view_mut(0, true).set_expire(b"key", Some(50));
        shard.view_mut(0, true).set_expire(b"key", None);
    }),
    ("it expires", |shard| {
        shard.view_mut(0, true).set_expire(b"key", Some(50));
        shard.set_now_ms(51);
        assert_eq!(shard.expire_cycle(|| true), 1);
    }),
    ("it is evicted", |shard| {
        let eviction_policy = EvictionPolicy::AllKeysRandom;
        shard.set_settings(ShardSettings { eviction_policy, ..ShardSettings::default() });
        while shard.evict().is_some() {}
    }),
    ("the database is flushed", |shard| shard.flush(0, false)),
    ("databases are swapped and flushed", |shard| {
        shard.swap(0, 1);
        shard.flush(1, true);
    }),
    ("what lies badly is moved", |shard| {
        let mut pass = crate::DefragPass::default();
        while shard.defragment_some(&mut pass, u64::MAX, &|_| true, || true) {}
    }),
    ("nothing", |_| {}),
];

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
        for (waits, readers, is_growing) in
            [(false, 1, false), (true, 3, false), (false, 3, true), (true, 1, true)]
        {
            let mut shard = filled(LEN_BYTES, is_growing);
            let open: Vec<_> = (0..readers).map(|_| begin(&mut shard)).collect();
            if waits {
                assert!(shard.must_wait_for_readers(0, b"key"));
                while shard.must_wait_for_readers(0, b"key") {
                    shard.keep_some(1000);
                }
            }
            deed(&mut shard);
            open.into_iter().for_each(|reading| end(&mut shard, reading, LEN_BYTES, name));
            check_tidy(&mut shard);
        }
    }
    for (name, deed) in DEEDS {
        let mut shard = filled(BOXED_LEN_BYTES, false);
        let reading = begin(&mut shard);
        deed(&mut shard);
        end(&mut shard, reading, BOXED_LEN_BYTES, name);
        check_tidy(&mut shard);
    }
}

#[test]
fn nor_does_a_snapshot_disturb_it() {
    let options = SnapshotOptions {
        encode: EncodeOptions { compress: false },
        ahead_max_len_bytes: 1 << 20,
        piece_len_bytes: 500,
    };
    for (name, deed) in DEEDS {
        for slices in [0, 1, 3, 1000] {
            let mut shard = filled(LEN_BYTES, false);
            let reading = begin(&mut shard);
            shard.begin_snapshot(options);
            let mut body = Vec::new();
            for _ in 0..slices {
                let _ = shard.snapshot_some(1000, &mut body);
            }
            deed(&mut shard);
            while shard.snapshot_some(1000, &mut body) == SnapshotProgress::More {}
            let text = text(LEN_BYTES);
            // What is put over it has its expiry, and the same key.
            assert!(body.windows(LEN_BYTES).any(|part| part == text) || name.contains("expire"), "{name}");
            end(&mut shard, reading, LEN_BYTES, name);
            check_tidy(&mut shard);
        }
    }
}

#[test]
fn what_it_lacks_is_unsent_from_the_beginning() {
    let mut shard = filled(LEN_BYTES, false);
    let id = shard.open_stream(0, b"key", Box::new(Rest(0, LEN_BYTES)));
    assert!(shard.has_kept_news());
    assert_eq!(shard.take_unsent(), [UnsentReply { stream: id, len_bytes: LEN_BYTES }]);
    // What has been read of it before that is told does not count.
    let later = begin(&mut shard);
    assert_eq!(
        shard.take_unsent(),
        [UnsentReply { stream: later.0, len_bytes: LEN_BYTES - PIECE_LEN_BYTES }]
    );
    assert!(shard.take_unsent().is_empty());
    shard.close_stream(id);
    end(&mut shard, later, LEN_BYTES, "nothing");
    check_tidy(&mut shard);
}

#[test]
fn a_string_in_a_box_is_not_copied_for_who_reads_it_but_kept() {
    for growing in [false, true] {
        let mut shard = filled(BOXED_LEN_BYTES, growing);
        let address = |value: ValueRef<'_>| match value {
            ValueRef::String(string) => string.as_bytes(&mut Digits::new()).as_ptr().addr(),
            _ => 0,
        };
        let before = address(shard.view(0, false).peek(b"key").unwrap().value());
        let readings: Vec<_> = (0..5).map(|_| begin(&mut shard)).collect();
        shard.view_mut(0, true).put_string(b"key", &text(BOXED_LEN_BYTES), Expire::Clear, Event::Set);
        let Source::Kept(kept) = shard.streams.open[0].source else { panic!("it is kept") };
        assert_eq!(address(shard.kept.get(kept).unwrap()), before);
        assert!(shard.kept_bytes() < BOXED_LEN_BYTES * 5 / 4);
        readings.into_iter().for_each(|reading| end(&mut shard, reading, BOXED_LEN_BYTES, "put over it"));
        check_tidy(&mut shard);
    }
}

#[test]
fn the_copy_of_a_string_has_room_to_grow() {
    let mut shard = filled(LEN_BYTES, false);
    let (reading, other) = (begin(&mut shard), begin(&mut shard));
    while shard.must_wait_for_readers(0, b"key") {
        shard.keep_some(1000);
    }
    let before_bytes = shard.database(0).entry_bytes();
    append(&mut shard, b"tail");
    assert_eq!(shard.database(0).entry_bytes(), before_bytes);
    end(&mut shard, reading, LEN_BYTES, "it is appended to");
    end(&mut shard, other, LEN_BYTES, "it is appended to");
    check_tidy(&mut shard);
}

#[test]
fn a_write_that_begins_a_stream_tells_of_it_once() {
    let mut shard = filled(LEN_BYTES, false);
    assert_eq!(shard.take_begun_stream(), None);
    let mut db = shard.view_mut(0, true);
    db.stream(b"key", Box::new(Rest(0, LEN_BYTES)));
    assert!(db.delete(b"key"));
    let id = shard.take_begun_stream().unwrap();
    assert_eq!(shard.take_begun_stream(), None);
    end(&mut shard, (id, Vec::new()), LEN_BYTES, "it is deleted");
    check_tidy(&mut shard);
}
