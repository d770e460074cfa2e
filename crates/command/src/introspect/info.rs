//! COMMAND INFO.

use crate::command::Command;
use crate::flags::{Flags, KeyFlags};
use crate::keys::KeyPositions;
use crate::spec::{Begin, Find, KeySpec, Merge, Policy, Spread};
use tessera_resp::Reply;

/// Writes the element of COMMAND INFO that describes `command`.
pub fn info(command: &Command, reply: &mut Reply<'_>) {
    let positions = KeyPositions::of(command.spec.keys);
    reply.array(10);
    reply.bulk(command.full_name.as_bytes());
    reply.integer(i64::from(command.arity));
    names(command.flags.without(Flags::UNPUBLISHED).names(), reply);
    for position in [positions.first, positions.last, positions.step] {
        reply.integer(i64::from(position));
    }
    names(command.categories().names().map(|name| format!("@{name}")), reply);
    let tips = tips(command);
    reply.set(tips.len());
    for tip in tips {
        reply.bulk(tip.as_bytes());
    }
    reply.set(command.spec.keys.len());
    for spec in command.spec.keys {
        key_spec(spec, reply);
    }
    if command.published_subcommands().is_empty() {
        reply.set(0);
    } else {
        reply.array(command.published_subcommands().len());
        command.published_subcommands().iter().for_each(|subcommand| info(subcommand, reply));
    }
}

/// Writes the set of what is done with a key.
pub fn key_flags(flags: KeyFlags, reply: &mut Reply<'_>) {
    names(flags.names(), reply);
}

/// Writes a set of simple strings.
pub(super) fn names<N: AsRef<str>>(names: impl Iterator<Item = N>, reply: &mut Reply<'_>) {
    let opened = reply.open();
    let mut len = 0;
    for name in names {
        reply.simple(name.as_ref());
        len += 1;
    }
    reply.close_set(opened, len);
}

/// The command tips that are published.
pub fn tips(command: &Command) -> Vec<&'static str> {
    let (request, response) = match command.spec.policy {
        Policy::FromSpread => policies(command.spread),
        Policy::AsTips => (None, None),
    };
    request.into_iter().chain(response).chain(command.spec.tips.iter().copied()).collect()
}

/// The request policy and the response policy.
fn policies(spread: Spread) -> (Option<&'static str>, Option<&'static str>) {
    let response = |merge| match merge {
        Merge::Sum | Merge::SumOrAny => Some("response_policy:agg_sum"),
        Merge::AllOk => Some("response_policy:all_succeeded"),
        Merge::Max => Some("response_policy:agg_max"),
        Merge::ClientLines | Merge::By(_) => Some("response_policy:special"),
        // Arrays are put together if nothing is said.
        Merge::ByPosition | Merge::Concat => None,
    };
    match spread {
        Spread::Nowhere | Spread::OneShard | Spread::Gather | Spread::Blocking => (None, None),
        Spread::ByKey(merge) => (Some("request_policy:multi_shard"), response(merge)),
        Spread::AllShards(merge) => (Some("request_policy:all_shards"), response(merge)),
        Spread::AllNodes(merge) => (Some("request_policy:all_nodes"), response(merge)),
        Spread::Cursor { .. } => (Some("request_policy:special"), Some("response_policy:special")),
        Spread::AnyShard => (Some("request_policy:all_shards"), Some("response_policy:special")),
    }
}

fn key_spec(spec: &KeySpec, reply: &mut Reply<'_>) {
    reply.map(3 + usize::from(spec.notes.is_some()));
    if let Some(notes) = spec.notes {
        reply.bulk(b"notes");
        reply.bulk(notes.as_bytes());
    }
    reply.bulk(b"flags");
    key_flags(spec.flags, reply);
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(index) => search("index", &[("index", index as i64)], reply),
        Begin::Keyword { word, from } => {
            search_header("keyword", 2, reply);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            reply.bulk(b"startfrom");
            reply.integer(i64::from(from));
        }
        Begin::Unknown => search("unknown", &[], reply),
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => search(
            "range",
            &[("lastkey", i64::from(last)), ("keystep", step as i64), ("limit", limit as i64)],
            reply,
        ),
        Find::Count { at, first, step } => search(
            "keynum",
            &[("keynumidx", at as i64), ("firstkey", first as i64), ("keystep", step as i64)],
            reply,
        ),
        Find::Unknown => search("unknown", &[], reply),
    }
}

fn search_header(kind: &str, fields_len: usize, reply: &mut Reply<'_>) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(fields_len);
}

fn search(kind: &str, fields: &[(&str, i64)], reply: &mut Reply<'_>) {
    search_header(kind, fields.len(), reply);
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        reply.integer(*value);
    }
}
