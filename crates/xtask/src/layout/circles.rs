//! Files that use one another in a circle.
//!
//! Whoever wants to understand one of them has to understand all. Counted is what a file names: what its `use` brings
//! in, and the paths in its text. A name that a module only passes on leads to the file that defines it. That a
//! module has another below it is no use of it.

use super::outline::{self, Module, Outline};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;

/// How many modules pass a name on at most, so that two that take it from each other have an end.
const MAX_PASSES: usize = 16;

/// The files of a crate, and what each defines and names.
pub struct Files {
    names: Vec<String>,
    outlines: Vec<Outline>,
    /// Which file a module is in.
    modules: BTreeMap<Module, usize>,
}

/// A file uses another: where from, where to, and in which line first.
type Uses = BTreeMap<usize, BTreeMap<usize, usize>>;

/// The circles among the files below `folder`, the `src` of a crate: the shortest one of each knot, and where its files
/// name one another.
///
/// # Errors
/// If a file cannot be read.
pub fn check(root: &Path, folder: &str) -> io::Result<Vec<String>> {
    let circles = Files::new(&super::texts(&root.join(folder), &[".rs"])?)?.circles();
    Ok(circles.into_iter().map(|circle| format!("files of {folder} in a circle: {circle}")).collect())
}

impl Files {
    /// The files of a crate: their names below its `src`, and their texts.
    ///
    /// # Errors
    /// If one is no Rust.
    pub fn new(texts: &[(String, String)]) -> io::Result<Files> {
        let mut files = Files { names: Vec::new(), outlines: Vec::new(), modules: BTreeMap::new() };
        let mut outlines = Vec::new();
        for (name, text) in texts {
            outlines.push((name.clone(), outline::read(name, module_of(name), text)?));
        }
        let tests: Vec<_> = outlines.iter().flat_map(|(_, outline)| outline.tests.clone()).collect();
        outlines.retain(|(_, outline)| !tests.iter().any(|test| outline.modules[0].starts_with(test)));
        for (index, (name, outline)) in outlines.into_iter().enumerate() {
            files.modules.extend(outline.modules.iter().map(|module| (module.clone(), index)));
            files.names.push(name);
            files.outlines.push(outline);
        }
        Ok(files)
    }

    /// The shortest circle of each knot of files that use one another.
    pub fn circles(&self) -> Vec<String> {
        let uses = self.uses();
        let mut circles: Vec<_> = (0..self.names.len()).filter_map(|file| circle(&uses, file)).collect();
        circles.sort_by_key(|circle| (circle.len(), circle.clone()));
        // One of each knot: in a knot every file reaches every other.
        let mut told: Vec<usize> = Vec::new();
        let mut shown = Vec::new();
        for circle in circles {
            let start = circle[0];
            if told
                .iter()
                .any(|other| path(&uses, start, *other).is_some() && path(&uses, *other, start).is_some())
            {
                continue;
            }
            told.push(start);
            shown.push(self.describe(&uses, &circle));
        }
        shown
    }

    fn describe(&self, uses: &Uses, circle: &[usize]) -> String {
        let next = circle.iter().cycle().skip(1);
        let steps = circle
            .iter()
            .zip(next)
            .map(|(from, to)| format!("{}:{} names ", self.names[*from], uses[from][to]));
        format!("{}{}", steps.collect::<String>(), self.names[circle[0]])
    }

    /// Which file uses which.
    fn uses(&self) -> Uses {
        let mut found = Uses::new();
        for (from, outline) in self.outlines.iter().enumerate() {
            let brought_in = outline.uses.iter().filter_map(|used| match &used.name {
                Some(name) if used.is_exported => outline.words.get(name).map(|line| (used, *line)),
                _ => Some((used, used.line)),
            });
            let brought_in = brought_in.map(|(used, line)| (&used.module, &used.path, line));
            let mentioned = outline.mentions.iter().map(|one| (&one.module, &one.path, one.line));
            for (module, path, line) in brought_in.chain(mentioned) {
                if let Some(to) = self.file_of(module, path, MAX_PASSES).filter(|to| *to != from) {
                    let first = found.entry(from).or_default().entry(to).or_insert(line);
                    *first = line.min(*first);
                }
            }
        }
        found
    }

    /// The file that defines what `path` means in `module`. `None`: it is not of this crate, or a module.
    fn file_of(&self, module: &[String], path: &[String], passes: usize) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => return self.descend(&[], rest, passes),
            "self" => return self.descend(module, rest, passes),
            "super" => {
                let (_, parent) = module.split_last()?;
                // Of several, the next one is read from there.
                return match rest.first().map(String::as_str) {
                    Some("super") => self.file_of(parent, rest, passes),
                    _ => self.descend(parent, rest, passes),
                };
            }
            _ => {}
        }
        self.known_here(module, first).then(|| self.descend(module, path, passes)).flatten()
    }

    /// Whether `name` means something of this crate in `module`.
    fn known_here(&self, module: &[String], name: &str) -> bool {
        let Some(file) = self.modules.get(module) else { return false };
        let outline = &self.outlines[*file];
        let mut inner = module.to_vec();
        inner.push(name.to_owned());
        self.modules.contains_key(&inner)
            || outline.items.contains(&(module.to_vec(), name.to_owned()))
            || outline.uses.iter().any(|used| used.module == module && used.name.as_deref() == Some(name))
    }

    /// The file that defines what `path` means, seen from `module` downwards.
    fn descend(&self, module: &[String], path: &[String], passes: usize) -> Option<usize> {
        let passes = passes.checked_sub(1)?;
        let file = *self.modules.get(module)?;
        let (name, rest) = path.split_first()?;
        let mut inner = module.to_vec();
        inner.push(name.clone());
        if self.modules.contains_key(&inner) {
            return self.descend(&inner, rest, passes);
        }
        let outline = &self.outlines[file];
        if outline.items.contains(&(module.to_vec(), name.clone())) {
            return Some(file);
        }
        let here = outline.uses.iter().filter(|used| used.module == module);
        if let Some(used) = here.clone().find(|used| used.name.as_ref() == Some(name)) {
            let whole: Vec<_> = used.path.iter().chain(rest).cloned().collect();
            // A name that is passed on under itself, as `use self::a;`, is found above.
            return (whole != path).then(|| self.file_of(module, &whole, passes)).flatten();
        }
        here.filter(|used| used.name.is_none()).find_map(|used| {
            let whole: Vec<_> = used.path.iter().chain(path).cloned().collect();
            self.file_of(module, &whole, passes).filter(|to| *to != file)
        })
    }
}

