//! Names that a crate's source must not hold. Comments and texts may.

use super::outline::{is_sign, parse};
use super::{ONE_SHARD, PURE, SIMULATED, UNSAFE, UNSAFE_IN_PART};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::io;

/// Where a rule holds.
enum Where {
    /// In these crates.
    In(&'static [&'static str]),
    /// In all but these.
    NotIn(&'static [&'static str]),
}

/// Names that are not to be used somewhere.
struct Rule {
    place: Where,
    /// Single words, or paths of two from `std`.
    names: &'static [&'static str],
    why: &'static str,
}

/// What [`words`] calls a static item that can change.
const GLOBAL: &str = "static";
/// A type that has one of these in its name can change behind a shared reference.
const CHANGEABLE: &[&str] = &["Atomic", "Cell", "Lazy", "Lock", "Mutex", "Once"];

const RULES: &[Rule] = &[
    Rule { place: Where::NotIn(&["drivers"]), names: &["glommio"], why: "only drivers names glommio" },
    Rule {
        place: Where::In(SIMULATED),
        names: &["RawFd", "OwnedFd", "BorrowedFd", "AsRawFd", "AsFd", "FromRawFd", "IntoRawFd"],
        why: "nothing above drivers knows a file descriptor",
    },
    Rule {
        place: Where::In(SIMULATED),
        names: &["Instant", "SystemTime", "UNIX_EPOCH"],
        why: "time is told by the clock that the node was given",
    },
    Rule {
        place: Where::In(SIMULATED),
        names: &["std::net", "std::fs", "std::process", "std::thread", "std::env"],
        why: "the system is reached through the drivers and the seams of node only",
    },
    Rule { place: Where::In(PURE), names: &["std::io"], why: "the engine does no input or output" },
    Rule { place: Where::In(PURE), names: &["thread_local", GLOBAL], why: "the engine has no globals" },
    Rule {
        place: Where::In(ONE_SHARD),
        names: &["ShardId", "SlotTable", "slot_of"],
        why: "only routing and what is above it knows that there are shards",
    },
];

impl Rule {
    fn holds_in(&self, folder: &str) -> bool {
        match self.place {
            Where::In(folders) => folders.contains(&folder),
            Where::NotIn(folders) => !folders.contains(&folder),
        }
    }
}

/// A word of the source, which is a name or `std::x` for a module of the standard library, and its line.
type Word = (String, usize);

/// What `text`, of a file of the crate in `folder`, breaks. `shown` is how to call the file.
///
/// # Errors
/// If it is no Rust.
pub fn check(folder: &str, shown: &str, text: &str) -> io::Result<Vec<String>> {
    let rules: Vec<_> = RULES.iter().filter(|rule| rule.holds_in(folder)).collect();
    let mut violations = Vec::new();
    for (word, line) in words(shown, text)? {
        let broken = rules.iter().filter(|rule| rule.names.contains(&word.as_str()));
        violations.extend(broken.map(|rule| format!("{shown}:{line}: `{word}`: {}", rule.why)));
    }
    Ok(violations)
}

/// The attributes that the root of the crate in `folder` must have.
pub fn attributes(folder: &str) -> Vec<&'static str> {
    let forbids = match folder {
        _ if UNSAFE.contains(&folder) => None,
        // Where the one part of it that may allows it.
        _ if UNSAFE_IN_PART.contains(&folder) => Some("deny(unsafe_code)"),
        _ => Some("forbid(unsafe_code)"),
    };
    let denies =
        SIMULATED.contains(&folder).then_some("deny(clippy::disallowed_types, clippy::disallowed_methods)");
    forbids.into_iter().chain(denies).collect()
}

/// Whether a crate's root has the attribute `#![...]`.
///
/// # Errors
/// If it is no Rust.
pub fn has_attribute(text: &str, attribute: &str) -> io::Result<bool> {
    let wanted = attribute.replace(' ', "");
    let tokens = parse("the root of a crate", text)?.into_iter().collect::<Vec<_>>();
    Ok(tokens.windows(3).any(|three| match three {
        [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(group)] => {
            hash.as_char() == '#'
                && bang.as_char() == '!'
                && group.stream().to_string().replace(' ', "") == wanted
        }
        _ => false,
    }))
}

fn words(shown: &str, text: &str) -> io::Result<Vec<Word>> {
    let mut found = Vec::new();
    collect(parse(shown, text)?, &mut found);
    Ok(found)
}

