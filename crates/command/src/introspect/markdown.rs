//! The page of all commands.

use crate::command::Command;
use crate::help::push_syntax;
use crate::registry::Registry;
use crate::spec::{Group, Merge, Spread};
use std::fmt::Write;

/// The groups in the order of the page.
const GROUPS: &[(Group, &str)] = &[
    (Group::String, "Strings"),
    (Group::Bitmap, "Bitmaps"),
    (Group::List, "Lists"),
    (Group::Hash, "Hashes"),
    (Group::Set, "Sets"),
    (Group::SortedSet, "Sorted sets"),
    (Group::HyperLogLog, "HyperLogLogs"),
    (Group::Geo, "Places on the earth"),
    (Group::Generic, "Keys of any type"),
    (Group::Connection, "The connection"),
    (Group::Server, "The server"),
    (Group::Transactions, "Transactions"),
    (Group::Cluster, "Redis Cluster"),
];

/// A Markdown page with a table of commands for each group.
pub fn render_markdown(registry: &Registry) -> String {
    let mut page = String::from(
        "# Commands\n\n\
         Generated from the commands' declarations; do not edit.\n\n\
         *Arity* counts the command's own words; `-3` means three or more. *Runs* tells which shards or nodes take\n\
         part, and how their replies become one.\n",
    );
    for (group, title) in GROUPS {
        let mut commands: Vec<&Command> =
            registry.numbered().iter().copied().filter(|command| command.spec.group == *group).collect();
        commands.sort_by_key(|command| command.full_name);
        if commands.is_empty() {
            continue;
        }
        let _ = write!(
            page,
            "\n## {title}\n\n\
             | Command | Arity | Summary | Complexity | Runs | Categories |\n|---|---|---|---|---|---|\n"
        );
        commands.iter().for_each(|command| push_row(command, &mut page));
    }
    page
}

fn push_row(command: &Command, page: &mut String) {
    let mut syntax = command.full_name.to_ascii_uppercase().replace('|', " ");
    push_syntax(command.spec.grammar, &mut syntax);
    let categories: Vec<String> = command.categories().names().map(|name| format!("@{name}")).collect();
    let cells = [
        format!("`{syntax}`"),
        command.arity.to_string(),
        command.spec.summary.to_owned(),
        command.spec.complexity.to_owned(),
        runs(command.spread),
        categories.join(" "),
    ];
    // A bar would end the cell, in code as well.
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn runs(spread: Spread) -> String {
    let merged = |merge| match merge {
        Merge::Sum | Merge::SumOrAny => "sum",
        Merge::AllOk => "first error",
        Merge::ByPosition => "in the order of the keys",
        Merge::Concat => "one after the other",
        Merge::ClientLines => "lines by client",
        Merge::Max => "maximum",
        Merge::By(_) => "in a way of its own",
    };
    match spread {
        Spread::Nowhere => "on the client's node".to_owned(),
        Spread::OneShard => "on one shard".to_owned(),
        Spread::ByKey(merge) => format!("on the shards of its keys: {}", merged(merge)),
        Spread::AllShards(merge) => format!("on all shards: {}", merged(merge)),
        Spread::Cursor { .. } => "on one shard after the other".to_owned(),
        Spread::AnyShard => "on a random shard".to_owned(),
        Spread::Gather => "gathers its keys".to_owned(),
        Spread::Blocking => "waits on the shards of its keys".to_owned(),
        Spread::AllNodes(merge) => format!("on all nodes: {}", merged(merge)),
    }
}
