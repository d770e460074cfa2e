//! The halves of a node do not reach what the other has.
//!
//! That the name of a type is not there ([`super::source`] looks for it) is not enough: another name for it, a field,
//! or a function that hands it out would do as well. So all of them are found first, in all files of the node.

use super::outline::{self, Outline, group, is_sign, without_tests, word};
use proc_macro2::{Delimiter, Group, TokenTree};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// What a folder of the node must not reach.
struct Wall {
    /// Below the crate's `src`.
    folder: &'static str,
    /// The name of the type.
    hidden: &'static str,
    why: &'static str,
}

const WALLS: [Wall; 2] = [
    Wall {
        folder: "home/",
        hidden: "Shard",
        why: "the half of a node that has the connections does not know its shard",
    },
    Wall {
        folder: "owner/",
        hidden: "Connection",
        why: "the half of a node that has the shard does not know its connections",
    },
];

/// A type, and the name of something of it.
type Holders = BTreeSet<(String, String)>;

/// A file of the node.
struct File {
    name: String,
    outline: Outline,
    tokens: Vec<TokenTree>,
}

/// What is known of a hidden type: how it is called, and where it can be got.
#[derive(Debug, Default)]
struct Hidden {
    names: BTreeSet<String>,
    /// Fields that hold it: what the structure is called, and the field.
    fields: BTreeSet<(String, String)>,
    /// Functions that hand it out: whose they are, which is nobody if they have no `self`, their name, and whether they
    /// want arguments.
    functions: BTreeSet<(Option<String>, String, bool)>,
    /// What is called how that has such a field or such a function: its type, and the name.
    holders: Holders,
    /// Functions of the type itself: whoever calls one of those without a `self` names the type as well.
    own: BTreeSet<String>,
}

/// Where the files below `folder`, the `src` of a node, break the walls.
///
/// # Errors
/// If a file cannot be read.
pub fn check(root: &Path, folder: &str) -> io::Result<Vec<String>> {
    let breaches = breaches(&super::texts(&root.join(folder), &[".rs"])?)?;
    Ok(breaches.into_iter().map(|breach| format!("{folder}{breach}")).collect())
}

fn breaches(texts: &[(String, String)]) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for (name, text) in texts {
        let outline = outline::read(name, Vec::new(), text)?;
        let tokens = without_tests(outline::parse(name, text)?);
        files.push(File { name: name.clone(), outline, tokens });
    }
    let mut found = BTreeSet::new();
    for wall in &WALLS {
        let hidden = Hidden::find(wall.hidden, &files);
        for file in files.iter().filter(|file| file.name.starts_with(wall.folder)) {
            for (line, what) in hidden.reached_by(file) {
                found.insert((file.name.clone(), line, format!("`{what}`: {}", wall.why)));
            }
        }
    }
    Ok(found.into_iter().map(|(name, line, what)| format!("{name}:{line}: {what}")).collect())
}

impl Hidden {
    /// All ways to a type in the files of a crate.
    fn find(name: &str, files: &[File]) -> Hidden {
        let mut hidden = Hidden { names: BTreeSet::from([name.to_owned()]), ..Hidden::default() };
        // A name for a name for it is one as well.
        while files.iter().any(|file| hidden.take_names(file)) {}
        for file in files {
            each_level(&file.tokens, &mut |tokens| {
                for index in 0..tokens.len() {
                    hidden.take_structure(tokens, index);
                    hidden.take_methods(tokens, index);
                    hidden.take_function(tokens, index, None);
                }
            });
        }
        let own = std::mem::take(&mut hidden.own);
        hidden.functions.retain(|(owner, name, _)| owner.is_some() || !own.contains(name));
        for file in files {
            each_level(&file.tokens, &mut |tokens| hidden.take_holders(tokens));
        }
        hidden
    }

