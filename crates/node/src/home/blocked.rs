//! What a home knows of a blocking command: which owners it asks, and how far that is.

use crate::notes::waiting::Claim;
use std::sync::Arc;
use tessera_command::blocking::BlockingSteps;
use tessera_resp::args::OwnedArgs;
use tessera_routing::Gathering;

/// A blocking command at its home.
pub struct Blocked {
    pub(super) claim: Claim,
    pub(super) steps: BlockingSteps,
    pub(super) words: Arc<OwnedArgs>,
    /// The owners to be asked, in the order of the keys, and which keys of theirs.
    pub(super) runs: Vec<KeyRun>,
    /// How many of them have been.
    pub(super) asked: usize,
    /// How far they are looked at before they are asked, if that is needed.
    pub(super) look: Option<LookAtOwners>,
    pub(super) timeout_ms: Option<u64>,
    /// When time is up, in monotonic nanoseconds, once all have been asked in vain.
    pub(super) deadline_ns: Option<u64>,
    /// All have been asked in vain.
    pub(super) is_waiting: bool,
    /// It is its turn at its key, and the element is on its way to another shard.
    pub(super) moving: Option<Box<Gathering>>,
}

/// Keys of one owner.
pub(super) struct KeyRun {
    pub(super) owner: usize,
    pub(super) keys: Arc<[Box<[u8]>]>,
    /// Where each of them is among all keys of the command; not needed where no owner has two runs.
    places: Vec<usize>,
}

/// Where keys of several owners alternate, to ask for them in their order would take as many messages as there are
/// keys. So each owner gets all its keys at once. For the right one to be asked first, all tell beforehand which of
/// their keys is the first that holds something. What changes meanwhile may have come before or after this command.
#[derive(Default)]
pub(super) struct LookAtOwners {
    /// How many runs have been looked at.
    pub(super) looked: usize,
    /// The first place of a key that holds something, and its run.
    pub(super) first: Option<(usize, usize)>,
}

impl LookAtOwners {
    /// The run that was looked at last has this as its first key that holds something.
    pub(super) fn note(&mut self, runs: &[KeyRun], found: Option<usize>) {
        let run = self.looked - 1;
        let place = found.and_then(|index| runs[run].places.get(index));
        if let Some(place) = place
            && self.first.is_none_or(|(first, _)| *place < first)
        {
            self.first = Some((*place, run));
        }
    }
}

/// Divides keys into runs of one owner each, in their order; or, where these would be more than two for each owner, by
/// owner. Then the owners have to be looked at first.
fn divide(keys: &[&[u8]], owner_of: impl Fn(&[u8]) -> usize) -> (Vec<KeyRun>, bool) {
    let mut runs: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut by_owner: Vec<(usize, Vec<usize>)> = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let owner = owner_of(key);
        match runs.last_mut() {
            Some((last, places)) if *last == owner => places.push(place),
            _ => runs.push((owner, vec![place])),
        }
        match by_owner.iter_mut().find(|(other, _)| *other == owner) {
            Some((_, places)) => places.push(place),
            None => by_owner.push((owner, vec![place])),
        }
    }
    let looks = runs.len() > 2 * by_owner.len();
    let divided = if looks { by_owner } else { runs };
    let divided = divided.into_iter().map(|(owner, places)| {
        let keys = places.iter().map(|place| keys[*place].into()).collect();
        KeyRun { owner, keys, places }
    });
    (divided.collect(), looks)
}

impl Blocked {
    /// One that wants something of these keys, and has asked nobody yet.
    pub(super) fn new(
        steps: BlockingSteps,
        words: Arc<OwnedArgs>,
        keys: &[&[u8]],
        timeout_ms: Option<u64>,
        owner_of: impl Fn(&[u8]) -> usize,
    ) -> Blocked {
        let (runs, looks) = divide(keys, owner_of);
        Blocked {
            claim: Claim::default(),
            steps,
            words,
            runs,
            asked: 0,
            look: looks.then(LookAtOwners::default),
            timeout_ms,
            deadline_ns: None,
            is_waiting: false,
            moving: None,
        }
    }

    /// All who have been asked, each once.
    pub(super) fn owners_asked(&self) -> Vec<usize> {
        let mut owners: Vec<usize> = self.runs[..self.asked].iter().map(|run| run.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// All have been asked in vain. Returns when time is up, if ever.
    pub(super) fn begin_waiting(&mut self, began_ns: u64) -> Option<u64> {
        self.is_waiting = true;
        self.deadline_ns = self.timeout_ms.map(|ms| began_ns.saturating_add(ms.saturating_mul(1_000_000)));
        self.deadline_ns
    }

    /// All owners know of it, and none had anything.
    pub fn is_waiting(&self) -> bool {
        self.is_waiting && !self.claim.is_moving()
    }

    /// Takes its claim, if nobody has anything for it yet.
    pub fn take_claim(&self) -> bool {
        self.claim.take()
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    /// The number in a key is its owner's.
    fn owner(key: &[u8]) -> usize {
        usize::from(key[0] - b'0')
    }

    fn keys_of(run: &KeyRun) -> Vec<&[u8]> {
        run.keys.iter().map(|key| &**key).collect()
    }

    #[test]
    fn keys_that_do_not_alternate_are_asked_for_in_their_order() {
        let (runs, looks) = divide(&[b"0a", b"0b", b"1a", b"0c"], owner);
        assert!(!looks);
        let runs: Vec<_> = runs.iter().map(|run| (run.owner, keys_of(run))).collect();
        assert_eq!(runs, [(0, vec![&b"0a"[..], b"0b"]), (1, vec![b"1a"]), (0, vec![b"0c"])]);
    }

    #[test]
    fn keys_that_alternate_are_asked_for_once_per_owner() {
        let keys: Vec<Vec<u8>> =
            (0..3000).map(|number| format!("{}:{number}", number % 3).into_bytes()).collect();
        let words: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let (runs, looks) = divide(&words, owner);
        assert!(looks);
        assert_eq!(
            runs.iter().map(|run| (run.owner, run.keys.len())).collect::<Vec<_>>(),
            [(0, 1000), (1, 1000), (2, 1000)]
        );
        // Keys 1502 (the 500th of its owner) and 601 (the 200th of its) hold something.
        let mut look = LookAtOwners::default();
        for found in [None, Some(200), Some(500)] {
            look.looked += 1;
            look.note(&runs, found);
        }
        assert_eq!(look.first, Some((601, 1)));
    }
}
