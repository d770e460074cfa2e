//! LPUSH, RPUSH, LPUSHX, RPUSHX.

use super::{form_setting, push_event};
use tessera_command::prelude::*;
use tessera_values::List;
use tessera_values::list::{End, ListSetting};

/// What the four say of themselves alike.
pub(super) const SPEC: Spec = Spec {
    group: Group::List,
    complexity: "O(N) with N the number of elements added.",
    flags: Flags::DENY_OOM.with(Flags::FAST),
    categories: Categories::LIST,
    keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::INSERT))],
    grammar: &[key("key", 0), string("element").multiple()],
    ..Spec::BASE
};

/// A key and what is added there.
pub struct Push<'a> {
    key: &'a [u8],
    elements: Args<'a>,
}

impl<'a> Push<'a> {
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Push<'a>, Error> {
        Ok(Push { key: words.word()?, elements: words.rest() })
    }

    /// Adds the elements, to a list of its own if there is none.
    pub(super) fn execute(
        &self,
        end: End,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let setting = form_setting(db.settings());
        let event = push_event(end);
        let len =
            db.change_or_create(self.key, event, |list: &mut List| (self.push(list, end, setting), true))?;
        reply.integer(len as i64);
        Ok(Effect::Verbatim)
    }

    /// Adds the elements if there is a list.
    pub(super) fn execute_if_there(
        &self,
        end: End,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let setting = form_setting(db.settings());
        let event = push_event(end);
        let len = db.change(self.key, event, |list: &mut List| (self.push(list, end, setting), true))?;
        reply.integer(len.unwrap_or(0) as i64);
        Ok(if len.is_some() { Effect::Verbatim } else { Effect::None })
    }

    fn push(&self, list: &mut List, end: End, setting: ListSetting) -> usize {
        list.push(end, self.elements.iter(), setting);
        list.len()
    }
}
