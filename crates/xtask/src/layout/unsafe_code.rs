//! Unsafe code is where the architecture says, and nowhere else.

use super::outline::parse;
use proc_macro2::{TokenStream, TokenTree};
use std::io;

/// The page that names the files.
pub const PAGE: &str = "docs/architecture.md";
/// The heading above the list of them.
const HEADING: &str = "## Unsafe code";

/// What is wrong with the list of the page and the files that have unsafe code: neither has what the other has not.
pub fn check(page: &str, found: &[(String, usize)]) -> Vec<String> {
    let listed = listed(page);
    let is_found = |name: &str| found.iter().any(|(file, _)| file == name);
    let not_listed = found.iter().filter(|(file, _)| !listed.iter().any(|name| name == file));
    let stale = listed.iter().filter(|name| !is_found(name));
    let mut wrong: Vec<_> = not_listed
        .map(|(file, line)| format!("{file}:{line}: unsafe code, and {PAGE} does not name the file"))
        .chain(stale.map(|name| format!("{PAGE} names {name} for its unsafe code, and it has none")))
        .collect();
    if listed.is_empty() {
        wrong.push(format!("{PAGE} has no list under \"{HEADING}\""));
    }
    wrong
}

/// The files that the page names: the first link of each item in the list. They are relative to the page.
fn listed(page: &str) -> Vec<String> {
    let section = page.lines().skip_while(|line| line.trim_end() != HEADING).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    let items = section.filter(|line| line.starts_with("- "));
    let links = items.filter_map(|item| item.split_once("](../")?.1.split_once(')'));
    links.map(|(path, _)| path.to_owned()).collect()
}

/// The first line of a file of Rust that has the word `unsafe` in its code.
///
/// # Errors
/// If it is no Rust.
pub fn first_line(shown: &str, text: &str) -> io::Result<Option<usize>> {
    // Most files are soon done with.
    if !text.contains("unsafe") {
        return Ok(None);
    }
    Ok(search(parse(shown, text)?))
}

fn search(tokens: TokenStream) -> Option<usize> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "unsafe" => Some(ident.span().start().line),
        TokenTree::Group(group) => search(group.stream()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE_TEXT: &str = "\n- [`x.rs`](../x.rs)\n## Unsafe code\n\nText.\n\n- [`a.rs`](../crates/a.rs): why, see\n  \
        [`z.rs`](../crates/z.rs)\n- [`b.rs`](../crates/b.rs)\n\n## More\n\n- [`c.rs`](../crates/c.rs)\n";

    #[test]
    fn the_list_and_the_files_are_the_same() {
        let file = |name: &str| (name.to_owned(), 7);
        assert!(check(PAGE_TEXT, &[file("crates/a.rs"), file("crates/b.rs")]).is_empty());
        assert_eq!(
            check(PAGE_TEXT, &[file("crates/a.rs"), file("crates/c.rs")]),
            [
                "crates/c.rs:7: unsafe code, and docs/architecture.md does not name the file",
                "docs/architecture.md names crates/b.rs for its unsafe code, and it has none",
            ]
        );
        assert_eq!(check("# Nothing", &[]), ["docs/architecture.md has no list under \"## Unsafe code\""]);
    }

    #[test]
    fn unsafe_code_is_told_from_words_and_attributes() {
        let line = |text| first_line("f.rs", text).unwrap();
        assert_eq!(line("\nfn f() { g(|| unsafe { h() }) }"), Some(2));
        assert_eq!(line("unsafe impl Send for A {}"), Some(1));
        assert_eq!(line("#![forbid(unsafe_code)]\n// unsafe\nconst A: &str = \"unsafe\";"), None);
    }
}
