//! COMMAND DOCS.

use super::info::names;
use crate::command::Command;
use crate::grammar::{Arg, ArgKind};
use tessera_resp::Reply;

/// Writes the map of COMMAND DOCS that documents `command`.
pub fn docs(command: &Command, reply: &mut Reply<'_>) {
    let spec = &command.spec;
    let opened = reply.open();
    let mut len = 0;
    for (name, text) in [
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group.name()),
        ("complexity", spec.complexity),
    ] {
        // Redis says nothing of the cost of some commands.
        if !text.is_empty() {
            field(name, text, reply);
            len += 1;
        }
    }
    let doc_flags = [(spec.deprecated.is_some(), "deprecated"), (spec.system, "syscmd")];
    if doc_flags.iter().any(|(set, _)| *set) {
        reply.bulk(b"doc_flags");
        names(doc_flags.iter().filter(|(set, _)| *set).map(|(_, name)| name), reply);
        len += 1;
    }
    if let Some((since, instead)) = spec.deprecated {
        field("deprecated_since", since, reply);
        field("replaced_by", instead, reply);
        len += 2;
    }
    if !spec.history.is_empty() {
        reply.bulk(b"history");
        history(spec.history, reply);
        len += 1;
    }
    if !spec.grammar.is_empty() {
        reply.bulk(b"arguments");
        arguments(spec.grammar, reply);
        len += 1;
    }
    if !command.published_subcommands().is_empty() {
        reply.bulk(b"subcommands");
        reply.map(command.published_subcommands().len());
        for subcommand in command.published_subcommands() {
            reply.bulk(subcommand.full_name.as_bytes());
            docs(subcommand, reply);
        }
        len += 1;
    }
    reply.close_map(opened, len);
}

fn field(name: &str, text: &str, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.bulk(text.as_bytes());
}

fn history(changes: &[(&str, &str)], reply: &mut Reply<'_>) {
    reply.set(changes.len());
    for (version, change) in changes {
        reply.array(2);
        reply.bulk(version.as_bytes());
        reply.bulk(change.as_bytes());
    }
}

fn arguments(grammar: &[Arg], reply: &mut Reply<'_>) {
    reply.array(grammar.len());
    grammar.iter().for_each(|arg| argument(arg, reply));
}

fn argument(arg: &Arg, reply: &mut Reply<'_>) {
    let (kind, members) = match arg.kind {
        ArgKind::String => ("string", None),
        ArgKind::Integer => ("integer", None),
        ArgKind::Double => ("double", None),
        ArgKind::Key => ("key", None),
        ArgKind::Pattern => ("pattern", None),
        ArgKind::UnixTime => ("unix-time", None),
        ArgKind::PureToken => ("pure-token", None),
        ArgKind::OneOf(members) => ("oneof", Some(members)),
        ArgKind::Block(members) => ("block", Some(members)),
    };
    let opened = reply.open();
    field("name", arg.name, reply);
    field("type", kind, reply);
    let mut len = 2;
    if members.is_none() {
        field("display_text", arg.display.unwrap_or(arg.name), reply);
        len += 1;
    }
    if let Some(spec) = arg.key_spec {
        reply.bulk(b"key_spec_index");
        reply.integer(i64::from(spec));
        len += 1;
    }
    for (name, text) in
        [("token", arg.token), ("since", arg.since), ("deprecated_since", arg.deprecated_since)]
    {
        if let Some(text) = text {
            field(name, text, reply);
            len += 1;
        }
    }
    let flags =
        [(arg.optional, "optional"), (arg.multiple, "multiple"), (arg.multiple_token, "multiple_token")];
    if flags.iter().any(|(set, _)| *set) {
        reply.bulk(b"flags");
        names(flags.iter().filter(|(set, _)| *set).map(|(_, name)| name), reply);
        len += 1;
    }
    if let Some(members) = members {
        reply.bulk(b"arguments");
        arguments(members, reply);
        len += 1;
    }
    reply.close_map(opened, len);
}
