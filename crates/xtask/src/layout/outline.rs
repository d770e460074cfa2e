//! What a Rust file defines, brings in and names, its tests left out.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// A module's place in its crate: the names from the root down to it.
pub type Module = Vec<String>;

/// A name that a `use` brings into a module.
#[derive(Debug, PartialEq, Eq)]
pub struct Use {
    /// Where it is written.
    pub module: Module,
    /// Where the name comes from.
    pub path: Vec<String>,
    /// What it is called from there on. `None`: everything that is in `path` under its own name.
    pub name: Option<String>,
    /// It is for others as well: such a name is used here only if the file has it elsewhere.
    pub is_exported: bool,
    /// In which line.
    pub line: usize,
}

/// A path of two or more names that is written where it is needed.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where it is written.
    pub module: Module,
    /// The names.
    pub path: Vec<String>,
    /// In which line.
    pub line: usize,
}

/// A Rust file in short.
#[derive(Debug, Default)]
pub struct Outline {
    /// The modules in it, itself first.
    pub modules: Vec<Module>,
    /// What is defined in its modules: the module, and the name.
    pub items: BTreeSet<(Module, String)>,
    /// What it brings in.
    pub uses: Vec<Use>,
    /// What it names by a path.
    pub mentions: Vec<Mention>,
    /// Every name in it that is not part of a `use`, with the first line of it.
    pub words: BTreeMap<String, usize>,
    /// Modules in files of their own that are for tests only.
    pub tests: Vec<Module>,
}

/// Words that the name of an item follows.
const ITEMS: &[&str] =
    &["const", "enum", "fn", "macro_rules", "mod", "static", "struct", "trait", "type", "union"];

/// Reads the file that is the module `module` of its crate. `shown` is how to call the file.
///
/// # Errors
/// If it is no Rust.
pub fn read(shown: &str, module: Module, text: &str) -> io::Result<Outline> {
    let mut outline = Outline { modules: vec![module.clone()], ..Outline::default() };
    outline.take(&module, parse(shown, text)?, true);
    Ok(outline)
}

/// The tokens of a file.
///
/// # Errors
/// If it is no Rust.
pub fn parse(shown: &str, text: &str) -> io::Result<TokenStream> {
    text.parse().map_err(|error| io::Error::other(format!("{shown}: {error}")))
}

/// Whether the token at `index` is the sign `wanted`.
pub fn is_sign(tokens: &[TokenTree], index: usize, wanted: char) -> bool {
    matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// The word at `index`, if one is there.
pub fn word(tokens: &[TokenTree], index: usize) -> Option<&Ident> {
    match tokens.get(index) {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    }
}

/// The group in such brackets at `index`, if one is there.
pub fn group(tokens: &[TokenTree], index: usize, brackets: Delimiter) -> Option<&Group> {
    match tokens.get(index) {
        Some(TokenTree::Group(group)) if group.delimiter() == brackets => Some(group),
        _ => None,
    }
}

/// The tokens without what is for tests only, at this depth and below.
pub fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut kept = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        if is_test_attribute(&tokens, index) {
            index = item_end(&tokens, index);
            continue;
        }
        kept.push(match &tokens[index] {
            TokenTree::Group(group) => {
                let inner = without_tests(group.stream()).into_iter().collect();
                let mut stripped = Group::new(group.delimiter(), inner);
                stripped.set_span(group.span());
                TokenTree::Group(stripped)
            }
            token => token.clone(),
        });
        index += 1;
    }
    kept
}

/// Whether `#[cfg(test)]` is at `index`, or the like.
fn is_test_attribute(tokens: &[TokenTree], index: usize) -> bool {
    if !is_sign(tokens, index, '#') {
        return false;
    }
    let Some(attribute) = group(tokens, index + 1, Delimiter::Bracket) else { return false };
    let text = attribute.stream().to_string().replace(' ', "");
    text.starts_with("cfg(") && text.contains("test") && !text.contains("not(test)")
}

