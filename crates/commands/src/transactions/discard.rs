use tessera_command::prelude::*;

pub struct Discard;

impl Transaction for Discard {
    const SPEC: Spec = Spec {
        name: "discard",
        summary: "Forgets the queued commands, and what is watched.",
        since: "2.0.0",
        group: Group::Transactions,
        complexity: "O(N) in the number of queued commands.",
        flags: super::FLAGS.with(Flags::NOT_QUEUED).with(Flags::ENDS_QUEUE),
        categories: Categories::TRANSACTION,
        ..Spec::BASE
    };
    const STEP: TransactionStep = TransactionStep::Discard;
}
