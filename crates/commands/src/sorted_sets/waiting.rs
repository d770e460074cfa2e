//! BZPOPMIN and BZPOPMAX.

use super::popping::{self, End};
use crate::several::End as _;
use crate::timeout::Timeout;
use tessera_command::prelude::*;
use tessera_values::SortedSet;

/// Keys, and how long to wait until one of them holds a sorted set.
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

    /// Takes one element: key, member and score are told in one array.
    pub(super) fn serve(
        &self,
        end: End,
        key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        let taken = db.change(key, popping::event(end), |set: &mut SortedSet| {
            reply.array(3);
            reply.bulk(key);
            popping::take(set, end, 1, false, reply);
            ((), true)
        })?;
        if taken.is_none() {
            return Ok(None);
        }
        db.record(&[end.pop_word(), key]);
        Ok(Some(Effect::Rewritten))
    }
}
