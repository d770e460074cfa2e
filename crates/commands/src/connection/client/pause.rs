use tessera_command::host::PauseMode;
use tessera_command::host::guard::wrong_form;
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

pub struct PauseClients;

impl Everywhere for PauseClients {
    const SPEC: Spec = Spec {
        name: "client|pause",
        summary: "Holds back commands of all connections for a while.",
        since: "3.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[
            integer("timeout"),
            one_of("mode", &[token("write", "WRITE"), token("all", "ALL")]).optional().since("6.2.0"),
        ],
        history: &[("6.2.0", "Only commands that may write are held back (`WRITE`).")],
        policy: Policy::AsTips,
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::AllOk;
    type Args<'a> = (i64, PauseMode);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        if words.left() > 2 {
            return Err(wrong_form("client", words.all()));
        }
        let timeout = words.word()?;
        let mode = match words.next_word() {
            None => PauseMode::All,
            Some(mode) if mode.eq_ignore_ascii_case(b"all") => PauseMode::All,
            Some(mode) if mode.eq_ignore_ascii_case(b"write") => PauseMode::Write,
            Some(_) => return Err(Error::Text("ERR CLIENT PAUSE mode must be WRITE or ALL")),
        };
        match parse_i64(timeout) {
            None => Err(Error::Text("ERR timeout is not an integer or out of range")),
            Some(..0) => Err(Error::Text("ERR timeout is negative")),
            Some(timeout_ms) => Ok((timeout_ms, mode)),
        }
    }

    fn execute(
        (timeout_ms, mode): &(i64, PauseMode),
        node: &mut NodePart<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let now_ms = node.host.unix_us() / 1000;
        let until_ms = match timeout_ms {
            // No time at all is over already, whatever the clock says.
            0 => 0,
            _ => timeout_ms.checked_add(now_ms).ok_or(Error::Text("ERR timeout is out of range"))?,
        };
        node.host.pause_mut().begin(*mode, until_ms);
        reply.ok();
        Ok(())
    }
}
