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
        caught_by: RACED,
    },
];
