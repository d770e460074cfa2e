//! Whatever may happen to a shard, at random.

use crate::{DefragCounts, DefragPass, Event, Expire, Shard, Stream, StreamProgress, ViewMut, WrongType};
use std::cell::RefCell;
use tessera_storage::rdb::{EncodeOptions, KeyFacts, put_entry};
use tessera_values::hash::FieldExpire;
use tessera_values::list::End;
use tessera_values::listpack::Element;
use tessera_values::{Hash, List, Set, SortedSet, StringValue, Value, ValueRef};

/// Databases that are used.
pub const DATABASES: u16 = 3;

/// A stream that says little, and at last what the value is.
#[derive(Debug)]
struct Slow(u8, usize);

const ENCODE: EncodeOptions = EncodeOptions { compress: false };

fn encoded(value: ValueRef<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put_entry(&mut out, b"key", value, &KeyFacts::default(), ENCODE);
    out
}

/// A stream that says what is in the value, a few elements at a time.
#[derive(Debug)]
struct Walking {
    left: usize,
    position: u64,
    now_ms: i64,
}

impl Walking {
    /// The stream, and the lines that it must write in the end.
    fn begin(value: ValueRef<'_>, now_ms: i64) -> (Walking, Vec<String>) {
        let lines: Vec<String> = match value {
            ValueRef::String(_) => Vec::new(),
            ValueRef::List(list) => list.iter().map(|element| format!("{element:?}")).collect(),
            ValueRef::Hash(hash) => hash.iter(now_ms).map(|pair| format!("{pair:?}")).collect(),
            ValueRef::Set(set) => set.iter().map(|member| format!("{member:?}")).collect(),
            ValueRef::SortedSet(set) => set.iter().map(|pair| format!("{pair:?}")).collect(),
        };
        (Walking { left: lines.len(), position: 0, now_ms }, lines)
    }
}

impl Stream for Walking {
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        const STEP: usize = 5;
        let (count, from) = (STEP * len_bytes.clamp(1, 10), self.position as usize);
        let mut lines: Vec<String> = Vec::new();
        let next = match value {
            ValueRef::String(_) => None,
            ValueRef::List(list) => {
                lines.extend(list.range(from, count).map(|element| format!("{element:?}")));
                Some(self.position + lines.len() as u64)
            }
            ValueRef::Hash(hash) => hash.scan(self.position, count, self.now_ms, |field, value| {
                lines.push(format!("{:?}", (field, value)));
            }),
            ValueRef::Set(set) => set.scan(self.position, count, |member| lines.push(format!("{member:?}"))),
            ValueRef::SortedSet(set) => {
                lines.extend(set.range(from..from + count).map(|pair| format!("{pair:?}")));
                Some(self.position + lines.len() as u64)
            }
        };
        self.position = next.unwrap_or(self.position);
        self.left = self.left.checked_sub(lines.len()).expect("no more came than were there");
        lines.iter().for_each(|line| out.extend(format!("{line}\n").bytes()));
        self.left > 0 && next.is_some()
    }

    fn left_len(&self) -> usize {
        self.left
    }
}

/// A stream that is being read, and what must have come in the end.
struct Reading {
    id: u64,
    read: Vec<u8>,
    expected: Expected,
}

enum Expected {
    Encoded(Vec<u8>),
    /// In any order.
    Lines(Vec<String>),
}

impl Reading {
    fn check(&self) {
        match &self.expected {
            Expected::Encoded(expected) => {
                let dots = self.read.iter().take_while(|byte| **byte == b'.').count();
                assert_eq!(self.read[dots..], expected[..]);
            }
            Expected::Lines(expected) => {
                let mut lines: Vec<&str> = std::str::from_utf8(&self.read).unwrap().lines().collect();
                let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
                lines.sort_unstable();
                expected.sort_unstable();
                assert_eq!(lines, expected);
            }
        }
    }
}

impl Stream for Slow {
    fn write_some(&mut self, value: ValueRef<'_>, _: usize, out: &mut Vec<u8>) -> bool {
        if self.0 > 0 {
            self.0 -= 1;
            out.push(b'.');
            return true;
        }
        out.extend(encoded(value));
        self.1 = 0;
        false
    }

