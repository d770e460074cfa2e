use tessera_command::host::{ClientFilter, Clients};
use tessera_command::prelude::*;

pub struct Order<'a> {
    filter: ClientFilter<'a>,
    /// An address alone: answered with OK or an error, and clients may close themselves.
    is_old_form: bool,
}

pub struct Kill;

impl Everywhere for Kill {
    const SPEC: Spec = Spec {
        name: "client|kill",
        summary: "Closes connections.",
        since: "2.4.0",
        group: Group::Connection,
        complexity: "O(N) in the number of connections.",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[one_of(
            "filter",
            &[
                string("old-format").display("ip:port").deprecated_since("2.8.12"),
                one_of(
                    "new-format",
                    &[
                        integer("client-id").after("ID").optional().since("2.8.12"),
                        one_of(
                            "client-type",
                            &[
                                token("normal", "NORMAL"),
                                token("master", "MASTER").since("3.2.0"),
                                token("slave", "SLAVE"),
                                token("replica", "REPLICA").since("5.0.0"),
                                token("pubsub", "PUBSUB"),
                            ],
                        )
                        .after("TYPE")
                        .optional()
                        .since("2.8.12"),
                        string("username").after("USER").optional(),
                        string("addr").after("ADDR").display("ip:port").optional(),
                        string("laddr").after("LADDR").display("ip:port").optional().since("6.2.0"),
                        one_of("skipme", &[token("yes", "YES"), token("no", "NO")])
                            .after("SKIPME")
                            .optional(),
                    ],
                )
                .multiple(),
            ],
        )],
        history: &[
            ("2.8.12", "Filters as pairs of words."),
            ("2.8.12", "The filter `ID`."),
            ("3.2.0", "The type `master`."),
            ("5.0.0", "The type `slave` is called `replica`, too."),
            ("6.2.0", "The filter `LADDR`."),
        ],
        policy: Policy::AsTips,
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::SumOrAny;
    type Args<'a> = Order<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        if words.left() == 1 {
            let filter = ClientFilter { peer: words.next_word(), ..ClientFilter::default() };
            Ok(Order { filter, is_old_form: true })
        } else {
            Ok(Order { filter: ClientFilter::parse_kill(words)?, is_old_form: false })
        }
    }

    fn execute(order: &Order<'_>, node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        match (order.is_old_form, close_matching(node.host, &order.filter, node.caller_id)) {
            (false, count) => reply.integer(count as i64),
            (true, 0) => return Err(Error::Text("ERR No such client")),
            (true, _) => reply.ok(),
        }
        Ok(())
    }
}

/// Closes the clients of a node that the filter matches. How many they are.
fn close_matching(clients: &mut dyn Clients, filter: &ClientFilter<'_>, caller_id: u64) -> usize {
    let mut found = Vec::new();
    clients.visit_clients(&mut |info| {
        if filter.matches(info, caller_id) {
            found.push(info.client.id);
        }
    });
    found.iter().for_each(|id| clients.close_client(*id));
    found.len()
}
