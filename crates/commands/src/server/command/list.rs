use tessera_command::prelude::*;
use tessera_values::glob;

/// Which commands to list.
pub enum Filter<'a> {
    /// Those of a module. There are no modules.
    Module,
    /// Those of an ACL category; none if there is no such category.
    Category(Option<Categories>),
    /// Those whose name matches.
    Pattern(&'a [u8]),
}

impl Filter<'_> {
    fn takes(&self, command: &Command) -> bool {
        match self {
            Filter::Module => false,
            Filter::Category(category) => category.is_some_and(|category| command.categories().has(category)),
            Filter::Pattern(pattern) => {
                glob::matches_with(pattern, command.full_name.as_bytes(), glob::Case::Insensitive)
            }
        }
    }
}

pub struct List;

impl Session for List {
    const SPEC: Spec = Spec {
        name: "command|list",
        summary: "Lists the names of commands.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of commands.",
        flags: Flags::LOADING.with(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output_order"],
        grammar: &[one_of(
            "filterby",
            &[
                string("module-name").after("MODULE"),
                string("category").after("ACLCAT"),
                pattern("pattern").after("PATTERN"),
            ],
        )
        .after("FILTERBY")
        .optional()],
        ..Spec::BASE
    };
    type Args<'a> = Option<Filter<'a>>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        if words.is_empty() {
            return Ok(None);
        }
        if words.left() != 3 || !words.take("FILTERBY") {
            return Err(Error::SYNTAX);
        }
        if words.take("MODULE") {
            words.word()?;
            Ok(Some(Filter::Module))
        } else if words.take("ACLCAT") {
            Ok(Some(Filter::Category(Categories::by_name(words.word()?))))
        } else if words.take("PATTERN") {
            Ok(Some(Filter::Pattern(words.word()?)))
        } else {
            Err(Error::SYNTAX)
        }
    }

    fn execute(
        filter: &Self::Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let opened = reply.open();
        let mut listed = 0;
        for command in session.host.registry().commands() {
            for command in std::iter::once(command).chain(command.published_subcommands()) {
                if filter.as_ref().is_none_or(|filter| filter.takes(command)) {
                    reply.bulk(command.full_name.as_bytes());
                    listed += 1;
                }
            }
        }
        reply.close_array(opened, listed);
        Ok(())
    }
}
