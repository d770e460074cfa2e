//! What has become of keys, one by one, as Redis names it: the second of the two streams of change.
//!
//! An [`crate::Effect`] is what a command came down to, for whoever does the same again. An event is about one key, and
//! is told only if something has changed. The two do not match: `SET k v EX 9` has one effect and two events.
//!
//! The names and classes are those of [keyspace
//! notifications](https://redis.io/docs/latest/develop/use/keyspace-notifications/) in Redis 7.2, and for fields of
//! hashes that expire in Redis 8.2.

/// To which of the classes of `notify-keyspace-events` an event belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    /// `g`: commands for any type.
    Generic,
    /// `$`: strings, with bitmaps and HyperLogLogs.
    String,
    /// `l`: lists.
    List,
    /// `s`: sets.
    Set,
    /// `h`: hashes.
    Hash,
    /// `z`: sorted sets.
    SortedSet,
    /// `x`: keys whose time was over.
    Expired,
    /// `e`: keys that went because memory was short.
    Evicted,
    /// `n`: keys that were not there before.
    New,
    /// To none: Redis publishes nothing, but WATCH sees that the key has changed.
    Unpublished,
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $class:ident $name:literal,)*) => {
        /// What has become of a key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Event {
            $($(#[$doc])* $variant,)*
        }

        impl Event {
            /// All of them.
            pub const ALL: &[Event] = &[$(Event::$variant),*];

            /// What it is called.
            pub fn name(self) -> &'static str {
                match self {
                    $(Event::$variant => $name,)*
                }
            }

            /// Where it belongs.
            pub fn class(self) -> EventClass {
                match self {
                    $(Event::$variant => EventClass::$class,)*
                }
            }
        }
    };
}

events! {
    /// The key is gone: by a command that removes it, or because nothing was left in it.
    Del = Generic "del",
    /// It expires at another time.
    Expire = Generic "expire",
    /// It does not expire any more.
    Persist = Generic "persist",
    /// It has another name now.
    RenameFrom = Generic "rename_from",
    /// It has what another key held.
    RenameTo = Generic "rename_to",
    /// It is in another database now.
    MoveFrom = Generic "move_from",
    /// It has come from another database.
    MoveTo = Generic "move_to",
    /// It has a copy of what another key holds.
    CopyTo = Generic "copy_to",
    /// It has what was restored.
    Restore = Generic "restore",
    /// It was set to a string.
    Set = String "set",
    /// Bytes of the string were replaced.
    SetRange = String "setrange",
    /// The string has become longer.
    Append = String "append",
    /// An integer was added to that in the string.
    IncrBy = String "incrby",
    /// A number was added to that in the string.
    IncrByFloat = String "incrbyfloat",
    /// Bits of the string were set or cleared.
    SetBit = String "setbit",
    /// Elements were added to the HyperLogLog.
    PfAdd = String "pfadd",
    /// Elements were added to the list's head.
    LPush = List "lpush",
    /// Elements were added to the list's tail.
    RPush = List "rpush",
    /// Elements were taken from the list's head.
    LPop = List "lpop",
    /// Elements were taken from the list's tail.
    RPop = List "rpop",
    /// An element of the list was replaced.
    LSet = List "lset",
    /// The list was cut.
    LTrim = List "ltrim",
    /// Elements of the list were removed.
    LRem = List "lrem",
    /// An element was put between others of the list.
    LInsert = List "linsert",
    /// It has what SORT found.
    SortStore = List "sortstore",
    /// Members were added to the set.
    SAdd = Set "sadd",
    /// Members of the set were removed.
    SRem = Set "srem",
    /// Members of the set were drawn.
    SPop = Set "spop",
    /// It has what SINTERSTORE found.
    SInterStore = Set "sinterstore",
    /// It has what SUNIONSTORE found.
    SUnionStore = Set "sunionstore",
    /// It has what SDIFFSTORE found.
    SDiffStore = Set "sdiffstore",
    /// Fields of the hash were set.
    HSet = Hash "hset",
    /// Fields of the hash were removed.
    HDel = Hash "hdel",
    /// An integer was added to that in a field.
    HIncrBy = Hash "hincrby",
    /// A number was added to that in a field.
    HIncrByFloat = Hash "hincrbyfloat",
    /// Fields of the hash expire at another time.
    HExpire = Hash "hexpire",
    /// Fields of the hash do not expire any more.
    HPersist = Hash "hpersist",
    /// Fields of the hash are gone because their time was over.
    HExpired = Hash "hexpired",
    /// Members were added to the sorted set, or have another score.
    ZAdd = SortedSet "zadd",
    /// A number was added to a score.
    ZIncr = SortedSet "zincr",
    /// Members of the sorted set were removed.
    ZRem = SortedSet "zrem",
    /// Members of the sorted set were removed by their score.
    ZRemRangeByScore = SortedSet "zremrangebyscore",
    /// Members of the sorted set were removed by their rank.
    ZRemRangeByRank = SortedSet "zremrangebyrank",
    /// Members of the sorted set were removed by their name.
    ZRemRangeByLex = SortedSet "zremrangebylex",
    /// Members of the sorted set with the lowest scores were taken.
    ZPopMin = SortedSet "zpopmin",
    /// Members of the sorted set with the highest scores were taken.
    ZPopMax = SortedSet "zpopmax",
    /// It has what ZINTERSTORE found.
    ZInterStore = SortedSet "zinterstore",
    /// It has what ZUNIONSTORE found.
    ZUnionStore = SortedSet "zunionstore",
    /// It has what ZDIFFSTORE found.
    ZDiffStore = SortedSet "zdiffstore",
    /// It has what ZRANGESTORE found.
    ZRangeStore = SortedSet "zrangestore",
    /// It has what GEORADIUS found.
    GeoRadiusStore = SortedSet "georadiusstore",
    /// It has what GEOSEARCHSTORE found.
    GeoSearchStore = SortedSet "geosearchstore",
    /// The key is gone because its time was over.
    Expired = Expired "expired",
    /// The key is gone because memory was short.
    Evicted = Evicted "evicted",
    /// The key was not there before. What it holds is told next.
    New = New "new",
    /// It has changed in a way that Redis has no name for.
    Changed = Unpublished "changed",
}

