//! SCAN over all shards: a client's cursor is a shard and a position in it.
//!
//! Shards are walked in the order of their numbers, as many of them in a call as it takes to find what was asked for.
//! The lower bits of a cursor are the shard, as many as the number of shards takes; the others are the cursor within
//! its table (39 bits, see `tessera_keyspace::table`), so that clients can read the whole as a double. 0 is both the
//! first position of the first shard and the end.

use crate::slots::ShardId;
use tessera_command::spec::CountOption;
use tessera_resp::args::OwnedArgs;
use tessera_resp::number::parse_i64;
use tessera_resp::{Args, Protocol, Reply, scan};

/// A position behind those of any table.
const BEYOND: u64 = 1 << 62;

fn shard_bits(shards: ShardId) -> u32 {
    u32::from(shards).next_power_of_two().trailing_zeros()
}

/// The shard and the position that a cursor stands for. `None` if there is no such shard: then the walk is over.
pub fn take_apart(cursor: u64, shards: ShardId) -> Option<(ShardId, u64)> {
    let bits = shard_bits(shards);
    let shard = (cursor & ((1 << bits) - 1)) as ShardId;
    (shard < shards).then_some((shard, cursor >> bits))
}

/// The client's cursor after shard `shard` answered with position `position` (0: it is done).
pub fn put_together(shard: ShardId, position: u64, shards: ShardId) -> u64 {
    match (position, shard + 1 < shards) {
        (0, false) => 0,
        (0, true) => u64::from(shard) + 1,
        (position, _) => position << shard_bits(shards) | u64::from(shard),
    }
}

/// One call of SCAN.
#[derive(Clone, Debug)]
pub struct Walk {
    words: OwnedArgs,
    cursor_index: usize,
    count: CountOption,
    protocol: Protocol,
    shards: ShardId,
    shard: ShardId,
    /// Where to begin there; `None`: the cursor is none, which is for the command itself to refuse.
    position: Option<u64>,
    /// The same of where the call began.
    start: (ShardId, Option<u64>),
    /// What shards have found so far.
    found: Vec<u8>,
    found_len: usize,
}

/// How a walk goes on.
#[derive(Debug, PartialEq, Eq)]
pub enum Onward {
    /// Ask this shard, with [`Walk::part`].
    Ask(ShardId),
    /// The whole reply.
    Done(Vec<u8>),
}

impl Walk {
    /// Begins where word `cursor_index` says.
    pub fn new(
        words: OwnedArgs,
        cursor_index: usize,
        count: CountOption,
        protocol: Protocol,
        shards: ShardId,
    ) -> Walk {
        let given = words.as_args().get(cursor_index).and_then(tessera_command::cursor::parse);
        let (shard, position) = match given {
            None => (0, None),
            // No such shard (any more): the position after the end of the last one.
            Some(cursor) => match take_apart(cursor, shards) {
                None => (shards.saturating_sub(1), Some(BEYOND)),
                Some((shard, position)) => (shard, Some(position)),
            },
        };
        Walk {
            words,
            cursor_index,
            count,
            protocol,
            shards,
            shard,
            position,
            start: (shard, position),
            found: Vec::new(),
            found_len: 0,
        }
    }

    /// Which shard is asked.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// What that shard is asked.
    pub fn part(&self) -> OwnedArgs {
        let args = self.words.as_args();
        let mut part = OwnedArgs::new();
        for (index, word) in args.iter().enumerate() {
            match self.position {
                Some(position) if index == self.cursor_index => part.push(position.to_string().as_bytes()),
                _ => part.push(word),
            }
        }
        if self.found_len > 0 {
            // The last one counts.
            part.push(self.count.word.as_bytes());
            part.push(self.left().to_string().as_bytes());
        }
        part
    }

    /// Begins anew, with all the shards asked that are still to come: what each of them is asked. They answer what is
    /// there at one moment, to be taken in their order. Perhaps that is more than what was asked for, as a count is
    /// only a hint.
    pub fn restart(&mut self) -> Vec<(ShardId, OwnedArgs)> {
        self.found.clear();
        self.found_len = 0;
        (self.shard, self.position) = self.start;
        let (first, position) = self.start;
        let mut parts = vec![(first, self.part())];
        self.position = Some(0);
        parts.extend((first + 1..self.shards).map(|shard| (shard, self.part())));
        self.position = position;
        parts
    }

    /// How many elements are still to be found.
    fn left(&self) -> usize {
        let options = self.words.as_args().from(self.cursor_index + 1);
        requested_count(options, self.count).saturating_sub(self.found_len)
    }

    /// Takes in what the shard answered.
    pub fn take(&mut self, part: &[u8]) -> Onward {
        let mut elements = scan::elements(part).into_iter().flatten();
        let position = elements
            .next()
            .and_then(scan::text)
            .and_then(parse_i64)
            .and_then(|position| u64::try_from(position).ok());
        let (Some(position), Some(found)) = (position, elements.next().and_then(scan::elements)) else {
            // An error goes to the client as it is.
            return Onward::Done(part.to_vec());
        };
        for element in found {
            self.found.extend_from_slice(element);
            self.found_len += 1;
        }
        if position == 0 && self.shard + 1 < self.shards && self.left() > 0 {
            self.shard += 1;
            self.position = Some(0);
            return Onward::Ask(self.shard);
        }
        let mut out = Vec::with_capacity(self.found.len() + 64);
        let mut reply = Reply::new(&mut out, self.protocol);
        reply.array(2);
        reply.bulk(put_together(self.shard, position, self.shards).to_string().as_bytes());
        reply.array(self.found_len);
        reply.raw(&self.found);
        Onward::Done(out)
    }
}

