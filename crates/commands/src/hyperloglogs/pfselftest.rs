use tessera_command::prelude::*;
use tessera_values::hyperloglog::self_test;

pub struct PfSelfTest;

impl Session for PfSelfTest {
    const SPEC: Spec = Spec {
        name: "pfselftest",
        summary: "Tests HyperLogLogs with up to a million elements of its own; nothing else happens meanwhile.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(1), but a long time.",
        flags: Flags::ADMIN,
        categories: Categories::HYPERLOGLOG,
        system: true,
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(_words: &mut Words<'a>) -> Result<(), Error> {
        Ok(())
    }

    fn execute(_args: &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let sparse_max_bytes = session.host.config().hll_sparse_max_bytes.0;
        match self_test(session.host.unix_us() as u64, sparse_max_bytes) {
            Ok(()) => reply.ok(),
            Err(text) => return Err(Error::built(text)),
        }
        Ok(())
    }
}
