//! The documentation of the parameters.

use std::fmt::Write;

use crate::kind::Kind;
use crate::no_effect::REFUSED_DIRECTIVES;
use crate::rewrite::print_bytes;
use crate::table::{Group, Mutability, PARAMETERS, Parameter};
use crate::types::ShutdownFlags;
use crate::value::Value;

/// The reference page of all parameters, in Markdown.
pub fn render_markdown() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         This page is generated from the table of parameters (`crates/config/src/table.rs`).\n\n\
         Every parameter can stand in the configuration file (`port 6379`) and on the command line (`--port 6379`),\n\
         where it overrides the file. CONFIG GET reads all of them. CONFIG SET changes those marked *any time*;\n\
         those marked *protected* only for clients that `enable-protected-configs` allows. CONFIG REWRITE writes\n\
         what holds into the configuration file and keeps its comments.\n\n\
         Sizes take units: `k`, `m`, `g` are powers of 1000, `kb`, `mb`, `gb` powers of 1024.\n\n\
         A configuration file of Redis or Valkey can be used as it is. What has no meaning here is accepted, and\n\
         listed once in the log when the server starts; what would promise something that nobody keeps is\n\
         refused. The last two sections name both.\n",
    );
    for group in Group::ALL {
        // Writing to a String does not fail.
        let last_column = match group {
            Group::NoEffect => "why it has no effect",
            _ => "what it does",
        };
        let _ = write!(
            page,
            "\n## {}\n\n| parameter | values | default | changes | {last_column} |\n|---|---|---|---|---|\n",
            group.title()
        );
        for parameter in PARAMETERS.iter().filter(|parameter| parameter.group == group) {
            let _ = writeln!(page, "{}", row(parameter));
        }
        if group == Group::NotBuilt {
            page.push_str("\nThese directives of configuration files are refused:\n\n");
            for (name, reason) in REFUSED_DIRECTIVES {
                let _ = writeln!(page, "- `{name}`: {reason}.");
            }
        }
    }
    page
}

fn row(parameter: &Parameter) -> String {
    let mut names: Vec<_> = parameter.names().map(|name| format!("`{name}`")).collect();
    names[1..].iter_mut().for_each(|alias| alias.insert_str(0, "or "));
    let changes = match parameter.mutability {
        Mutability::Mutable => "any time",
        Mutability::AtStart => "at start",
        Mutability::Protected => "protected",
    };
    let cells = [
        names.join(" "),
        values(parameter.kind),
        default(parameter),
        changes.to_owned(),
        parameter.summary(),
    ];
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

fn default(parameter: &Parameter) -> String {
    let value = parameter.default_value();
    let text = match value {
        Value::Bytes(bytes) => print_bytes(bytes),
        _ => String::from_utf8_lossy(&value.print()).into_owned(),
    };
    if text.is_empty() { "empty".to_owned() } else { format!("`{text}`") }
}

fn values(kind: Kind) -> String {
    match kind {
        Kind::Bool => "`yes`, `no`".to_owned(),
        Kind::Integer { min, max } | Kind::ClampedInteger { min, max, .. } => match max {
            i64::MAX => format!("number from {min}"),
            _ => format!("number, {min} to {max}"),
        },
        Kind::MemorySize { min, .. } => match min {
            0 => "size".to_owned(),
            _ => format!("size from {}", print_bytes(min)),
        },
        Kind::Permissions { max } => format!("octal number, 0 to {max:o}"),
        Kind::Choice(names) => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        Kind::OptionalPath | Kind::Path | Kind::FileName => "path".to_owned(),
        Kind::Secret => "password".to_owned(),
        Kind::Addresses { max } => format!("up to {max} addresses"),
        Kind::CpuList => "list of cores".to_owned(),
        Kind::OutputBufferLimits => "class, size, size, seconds; repeatable".to_owned(),
        Kind::Percentiles => "numbers, 0 to 100".to_owned(),
        Kind::SavePoints => "seconds and changes; repeatable".to_owned(),
        Kind::ShutdownFlags => {
            ShutdownFlags::NAMES.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Text | Kind::OptionalText | Kind::TitleTemplate => "text".to_owned(),
        Kind::BaseName { what, .. } => what.to_owned(),
        Kind::HostName | Kind::NodeName => "name".to_owned(),
        Kind::EventClasses => "letters".to_owned(),
        Kind::Locale => "empty, `C`, `POSIX`".to_owned(),
        Kind::MemoryOrPercent => "size, or percent".to_owned(),
        Kind::ReplicaOf => "`no one`".to_owned(),
        Kind::OomScores => "three numbers, -2000 to 2000".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_parameter_once_and_its_tables_are_whole() {
        let page = render_markdown();
        for parameter in PARAMETERS {
            let row = format!("\n| `{}`", parameter.name);
            assert_eq!(page.matches(&row).count(), 1, "{}", parameter.name);
        }
        for line in page.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 6, "{line}");
        }
    }
}
