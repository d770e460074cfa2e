use super::form_setting;
use tessera_command::prelude::*;
use tessera_values::List;
use tessera_values::list::End;

pub struct LRem;

impl Write for LRem {
    const SPEC: Spec = Spec {
        name: "lrem",
        summary: "Takes away the elements of a list that are equal to one.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N) with N the number of elements.",
        categories: Categories::LIST,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::DELETE))],
        events: &[Event::LRem, Event::Del],
        grammar: &[key("key", 0), integer("count"), string("element")],
        ..Spec::BASE
    };
    /// Key; how many at most, from the end if negative, 0: all; element.
    type Args<'a> = (&'a [u8], i64, &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.integer()?, words.word()?))
    }

    fn execute(
        (key, count, element): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let setting = form_setting(db.settings());
        let (from, max) = match *count {
            0 => (End::Front, usize::MAX),
            1.. => (End::Front, count.unsigned_abs() as usize),
            _ => (End::Back, count.unsigned_abs() as usize),
        };
        let removed = db.change(key, Event::LRem, |list: &mut List| {
            let removed = list.remove_equal(from, max, element, setting);
            (removed, removed > 0)
        })?;
        let removed = removed.unwrap_or(0);
        reply.integer(removed as i64);
        Ok(if removed > 0 { Effect::Verbatim } else { Effect::None })
    }
}
