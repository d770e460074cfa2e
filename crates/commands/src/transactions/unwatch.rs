use tessera_command::prelude::*;

pub struct Unwatch;

impl Transaction for Unwatch {
    const SPEC: Spec = Spec {
        name: "unwatch",
        summary: "Forgets what is watched.",
        since: "2.2.0",
        group: Group::Transactions,
        complexity: "O(N) in the number of watched keys.",
        flags: super::FLAGS,
        categories: Categories::TRANSACTION,
        ..Spec::BASE
    };
    const STEP: TransactionStep = TransactionStep::Unwatch;
}
