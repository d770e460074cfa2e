//! Whoever can have what they want has it, and nobody else, whoever comes and goes in whichever order.

use std::collections::BTreeMap;
use tessera_routing::intents::{Access, Admission, Intents, TransactionId, Wants};

const KEYS: [&[u8]; 4] = [b"a", b"b", b"c", b"d"];

/// What somebody wants, and whether they have it.
#[derive(Clone, Debug)]
struct Wish {
    keys: Vec<(usize, Access)>,
    whole: Option<Access>,
    holds: bool,
}

fn conflict(one: Access, other: Access) -> bool {
    one == Access::Write || other == Access::Write
}

impl Wish {
    fn draw(random: &mut fastrand::Rng) -> Wish {
        let access =
            |random: &mut fastrand::Rng| if random.u8(..3) == 0 { Access::Write } else { Access::Read };
        let mut keys: Vec<usize> = (0..KEYS.len()).collect();
        random.shuffle(&mut keys);
        keys.truncate(random.usize(..3));
        let keys: Vec<(usize, Access)> = keys.into_iter().map(|key| (key, access(random))).collect();
        let whole = (keys.is_empty() || random.u8(..6) == 0).then(|| access(random));
        Wish { keys, whole, holds: false }
    }

    fn wants(&self) -> Wants {
        let wants = Wants::keys(self.keys.iter().map(|(key, access)| (KEYS[*key], *access)));
        match self.whole {
            Some(access) => wants.and_whole(access),
            None => wants,
        }
    }

    /// Everything that it does, with the whole shard as one more key.
    fn uses(&self) -> impl Iterator<Item = Access> {
        self.keys.iter().map(|(_, access)| *access).chain(self.whole)
    }

    fn is_in_way_of(&self, other: &Wish) -> bool {
        let same_key = |(key, access): &(usize, Access)| {
            other.keys.iter().any(|(other, wanted)| other == key && conflict(*access, *wanted))
        };
        let whole = |one: &Wish, two: &Wish| {
            one.whole.is_some_and(|held| two.uses().any(|used| conflict(held, used)))
        };
        self.keys.iter().any(same_key) || whole(self, other) || whole(other, self)
    }
}

/// Who waits though nobody is in their way who has what they want, or waits for it longer.
fn forgotten(wishes: &BTreeMap<TransactionId, Wish>) -> Option<TransactionId> {
    let waiting = wishes.iter().filter(|(_, wish)| !wish.holds);
    let is_blocked = |id: &TransactionId, wish: &Wish| {
        let others = wishes.iter().filter(|(other, held)| *other != id && (held.holds || *other < id));
        others.into_iter().any(|(_, other)| other.is_in_way_of(wish))
    };
    waiting.into_iter().find(|(id, wish)| !is_blocked(id, wish)).map(|(id, _)| *id)
}

/// Whoever has what they want now has not overtaken anybody who is older.
fn check_turn(wishes: &BTreeMap<TransactionId, Wish>, id: TransactionId, what: &str) {
    let mut older = wishes.range(..id).filter(|(_, wish)| !wish.holds);
    let overtaken = older.find(|(_, other)| other.is_in_way_of(&wishes[&id]));
    assert!(overtaken.is_none(), "{what}: {id:?} has overtaken {overtaken:?}");
}

fn check_holders(wishes: &BTreeMap<TransactionId, Wish>, what: &str) {
    let holders: Vec<_> = wishes.values().filter(|wish| wish.holds).collect();
    for (index, one) in holders.iter().enumerate() {
        for other in &holders[..index] {
            assert!(!one.is_in_way_of(other), "{what}: both hold: {one:?}, {other:?}");
        }
    }
}

#[test]
fn whoever_can_go_on_does_and_nobody_else() {
    for seed in 0..3_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut intents: Intents<()> = Intents::default();
        let mut wishes: BTreeMap<TransactionId, Wish> = BTreeMap::new();
        for number in 0..60u32 {
            let what = format!("seed {seed}, step {number}");
            if wishes.len() < 8 && random.bool() {
                // Some have been on their way for longer than others that are there already.
                let began_ns = u64::from(number) * 10 + random.u64(..50);
                let mut id = TransactionId { began_ns, sequence: number, ..TransactionId::default() };
                let mut wish = Wish::draw(&mut random);
                // Single commands that meet a holder.
                let waits = wishes.values().any(|held| held.holds && held.is_in_way_of(&wish));
                if waits && random.bool() {
                    id.began_ns = began_ns.max(intents.youngest().map_or(0, |id| id.began_ns + 1));
                    intents.wait(id, wish.wants(), ());
                } else {
                    wish.holds =
                        intents.admit(id, wish.wants(), (), random.u8(..8) == 0) == Admission::Granted(());
                }
                let holds = wish.holds;
                wishes.insert(id, wish);
                if holds {
                    check_turn(&wishes, id, &what);
                }
            } else if let Some(id) = random.choice(wishes.keys().copied().collect::<Vec<_>>()) {
                assert!(intents.release(id).is_some(), "{what}");
                wishes.remove(&id);
            }
            if random.u8(..3) > 0 {
                while let Some((id, ())) = intents.next_ready() {
                    let wish = wishes.get_mut(&id).expect("it has not gone");
                    assert!(!std::mem::replace(&mut wish.holds, true), "{what}: twice");
                    check_turn(&wishes, id, &what);
                    check_holders(&wishes, &what);
                }
                assert_eq!(forgotten(&wishes), None, "{what}: {wishes:?}");
            }
            check_holders(&wishes, &what);
            for (index, key) in KEYS.iter().enumerate() {
                for access in [Access::Read, Access::Write] {
                    let single = Wish { keys: vec![(index, access)], whole: None, holds: false };
                    let is_held = wishes.values().any(|wish| wish.holds && wish.is_in_way_of(&single));
                    assert_eq!(intents.is_held(key, access), is_held, "{what}");
                }
            }
        }
        for id in wishes.keys() {
            intents.release(*id);
        }
        assert!(intents.is_empty());
    }
}
