use tessera_command::prelude::*;

pub struct Exec;

impl Transaction for Exec {
    const SPEC: Spec = Spec {
        name: "exec",
        summary: "Runs the queued commands, with nothing between them.",
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "Depends on the queued commands.",
        flags: Flags::NO_SCRIPT
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::SKIP_SLOWLOG)
            .with(Flags::NOT_QUEUED)
            .with(Flags::ENDS_QUEUE),
        categories: Categories::TRANSACTION,
        ..Spec::BASE
    };
    const STEP: TransactionStep = TransactionStep::Execute;
}
