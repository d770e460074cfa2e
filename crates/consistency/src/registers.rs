//! What registers tell of the order of transactions. Nobody sees all values that a register has had, so the order of
//! those is known in part: by time, and by who was told a value before or behind another.

use crate::graph::{Edge, Graph, Place};
use crate::history::{Step, Transaction};
use std::collections::BTreeMap;

/// What was done with one register, by places in the history.
#[derive(Default)]
struct Register {
    writers: Vec<usize>,
    /// With the writer of what was seen.
    readers: Vec<(usize, Option<usize>)>,
}

/// Adds what follows.
///
/// # Errors
/// Values that nobody gave, or whose giving was refused.
pub fn add_edges(transactions: &[Transaction], graph: &mut Graph) -> Result<(), String> {
    for (number, register) in registers(transactions)? {
        let place = Place::Register(number);
        let ended_before = |first: usize, second: usize| {
            transactions[first].ended.is_some_and(|ended| ended < transactions[second].began)
        };
        for (reader, seen) in &register.readers {
            if let Some(writer) = seen {
                graph.add(*writer, *reader, Edge::Sees(place));
            }
            for writer in &register.writers {
                // It came later than what was seen: if that was nothing at all; or if who gave what was seen had ended.
                let is_later = seen.is_none_or(|seen| ended_before(seen, *writer));
                if Some(*writer) != *seen && is_later && writer != reader {
                    graph.add(*reader, *writer, Edge::DoesNotSee(place));
                }
            }
            // Who was told the same and gave another value: between the two there was nothing.
            for (other, _) in register.readers.iter().filter(|(_, other_seen)| other_seen == seen) {
                if register.writers.contains(other) {
                    graph.add(*reader, *other, Edge::DoesNotSee(place));
                }
            }
            for (later, seen_later) in &register.readers {
                // What is seen by who began behind its end, and was not seen by it, has been written behind it.
                if let Some(writer) = seen_later
                    && seen_later != seen
                    && ended_before(*reader, *later)
                {
                    graph.add(*reader, *writer, Edge::DoesNotSee(place));
                }
            }
        }
    }
    Ok(())
}

fn registers(transactions: &[Transaction]) -> Result<BTreeMap<u32, Register>, String> {
    let mut registers: BTreeMap<u32, Register> = BTreeMap::new();
    let mut writers: BTreeMap<(u32, u64), usize> = BTreeMap::new();
    for (index, transaction) in transactions.iter().enumerate() {
        for step in &transaction.steps {
            if let Step::Set { register, value } = step {
                writers.insert((*register, *value), index);
                if !transaction.is_refused {
                    registers.entry(*register).or_default().writers.push(index);
                }
            }
        }
    }
    for (index, transaction) in transactions.iter().enumerate() {
        let mut own = BTreeMap::new();
        for step in &transaction.steps {
            match step {
                Step::Set { register, value } => {
                    own.insert(*register, *value);
                }
                Step::Get { register, value } => {
                    if let Some(mine) = own.get(register) {
                        if Some(*mine) != *value {
                            return Err(format!(
                                "#{index} does not see register {register} as it has made it"
                            ));
                        }
                        continue;
                    }
                    let writer = value.map(|value| writers.get(&(*register, value)).copied().ok_or(value));
                    let writer = writer.transpose().map_err(|value| {
                        format!("register {register} is {value}, which nobody gave it (#{index})")
                    })?;
                    if writer.is_some_and(|writer| transactions[writer].is_refused) {
                        return Err(format!(
                            "register {register} is {value:?}, which was refused (#{index})"
                        ));
                    }
                    registers.entry(*register).or_default().readers.push((index, writer));
                }
                Step::Append { .. } | Step::Read { .. } => {}
            }
        }
    }
    Ok(registers)
}
