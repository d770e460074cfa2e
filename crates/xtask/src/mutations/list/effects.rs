//! What is recorded for whoever does the same again.

use super::*;

pub(super) const MUTATIONS: &[Mutation] = &[
    // Effects of what comes of itself.
    Mutation {
        name: "a key that expires is not recorded",
        file: "crates/keyspace/src/change/removal.rs",
        code: r#"«self.effects.record(db, &[b"DEL", key]);»
        self.note_expired_keys(1);"#,
        instead: "",
        caught_by: MORTAL,
    },
    Mutation {
        name: "a key that is put anew after its time is not recorded as gone",
        file: "crates/keyspace/src/change/mod.rs",
        code: "«self.expired(db, key);»",
        instead: "",
        caught_by: MORTAL,
    },
    Mutation {
        name: "a key that is met by a write after its time is not recorded as gone",
        file: "crates/keyspace/src/change/removal.rs",
        code: r"= self.remove_unsaved(db, key, true) {
            «self.was_over(db, key, was);»",
        instead: "",
        caught_by: MORTAL,
    },
    Mutation {
        name: "a key that is deleted after its time is not recorded as gone",
        file: "crates/keyspace/src/change/removal.rs",
        code: r"        } else {
            «self.was_over(db, key, was);»",
        instead: "",
        caught_by: MORTAL,
    },
    Mutation {
        name: "a key that the cycle finds expired is not recorded as gone",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.expired(db, entry.as_entry().key());»",
        instead: "",
        caught_by: MORTAL,
    },
    Mutation {
        name: "a key that is evicted is not recorded",
        file: "crates/keyspace/src/change/removal.rs",
        code: r#"«self.effects.record(db, &[b"DEL", key]);»
        self.evicted_keys += 1;"#,
        instead: "",
        caught_by: MORTAL,
    },
    Mutation {
        name: "fields that the cycle finds expired are not recorded",
        file: "crates/keyspace/src/change/removal.rs",
        code: "«self.effects.record(db, &words);»",
        instead: "let _ = words;",
        caught_by: MORTAL,
    },
    Mutation {
        name: "fields that are met by a write after their time are not recorded",
        file: "crates/commands/src/hashes/access.rs",
        code: "«record_expired(db, key, &expired);»",
        instead: "",
        caught_by: MORTAL,
    },
    Mutation {
        name: "keys that a gather does without are not removed before it",
        file: "crates/command/src/gather.rs",
        code: "«shard.remove_if_expired(db, need.key);»",
        instead: "",
        caught_by: MORTAL,
    },
    // Effects of commands.
    Mutation {
        name: "a command is not recorded",
        file: "crates/node/src/owner/run.rs",
        code: "«self.shard.effects_mut().note(db, changed, args);»",
        instead: "",
        caught_by: PLAYED,
    },
    Mutation {
        name: "an element that a client has waited for is not recorded",
        file: "crates/commands/src/lists/pop.rs",
        code: "«db.record(&[pop_word(end), key]);»",
        instead: "",
        caught_by: PLAYED,
    },
    Mutation {
        name: "an element that a client has waited for, and that goes elsewhere, is not recorded",
        file: "crates/commands/src/lists/blmove.rs",
        code: "Ok(Some(«moving.record(db)»))",
        instead: "Effect::Rewritten",
        caught_by: PLAYED,
    },
    Mutation {
        name: "a member that a client has waited for is not recorded",
        file: "crates/commands/src/sorted_sets/waiting.rs",
        code: "«db.record(&[end.pop_word(), key]);»",
        instead: "",
        caught_by: PLAYED,
    },
    Mutation {
        name: "what came from another shard is not recorded",
        file: "crates/routing/src/message.rs",
        code: "«effect::record_put(shard, db, &key);»",
        instead: "",
        caught_by: PLAYED,
    },
    Mutation {
        name: "what is removed for another shard's sake is not recorded",
        file: "crates/routing/src/message.rs",
        code: r".delete(&key) {
                    «effect::record_removed(shard, db, &key);»",
        instead: "",
        caught_by: PLAYED,
    },
    Mutation {
        name: "what goes to another shard is not recorded",
        file: "crates/routing/src/message.rs",
        code: r"                if taken.is_some() {
                    «effect::record_removed(shard, db, &key);»",
        instead: "",
        caught_by: PLAYED,
    },
    Mutation {
        name: "an element that goes to another shard is not recorded",
        file: "crates/routing/src/message.rs",
        code: "«effect::record_element(shard, db, &key, element, transfer.taken);»",
        instead: "",
        caught_by: PLAYED,
    },
    Mutation {
        name: "an element that came from another shard is not recorded",
        file: "crates/routing/src/message.rs",
        code: "«effect::record_element(shard, db, &key, &element, give.given);»",
        instead: "",
        caught_by: PLAYED,
    },
    Mutation {
        name: "what is rewritten is not recorded",
        file: "crates/keyspace/src/view.rs",
        code: "«self.shard.effects.record(self.db, words);»",
        instead: "",
        caught_by: MORTAL,
    },
    Mutation {
        name: "a key that has lost all of its fields is not recorded",
        file: "crates/keyspace/src/change/removal.rs",
        code: r#"if was == Was::WithoutFields {
            «self.effects.record(db, &[b"DEL", key]);»"#,
        instead: "",
        caught_by: OVER,
    },
    Mutation {
        name: "texts that a gather does without are not recorded",
        file: "crates/command/src/gather.rs",
        code: r#"«db.record(&[b"HDEL", &need.key, field]);»"#,
        instead: "",
        caught_by: TEXTS,
    },
    Mutation {
        name: "a rewritten command is recorded as it was sent, too",
        file: "crates/keyspace/src/effect.rs",
        code: "«effect == Effect::Verbatim»",
        instead: "effect != Effect::None",
        caught_by: SHARD_PLAYED,
    },
    Mutation {
        name: "an element that goes round in its list is not recorded",
        file: "crates/commands/src/lists/moving.rs",
        code: "«moving.record(db)»",
        instead: "let _ = moving; Effect::Rewritten",
        caught_by: MORTAL,
    },
    Mutation {
        name: "a string that came from another shard is recorded without its time",
        file: "crates/routing/src/effect.rs",
        code: r#"«words.extend(at_ms.into_iter().flat_map(|at_ms| [b"PXAT".as_slice(), at_ms]));»"#,
        instead: "",
        caught_by: PUT,
    },
    Mutation {
        name: "a collection that came from another shard is recorded without its time",
        file: "crates/routing/src/effect.rs",
        code: r#"key, «at_ms.unwrap_or(b"0")», &dumped"#,
        instead: r#"let _ = at_ms; b"0".as_slice()"#,
        caught_by: PUT,
    },
    Mutation {
        name: "a change over shards is not counted: a value that came",
        file: "crates/routing/src/message.rs",
        code: r"effect::record_put(shard, db, &key);
                «shard.note_dirty();»",
        instead: "",
        caught_by: ERRANDS,
    },
    Mutation {
        name: "a change over shards is not counted: a key that was removed",
        file: "crates/routing/src/message.rs",
        code: r".delete(&key) {
                    effect::record_removed(shard, db, &key);
                    «shard.note_dirty();»",
        instead: "",
        caught_by: ERRANDS,
    },
    Mutation {
        name: "a change over shards is not counted: an element that was taken",
        file: "crates/routing/src/message.rs",
        code: r"transfer.taken);
                    «shard.note_dirty();»",
        instead: "",
        caught_by: ERRANDS,
    },
    Mutation {
        name: "a change over shards is not counted: an element that came",
        file: "crates/routing/src/message.rs",
        code: r"give.given);
                «shard.note_dirty();»",
        instead: "",
        caught_by: ERRANDS,
    },
    Mutation {
        name: "a change over shards is not counted: the rest of a command",
        file: "crates/routing/src/message.rs",
        code: r"Effect::Rewritten))) {
        «shard.note_dirty();»",
        instead: "",
        caught_by: ERRANDS,
    },
    Mutation {
        name: "a change over shards is not counted: a value that was taken",
        file: "crates/routing/src/message.rs",
        code: r"if taken.is_some() {
                    effect::record_removed(shard, db, &key);
                    «shard.note_dirty();»",
        instead: "",
        caught_by: ERRANDS,
    },
    Mutation {
        name: "a change is not counted",
        file: "crates/node/src/owner/run.rs",
        code: r"args);
                «self.shard.note_dirty();»",
        instead: "",
        caught_by: COUNTED,
    },
    Mutation {
        name: "what a client was given that waited is not counted",
        file: "crates/node/src/owner/waiting.rs",
        code: "«self.shard.note_dirty();»",
        instead: "",
        caught_by: COUNTED,
    },
    Mutation {
        name: "what a client was given that waited is recorded before what brought it",
        file: "crates/node/src/owner/waiting.rs",
        code: "Served { reply: out, duration_ns: «time.read()» }",
        instead: r"
            let effects = self.shard.effects_mut();
            let mut recorded = effects.take();
            if let [.., brought, given] = &mut recorded[..] { std::mem::swap(brought, given) }
            recorded.into_iter().for_each(|(db, words)| effects.push(db, words));
            time.read()",
        caught_by: PLAYED,
    },
];
