use tessera_command::host::UnblockReason;
use tessera_command::host::guard::wrong_form;
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

pub struct Unblock;

impl Everywhere for Unblock {
    const SPEC: Spec = Spec {
        name: "client|unblock",
        summary: "Wakes a connection that waits in a blocking command.",
        since: "5.0.0",
        group: Group::Connection,
        complexity: "O(log N) where N is the number of client connections",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[
            integer("client-id"),
            one_of("unblock-type", &[token("timeout", "TIMEOUT"), token("error", "ERROR")]).optional(),
        ],
        policy: Policy::AsTips,
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::Sum;
    type Args<'a> = (i64, UnblockReason);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        if words.left() > 2 {
            return Err(wrong_form("client", words.all()));
        }
        let id = words.word()?;
        let reason = match words.next_word() {
            None => UnblockReason::Timeout,
            Some(reason) if reason.eq_ignore_ascii_case(b"timeout") => UnblockReason::Timeout,
            Some(reason) if reason.eq_ignore_ascii_case(b"error") => UnblockReason::Error,
            Some(_) => return Err(Error::Text("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
        };
        Ok((parse_i64(id).ok_or(Error::NOT_AN_INTEGER)?, reason))
    }

    fn execute(
        (id, reason): &(i64, UnblockReason),
        node: &mut NodePart<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let is_woken = u64::try_from(*id).is_ok_and(|id| node.host.unblock_client(id, *reason));
        reply.integer(i64::from(is_woken));
        Ok(())
    }
}
