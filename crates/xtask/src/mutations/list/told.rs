//! Who is told of changes: clients that wait for keys, and listeners.

use super::*;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "who waits for a key does not hear of a change",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"«self.waited_keys.note(db, key);»
        self.watched_keys.note(db, key);",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "who waits for a key does not hear that databases have changed places",
        file: "crates/keyspace/src/change/whole.rs",
        code: "«self.waited_keys.note(db, &key);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "no listener hears of a change",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"self.waited_keys.note(db, key);
        self.watched_keys.note(db, key);
        «self.events.tell(db, key, event);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "who watches a key does not hear of a change",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"self.waited_keys.note(db, key);
        «self.watched_keys.note(db, key);»",
        instead: "",
        caught_by: WATCHED,
    },
    Mutation {
        name: "who watches a key does not hear that it is gone",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"            «self.watched_keys.note(db, key);»
            self.events.tell(db, key, event);",
        instead: "",
        caught_by: WATCHED_TIME,
    },
    Mutation {
        name: "who watches a key does not hear that its time is over",
        file: "crates/keyspace/src/change/mod.rs",
        code: "«self.watched_keys.note_lapse(db, key);»",
        instead: "",
        caught_by: WATCHED_TIME,
    },
    Mutation {
        name: "a key whose time was over counts as changed when it is removed",
        file: "crates/keyspace/src/change/removal.rs",
        code: "Was::Over => «self.lapsed(db, key, Event::Evicted)»,",
        instead: "self.gone(db, key, Event::Evicted)",
        caught_by: WATCHED_TIME,
    },
    Mutation {
        name: "who watches a key does not hear that it got another name",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.watched_keys.note(from_db, from_key);»",
        instead: "",
        caught_by: WATCHED_MOVE,
    },
    Mutation {
        name: "who watches a key does not hear of a flush",
        file: "crates/keyspace/src/change/whole.rs",
        code: "«self.before_watched_flush(db);»",
        instead: "",
        caught_by: WATCHED_WHOLE,
    },
    Mutation {
        name: "who watches a key does not hear that databases have changed places",
        file: "crates/keyspace/src/change/whole.rs",
        code: "«self.before_watched_swap(first, second);»",
        instead: "",
        caught_by: WATCHED_WHOLE,
    },
    Mutation {
        name: "no listener hears that a key is new",
        file: "crates/keyspace/src/change/mod.rs",
        code: "«self.events.tell(db, key, Event::New);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "no listener hears that a key is gone",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"            self.watched_keys.note(db, key);
            «self.events.tell(db, key, event);»
        }
    }

    /// `key` is gone, for the reason that `event` tells; to everybody",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key was put where none was",
        file: "crates/keyspace/src/change/mod.rs",
        code: "«self.after_creation(db, key, event);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key was put over another",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"        } else {
            «self.after(db, key, event);»
        }
    }

    /// The same, and nobody",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a string has changed",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"        if has_changed {
            «self.after(db, key, event);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a collection has changed",
        file: "crates/keyspace/src/change/mod.rs",
        code: "«self.after_collection_change(db, key, event, is_empty);»",
        instead: "let _ = is_empty;",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key expires at another time",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"        entry.set_expire(at_ms);
        «self.after(db, key, event);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key has another name",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.after(to_db, to_key, key_move.to_event);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that fields have expired",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.after_collection_change(db, key, Event::HExpired, is_empty);»",
        instead: "let _ = is_empty;",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key was evicted",
        file: "crates/keyspace/src/change/removal.rs",
        code: "Was::There | Was::WithoutFields => «self.gone(db, key, Event::Evicted)»,",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key has expired",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.lapsed(db, key, Event::Expired);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key was deleted",
        file: "crates/keyspace/src/change/removal.rs",
        code: r"if was == Was::There {
            «self.gone(db, key, Event::Del);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "a write that has changed nothing is told all the same",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"        if «has_changed» {
            self.after_collection_change",
        instead: "let _ = has_changed; true",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key was taken",
        file: "crates/keyspace/src/change/removal.rs",
        code: r"take_untold(db, key)?;
        «self.gone(db, key, event);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears what was done to a key that went with it",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"«self.gone(db, key, event);»
            self.gone(db, key, Event::Del);",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key went with its last element",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"self.gone(db, key, event);
            «self.gone(db, key, Event::Del);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key has got what another held",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.events.tell(to_db, to_key, Event::New);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key has lost what it held to another",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.events.tell(from_db, from_key, key_move.from_event);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key was over that gets what another held",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.remove_if_expired(to_db, to_key);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that a key begins anew",
        file: "crates/keyspace/src/change/mod.rs",
        code: "let replaces = «event.replaces_key()»;",
        instead: "false",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears more of a key",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"pub(crate) fn tell_more(&mut self, db: u16, key: &[u8], event: Event) {
        «self.after(db, key, event);»",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "a look at a string is told as a change",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"if «has_changed» {
            self.after(db",
        instead: "let _ = has_changed; true",
        caught_by: TOLD,
    },
    Mutation {
        name: "a string that is over is changed",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"«self.remove_if_expired(db, key);»
        self.before_change(db, key);
        let Some(mut entry) = self.entry_mut(db, key, touch) else { return Ok(None) };
        let (result",
        instead: "",
        caught_by: TOLD,
    },
    Mutation {
        name: "nobody hears that all fields of a key were over",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.gone(db, key, Event::HExpired);»",
        instead: "",
        caught_by: OVER,
    },
    Mutation {
        name: "nobody hears that a key went with all of its fields",
        file: "crates/keyspace/src/change/removal.rs",
        code: r"self.gone(db, key, Event::HExpired);
            «self.gone(db, key, Event::Del);»",
        instead: "",
        caught_by: OVER,
    },
    Mutation {
        name: "a key that expires is not counted",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.note_expired_keys(1);»",
        instead: "",
        caught_by: OVER,
    },
    Mutation {
        name: "a key is ready twice",
        file: "crates/keyspace/src/waiting.rs",
        code: "«!self.ready.contains(&place)»",
        instead: "true",
        caught_by: TOLD,
    },
    Mutation {
        name: "what is told last is told first",
        file: "crates/keyspace/src/event.rs",
        code: "«self.told[start..].rotate_left(end - start);»",
        instead: "let _ = (start, end);",
        caught_by: TOLD_LAST,
    },
    Mutation {
        name: "of an element that moves its source is told first",
        file: "crates/commands/src/lists/moving.rs",
        code: "«db.shard_mut().events_mut().tell_last(start, end);»",
        instead: "let _ = (start, end);",
        caught_by: EVENTS,
    },
    Mutation {
        name: "nobody hears that a key expires that was set",
        file: "crates/commands/src/strings/set.rs",
        code: "«db.tell_more(key, Event::Expire);»",
        instead: "",
        caught_by: EVENTS,
    },
    Mutation {
        name: "a member that is there already is told of",
        file: "crates/commands/src/sets/sadd.rs",
        code: "(added, «added > 0»)",
        instead: "true",
        caught_by: EVENTS,
    },
    Mutation {
        name: "a value that goes to another shard is told of as removed",
        file: "crates/routing/src/message.rs",
        code: "remove(&key, «Event::RenameFrom»)",
        instead: "Event::Del",
        caught_by: SHARDS_EVENTS,
    },
];
