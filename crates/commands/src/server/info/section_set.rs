//! The sections of INFO, and which of them a command asks for.

use tessera_resp::Args;

macro_rules! sections {
    ($($variant:ident $title:literal $name:literal,)*) => {
        /// A section of INFO, in the order in which they are printed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Section { $($variant,)* }

        impl Section {
            /// All of them.
            pub const ALL: &'static [Section] = &[$(Section::$variant),*];

            /// The heading.
            pub fn title(self) -> &'static str {
                match self { $(Section::$variant => $title,)* }
            }

            /// The name it is asked for by.
            pub fn name(self) -> &'static str {
                match self { $(Section::$variant => $name,)* }
            }
        }
    };
}

sections! {
    Server "Server" "server",
    Clients "Clients" "clients",
    Memory "Memory" "memory",
    Persistence "Persistence" "persistence",
    Stats "Stats" "stats",
    Replication "Replication" "replication",
    Cpu "CPU" "cpu",
    Modules "Modules" "modules",
    CommandStats "Commandstats" "commandstats",
    ErrorStats "Errorstats" "errorstats",
    LatencyStats "Latencystats" "latencystats",
    Cluster "Cluster" "cluster",
    Keyspace "Keyspace" "keyspace",
    Shards "Shards" "shards",
}

impl Section {
    fn is_default(self) -> bool {
        !matches!(self, Section::CommandStats | Section::LatencyStats)
    }
}

/// A set of sections.
#[derive(Clone, Copy, Debug, Default)]
pub struct SectionSet(u32);

impl SectionSet {
    /// The sections that the words name, in any case; unknown names are passed over. No words: the usual ones.
    pub fn parse(words: Args<'_>) -> SectionSet {
        let mut sections = SectionSet::default();
        if words.is_empty() {
            sections.add(Section::is_default);
        }
        for word in words.iter() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("all") || is("everything") {
                sections.add(|_| true);
            } else if is("default") {
                sections.add(Section::is_default);
            } else if is("module_list") {
                sections.add(|section| section == Section::Modules);
            } else {
                sections.add(|section| is(section.name()));
            }
        }
        sections
    }

    /// It is asked for.
    pub fn has(self, section: Section) -> bool {
        self.0 & (1 << section as u32) != 0
    }

    fn add(&mut self, is_member: impl Fn(Section) -> bool) {
        for section in Section::ALL.iter().filter(|section| is_member(**section)) {
            self.0 |= 1 << *section as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_resp::args::OwnedArgs;

    fn names(words: &[&str]) -> Vec<&'static str> {
        let words = OwnedArgs::from_words(words);
        let sections = SectionSet::parse(words.as_args());
        Section::ALL.iter().filter(|section| sections.has(**section)).map(|section| section.name()).collect()
    }

    #[test]
    fn sections_come_in_their_order_once_each() {
        assert_eq!(names(&["keyspace", "CPU", "cpu", "nothing"]), ["cpu", "keyspace"]);
        assert_eq!(names(&[]), names(&["default"]));
        assert!(!names(&[]).contains(&"commandstats"));
        assert_eq!(names(&["commandstats", "default", "latencystats"]), names(&["all"]));
        assert_eq!(names(&["everything"]).len(), 14);
        assert_eq!(names(&["nothing"]).len(), 0);
    }
}