/// Where what the attributes at `index` stand before ends.
fn item_end(tokens: &[TokenTree], mut index: usize) -> usize {
    while is_sign(tokens, index, '#') {
        index += 2;
    }
    let end_of =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ','));
    let mut is_use = false;
    let mut is_item = false;
    for (at, token) in tokens.iter().enumerate().skip(index) {
        match token {
            TokenTree::Ident(ident) => {
                is_use |= ident == "use";
                is_item |= *ident == "impl" || ITEMS.iter().any(|keyword| ident == keyword);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !is_use => return at + 1,
            TokenTree::Punct(punct) if punct.as_char() == ',' && is_item => {}
            token if end_of(token) => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

impl Outline {
    fn take(&mut self, module: &[String], tokens: TokenStream, is_top: bool) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut index = 0;
        while index < tokens.len() {
            index = self.take_next(module, &tokens, index, is_top);
        }
    }

    /// Takes in what is at `index`, and says where to go on.
    fn take_next(&mut self, module: &[String], tokens: &[TokenTree], index: usize, is_top: bool) -> usize {
        if is_test_attribute(tokens, index) {
            let end = item_end(tokens, index);
            let test_module =
                (index..end).find(|at| is_word(tokens, *at, "mod") && is_sign(tokens, at + 2, ';'));
            if let Some(name) = test_module.and_then(|at| word(tokens, at + 1)) {
                self.tests.push(below(module, &name.to_string()));
            }
            return end;
        }
        match &tokens[index] {
            TokenTree::Punct(punct) if punct.as_char() == '#' => match tokens.get(index + 1) {
                Some(TokenTree::Group(_)) => index + 2,
                _ => index + 1,
            },
            TokenTree::Group(group) => {
                self.take(module, group.stream(), false);
                index + 1
            }
            TokenTree::Ident(ident) if ident == "use" => self.take_use(module, tokens, index),
            TokenTree::Ident(ident) if ident == "mod" => {
                let Some(name) = word(tokens, index + 1) else { return index + 1 };
                let inner = below(module, &name.to_string());
                if let Some(body) = group(tokens, index + 2, Delimiter::Brace) {
                    self.modules.push(inner.clone());
                    self.take(&inner, body.stream(), true);
                }
                index + 3
            }
            TokenTree::Ident(ident) => {
                if is_top && ITEMS.iter().any(|keyword| ident == keyword) {
                    let at = if is_sign(tokens, index + 1, '!') { index + 2 } else { index + 1 };
                    if let Some(name) = word(tokens, at) {
                        self.items.insert((module.to_vec(), name.to_string()));
                    }
                }
                self.take_path(module, tokens, index)
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => index + 1,
        }
    }

    fn take_path(&mut self, module: &[String], tokens: &[TokenTree], mut index: usize) -> usize {
        let Some(first) = word(tokens, index) else { return index + 1 };
        let line = first.span().start().line;
        let mut path = vec![first.to_string()];
        index += 1;
        while is_sign(tokens, index, ':') && is_sign(tokens, index + 1, ':') {
            let Some(next) = word(tokens, index + 2) else { break };
            path.push(next.to_string());
            index += 3;
        }
        self.words.entry(path[0].clone()).or_insert(line);
        if path.len() > 1 {
            self.mentions.push(Mention { module: module.to_vec(), path, line });
        }
        index
    }

    fn take_use(&mut self, module: &[String], tokens: &[TokenTree], index: usize) -> usize {
        let line = tokens[index].span().start().line;
        let end = (index..tokens.len()).find(|at| is_sign(tokens, *at, ';')).unwrap_or(tokens.len());
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let is_exported = match before {
            Some(TokenTree::Ident(ident)) => ident == "pub",
            Some(TokenTree::Group(group)) => {
                group.delimiter() == Delimiter::Parenthesis && index > 1 && is_word(tokens, index - 2, "pub")
            }
            _ => false,
        };
        let mut names = Vec::new();
        take_tree(&[], &tokens[index + 1..end], &mut names);
        self.uses.extend(names.into_iter().map(|(path, name)| Use {
            module: module.to_vec(),
            path,
            name,
            is_exported,
            line,
        }));
        end + 1
    }
}

/// The names that one branch of a `use` brings in: the path of each, and what it is called.
fn take_tree(prefix: &[String], tokens: &[TokenTree], names: &mut Vec<(Vec<String>, Option<String>)>) {
    let mut path = prefix.to_vec();
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index] {
            TokenTree::Ident(ident) if ident == "as" => {
                names.push((path, word(tokens, index + 1).map(ToString::to_string)));
                return;
            }
            TokenTree::Ident(ident) if ident == "self" && !path.is_empty() => {}
            TokenTree::Ident(ident) => path.push(ident.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                names.push((path, None));
                return;
            }
            TokenTree::Group(group) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                let is_comma =
                    |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
                let branches = inner.split(is_comma).filter(|branch| !branch.is_empty());
                branches.for_each(|branch| take_tree(&path, branch, names));
                return;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        index += 1;
    }
    let name = path.last().cloned();
    if name.is_some() {
        names.push((path, name));
    }
}

fn is_word(tokens: &[TokenTree], index: usize, wanted: &str) -> bool {
    word(tokens, index).is_some_and(|ident| ident == wanted)
}

fn below(module: &[String], name: &str) -> Module {
    let mut inner = module.to_vec();
    inner.push(name.to_owned());
    inner
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, Option<String>)> {
        let outline = read("f.rs", Vec::new(), text).unwrap();
        outline.uses.into_iter().map(|used| (used.path.join("::"), used.name)).collect()
    }

    #[test]
    fn every_form_of_a_use_is_read() {
        let own = |path: &str, name: &str| (path.to_owned(), Some(name.to_owned()));
        assert_eq!(
            names("use crate::a::{self, B, c::{D, E as F}}; use super::G; fn f() { use self::h::I; }"),
            [
                own("crate::a", "a"),
                own("crate::a::B", "B"),
                own("crate::a::c::D", "D"),
                own("crate::a::c::E", "F"),
                own("super::G", "G"),
                own("self::h::I", "I"),
            ]
        );
        assert_eq!(names("pub use a::*;"), [("a".to_owned(), None)]);
        let outline = read("f.rs", Vec::new(), "pub(crate) use a::B; use c::D;").unwrap();
        assert_eq!(outline.uses.iter().map(|used| used.is_exported).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn paths_items_and_inner_modules_are_found() {
        let text = "struct A; mod b { pub fn c() { crate::d::e(super::F); } } const G: u8 = h::I;";
        let outline = read("f.rs", Vec::new(), text).unwrap();
        let mentioned: Vec<_> =
            outline.mentions.iter().map(|one| (one.module.join("::"), one.path.join("::"))).collect();
        let pair = |module: &str, path: &str| (module.to_owned(), path.to_owned());
        assert_eq!(mentioned, [pair("b", "crate::d::e"), pair("b", "super::F"), pair("", "h::I")]);
        assert!(outline.items.contains(&(vec!["b".to_owned()], "c".to_owned())));
        assert!(outline.items.contains(&(Vec::new(), "A".to_owned())));
    }

    #[test]
    fn tests_are_left_out_and_what_follows_them_is_not() {
        let text = "#[cfg(test)] use a::{B, C}; #[cfg(test)] #[allow(x)] mod tests { use d::E; } \
            struct S { #[cfg(test)] f: g::H, i: j::K } #[cfg(test)] mod checks; #[cfg(not(test))] use l::M;";
        let outline = read("f.rs", Vec::new(), text).unwrap();
        assert_eq!(outline.uses.iter().map(|used| used.path.join("::")).collect::<Vec<_>>(), ["l::M"]);
        assert_eq!(outline.mentions.iter().map(|one| one.path.join("::")).collect::<Vec<_>>(), ["j::K"]);
        assert_eq!(outline.tests, [["checks"]]);
    }
}