    /// Takes in other names for the type. True if there were any.
    fn take_names(&mut self, file: &File) -> bool {
        let before = self.names.len();
        let renamed = file
            .outline
            .uses
            .iter()
            .filter(|used| used.path.last().is_some_and(|last| self.names.contains(last)));
        let renamed: Vec<_> =
            renamed.filter_map(|used| used.name.clone()).filter(|name| name != "_").collect();
        self.names.extend(renamed);
        each_level(&file.tokens, &mut |tokens| {
            for index in 0..tokens.len() {
                if !is_word(tokens, index, "type") {
                    continue;
                }
                let end = (index..tokens.len()).find(|at| is_sign(tokens, *at, ';')).unwrap_or(tokens.len());
                if let (Some(name), true) = (word(tokens, index + 1), self.is_in(&tokens[index + 1..end])) {
                    self.names.insert(name.to_string());
                }
            }
        });
        self.names.len() > before
    }

    /// Whether the type is named among the tokens.
    fn is_in(&self, tokens: &[TokenTree]) -> bool {
        is_any_in(tokens, &|name| self.names.contains(name))
    }

    fn take_structure(&mut self, tokens: &[TokenTree], index: usize) {
        if !is_word(tokens, index, "struct") {
            return;
        }
        let Some(name) = word(tokens, index + 1) else { return };
        let body = body_after(tokens, index).and_then(|at| group(tokens, at, Delimiter::Brace));
        for (field, kind) in body.map(fields).unwrap_or_default() {
            if self.is_in(&kind) {
                self.fields.insert((name.to_string(), field));
            }
        }
    }

    /// Takes in the functions of a type or a trait that have a `self`.
    fn take_methods(&mut self, tokens: &[TokenTree], index: usize) {
        if !is_word(tokens, index, "impl") && !is_word(tokens, index, "trait") {
            return;
        }
        let Some(at) = body_after(tokens, index) else { return };
        let Some(body) = group(tokens, at, Delimiter::Brace) else { return };
        let Some(owner) = type_of(&tokens[index + 1..at]) else { return };
        let body: Vec<_> = body.stream().into_iter().collect();
        if self.names.contains(&owner) {
            return self.own.extend(
                (0..body.len())
                    .filter(|at| is_word(&body, *at, "fn"))
                    .filter_map(|at| word(&body, at + 1).map(ToString::to_string)),
            );
        }
        (0..body.len()).for_each(|index| self.take_function(&body, index, Some(&owner)));
    }

    /// Takes in a function if it hands out the type: one with a `self` if it is `owner`'s, one without if it is
    /// nobody's.
    fn take_function(&mut self, tokens: &[TokenTree], index: usize, owner: Option<&str>) {
        if !is_word(tokens, index, "fn") {
            return;
        }
        let Some(name) = word(tokens, index + 1) else { return };
        let end = body_after(tokens, index).unwrap_or(tokens.len());
        let signature = &tokens[index + 2..end.max(index + 2)];
        let Some(at) = angled(signature, &|token| is_group(token, Delimiter::Parenthesis)) else { return };
        let taken = inner(&signature[at]);
        let mut taken: Vec<_> =
            taken.split(|token| is_punct(token, ',')).filter(|one| !one.is_empty()).collect();
        let is_self = |one: &&[TokenTree]| is_any_in(&one[..one.len().min(4)], &|word| word == "self");
        let has_self = taken.first().is_some_and(is_self);
        if has_self != owner.is_some() || !(self.is_in(&signature[at + 1..]) || self.is_lent(signature)) {
            return;
        }
        taken.retain(|one| !is_self(one));
        self.functions.insert((owner.map(str::to_owned), name.to_string(), !taken.is_empty()));
    }

    /// Takes in what is called how that has such a field or function: fields, arguments, and variables of a known type.
    fn take_holders(&mut self, tokens: &[TokenTree]) {
        let with_fields = self.fields.iter().map(|(structure, _)| structure);
        let with_functions = self.functions.iter().filter_map(|(owner, ..)| owner.as_ref());
        let types: BTreeSet<_> = with_fields.chain(with_functions).cloned().collect();
        for index in 0..tokens.len() {
            let Some(name) = word(tokens, index).filter(|_| is_sign(tokens, index + 1, ':')) else {
                continue;
            };
            let is_end = |token: &TokenTree| {
                is_group(token, Delimiter::Brace) || [',', ';', '='].iter().any(|sign| is_punct(token, *sign))
            };
            let kind = &tokens[index + 2..];
            let kind = &kind[..kind.iter().position(is_end).unwrap_or(kind.len())];
            let held = types.iter().filter(|held| is_any_in(kind, &|word| word == held.as_str()));
            self.holders.extend(held.map(|held| (held.clone(), name.to_string())));
        }
    }