    fn left_len(&self) -> usize {
        self.1
    }
}

/// Does things to a shard.
pub struct Actor {
    pub random: fastrand::Rng,
    pub keys: u32,
    streams: Vec<Reading>,
    pass: DefragPass,
    /// What the passes so far came to.
    pub defragmented: DefragCounts,
}

impl Actor {
    pub fn new(seed: u64, keys: u32) -> Actor {
        Actor {
            random: fastrand::Rng::with_seed(seed),
            keys,
            streams: Vec::new(),
            pass: DefragPass::default(),
            defragmented: DefragCounts::default(),
        }
    }

    /// Goes on with a pass of defragmentation, in which blocks drawn at random move.
    pub fn defragment(&mut self, shard: &mut Shard) {
        let draw = RefCell::new(self.random.fork());
        let (mut buckets, elements_max) = (self.random.u8(..20), [0, 50, 1000][self.random.usize(..3)]);
        let share = [1, 2, 10][self.random.usize(..3)];
        let more = || {
            buckets = buckets.saturating_sub(1);
            buckets > 0
        };
        let is_sparse = |_: *const u8| draw.borrow_mut().u8(..share) == 0;
        if !shard.defragment_some(&mut self.pass, elements_max, &is_sparse, more) {
            self.defragmented.hits += self.pass.counts.hits;
            self.defragmented.misses += self.pass.counts.misses;
            self.pass = DefragPass::default();
        }
    }

    pub fn key(&mut self) -> Vec<u8> {
        format!("key:{}", self.random.u32(..self.keys)).into_bytes()
    }

