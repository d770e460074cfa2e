use super::{answer_element, index};
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::List;

pub struct LIndex;

impl Read for LIndex {
    const SPEC: Spec = Spec {
        name: "lindex",
        summary: "Answers the element of a list with an index.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N/S) with N the number of elements, S that of many nodes; O(1) at either end.",
        categories: Categories::LIST,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0), integer("index")],
        ..Spec::BASE
    };
    /// Key, and an index that is looked at if there is a list.
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn execute((key, word): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let Some(list) = db.collection::<List>(key)? else {
            reply.null();
            return Ok(());
        };
        let at = parse_i64(word).ok_or(Error::NOT_AN_INTEGER)?;
        match index::element(at, list.len()).and_then(|at| list.get(at)) {
            Some(element) => answer_element(element, reply),
            None => reply.null(),
        }
        Ok(())
    }
}