fn collect(tokens: TokenStream, found: &mut Vec<Word>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let is_colon = |index: usize| is_sign(&tokens, index, ':');
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if ident == "static" => {
                if can_change(&tokens[index + 1..]) {
                    found.push((GLOBAL.to_owned(), ident.span().start().line));
                }
            }
            TokenTree::Ident(ident) => {
                found.push((ident.to_string(), ident.span().start().line));
                if ident == "std" && is_colon(index + 1) && is_colon(index + 2) {
                    modules(tokens.get(index + 3), found);
                }
            }
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Whether the tokens behind the word `static` are an item whose value can change. A lifetime is none.
fn can_change(tokens: &[TokenTree]) -> bool {
    let is_item =
        matches!(tokens, [TokenTree::Ident(_), TokenTree::Punct(colon), ..] if colon.as_char() == ':');
    let is_end = |token: &&TokenTree| !matches!(token, TokenTree::Punct(punct) if matches!(punct.as_char(), '=' | ';'));
    let declared = tokens.iter().take_while(is_end).map(ToString::to_string);
    tokens.first().is_some_and(|token| token.to_string() == "mut")
        || (is_item && declared.skip(2).any(|word| CHANGEABLE.iter().any(|part| word.contains(part))))
}

/// The modules that follow `std::`: one, or several in braces.
fn modules(token: Option<&TokenTree>, found: &mut Vec<Word>) {
    let mut note =
        |ident: &proc_macro2::Ident| found.push((format!("std::{ident}"), ident.span().start().line));
    match token {
        Some(TokenTree::Ident(ident)) => note(ident),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let mut is_first = true;
            for token in group.stream() {
                match token {
                    TokenTree::Ident(ident) if is_first => {
                        note(&ident);
                        is_first = false;
                    }
                    TokenTree::Punct(punct) if punct.as_char() == ',' => is_first = true,
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(folder: &str, text: &str) -> Vec<String> {
        check(folder, "f.rs", text).unwrap()
    }

    #[test]
    fn clocks_are_found_in_the_engine_and_its_loop() {
        let text = "\nfn now() -> u64 { std::time::Instant::now().elapsed().as_secs() }";
        for folder in ["resp", "commands", "node"] {
            assert_eq!(
                broken(folder, text),
                ["f.rs:2: `Instant`: time is told by the clock that the node was given"]
            );
        }
        assert!(broken("drivers", text).is_empty());
    }

    #[test]
    fn modules_of_the_standard_library_are_found_alone_and_in_braces() {
        assert_eq!(broken("values", "use std::fs::File;").len(), 1);
        assert_eq!(broken("values", "use std::{fmt, fs::File, collections::{BTreeMap}, net};").len(), 2);
        assert_eq!(broken("values", "use std::io;").len(), 1);
        assert!(broken("node", "use std::io;").is_empty(), "its seams speak of errors of the system");
        assert!(broken("values", "mod net; use crate::net::Thing;").is_empty());
    }

    #[test]
    fn globals_are_told_from_constants_fields_and_lifetimes() {
        assert_eq!(broken("values", "static COUNT: AtomicU64 = AtomicU64::new(0);").len(), 1);
        assert_eq!(broken("values", "static mut COUNT: u64 = 0;").len(), 1);
        assert_eq!(broken("values", "fn f() { static T: OnceLock<Table> = OnceLock::new(); }").len(), 1);
        assert_eq!(broken("values", "thread_local! { static X: u8 = 0; }").len(), 1);
        assert!(broken("values", "static TABLE: [u8; 3] = [1, 2, 3];").is_empty());
        assert!(broken("values", "struct S { rows: OnceLock<Box<[u64]>>, name: &'static str }").is_empty());
        assert!(broken("values", "struct S { name: &'static Mutex<u8> }").is_empty());
    }

    #[test]
    fn comments_and_texts_may_say_anything() {
        let text = "//! No `Instant`, no glommio.\n/// unsafe\nconst X: &str = \"SystemTime\"; // OwnedFd\n";
        assert!(broken("keyspace", text).is_empty());
    }

    #[test]
    fn glommio_descriptors_and_shards_have_their_places() {
        assert_eq!(broken("server", "use glommio::Task;").len(), 1);
        assert!(broken("drivers", "use glommio::Task;").is_empty());
        assert_eq!(broken("node", "fn f(fd: OwnedFd) {}").len(), 1);
        assert!(broken("server", "fn f(fd: OwnedFd) {}").is_empty());
        assert_eq!(broken("commands", "fn f(shard: ShardId) {}").len(), 1);
        assert!(broken("routing", "fn f(shard: ShardId) {}").is_empty());
    }

    #[test]
    fn the_attribute_is_looked_for_as_such() {
        let has = |text| has_attribute(text, "forbid(unsafe_code)").unwrap();
        assert!(has("//! Doc.\n#![forbid(unsafe_code)]\nmod a;"));
        assert!(!has("// #![forbid(unsafe_code)]\nmod a;"));
        assert!(!has("#![deny(unsafe_code)]"));
        let two = "#![deny(clippy::disallowed_types, clippy::disallowed_methods)]";
        assert!(attributes("node").iter().any(|attribute| has_attribute(two, attribute).unwrap()));
        assert!(!attributes("server").iter().any(|attribute| has_attribute(two, attribute).unwrap()));
        assert!(attributes("drivers").is_empty());
        assert_eq!(attributes("keyspace")[0], "deny(unsafe_code)");
        assert_eq!(attributes("server"), ["forbid(unsafe_code)"]);
    }
}
