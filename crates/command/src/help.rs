//! HELP of commands with subcommands, from their specs.

use crate::command::{Command, Run};
use crate::grammar::{Arg, ArgKind};
use crate::registry::Registry;
use tessera_resp::Reply;

/// Longest line of a summary, in characters, its indentation included.
const LINE_MAX_LEN: usize = 79;
const INDENTATION: &str = "    ";

/// Writes the reply of a HELP subcommand, whose full name is `help_name` (`object|help`).
pub fn write(registry: &Registry, help_name: &str, reply: &mut Reply<'_>) {
    let (name, help) = help_name.split_once('|').unwrap_or((help_name, ""));
    let lines = registry.find(name.as_bytes()).map_or_else(Vec::new, |command| lines(command, help));
    reply.array(lines.len() + 3);
    reply.simple(&format!(
        "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        name.to_ascii_uppercase()
    ));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Print this help.");
}

fn lines(command: &Command, help: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if !matches!(command.run, Run::Container) {
        lines.push("(no subcommand)".to_owned());
        wrap(command.spec.summary, &mut lines);
    }
    for subcommand in command.subcommands.iter().filter(|subcommand| subcommand.spec.last_name() != help) {
        let mut syntax = subcommand.spec.last_name().to_ascii_uppercase();
        push_syntax(subcommand.spec.grammar, &mut syntax);
        lines.push(syntax);
        wrap(subcommand.spec.summary, &mut lines);
    }
    lines
}

fn wrap(text: &str, lines: &mut Vec<String>) {
    let mut line = INDENTATION.to_owned();
    for word in text.split_ascii_whitespace() {
        let is_first = line.len() == INDENTATION.len();
        if !is_first && line.len() + 1 + word.len() > LINE_MAX_LEN {
            lines.push(std::mem::replace(&mut line, INDENTATION.to_owned()));
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
}

/// Appends the arguments as people write them: `<key> [SAMPLES <count>]`.
pub fn push_syntax(grammar: &[Arg], text: &mut String) {
    for arg in grammar {
        text.push(' ');
        text.push_str(&syntax(arg));
    }
}

fn syntax(arg: &Arg) -> String {
    let value = match arg.kind {
        ArgKind::PureToken => String::new(),
        ArgKind::OneOf(choices) => {
            let choices: Vec<String> = choices.iter().map(syntax).collect();
            let choices = choices.join("|");
            // Brackets of an optional choice hold it together already.
            if arg.optional && arg.token.is_none() { choices } else { format!("({choices})") }
        }
        ArgKind::Block(members) => members.iter().map(syntax).collect::<Vec<_>>().join(" "),
        _ => format!("<{}>", arg.display.unwrap_or(arg.name)),
    };
    let mut text = match arg.token {
        Some(token) if value.is_empty() => token.to_owned(),
        Some(token) => format!("{token} {value}"),
        None => value.clone(),
    };
    if arg.multiple {
        let again = if arg.multiple_token { &text } else { &value };
        text = format!("{text} [{again} ...]");
    }
    if arg.optional { format!("[{text}]") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::{block, integer, key, one_of, string, token};

    #[test]
    fn arguments_are_written_as_people_write_them() {
        const CHOICE: &[Arg] = &[token("nx", "NX"), integer("seconds").after("EX")];
        const PAIR: &[Arg] = &[string("name"), string("value")];
        let line = |grammar: &[Arg]| {
            let mut text = String::new();
            push_syntax(grammar, &mut text);
            text
        };
        assert_eq!(
            line(&[key("key", 0), integer("count").after("SAMPLES").optional()]),
            " <key> [SAMPLES <count>]"
        );
        assert_eq!(line(&[one_of("how", CHOICE).optional()]), " [NX|EX <seconds>]");
        assert_eq!(line(&[one_of("how", CHOICE).after("BY")]), " BY (NX|EX <seconds>)");
        assert_eq!(line(&[block("pair", PAIR).multiple()]), " <name> <value> [<name> <value> ...]");
        assert_eq!(line(&[string("name").optional().multiple()]), " [<name> [<name> ...]]");
    }

    #[test]
    fn long_summaries_are_wrapped() {
        let mut lines = Vec::new();
        wrap(&"word ".repeat(40), &mut lines);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.len() <= LINE_MAX_LEN && line.starts_with("    word")));
    }
}
