//! What holds on to values: long replies and the snapshot.

use super::*;

pub(super) const MUTATIONS: &[Mutation] = &[
    // Who is in the middle of a value that changes.
    Mutation {
        name: "a value that changes is not copied for its readers",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"        if self.streams.are_of_keys() {
            «self.copy_for_readers(db, key);»
        }
        self.save_ahead(db, key, true);",
        instead: "",
        caught_by: STREAMS,
    },
    Mutation {
        name: "a hash whose fields expire is not copied for its readers",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.copy_for_readers(db, key);»",
        instead: "",
        caught_by: STREAMS,
    },
    Mutation {
        name: "a value that is flushed, and that the snapshot has still to come to, is not copied for its readers",
        file: "crates/keyspace/src/change/whole.rs",
        code: "«self.copy_for_readers(db, &key);»",
        instead: "",
        caught_by: STREAMS_BESIDE_SNAPSHOTS,
    },
    Mutation {
        name: "a change of a string comes before its readers know",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"self.remove_if_expired(db, key);
        «self.before_change(db, key);»
        let Some(mut entry) = self.entry_mut(db, key, touch) else { return Ok(None) };
        let (result, has_changed)",
        instead: "",
        caught_by: STRINGS,
    },
    Mutation {
        name: "a change of a collection comes before its readers know",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"self.remove_if_expired(db, key);
        «self.before_change(db, key);»
        let Some(mut entry) = self.entry_mut(db, key, touch) else { return Ok(None) };
        let ((result, has_changed)",
        instead: "",
        caught_by: STREAMS,
    },
    Mutation {
        name: "readers do not go with their database when it changes places",
        file: "crates/keyspace/src/change/whole.rs",
        code: "«self.streams.swap(first, second);»",
        instead: "",
        caught_by: STREAMS,
    },
    // Who is in the middle of a value that goes.
    Mutation {
        name: "a value that another is put over is not kept",
        file: "crates/keyspace/src/change/mod.rs",
        code: "«self.dispose(db, old, later);»",
        instead: "drop((old, later));",
        caught_by: STREAMS,
    },
    Mutation {
        name: "a value that is removed is not kept",
        file: "crates/keyspace/src/change/removal.rs",
        code: "let is_held = «self.dispose(db, entry, later)»;",
        instead: "drop((entry, later)); false",
        caught_by: STREAMS,
    },
    Mutation {
        name: "a value that the cycle finds expired is not kept",
        file: "crates/keyspace/src/change/removal.rs",
        code: r"            «self.dispose(db, entry, later);»
        }
        Some(removed)",
        instead: "drop((entry, later));",
        caught_by: STREAMS,
    },
    Mutation {
        name: "a value that is taken is not copied for its readers",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.before_change(db, key);»",
        instead: "",
        caught_by: STREAMS,
    },
    Mutation {
        name: "a database is emptied before its readers have what they need",
        file: "crates/keyspace/src/change/whole.rs",
        code: "«self.keep_before_flush(db);»",
        instead: "",
        caught_by: STREAMS,
    },
    Mutation {
        name: "a value that is flushed is not kept",
        file: "crates/keyspace/src/change/whole.rs",
        code: "«self.dispose(db, entry, true);»",
        instead: "drop(entry);",
        caught_by: STREAMS,
    },
    Mutation {
        name: "a value that goes in the middle of being saved is not kept for the snapshot",
        file: "crates/keyspace/src/stream/mod.rs",
        code: "«writer.adopt(kept);»",
        instead: "let _ = (writer, kept);",
        caught_by: SNAPSHOTS,
    },
    // The snapshot that has not come to what changes.
    Mutation {
        name: "a value that changes is not saved ahead",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"            self.copy_for_readers(db, key);
        }
        «self.save_ahead(db, key, true);»",
        instead: "",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "a value that another is put over is not saved ahead",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"        «self.save_ahead(db, key, false);»
    }

    /// Somebody is to be told",
        instead: "",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "a string that another is put over is not saved ahead",
        file: "crates/keyspace/src/change/mod.rs",
        code: "            return «self.before_watched_change(db, key)»;",
        instead: "",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "a put comes before anybody knows",
        file: "crates/keyspace/src/change/mod.rs",
        code: "«self.before_overwrite(db, key);»",
        instead: "",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "a key that is removed is not saved ahead",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.save_ahead(db, key, false);»",
        instead: "",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "a key that is to expire at another time is not saved ahead",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"«self.save_ahead(db, key, false);»
        }
        let Some(mut entry)",
        instead: "",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "a collection that is kept otherwise is not saved ahead",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"«self.before_change(db, key);»
        if let Some(mut entry) = self.databases",
        instead: "",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "a table that is flushed is not walked to its end",
        file: "crates/keyspace/src/change/whole.rs",
        code: "let old = «self.detach_from_snapshot(db, table, part)»;",
        instead: "{ let _ = part; Some(table) }",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "the snapshot does not know that databases have changed places",
        file: "crates/keyspace/src/change/whole.rs",
        code: "«self.swap_in_snapshot(first, second);»",
        instead: "",
        caught_by: SNAPSHOTS,
    },
    Mutation {
        name: "a string that is overwritten where it is is not copied for its readers",
        file: "crates/keyspace/src/change/mod.rs",
        code: "|entry| «matches!(entry.value(), ValueRef::String(_)) && !entry.is_boxed()»",
        instead: "let _ = entry; false",
        caught_by: STRINGS,
    },
    Mutation {
        name: "a write that only looks is taken for a change",
        file: "crates/keyspace/src/change/mod.rs",
        code: r"«self.remove_if_expired(db, key);»
        self.entry_mut(db, key, touch).map(",
        instead: "self.remove_if_expired(db, key); self.before_change(db, key);",
        caught_by: LOOKING,
    },
    Mutation {
        name: "memory of what is kept for readers counts as free",
        file: "crates/keyspace/src/change/removal.rs",
        code: "freed_bytes: «if is_held { 0 } else { bytes }»",
        instead: "let _ = is_held; bytes",
        caught_by: EVICTED,
    },
    Mutation {
        name: "SETNX is taken for a change before it has looked",
        file: "crates/commands/src/strings/setnx.rs",
        code: "«db.has_to_write(key)»",
        instead: "matches!(db.change_string(key, Event::Set, |_| Ok::<_, Error>(((), false))), Ok(Some(())))",
        caught_by: UNCHANGED,
    },
    Mutation {
        name: "SET NX is taken for a change before it has looked",
        file: "crates/commands/src/strings/set.rs",
        code: "«db.has_to_write(args.key)»",
        instead: "matches!(db.change_string(args.key, Event::Set, |_| Ok::<_, Error>(((), false))), Ok(Some(())))",
        caught_by: UNCHANGED,
    },
];