    fn db<'s>(&mut self, shard: &'s mut Shard) -> ViewMut<'s> {
        // Keys must be found again and again.
        let db = if self.random.u8(..4) == 0 { self.random.u16(1..DATABASES) } else { 0 };
        shard.view_mut(db, true)
    }

    fn expire(&mut self, now_ms: i64) -> Expire {
        match self.random.u8(..6) {
            0 => Expire::AtMs(now_ms + self.random.i64(0..400)),
            1 => Expire::Keep,
            _ => Expire::Clear,
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let max = [8, 40, 300, 5000][self.random.usize(..4)];
        let byte = self.random.alphanumeric() as u8;
        (0..self.random.usize(..max)).map(|_| if self.random.bool() { byte } else { b'x' }).collect()
    }

    fn set_string(&mut self, shard: &mut Shard) {
        let (key, bytes, expire) = (self.key(), self.bytes(), self.expire(shard.now_ms()));
        match self.random.u8(..6) {
            0 => self.db(shard).put_string(&key, b"-1234567", expire, Event::Set),
            1 => self.db(shard).put(&key, StringValue::raw(bytes), expire, Event::Set),
            2 => {
                let _ = self.db(shard).change_string(&key, Event::Append, |entry| {
                    entry.change_raw(|held| held.extend_from_slice(&bytes));
                    Ok::<_, WrongType>(((), true))
                });
            }
            3 => {
                let _ = self.db(shard).change_string(&key, Event::Set, |entry| {
                    entry.set_string(StringValue::integer(17));
                    Ok::<_, WrongType>(((), true))
                });
            }
            _ => self.db(shard).put_string(&key, &bytes, expire, Event::Set),
        }
    }

    fn change_list(&mut self, shard: &mut Shard) {
        let (key, bytes) = (self.key(), self.bytes());
        let end = if self.random.bool() { End::Front } else { End::Back };
        let count = self.random.usize(1..60);
        if self.random.u8(..3) == 0 {
            let _ = self.db(shard).change::<List, _>(&key, Event::Changed, |list| {
                ((0..count).for_each(|_| drop(list.pop(end, -2))), true)
            });
        } else {
            let elements = vec![bytes.as_slice(); count];
            let _ = self.db(shard).change_or_create::<List, _>(&key, Event::Changed, |list| {
                list.push(end, elements.iter().copied(), -2);
                ((), true)
            });
        }
    }

    fn change_hash(&mut self, shard: &mut Shard) {
        let (key, now_ms, thresholds) = (self.key(), shard.now_ms(), shard.settings().thresholds);
        let count = self.random.u16(1..100);
        let first = self.random.u16(..200);
        // Fields that expire are in small hashes of their own.
        let (key, count, expires) = match self.random.u8(..4) {
            0 => ([b"timed:", &key[4..]].concat(), 3, true),
            _ => (key, count, false),
        };
        let removes = self.random.u8(..3) == 0;
        let value = if expires { vec![b'v'; 10] } else { self.bytes() };
        let at_ms = now_ms + self.random.i64(0..100);
        let mut db = self.db(shard);
        let field =
            |number: u16| format!("field:{}", first.wrapping_add(number) % if expires { 8 } else { 300 });
        if removes {
            let _ = db.change::<Hash, _>(&key, Event::Changed, |hash| {
                (0..count).for_each(|number| _ = hash.remove(field(number).as_bytes()));
                ((), true)
            });
        } else {
            let expire = if expires { FieldExpire::AtMs(at_ms) } else { FieldExpire::Clear };
            let _ = db.change_or_create::<Hash, _>(&key, Event::Changed, |hash| {
                for number in 0..count {
                    hash.set(field(number).as_bytes(), &value, expire, &thresholds);
                }
                ((), true)
            });
        }
    }

    fn change_set(&mut self, shard: &mut Shard) {
        let (key, thresholds) = (self.key(), shard.settings().thresholds);
        let (first, count, integers) =
            (self.random.i64(0..1000), self.random.i64(1..200), self.random.bool());
        let removes = self.random.u8(..3) == 0;
        let texts: Vec<String> = (first..first + count).map(|number| format!("member:{number}")).collect();
        let members = texts.iter().enumerate().map(|(at, text)| {
            if integers { Element::Integer(first + at as i64) } else { Element::new(text.as_bytes()) }
        });
        let mut db = self.db(shard);
        if removes {
            let _ = db.change::<Set, _>(&key, Event::Changed, |set| {
                (members.for_each(|member| _ = set.remove(member)), true)
            });
        } else {
            let _ = db.change_or_create::<Set, _>(&key, Event::Changed, |set| {
                members.for_each(|member| _ = set.add(member, &thresholds));
                ((), true)
            });
        }
    }

    fn change_sorted_set(&mut self, shard: &mut Shard) {
        let (key, thresholds) = (self.key(), shard.settings().thresholds);
        let (first, count) = (self.random.u16(..500), self.random.u16(1..150));
        let removes = self.random.u8(..3) == 0;
        let members = (first..first + count).map(|number| (number, format!("member:{number}")));
        let mut db = self.db(shard);
        if removes {
            let _ = db.change::<SortedSet, _>(&key, Event::Changed, |set| {
                members.for_each(|(_, member)| _ = set.remove(member.as_bytes()));
                ((), true)
            });
        } else {
            let _ = db.change_or_create::<SortedSet, _>(&key, Event::Changed, |set| {
                members.for_each(|(number, member)| {
                    set.set(member.as_bytes(), f64::from(number) / 7.0, &thresholds);
                });
                ((), true)
            });
        }
        if self.random.u8(..8) == 0 {
            let key = self.key();
            self.db(shard).enlarge_sorted_set(&key);
        }
    }

    fn move_key(&mut self, shard: &mut Shard) {
        let (from, to, copies) = (self.key(), self.key(), self.random.bool());
        let taken = if copies {
            let db = self.db(shard);
            let found = db.read().find(&from);
            found.map(|entry| (entry.value().to_value(), entry.expire_at_ms()))
        } else {
            self.db(shard).remove(&from, Event::Del)
        };
        if let Some((value, at_ms)) = taken {
            self.db(shard).put(&to, value, at_ms.map_or(Expire::Clear, Expire::AtMs), Event::Set);
        }
    }

    fn stream(&mut self, shard: &mut Shard) {
        let key = match (self.key(), self.random.u8(..3)) {
            (key, 0) => [b"timed:", &key[4..]].concat(),
            (key, _) => key,
        };
        let (db, now_ms) = (self.random.u16(..DATABASES), shard.now_ms());
        if self.streams.len() < 8
            && let Some(entry) = shard.view(db, true).peek(&key)
        {
            let (walking, lines) = Walking::begin(entry.value(), now_ms);
            let (stream, expected): (Box<dyn Stream>, Expected) = if lines.is_empty() || self.random.bool() {
                // It takes a long time, and then wants all of the value.
                let slow = Slow(self.random.u8(..20), entry.value().elements_len());
                (Box::new(slow), Expected::Encoded(encoded(entry.value())))
            } else {
                (Box::new(walking), Expected::Lines(lines))
            };
            let id = shard.open_stream(db, &key, stream);
            self.streams.push(Reading { id, read: Vec::new(), expected });
        }
        for at in (0..self.streams.len()).rev() {
            let reading = &mut self.streams[at];
            match shard.stream_some(reading.id, 7, &mut reading.read) {
                StreamProgress::Done => self.streams.swap_remove(at).check(),
                StreamProgress::Lost => panic!("a reply was lost"),
                StreamProgress::More if self.random.u8(..30) == 0 => {
                    shard.close_stream(reading.id);
                    self.streams.swap_remove(at);
                }
                StreamProgress::More => {}
            }
        }
    }

    /// Reads all streams to their ends.
    pub fn end_streams(&mut self, shard: &mut Shard) {
        for mut reading in std::mem::take(&mut self.streams) {
            while shard.stream_some(reading.id, 7, &mut reading.read) == StreamProgress::More {}
            reading.check();
        }
        assert_eq!((shard.kept_bytes(), shard.has_streams(), shard.has_readers()), (0, false, false));
    }

    /// Makes or removes many keys, so that the table grows or shrinks.
    pub fn many(&mut self, shard: &mut Shard) {
        let (first, count) = (self.random.u32(..self.keys), self.random.u32(..self.keys));
        let (removes, now_ms) = (self.random.bool(), shard.now_ms());
        let mut db = self.db(shard);
        for number in first..first + count {
            let key = format!("key:{number}");
            if removes {
                db.delete(key.as_bytes());
            } else {
                let expire = if number % 7 == 0 { Expire::AtMs(now_ms + 200) } else { Expire::Clear };
                db.put_string(key.as_bytes(), key.as_bytes(), expire, Event::Set);
            }
        }
    }

    /// Does something.
    pub fn act(&mut self, shard: &mut Shard) {
        let key = self.key();
        match self.random.u8(..100) {
            0..25 => self.set_string(shard),
            25..35 => self.change_list(shard),
            35..45 => self.change_hash(shard),
            45..52 => self.change_set(shard),
            52..60 => self.change_sorted_set(shard),
            60..66 => drop(self.db(shard).delete(&key)),
            66..70 => self.move_key(shard),
            70..74 => {
                let at_ms = self.random.bool().then_some(shard.now_ms() + self.random.i64(0..300));
                self.db(shard).set_expire(&key, at_ms);
            }
            74..78 => drop(shard.evict()),
            78..82 => shard.set_now_ms(shard.now_ms() + self.random.i64(0..40)),
            82..85 => drop(shard.expire_cycle(|| true)),
            85..88 => {
                self.db(shard).read().find(&key);
                shard.remove_met_expired();
            }
            88..92 => self.stream(shard),
            92 | 93 => {
                if self.random.bool() {
                    let _ = shard.must_wait_for_readers(self.random.u16(..DATABASES), &key);
                }
                shard.keep_some(self.random.usize(1..2000));
            }
            94 if self.random.bool() => {
                shard.swap(self.random.u16(..DATABASES), self.random.u16(..DATABASES))
            }
            95 if self.random.u8(..4) == 0 => shard.flush(self.random.u16(..DATABASES), self.random.bool()),
            96 if self.random.u8(..2) == 0 => self.many(shard),
            97 => {
                let (db, text) = (self.random.u16(..DATABASES), Value::from(StringValue::new(b"loaded")));
                let is_there = shard.database(db).table().get(&key).is_some();
                assert_eq!(shard.insert_loaded(db, &key, text, None, Some(3), Some(4)), !is_there);
            }
            _ => drop(shard.reclaim(self.random.usize(..3))),
        }
    }
}