    /// Whether a function that is passed in is given the type.
    fn is_lent(&self, signature: &[TokenTree]) -> bool {
        let mut is_lent = false;
        each_level(signature, &mut |tokens| {
            for index in 0..tokens.len() {
                let is_function =
                    word(tokens, index).is_some_and(|ident| ident.to_string().starts_with("Fn"));
                let given = group(tokens, index + 1, Delimiter::Parenthesis).filter(|_| is_function);
                is_lent |=
                    given.is_some_and(|given| self.is_in(&given.stream().into_iter().collect::<Vec<_>>()));
            }
        });
        is_lent
    }

    /// Where a file gets at the type, and how.
    fn reached_by(&self, file: &File) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for used in &file.outline.uses {
            let names = used.path.iter().chain(&used.name).filter(|name| self.names.contains(*name));
            found.extend(names.map(|name| (used.line, name.clone())));
        }
        let mut holders = self.holders.clone();
        each_level(&file.tokens, &mut |tokens| add_variables(tokens, &mut holders));
        each_level(&file.tokens, &mut |tokens| {
            for index in 0..tokens.len() {
                if let Some(what) = self.reached_at(tokens, index, &holders) {
                    found.push((tokens[index].span().start().line, what));
                }
            }
        });
        found
    }

    fn reached_at(&self, tokens: &[TokenTree], index: usize, holders: &Holders) -> Option<String> {
        let name = word(tokens, index)?.to_string();
        if self.names.contains(&name) {
            return Some(name);
        }
        // A structure with the type in it, taken apart.
        if let Some(parts) = tokens.get(index + 1).filter(|token| is_group(token, Delimiter::Brace)) {
            let parts = inner(parts);
            let is_part = |field: &str| is_any_in(&parts, &|word| word == field);
            let hit = self.fields.iter().find(|(structure, field)| *structure == name && is_part(field));
            if let Some((_, field)) = hit {
                return Some(format!("{name} {{ {field} }}"));
            }
        }
        let is_of_something = index > 0 && is_sign(tokens, index - 1, '.');
        let of = index.checked_sub(2).and_then(|at| word(tokens, at)).map(ToString::to_string);
        let may_be = |owner: &str| match of.as_deref() {
            // Of which type `self` is, or the value of a call, is not looked into.
            None | Some("self") => true,
            Some(of) => holders.contains(&(owner.to_owned(), of.to_owned())),
        };
        match group(tokens, index + 1, Delimiter::Parenthesis) {
            Some(given) => {
                let is_called = |owner: &Option<String>| match owner {
                    Some(owner) => is_of_something && may_be(owner),
                    None => !is_of_something,
                };
                let wants = !given.stream().is_empty();
                let mut functions = self.functions.iter();
                functions
                    .any(|(owner, function, wanted)| {
                        *function == name && *wanted == wants && is_called(owner)
                    })
                    .then(|| format!("{name}()"))
            }
            None => {
                let mut fields = self.fields.iter();
                let is_field = fields.any(|(owner, field)| *field == name && may_be(owner));
                (is_of_something && is_field).then(|| format!("{}.{name}", of.unwrap_or_default()))
            }
        }
    }
}

/// Adds the variables that are made of what a holder names: `let a = &mut self.holder;`.
fn add_variables(tokens: &[TokenTree], holders: &mut Holders) {
    for index in 0..tokens.len() {
        let Some(last) = word(tokens, index).filter(|_| is_sign(tokens, index + 1, ';')) else { continue };
        let start = (0..index).rev().find(|at| is_word(tokens, *at, "let") || is_sign(tokens, *at, ';'));
        let Some(start) = start.filter(|at| is_word(tokens, *at, "let")) else { continue };
        let at = if is_word(tokens, start + 1, "mut") { start + 2 } else { start + 1 };
        let Some(variable) = word(tokens, at) else { continue };
        let types: Vec<_> =
            holders.iter().filter(|(_, holder)| last == holder).map(|(held, _)| held.clone()).collect();
        holders.extend(types.into_iter().map(|held| (held, variable.to_string())));
    }
}

