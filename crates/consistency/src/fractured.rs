//! Readers that see of two transactions one register each where both have set both. Whichever of the two came first,
//! the reader should have seen the other's in both, so nobody has to know which did: also where all are under way at
//! the same time, and nothing else tells their order.

use crate::history::{Step, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// Looks at all readers of several registers.
///
/// # Errors
/// Who saw halves of what, in words, and the places of those in the history.
pub fn check(transactions: &[Transaction]) -> Result<(), (String, Vec<usize>)> {
    let mut setters: BTreeMap<(u32, u64), usize> = BTreeMap::new();
    let mut set: BTreeSet<(usize, u32)> = BTreeSet::new();
    for (index, transaction) in transactions.iter().enumerate() {
        for step in &transaction.steps {
            if let Step::Set { register, value } = step {
                setters.insert((*register, *value), index);
                set.insert((index, *register));
            }
        }
    }
    for (index, transaction) in transactions.iter().enumerate() {
        let seen = seen(transaction, &setters);
        for (first, setter) in &seen {
            let Some(setter) = setter else { continue };
            // It has set this one as well, but somebody else's is seen, or nothing: what was there before all.
            let is_half = |(second, other): &&(u32, Option<usize>)| {
                *other != Some(*setter)
                    && set.contains(&(*setter, *second))
                    && other.is_none_or(|other| set.contains(&(other, *first)))
            };
            if let Some((second, other)) = seen.iter().find(is_half) {
                let whose = other.map_or("nobody".to_owned(), |other| format!("#{other}"));
                let why = format!(
                    "#{index} sees in register {first} what #{setter} has set, and in register {second} what {whose} \
                     has, and each has set both:"
                );
                return Err((why, [index, *setter].into_iter().chain(*other).collect()));
            }
        }
    }
    Ok(())
}

/// Whose values a transaction has read of others, by register. `None`: there was none yet.
fn seen(transaction: &Transaction, setters: &BTreeMap<(u32, u64), usize>) -> Vec<(u32, Option<usize>)> {
    let (mut own, mut seen) = (BTreeSet::new(), Vec::new());
    for step in &transaction.steps {
        match step {
            Step::Set { register, .. } => {
                own.insert(*register);
            }
            Step::Get { register, .. } if own.contains(register) => {}
            Step::Get { register, value: None } => seen.push((*register, None)),
            Step::Get { register, value: Some(value) } => {
                seen.extend(setters.get(&(*register, *value)).map(|setter| (*register, Some(*setter))));
            }
            Step::Append { .. } | Step::Read { .. } => {}
        }
    }
    seen
}