/// How many elements a call wants, by its words behind the cursor, which are pairs.
fn requested_count(options: Args<'_>, count: CountOption) -> usize {
    let mut counts = (0..options.len()).step_by(2).filter_map(|at| {
        let is_count = options.get(at)?.eq_ignore_ascii_case(count.word.as_bytes());
        usize::try_from(parse_i64(options.get(at + 1)?)?).ok().filter(|_| is_count)
    });
    counts.next_back().unwrap_or(count.default)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: CountOption = CountOption { word: "COUNT", default: 10 };

    #[test]
    fn a_walk_visits_every_shard() {
        for shards in [1, 3, 4, 1024] {
            let (mut cursor, mut visited) = (0, Vec::new());
            loop {
                let (shard, position) = take_apart(cursor, shards).unwrap();
                visited.push((shard, position));
                // Every shard has one more step at position 7.
                cursor = put_together(shard, if position == 0 { 7 } else { 0 }, shards);
                if cursor == 0 {
                    break;
                }
            }
            let expected: Vec<_> = (0..shards).flat_map(|shard| [(shard, 0), (shard, 7)]).collect();
            assert_eq!(visited, expected);
        }
        assert_eq!(take_apart(3, 3), None);
    }

    #[test]
    fn cursors_fit_a_double() {
        let last = (1 << tessera_keyspace::table::CURSOR_BITS) - 1;
        assert!(put_together(8191, last, 8192) < 1 << 53);
    }

    fn walk(words: &str, shards: ShardId) -> Walk {
        Walk::new(OwnedArgs::from_words(words.split(' ')), 1, COUNT, Protocol::Resp2, shards)
    }

    fn part(walk: &Walk) -> String {
        let part = walk.part();
        let words: Vec<_> =
            part.as_args().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        words.join(" ")
    }

    fn answer(position: u64, keys: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, Protocol::Resp2);
        reply.array(2);
        reply.bulk(position.to_string().as_bytes());
        reply.array(keys.len());
        keys.iter().for_each(|key| reply.bulk(key.as_bytes()));
        out
    }

    #[test]
    fn a_call_goes_on_to_the_next_shard_until_it_has_found_enough() {
        let mut scan = walk("scan 0 MATCH COUNT COUNT 3", 3);
        assert_eq!((scan.shard(), part(&scan).as_str()), (0, "scan 0 MATCH COUNT COUNT 3"));
        assert_eq!(scan.take(&answer(0, &["a"])), Onward::Ask(1));
        assert_eq!(part(&scan), "scan 0 MATCH COUNT COUNT 3 COUNT 2");
        assert_eq!(scan.take(&answer(0, &["b", "c"])), Onward::Done(answer(2, &["a", "b", "c"])));
        let mut scan = walk("scan 2", 3);
        assert_eq!((scan.shard(), part(&scan).as_str()), (2, "scan 0"));
        assert_eq!(scan.take(&answer(9, &["a"])), Onward::Done(answer(9 << 2 | 2, &["a"])));
    }

    #[test]
    fn all_shards_can_be_asked_at_once() {
        let mut scan = walk("scan 5 COUNT 3", 3);
        assert_eq!((scan.shard(), part(&scan).as_str()), (1, "scan 1 COUNT 3"));
        assert_eq!(scan.take(&answer(0, &["a"])), Onward::Ask(2));
        let words = |args: &[&str]| OwnedArgs::from_words(args);
        let parts = [(1, words(&["scan", "1", "COUNT", "3"])), (2, words(&["scan", "0", "COUNT", "3"]))];
        assert_eq!(scan.restart(), parts);
        assert_eq!(scan.take(&answer(0, &["a", "d"])), Onward::Ask(2));
        let found = ["a", "d", "b", "c", "e"];
        assert_eq!(scan.take(&answer(6, &["b", "c", "e"])), Onward::Done(answer(6 << 2 | 2, &found)));
    }

    #[test]
    fn an_empty_database_takes_one_call() {
        let mut scan = walk("scan 0", 2);
        assert_eq!(scan.take(&answer(0, &[])), Onward::Ask(1));
        assert_eq!(part(&scan), "scan 0");
        assert_eq!(scan.take(&answer(0, &[])), Onward::Done(answer(0, &[])));
    }

    #[test]
    fn what_is_wrong_is_told_by_the_command() {
        let mut scan = walk("scan x", 2);
        assert_eq!(part(&scan), "scan x");
        assert_eq!(scan.take(b"-ERR invalid cursor\r\n"), Onward::Done(b"-ERR invalid cursor\r\n".to_vec()));
        assert_eq!(part(&walk("scan 3", 3)), format!("scan {BEYOND}"));
    }
}
