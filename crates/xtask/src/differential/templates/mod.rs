//! The commands that are generated, a file for each family.

mod big;
mod bitmaps;
mod geo;
mod hashes;
mod hyperloglogs;
mod keys;
mod lists;
mod session;
mod sets;
pub mod sorted_sets;
mod sorting;
mod strings;

/// One command of a family.
pub struct Template {
    /// How often it comes, compared with others.
    pub weight: u32,
    /// Its words; see the module's documentation.
    pub words: &'static str,
    /// When two replies count as equal.
    pub equality: Equality,
}

/// When two replies count as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equality {
    /// To the byte.
    Exact,
    /// Integers that differ by at most this: for times that pass between two servers.
    Within(i64),
    /// Arrays of the same elements, in arrays as well.
    AnyOrder,
    /// Maps, or arrays of pairs, with the same pairs.
    AnyOrderPairs,
    /// Both null, or each an element of what the KEYS just before answered on its side.
    RandomKey,
    /// Maps or arrays of pairs that agree but in the version and the client's number.
    Hello,
}

/// Replies equal to the byte.
const fn exact(weight: u32, words: &'static str) -> Template {
    Template { weight, words, equality: Equality::Exact }
}

/// Replies equal in their way.
const fn like(weight: u32, words: &'static str, equality: Equality) -> Template {
    Template { weight, words, equality }
}

/// The families by name.
pub const FAMILIES: &[(&str, &[Template])] = &[
    ("strings", strings::TEMPLATES),
    ("bitmaps", bitmaps::TEMPLATES),
    ("keys", keys::TEMPLATES),
    ("big", big::TEMPLATES),
    ("session", session::TEMPLATES),
    ("lists", lists::TEMPLATES),
    ("hashes", hashes::TEMPLATES),
    ("sets", sets::TEMPLATES),
    ("sorted_sets", sorted_sets::TEMPLATES),
    ("hyperloglogs", hyperloglogs::TEMPLATES),
    ("geo", geo::TEMPLATES),
    ("sorting", sorting::TEMPLATES),
];
