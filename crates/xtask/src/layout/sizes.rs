//! How long functions and files may be.

use super::outline::{group, is_sign, parse, word};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::io;

/// Lines that a function has at most, from the word `fn` to the last brace, comments and all.
const FUNCTION_MAX_LINES: usize = 70;
/// Lines that a file of Rust has at most.
const FILE_MAX_LINES: usize = 600;

/// Files that are longer, and why they are.
const LONG_FILES: &[(&str, &str)] = &[
    ("crates/config/src/table.rs", "all parameters, declared once in one table"),
    (
        "crates/keyspace/src/table/raw.rs",
        "all that must know how an entry lies in memory, so that nothing else does",
    ),
];

/// Which of the functions in a file of Rust are too long.
///
/// # Errors
/// If it is no Rust.
pub fn functions(shown: &str, text: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    collect_functions(parse(shown, text)?, &mut found);
    let long = found.into_iter().filter(|function| function.lines > FUNCTION_MAX_LINES);
    let tell = |Function { name, line, lines }| {
        format!("{shown}:{line}: `{name}` has {lines} lines, and a function at most {FUNCTION_MAX_LINES}")
    };
    Ok(long.map(tell).collect())
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

fn collect_functions(tokens: TokenStream, found: &mut Vec<Function>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if ident == "fn" => {
                let Some(name) = word(&tokens, index + 1) else { continue };
                let end = (index..tokens.len())
                    .find(|at| is_sign(&tokens, *at, ';') || group(&tokens, *at, Delimiter::Brace).is_some());
                let Some(body) = end.and_then(|at| group(&tokens, at, Delimiter::Brace)) else { continue };
                let line = ident.span().start().line;
                let lines = body.span_close().end().line + 1 - line;
                found.push(Function { name: name.to_string(), line, lines });
            }
            TokenTree::Group(group) => collect_functions(group.stream(), found),
            _ => {}
        }
    }
}

/// Whether a file of Rust is too long.
pub fn file(shown: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let may_be_long = LONG_FILES.iter().any(|(name, _)| *name == shown);
    match (lines > FILE_MAX_LINES, may_be_long) {
        (true, false) => Some(format!("{shown} has {lines} lines, and a file at most {FILE_MAX_LINES}")),
        (false, true) => {
            Some(format!("{shown} has {lines} lines: it need not be among the long files any more"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_measured_from_its_first_word_to_its_last_brace() {
        let body = |lines: usize| {
            format!("\nimpl A {{\n    fn long() {{\n{}    }}\n}}\n", "        // x\n".repeat(lines))
        };
        assert!(functions("f.rs", &body(68)).unwrap().is_empty());
        assert_eq!(
            functions("f.rs", &body(69)).unwrap(),
            ["f.rs:3: `long` has 71 lines, and a function at most 70"]
        );
        let declared = "trait A { fn b(&self); fn c(&self) -> [u8; 3]; } type F = fn(u8) -> u8;";
        assert!(functions("f.rs", declared).unwrap().is_empty());
    }

    #[test]
    fn a_file_of_more_lines_than_it_may_have_is_told() {
        assert_eq!(file("f.rs", &"\n".repeat(600)), None);
        assert_eq!(
            file("f.rs", &"\n".repeat(601)),
            Some("f.rs has 601 lines, and a file at most 600".to_owned())
        );
        for (name, reason) in LONG_FILES {
            assert!(!reason.is_empty());
            assert_eq!(file(name, &"\n".repeat(601)), None);
            assert!(file(name, "").is_some(), "{name} is in the list, and short");
        }
    }
}
