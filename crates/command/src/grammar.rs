//! A command's arguments as COMMAND DOCS tells them, and the arity that follows.

/// What an argument is.
#[derive(Clone, Copy, Debug)]
pub enum ArgKind {
    /// Any bytes.
    String,
    /// A signed 64-bit integer.
    Integer,
    /// A floating point number.
    Double,
    /// A key.
    Key,
    /// A glob pattern.
    Pattern,
    /// A Unix time.
    UnixTime,
    /// Nothing but its token.
    PureToken,
    /// One of these.
    OneOf(&'static [Arg]),
    /// All of these in order.
    Block(&'static [Arg]),
}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its name in the documentation.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgKind,
    /// The literal word before it.
    pub token: Option<&'static str>,
    /// Which of the command's key specs finds it.
    pub key_spec: Option<u8>,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Repeated together with its token.
    pub multiple_token: bool,
    /// The Redis version that brought it, if later than the command.
    pub since: Option<&'static str>,
    /// The Redis version that deprecated it.
    pub deprecated_since: Option<&'static str>,
    /// How it is displayed, if not by its name.
    pub display: Option<&'static str>,
}

const fn arg(name: &'static str, kind: ArgKind) -> Arg {
    Arg {
        name,
        kind,
        token: None,
        key_spec: None,
        optional: false,
        multiple: false,
        multiple_token: false,
        since: None,
        deprecated_since: None,
        display: None,
    }
}

/// A key, found by key spec number `spec`.
pub const fn key(name: &'static str, spec: u8) -> Arg {
    Arg { key_spec: Some(spec), ..arg(name, ArgKind::Key) }
}

/// Any bytes.
pub const fn string(name: &'static str) -> Arg {
    arg(name, ArgKind::String)
}

/// An integer.
pub const fn integer(name: &'static str) -> Arg {
    arg(name, ArgKind::Integer)
}

/// A floating point number.
pub const fn double(name: &'static str) -> Arg {
    arg(name, ArgKind::Double)
}

/// A glob pattern.
pub const fn pattern(name: &'static str) -> Arg {
    arg(name, ArgKind::Pattern)
}

/// A Unix time.
pub const fn unix_time(name: &'static str) -> Arg {
    arg(name, ArgKind::UnixTime)
}

/// A literal word of that name and that spelling.
pub const fn token(name: &'static str, spelling: &'static str) -> Arg {
    Arg { token: Some(spelling), ..arg(name, ArgKind::PureToken) }
}

/// A literal word that COMMAND DOCS displays otherwise than it is named.
pub const fn literal(name: &'static str, spelling: &'static str, display: &'static str) -> Arg {
    Arg { display: Some(display), ..token(name, spelling) }
}

/// One of several.
pub const fn one_of(name: &'static str, choices: &'static [Arg]) -> Arg {
    arg(name, ArgKind::OneOf(choices))
}

/// Several in order.
pub const fn block(name: &'static str, members: &'static [Arg]) -> Arg {
    arg(name, ArgKind::Block(members))
}

impl Arg {
    /// May be left out.
    pub const fn optional(self) -> Arg {
        Arg { optional: true, ..self }
    }

    /// May be repeated.
    pub const fn multiple(self) -> Arg {
        Arg { multiple: true, ..self }
    }

    /// May be repeated, each time with its token.
    pub const fn multiple_token(self) -> Arg {
        Arg { multiple: true, multiple_token: true, ..self }
    }

    /// Comes after this literal word.
    pub const fn after(self, token: &'static str) -> Arg {
        Arg { token: Some(token), ..self }
    }

    /// The Redis version that brought it.
    pub const fn since(self, version: &'static str) -> Arg {
        Arg { since: Some(version), ..self }
    }

    /// The Redis version that deprecated it.
    pub const fn deprecated_since(self, version: &'static str) -> Arg {
        Arg { deprecated_since: Some(version), ..self }
    }

    /// Finds keys by key spec number `spec`, although it is none itself.
    pub const fn of_keys(self, spec: u8) -> Arg {
        Arg { key_spec: Some(spec), ..self }
    }

    /// Displayed otherwise than it is named.
    pub const fn display(self, text: &'static str) -> Arg {
        Arg { display: Some(text), ..self }
    }

    /// The fewest words it takes, and whether it is always that many.
    const fn words(&self) -> (usize, bool) {
        if self.optional { (0, false) } else { self.words_if_given() }
    }

    const fn words_if_given(&self) -> (usize, bool) {
        let (members, fixed) = match self.kind {
            ArgKind::PureToken => (0, true),
            ArgKind::OneOf(choices) => {
                let (mut least, mut fixed, mut at) = (usize::MAX, true, 0);
                while at < choices.len() {
                    // One must be chosen, even if it could be left out elsewhere.
                    let (words, choice_fixed) = choices[at].words_if_given();
                    fixed = fixed && choice_fixed && (least == usize::MAX || least == words);
                    if words < least {
                        least = words;
                    }
                    at += 1;
                }
                (least, fixed)
            }
            ArgKind::Block(members) => sum(members),
            _ => (1, true),
        };
        let words = members + if self.token.is_some() { 1 } else { 0 };
        (words, fixed && !self.multiple)
    }
}

const fn sum(grammar: &[Arg]) -> (usize, bool) {
    let (mut total, mut all_fixed, mut at) = (0, true, 0);
    while at < grammar.len() {
        let (words, fixed) = grammar[at].words();
        total += words;
        all_fixed = all_fixed && fixed;
        at += 1;
    }
    (total, all_fixed)
}

/// The arity as COMMAND INFO tells it: the number of words with `name_words` for the name, negative if that
/// is only the least.
pub const fn arity(name_words: usize, grammar: &[Arg]) -> i32 {
    let (words, fixed) = sum(grammar);
    let total = (name_words + words) as i32;
    if fixed { total } else { -total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arity_follows_from_the_arguments() {
        assert_eq!(arity(1, &[]), 1);
        assert_eq!(arity(1, &[key("key", 0)]), 2);
        assert_eq!(arity(1, &[key("key", 0).multiple()]), -2);
        assert_eq!(arity(1, &[key("key", 0), string("value"), token("get", "GET").optional()]), -3);
        const PAIR: &[Arg] = &[key("key", 0), string("value")];
        assert_eq!(arity(1, &[block("data", PAIR).multiple()]), -3);
        const CHOICE: &[Arg] = &[token("nx", "NX"), integer("seconds").after("EX")];
        assert_eq!(arity(2, &[one_of("condition", CHOICE)]), -3);
    }
}
