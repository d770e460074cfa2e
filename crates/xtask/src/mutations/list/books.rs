//! The books of a table.

use super::*;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "the sum of times of expiry is not kept",
        file: "crates/keyspace/src/table/edit.rs",
        code: "«self.totals.expire_sum_ms += i128::from(at_ms) - i128::from(before_ms);»",
        instead: "",
        caught_by: IN_PLACE,
    },
    Mutation {
        name: "a key that is to expire is not looked for in time",
        file: "crates/keyspace/src/table/edit.rs",
        code: r"                unsafe { self.raw().set_expire_in_place(at_ms) };
                «self.note_due(at_ms);»",
        instead: "",
        caught_by: IN_PLACE,
    },
    Mutation {
        name: "a key that comes to expire is not looked for in time",
        file: "crates/keyspace/src/table/edit.rs",
        code: r"        if let Some(at_ms) = at_ms {
            «self.note_due(at_ms);»",
        instead: "",
        caught_by: IN_PLACE,
    },
    Mutation {
        name: "the books do not know that a key has another expiry",
        file: "crates/keyspace/src/table/edit.rs",
        code: r"let value = old.take_value();
            OwnedEntry::new(old.as_entry().key(), Content::Owned(value), at_ms, usage_bits)
        };
        «self.totals.add(new.as_entry());»",
        instead: "",
        caught_by: IN_PLACE,
    },
    Mutation {
        name: "the books do not know that an entry was replaced",
        file: "crates/keyspace/src/table/edit.rs",
        code: r"self.totals.subtract(old.as_entry());
        «self.totals.add(new.as_entry());»
        self.settle(slot, new);
        old",
        instead: "",
        caught_by: TABLE,
    },
    Mutation {
        name: "the volatile keys of a segment are not counted",
        file: "crates/keyspace/src/table/edit.rs",
        code: "«segment.volatile_len += u16::from(at_ms.is_some());»",
        instead: "",
        caught_by: IN_PLACE,
    },
    Mutation {
        name: "the next field that expires is not noted",
        file: "crates/keyspace/src/table/edit.rs",
        code: "«self.totals.field_deadlines.change(&key, (before_ms, after_ms));»",
        instead: "let _ = key;",
        caught_by: FIELDS,
    },
    Mutation {
        name: "the memory of a collection that grows is not counted",
        file: "crates/keyspace/src/table/edit.rs",
        code: "«self.totals.entry_bytes = self.totals.entry_bytes + after.allocated_bytes() - before_bytes;»",
        instead: "let _ = before_bytes;",
        caught_by: COLLECTIONS,
    },
    Mutation {
        name: "the memory of a string that grows is not counted",
        file: "crates/keyspace/src/table/edit.rs",
        code: "«self.totals.entry_bytes = self.totals.entry_bytes + self.as_entry().allocated_bytes() - before_bytes;»",
        instead: "let _ = before_bytes;",
        caught_by: IN_PLACE,
    },
    Mutation {
        name: "the books do not know of a new key",
        file: "crates/keyspace/src/table/mod.rs",
        code: "«self.totals.add(looked_at);»",
        instead: "",
        caught_by: TABLE,
    },
    Mutation {
        name: "the books do not know that a key is gone",
        file: "crates/keyspace/src/table/mod.rs",
        code: "«self.totals.subtract(entry.as_entry());»",
        instead: "",
        caught_by: TABLE,
    },
    Mutation {
        name: "a new key that expires is not looked for in time",
        file: "crates/keyspace/src/table/mod.rs",
        code: "«segment.next_due_ms = segment.next_due_ms.min(at_ms);»",
        instead: "",
        caught_by: TABLE,
    },
    Mutation {
        name: "the part of a table with a new key that expires is not looked for in time",
        file: "crates/keyspace/src/table/mod.rs",
        code: "«branch.next_due_ms = branch.next_due_ms.min(at_ms);»",
        instead: "",
        caught_by: TABLE,
    },
    Mutation {
        name: "the part of a table with a key that comes to expire is not looked for in time",
        file: "crates/keyspace/src/table/edit.rs",
        code: "«self.branch.next_due_ms = self.branch.next_due_ms.min(at_ms);»",
        instead: "",
        caught_by: IN_PLACE,
    },
    Mutation {
        name: "a new key is walked over that was not there when the walk began",
        file: "crates/keyspace/src/table/mod.rs",
        code: "«self.is_ahead_of_walk(hash)»",
        instead: "let _ = hash; false",
        caught_by: WALKED,
    },
    Mutation {
        name: "an entry that was walked over is walked over again",
        file: "crates/keyspace/src/table/edit.rs",
        code: "«slot.is_done()»",
        instead: "false",
        caught_by: WALKED,
    },
    Mutation {
        name: "fields that expire are not known of a new hash",
        file: "crates/keyspace/src/table/mod.rs",
        code: "«self.field_deadlines.set(entry, true);»",
        instead: "",
        caught_by: FIELDS,
    },
    Mutation {
        name: "fields that expire are known of a hash that is gone",
        file: "crates/keyspace/src/table/mod.rs",
        code: "«self.field_deadlines.set(entry, false);»",
        instead: "",
        caught_by: FIELDS,
    },
    Mutation {
        name: "the next field that expires is not noted of a hash kept apart",
        file: "crates/keyspace/src/table/edit.rs",
        code: r"before_bytes;
        «self.note_field_deadline(before_ms);»",
        instead: "let _ = before_ms;",
        caught_by: NEXT_FIELD,
    },
    Mutation {
        name: "the volatile keys of a segment are not counted when one comes",
        file: "crates/keyspace/src/table/segment.rs",
        code: "«self.volatile_len += u16::from(slot.is_volatile());»",
        instead: "",
        caught_by: TABLE,
    },
    Mutation {
        name: "the volatile keys of a segment are not counted when one goes",
        file: "crates/keyspace/src/table/segment.rs",
        code: "«self.volatile_len -= u16::from(removed.is_volatile());»",
        instead: "",
        caught_by: TABLE,
    },
];