/// Where the body of an item that begins at `index` is, or its end if it has none.
fn body_after(tokens: &[TokenTree], index: usize) -> Option<usize> {
    let is_end = |at: &usize| is_sign(tokens, *at, ';') || is_group(&tokens[*at], Delimiter::Brace);
    (index..tokens.len()).find(is_end)
}

/// The type that an `impl` is of, or the name of a trait: from what is between the word and the body.
fn type_of(head: &[TokenTree]) -> Option<String> {
    let is_for = |token: &TokenTree| matches!(token, TokenTree::Ident(ident) if ident == "for");
    let start = match angled(head, &is_for) {
        Some(at) => at + 1,
        None => angled(head, &|token| matches!(token, TokenTree::Ident(_)))?,
    };
    // Of a path the last name counts.
    let mut at = start;
    while is_sign(head, at + 1, ':') && is_sign(head, at + 2, ':') {
        at += 3;
    }
    word(head, at).map(ToString::to_string)
}

/// The fields of a structure and their types.
fn fields(body: &Group) -> Vec<(String, Vec<TokenTree>)> {
    let tokens: Vec<_> = body.stream().into_iter().collect();
    let mut rest = &tokens[..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = angled(rest, &|token| is_punct(token, ',')).unwrap_or(rest.len());
        let field = &rest[..end];
        if let Some(colon) = field.iter().position(|token| is_punct(token, ':'))
            && let Some(name) = colon.checked_sub(1).and_then(|at| word(field, at))
        {
            found.push((name.to_string(), field[colon + 1..].to_vec()));
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    found
}

/// Where the first token is that is looked for and stands between no angle brackets.
fn angled(tokens: &[TokenTree], is_it: &dyn Fn(&TokenTree) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        let is_arrow = index > 0 && is_sign(tokens, index - 1, '-');
        if is_punct(token, '<') {
            depth += 1;
        } else if is_punct(token, '>') && !is_arrow {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && is_it(token) {
            return Some(index);
        }
    }
    None
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_group(token: &TokenTree, brackets: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == brackets)
}

/// What is between the brackets of a group.
fn inner(token: &TokenTree) -> Vec<TokenTree> {
    match token {
        TokenTree::Group(group) => group.stream().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether a name of which `is_it` is true is among the tokens, however deep.
fn is_any_in(tokens: &[TokenTree], is_it: &dyn Fn(&str) -> bool) -> bool {
    tokens.iter().any(|token| match token {
        TokenTree::Ident(ident) => is_it(&ident.to_string()),
        TokenTree::Group(group) => is_any_in(&group.stream().into_iter().collect::<Vec<_>>(), is_it),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Looks at the tokens, and at those of every group in them.
fn each_level(tokens: &[TokenTree], look: &mut dyn FnMut(&[TokenTree])) {
    look(tokens);
    for token in tokens {
        if let TokenTree::Group(group) = token {
            each_level(&group.stream().into_iter().collect::<Vec<_>>(), look);
        }
    }
}

fn is_word(tokens: &[TokenTree], index: usize, wanted: &str) -> bool {
    word(tokens, index).is_some_and(|ident| ident == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a file of the half with the connections, beside such a core.
    fn in_home(core: &str, home: &str) -> Vec<String> {
        let owner = "pub struct Owner { pub shard: Shard, pub random: Rng }";
        let core = format!("pub struct Core<S> {{ home: Home<S>, pub owner: Owner }} {core}");
        let texts = [("owner/mod.rs", owner), ("core.rs", core.as_str()), ("home/feed.rs", home)];
        breaches(&texts.map(|(name, text)| (name.to_owned(), text.to_owned()))).unwrap()
    }

    /// The same of the half with the shard.
    fn in_owner(core: &str, owner: &str) -> Vec<String> {
        let home =
            "pub struct Home<S> { pub connections: Vec<Option<Box<Connection>>>, pub listed: Vec<Id> }";
        let core = format!("pub struct Core<S> {{ home: Home<S>, pub owner: Owner }} {core}");
        let texts = [("home/mod.rs", home), ("core.rs", core.as_str()), ("owner/run.rs", owner)];
        breaches(&texts.map(|(name, text)| (name.to_owned(), text.to_owned()))).unwrap()
    }

    #[test]
    fn the_type_is_found_under_every_name() {
        let why = "the half of a node that has the connections does not know its shard";
        assert_eq!(in_home("", "use tessera_keyspace::Shard;"), [format!("home/feed.rs:1: `Shard`: {why}")]);
        assert_eq!(in_home("", "fn f(x: &tessera_keyspace::Shard) {}").len(), 1);
        assert_eq!(in_home("pub use tessera_keyspace::Shard as Store;", "use crate::core::Store;").len(), 1);
        assert_eq!(
            in_home("pub type Store = Box<Shard>; pub type Mine = Store;", "fn f(x: &Mine) {}").len(),
            1
        );
        assert!(
            in_home("pub use x::ShardId as Store;", "use crate::core::Store; fn f(x: ShardId) {}").is_empty()
        );
    }

    #[test]
    fn fields_that_hold_it_are_found_by_every_way() {
        for way in [
            "self.owner.shard.dump()",
            "let half = &mut self.owner; half.shard.dump()",
            "let Owner { shard, .. } = self.owner; shard.dump()",
        ] {
            assert_eq!(in_home("", &format!("fn f() {{ {way} }}")).len(), 1, "{way}");
        }
        assert_eq!(in_home("", "fn f(half: &mut Owner) { half.shard.dump() }").len(), 1);
        assert!(in_home("", "fn f() { self.owner.random.u8(..); part.shard; walk.shard() }").is_empty());
        assert_eq!(in_owner("", "fn f() { self.home.connections.len(); self.home.listed.len(); }").len(), 1);
    }

    #[test]
    fn functions_that_hand_it_out_are_found() {
        let core = "impl Core { fn store(&self) -> &Shard { x } fn with<F: FnOnce(&Shard)>(&self, f: F) {} \
            fn clocks(&self) -> u8 { 0 } }";
        assert_eq!(in_home(core, "fn f() { self.store().dump() }").len(), 1);
        assert_eq!(in_home(core, "fn f() { self.with(|shard| shard.dump()) }").len(), 1);
        assert!(in_home(core, "fn f() { self.clocks(); store(); }").is_empty());
        let core = "impl Core { fn take(&mut self, id: Id) -> Option<Box<Connection>> { x } }";
        assert_eq!(in_owner(core, "fn f() { self.take(id) }").len(), 1);
        assert!(
            in_owner(core, "fn f() { place.take(); self.put(id) }").is_empty(),
            "that is another function"
        );
    }

    #[test]
    fn functions_of_the_same_name_that_are_others_are_told_apart() {
        let core = "impl<S: Fn(u8) -> u8> Core<S> { fn shard(&self) -> &Shard { x } } trait T { fn put(&self) -> \
            Shard; }";
        assert!(in_home(core, "fn f(walk: Walk) { walk.shard(); }").is_empty());
        assert_eq!(in_home(core, "fn f(core: &Core<u8>) { core.shard(); }").len(), 1);
        assert_eq!(in_home(core, "fn f(one: impl T) { one.put(); }").len(), 1);
        assert_eq!(in_home("fn made() -> Shard { x }", "fn f() { crate::core::made(); }").len(), 1);
    }

    #[test]
    fn tests_and_other_files_may_reach_everything() {
        assert!(in_home("", "#[cfg(test)] mod tests { use tessera_keyspace::Shard; }").is_empty());
        assert!(in_home("fn f() { self.owner.shard.dump(); }", "").is_empty());
    }
}
