use tessera_command::host::Action;
use tessera_command::prelude::*;

/// What is asked for. NOW is accepted and changes nothing: it shortens the wait for replicas, and there are none.
#[derive(Default)]
pub struct Order {
    save: bool,
    no_save: bool,
    force: bool,
    abort: bool,
}

pub struct Shutdown;

impl Session for Shutdown {
    const SPEC: Spec = Spec {
        name: "shutdown",
        summary: "Ends the server, after it has saved everything if it is to.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of keys when it saves; O(1) otherwise.",
        flags: Flags::ADMIN
            .with(Flags::NO_SCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::NO_MULTI)
            .with(Flags::ALLOW_BUSY),
        grammar: &[
            one_of("save-selector", &[token("nosave", "NOSAVE"), token("save", "SAVE")]).optional(),
            token("now", "NOW").optional().since("7.0.0"),
            token("force", "FORCE").optional().since("7.0.0"),
            token("abort", "ABORT").optional().since("7.0.0"),
        ],
        history: &[("7.0.0", "The words `NOW`, `FORCE` and `ABORT`.")],
        ..Spec::BASE
    };
    type Args<'a> = Order;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let (mut order, mut now) = (Order::default(), false);
        while let Some(word) = words.next_word() {
            let flag = match word.to_ascii_lowercase().as_slice() {
                b"nosave" => &mut order.no_save,
                b"save" => &mut order.save,
                b"now" => &mut now,
                b"force" => &mut order.force,
                b"abort" => &mut order.abort,
                _ => return Err(Error::SYNTAX),
            };
            *flag = true;
        }
        let has_others = order.no_save || order.save || now || order.force;
        if (order.abort && has_others) || (order.no_save && order.save) {
            return Err(Error::SYNTAX);
        }
        Ok(order)
    }

    fn execute(order: &Order, session: &mut SessionContext<'_>, _: &mut Reply<'_>) -> Result<(), Error> {
        if order.abort {
            // What it waits for is the snapshot, and nobody can ask before that is over.
            return Err(Error::Text("ERR No shutdown in progress."));
        }
        let save = match (order.save, order.no_save) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        session.host.end_server(save, order.force);
        session.host.act(Action::AwaitEnd);
        Ok(())
    }
}
