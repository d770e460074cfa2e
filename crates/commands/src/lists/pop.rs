//! LPOP, RPOP, BLPOP, BRPOP.

use super::{answer_element, form_setting, pop_event, pop_word};
use crate::several;
use crate::timeout::Timeout;
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::List;
use tessera_values::list::{End, ListSetting};

/// What LPOP and RPOP say of themselves alike.
pub(super) const SPEC: Spec = Spec {
    since: "1.0.0",
    group: Group::List,
    complexity: "O(N) with N the number of elements taken.",
    flags: Flags::FAST,
    categories: Categories::LIST,
    keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
    grammar: &[key("key", 0), integer("count").optional().since("6.2.0")],
    history: &[("6.2.0", "Takes several elements with `count`.")],
    ..Spec::BASE
};

/// What BLPOP and BRPOP say of themselves alike.
pub(super) const WAITING_SPEC: Spec = Spec {
    since: "2.0.0",
    group: Group::List,
    complexity: "O(N) with N the number of keys.",
    categories: Categories::LIST,
    keys: &[KeySpec::range(1, -2, 1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
    grammar: &[key("key", 0).multiple(), double("timeout")],
    history: &[("6.0.0", "`timeout` may have a fraction.")],
    ..Spec::BASE
};

/// A key and how many elements to take, if that is told.
pub struct Pop<'a> {
    key: &'a [u8],
    count: Option<usize>,
}

impl<'a> Pop<'a> {
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Pop<'a>, Error> {
        let key = words.word()?;
        if words.left() > 1 {
            return Err(Error::Arity);
        }
        let count = match words.next_word() {
            None => None,
            Some(word) => {
                let count = parse_i64(word).and_then(|count| usize::try_from(count).ok());
                Some(count.ok_or(Error::Text("ERR value is out of range, must be positive"))?)
            }
        };
        Ok(Pop { key, count })
    }

    pub(super) fn execute(
        &self,
        end: End,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let setting = form_setting(db.settings());
        let found = db.change(self.key, pop_event(end), |list: &mut List| {
            match self.count {
                None => {
                    let taken = list.pop(end, setting);
                    reply.bulk_or_null(taken.as_ref().map(|taken| taken.bytes.as_slice()));
                }
                Some(count) => take_and_answer(list, end, count, setting, reply),
            }
            ((), self.count != Some(0))
        })?;
        match (found, self.count) {
            (None, None) => reply.null(),
            (None, Some(_)) => reply.null_array(),
            (Some(()), _) => {}
        }
        Ok(if found.is_none() || self.count == Some(0) { Effect::None } else { Effect::Verbatim })
    }
}

/// Takes up to `count` elements from an end and answers them in the order in which they go.
pub(super) fn take_and_answer(
    list: &mut List,
    end: End,
    count: usize,
    setting: ListSetting,
    reply: &mut Reply<'_>,
) {
    let count = count.min(list.len());
    reply.array(count);
    match end {
        End::Front => list.as_ref().range(0, count).for_each(|element| answer_element(element, reply)),
        End::Back => list.as_ref().range_back(count).for_each(|element| answer_element(element, reply)),
    }
    if count > 0 {
        list.remove_at(end, count, setting);
    }
}

impl several::End for End {
    const BOTH: [(&'static str, End); 2] = [("LEFT", End::Front), ("RIGHT", End::Back)];

    fn pop_word(self) -> &'static [u8] {
        pop_word(self)
    }

    fn take(
        self,
        key: &[u8],
        count: usize,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<usize>, Error> {
        let setting = form_setting(db.settings());
        let taken = db.change(key, pop_event(self), |list: &mut List| {
            let count = count.min(list.len());
            reply.array(2);
            reply.bulk(key);
            take_and_answer(list, self, count, setting, reply);
            (count, count > 0)
        })?;
        Ok(taken)
    }
}

/// Keys, and how long to wait until one of them holds a list.
pub struct WaitingPop<'a> {
    keys: Args<'a>,
    timeout: Timeout,
}

impl<'a> WaitingPop<'a> {
    pub(super) fn parse(words: &mut Words<'a>) -> Result<WaitingPop<'a>, Error> {
        let keys = words.rest();
        let last = keys.len().checked_sub(1).and_then(|last| keys.get(last)).ok_or(Error::SYNTAX)?;
        Ok(WaitingPop { keys, timeout: Timeout::parse(last)? })
    }

    pub(super) fn wait(&self) -> Wait<'a> {
        let keys = self.keys.iter().take(self.keys.len() - 1).collect();
        Wait { keys, timeout_ms: self.timeout.ms(), target: None }
    }

    pub(super) fn serve(
        &self,
        end: End,
        key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        let setting = form_setting(db.settings());
        let taken = db.change(key, pop_event(end), |list: &mut List| {
            let taken = list.pop(end, setting);
            let has_changed = taken.is_some();
            (taken, has_changed)
        })?;
        let Some(taken) = taken.flatten() else { return Ok(None) };
        reply.array(2);
        reply.bulk(key);
        reply.bulk(&taken.bytes);
        db.record(&[pop_word(end), key]);
        Ok(Some(Effect::Rewritten))
    }
}