/// The module that a file is, by its name below `src`.
fn module_of(name: &str) -> Module {
    let mut parts: Module = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// The shortest way from a file back to itself.
fn circle(uses: &Uses, start: usize) -> Option<Vec<usize>> {
    let next = uses.get(&start)?.keys();
    let mut ways: Vec<_> = next.filter_map(|next| path(uses, *next, start)).collect();
    ways.sort_by_key(Vec::len);
    let mut way = ways.into_iter().next()?;
    way.pop();
    way.insert(0, start);
    Some(way)
}

/// The shortest way from one file to another, both included.
fn path(uses: &Uses, from: usize, to: usize) -> Option<Vec<usize>> {
    let mut came_from = BTreeMap::from([(from, from)]);
    let mut queue = VecDeque::from([from]);
    while let Some(file) = queue.pop_front() {
        if file == to {
            let mut way = vec![to];
            while way[0] != from {
                way.insert(0, came_from[&way[0]]);
            }
            return Some(way);
        }
        for next in uses.get(&file).into_iter().flat_map(BTreeMap::keys) {
            if !came_from.contains_key(next) {
                came_from.insert(*next, file);
                queue.push_back(*next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let root = ("lib.rs", "");
        let files = files.iter().chain((!files.iter().any(|(name, _)| *name == "lib.rs")).then_some(&root));
        let texts: Vec<_> = files.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Files::new(&texts).unwrap().circles()
    }

    #[test]
    fn two_files_that_name_each_other_are_a_circle() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B;\npub struct A;"),
            ("b.rs", "pub struct B;\nfn f() { crate::a::A; }"),
        ]);
        assert_eq!(found, ["a.rs:1 names b.rs:2 names a.rs"]);
        assert!(
            circles(&[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "struct B;")])
                .is_empty()
        );
    }

    #[test]
    fn the_shortest_way_around_is_told_and_every_knot() {
        let found = circles(&[
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::a::A; use crate::d::D; pub struct C;"),
            ("d.rs", "use crate::c::C; pub struct D;"),
            ("x.rs", "use crate::y::Y; pub struct X;"),
            ("y.rs", "use crate::x::X; pub struct Y;"),
        ]);
        assert_eq!(found, ["c.rs:1 names d.rs:1 names c.rs", "x.rs:1 names y.rs:1 names x.rs"]);
    }

    #[test]
    fn names_that_a_module_passes_on_lead_to_where_they_are_defined() {
        let through_a_facade = |facade: &str, user: &str| {
            circles(&[("m/mod.rs", facade), ("m/a.rs", user), ("m/b.rs", "use super::a::A; pub struct B;")])
        };
        for (facade, user) in [
            ("pub use b::B; mod a; mod b;", "use super::B; pub struct A;"),
            ("pub use self::b::B as Other;", "use crate::m::Other; pub struct A;"),
            ("pub use b::*;", "use crate::m::B; pub struct A;"),
            ("", "use super::b; pub struct A; fn f() { b::B; }"),
            ("pub(crate) use crate::m::b as c;", "use super::c; pub struct A; fn f() { c::B; }"),
        ] {
            let found = through_a_facade(facade, user);
            assert_eq!(found.len(), 1, "{facade} {user}");
            assert!(found[0].contains("m/a.rs:1 names m/b.rs:1 names m/a.rs"), "{found:?}");
        }
    }

    #[test]
    fn a_module_uses_what_is_below_it_only_if_it_does_more_than_pass_it_on() {
        let child = "use super::M; pub struct A;";
        assert!(circles(&[("m/mod.rs", "mod a; pub use a::A; pub struct M;"), ("m/a.rs", child)]).is_empty());
        let parent = "mod a; pub use a::A; pub struct M { a: A }";
        assert_eq!(
            circles(&[("m/mod.rs", parent), ("m/a.rs", child)]),
            ["m/mod.rs:1 names m/a.rs:1 names m/mod.rs"]
        );
    }

    #[test]
    fn tests_may_name_what_they_like() {
        let user = "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }";
        assert!(circles(&[("a.rs", user), ("b.rs", "use crate::a::A; pub struct B;")]).is_empty());
        let files = [
            ("lib.rs", "mod a; pub struct L;"),
            ("a.rs", "#[cfg(test)] mod tests; use crate::L; pub struct A;"),
            ("a/tests.rs", "use super::A; use crate::b::B;"),
            ("b.rs", "use crate::a::A; pub struct B;"),
        ];
        assert!(circles(&files).is_empty());
    }

    #[test]
    fn names_of_other_crates_lead_nowhere() {
        let user = "use std::fmt; use other::b::B; pub struct A; fn f() -> fmt::Result { Self::x(B::Y) }";
        assert!(circles(&[("a.rs", user), ("b.rs", "use crate::a::A; pub struct B;")]).is_empty());
    }
}
