use tessera_command::prelude::*;

pub struct Watch;

impl Transaction for Watch {
    const SPEC: Spec = Spec {
        name: "watch",
        summary: "Has the next EXEC run nothing if one of these keys changes before.",
        since: "2.2.0",
        group: Group::Transactions,
        complexity: "O(log N) for each key, in the number of watched keys.",
        flags: super::FLAGS.with(Flags::NOT_QUEUED),
        categories: Categories::TRANSACTION,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO)],
        grammar: &[key("key", 0).multiple()],
        ..Spec::BASE
    };
    const STEP: TransactionStep = TransactionStep::Watch;
}
