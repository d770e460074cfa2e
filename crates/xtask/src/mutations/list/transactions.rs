//! What keeps transactions over several shards apart, and has them come to an end.

use super::*;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "a key that is read can be written",
        file: "crates/routing/src/intents.rs",
        code: "«self == Access::Write || other == Access::Write»",
        instead: "self == Access::Write && other == Access::Write",
        caught_by: APART,
    },
    Mutation {
        name: "who wants a whole shard meets nobody",
        file: "crates/routing/src/intents.rs",
        code: "self.whole.is_some_and(|access| «access.conflicts(other.strongest())»)",
        instead: "false",
        caught_by: APART,
    },
    Mutation {
        name: "nobody meets who has a whole shard",
        file: "crates/routing/src/intents.rs",
        code: "other.whole.is_some_and(|access| «access.conflicts(self.strongest())»)",
        instead: "false",
        caught_by: APART,
    },
    Mutation {
        name: "who holds what an older one wants is not told",
        file: "crates/routing/src/intents.rs",
        code: "«self.wounded.push(holder);»",
        instead: "",
        caught_by: APART,
    },
    Mutation {
        name: "whoever waits for a key that is let go of is forgotten",
        file: "crates/routing/src/intents.rs",
        code: "«self.ready.extend(queue.next_waiters());»",
        instead: "",
        caught_by: APART,
    },
    Mutation {
        name: "the outcome is decided before all hold their keys",
        file: "crates/routing/src/transaction.rs",
        code: "«self.participants.iter().all(|participant| participant.state == State::Held)»",
        instead: "self.participants.iter().any(|participant| participant.state == State::Held)",
        caught_by: APART,
    },
    Mutation {
        name: "keys are given away while another shard may be carrying it out",
        file: "crates/routing/src/transaction.rs",
        code: r"participant.is_wounded = true;
        «!is_committing»",
        instead: "let _ = is_committing; true",
        caught_by: APART,
    },
    Mutation {
        name: "who could not give way at once never does",
        file: "crates/routing/src/transaction.rs",
        code: "«participant.is_wounded = true;»",
        instead: "",
        caught_by: APART,
    },
    Mutation {
        name: "a single command takes no notice of who holds its key",
        file: "crates/node/src/owner/admission.rs",
        code: "«self.held.holds_any() && self.is_key_held(command, args)»",
        instead: "false && self.is_key_held(command, args)",
        caught_by: ORDERED,
    },
    Mutation {
        name: "EXEC runs what it must not, as a watched key has changed",
        file: "crates/node/src/owner/errands.rs",
        code: "«watched.iter().any(|key| !key.is_unchanged(&self.shard))»",
        instead: "{ let _ = watched; false }",
        caught_by: ORDERED,
    },
    Mutation {
        name: "EXEC on its own shard runs what it must not, as a watched key has changed",
        file: "crates/node/src/home/watching.rs",
        code: "«own.any(|(db, key, stamp)| !self.owner.is_unchanged(db, key, stamp))»",
        instead: "own.any(|_| false)",
        caught_by: ORDERED,
    },
    Mutation {
        name: "what is watched is not held while EXEC runs",
        file: "crates/routing/src/exec.rs",
        code: "let wants = «Wants::keys(wanted.chain(watched.iter().map(|key| (&*key.key, Access::Read))))»;",
        instead: "Wants::keys(wanted)",
        caught_by: ORDERED,
    },
    Mutation {
        name: "WATCH does not wait for what has been answered already",
        file: "crates/node/src/home/watching.rs",
        code: "self.owner.held.holds_any() && «own.any(|key| self.owner.held.holds(key, Access::Read))»",
        instead: "own.any(|_| false)",
        caught_by: ANSWERED_BEFORE,
    },
    Mutation {
        name: "a client that leaves during EXEC leaves its keys held",
        file: "crates/node/src/core.rs",
        code: "if «connection.is_known_to_owners()» {",
        instead: "connection.is_known_to_owners() && connection.execution().is_none()",
        caught_by: ORDERED,
    },
    Mutation {
        name: "an owner does not hear that a key is watched no more",
        file: "crates/node/src/owner/errands.rs",
        code: "«self.owner.unwatch_all(&names);»",
        instead: "let _ = names;",
        caught_by: LEFT,
    },
    Mutation {
        name: "EXEC lets go of its keys before its last command",
        file: "crates/node/src/home/exec_shards.rs",
        code: "Mode::Hold => «execution.begin_steps()»,",
        instead: r"execution.begin_steps();
                let errands = execution.parts.release();
                self.send_errands(connection, errands);",
        caught_by: ORDERED,
    },
    Mutation {
        name: "EXEC does not wait for what changes a watched key and has been answered already",
        file: "crates/node/src/home/exec.rs",
        code: "if «self.is_own_watch_held(connection)» {",
        instead: "self.is_own_watch_held(connection) && false",
        caught_by: ANSWERED_BEFORE,
    },
    Mutation {
        name: "the keys of an MSET are read one after the other",
        file: "crates/node/src/home/several_shards.rs",
        code: "let wants = «Wants::keys(keys)»;",
        instead: "{ drop(keys); Wants::default() }",
        caught_by: ORDERED,
    },
    Mutation {
        name: "a command of a transaction overtakes one that waits for a value to be kept",
        file: "crates/node/src/owner/admission.rs",
        code: "«self.owner.unkept.has_errand(errand.transaction)»",
        instead: "false",
        caught_by: KEPT,
    },
];