impl Event {
    /// What the key held goes first, so that it is new.
    #[inline]
    pub(crate) fn replaces_key(self) -> bool {
        matches!(self, Event::RenameTo | Event::MoveTo | Event::CopyTo | Event::Restore)
    }
}

/// An event, and the key and the database that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    /// The key's database.
    pub db: u16,
    /// The key.
    pub key: Box<[u8]>,
    /// What has become of it.
    pub event: Event,
}

/// Collects the events of a shard, in order, if anybody listens. Whoever does takes them after each command: nothing
/// else bounds how many they become.
#[derive(Debug, Default)]
pub struct Events {
    listened: bool,
    told: Vec<KeyEvent>,
}

impl Events {
    /// Begins or stops collecting.
    pub fn set_listened(&mut self, listened: bool) {
        self.listened = listened;
        self.told.clear();
    }

    /// Somebody listens.
    #[inline]
    pub fn are_listened_to(&self) -> bool {
        self.listened
    }

    #[cold]
    pub(crate) fn tell(&mut self, db: u16, key: &[u8], event: Event) {
        if self.listened {
            self.told.push(KeyEvent { db, key: key.into(), event });
        }
    }

    /// How many were told since they were last taken: what is told from here on can be told last.
    #[inline]
    pub fn len(&self) -> usize {
        self.told.len()
    }

    /// None was told since they were last taken.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Has the events from number `start` up to number `end` be told behind those that came after them: where a command
    /// tells of its keys in another order than it changes them.
    #[inline]
    pub fn tell_last(&mut self, start: usize, end: usize) {
        self.told[start..].rotate_left(end - start);
    }

    /// Hands over what was told since the last call, in order.
    pub fn take(&mut self) -> Vec<KeyEvent> {
        std::mem::take(&mut self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_last_stays_in_its_order() {
        let mut events = Events::default();
        events.tell(0, b"nobody", Event::Set);
        events.set_listened(true);
        for (key, event) in [
            (b"first", Event::Set),
            (b"taken", Event::LPop),
            (b"taken", Event::Del),
            (b"given", Event::New),
            (b"given", Event::RPush),
        ] {
            events.tell(0, key, event);
        }
        events.tell_last(1, 3);
        let told: Vec<Event> = events.take().iter().map(|told| told.event).collect();
        assert_eq!(told, [Event::Set, Event::New, Event::RPush, Event::LPop, Event::Del]);
        assert!(events.is_empty());
    }
}
