use std::collections::BTreeMap;
use tessera_command::host::{ClientKind, Clients};
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

pub enum Which {
    /// All, or those of a kind, by number.
    OfKind(Option<ClientKind>),
    /// Those that are asked for, in that order and as often.
    Numbered(Vec<i64>),
}

pub struct List;

impl Everywhere for List {
    const SPEC: Spec = Spec {
        name: "client|list",
        summary: "Describes all connections, a line each.",
        since: "2.4.0",
        group: Group::Connection,
        complexity: "O(N) in the number of connections.",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[
            one_of(
                "client-type",
                &[
                    token("normal", "NORMAL"),
                    token("master", "MASTER"),
                    token("replica", "REPLICA"),
                    token("pubsub", "PUBSUB"),
                ],
            )
            .after("TYPE")
            .optional()
            .since("5.0.0"),
            integer("client-id").after("ID").optional().multiple().since("6.2.0"),
        ],
        history: &[
            ("2.8.12", "Lines tell the number (`id`)."),
            ("5.0.0", "Connections of one type only (`TYPE`)."),
            ("6.0.0", "Lines tell the user (`user`)."),
            (
                "6.2.0",
                "Lines tell `argv-mem`, `tot-mem`, `laddr` and `redir`; connections of given numbers only (`ID`).",
            ),
            ("7.0.0", "Lines tell `resp`, `multi-mem`, `rbs` and `rbp`."),
            ("7.0.3", "Lines tell `ssub`."),
        ],
        policy: Policy::AsTips,
        tips: &["nondeterministic_output"],
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::ClientLines;
    type Args<'a> = Which;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        match words.next_word() {
            None => Ok(Which::OfKind(None)),
            Some(option) if option.eq_ignore_ascii_case(b"type") && words.left() == 1 => {
                Ok(Which::OfKind(Some(ClientKind::parse(words.word()?)?)))
            }
            Some(option) if option.eq_ignore_ascii_case(b"id") && !words.is_empty() => {
                let ids = words.rest();
                ids.iter()
                    .map(|id| parse_i64(id).ok_or(Error::Text("ERR Invalid client ID")))
                    .collect::<Result<_, _>>()
                    .map(Which::Numbered)
            }
            Some(_) => Err(Error::SYNTAX),
        }
    }

    fn execute(which: &Which, node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let now_ms = node.host.unix_us() / 1000;
        let lines = lines(node.host, which, now_ms);
        let text: Vec<u8> = match which {
            Which::OfKind(_) => lines.into_values().flatten().collect(),
            Which::Numbered(ids) => {
                let line = |id: &i64| lines.get(&u64::try_from(*id).ok()?).map(Vec::as_slice);
                ids.iter().filter_map(line).flatten().copied().collect()
            }
        };
        reply.verbatim("txt", &text);
        Ok(())
    }
}

/// A line for each client of a node that is meant, by its number.
fn lines(clients: &dyn Clients, which: &Which, now_ms: i64) -> BTreeMap<u64, Vec<u8>> {
    let mut lines = BTreeMap::new();
    clients.visit_clients(&mut |info| {
        let is_meant = match which {
            Which::OfKind(kind) => kind.is_none_or(|kind| kind == ClientKind::of(info)),
            Which::Numbered(ids) => ids.iter().any(|id| u64::try_from(*id) == Ok(info.client.id)),
        };
        if is_meant {
            let mut line = Vec::new();
            info.push_line(now_ms, &mut line);
            lines.insert(info.client.id, line);
        }
    });
    lines
}
