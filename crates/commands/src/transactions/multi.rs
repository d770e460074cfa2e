use tessera_command::prelude::*;

pub struct Multi;

impl Transaction for Multi {
    const SPEC: Spec = Spec {
        name: "multi",
        summary: "Begins a transaction: commands are queued until EXEC.",
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "O(1)",
        flags: super::FLAGS.with(Flags::NOT_QUEUED),
        categories: Categories::TRANSACTION,
        ..Spec::BASE
    };
    const STEP: TransactionStep = TransactionStep::Begin;
}
