//! What lists tell of the order of transactions: all that was read of one is a beginning of the same list.

use crate::graph::{Edge, Graph, Place};
use crate::history::{Step, Transaction};
use std::collections::BTreeMap;

/// The elements of each list in their order, as far as anybody has read them, with who appended each.
pub type Orders = BTreeMap<u32, Vec<(u64, usize)>>;

/// Who appended which element, and to which list.
fn writers(transactions: &[Transaction]) -> Result<BTreeMap<u64, (u32, usize)>, String> {
    let mut writers = BTreeMap::new();
    for (index, transaction) in transactions.iter().enumerate() {
        for step in &transaction.steps {
            if let Step::Append { list, element, .. } = step
                && writers.insert(*element, (*list, index)).is_some()
            {
                return Err(format!("the workload appends {element} twice"));
            }
        }
    }
    Ok(writers)
}

/// Brings all that was read together.
///
/// # Errors
/// What cannot be, whatever the order: reads that disagree; elements that nobody appended, or that were refused, or are
/// there twice, or in another list; part of what nobody knows whether it happened; what was appended and is missing.
/// For the last, the history has to end with a read of every list.
pub fn orders(transactions: &[Transaction]) -> Result<Orders, String> {
    let writers = writers(transactions)?;
    let mut longest: BTreeMap<u32, &[u64]> = BTreeMap::new();
    let reads = transactions.iter().flat_map(|transaction| &transaction.steps);
    let reads = reads.filter_map(|step| match step {
        Step::Read { list, elements } => Some((*list, elements.as_slice())),
        _ => None,
    });
    for (list, elements) in reads {
        let known = longest.entry(list).or_default();
        let len = known.len().min(elements.len());
        if known[..len] != elements[..len] {
            return Err(format!("list {list} was read as {known:?} and as {elements:?}"));
        }
        if elements.len() > known.len() {
            *known = elements;
        }
    }
    let mut orders = Orders::new();
    let mut seen = BTreeMap::new();
    for (list, elements) in longest {
        let mut order = Vec::with_capacity(elements.len());
        for element in elements {
            let Some((of_list, writer)) = writers.get(element).copied().filter(|(of, _)| *of == list) else {
                return Err(format!("list {list} has {element}, which nobody appended to it"));
            };
            if transactions[writer].is_refused {
                return Err(format!("list {of_list} has {element}, whose append was refused (#{writer})"));
            }
            if seen.insert(*element, order.len()).is_some() {
                return Err(format!("list {list} has {element} twice"));
            }
            order.push((*element, writer));
        }
        orders.insert(list, order);
    }
    for (index, transaction) in transactions.iter().enumerate() {
        whole(index, transaction, &seen)?;
        agrees_with_itself(index, transaction)?;
    }
    Ok(orders)
}

/// All that a transaction appended is there, each where it was said to be; of one that was not answered all or nothing.
fn whole(index: usize, transaction: &Transaction, seen: &BTreeMap<u64, usize>) -> Result<(), String> {
    if transaction.is_refused {
        return Ok(());
    }
    let mut places = Vec::new();
    for step in &transaction.steps {
        let Step::Append { list, element, len } = step else { continue };
        let place = seen.get(element).copied();
        if let (Some(place), Some(len)) = (place, len)
            && place + 1 != *len
        {
            return Err(format!("{element} is element {} of list {list}, not {len} (#{index})", place + 1));
        }
        places.push((element, place));
    }
    let is_there = |(_, place): &(&u64, Option<usize>)| place.is_some();
    if transaction.ended.is_none() && !places.iter().any(is_there) {
        return Ok(());
    }
    match places.iter().find(|place| !is_there(place)) {
        Some((element, _)) => Err(format!("{element} is lost (#{index})")),
        None => Ok(()),
    }
}

/// A transaction sees what it appended itself, and not before.
fn agrees_with_itself(index: usize, transaction: &Transaction) -> Result<(), String> {
    let mut later: Vec<(u32, u64)> = Vec::new();
    for step in &transaction.steps {
        if let Step::Append { list, element, .. } = step {
            later.push((*list, *element));
        }
    }
    let mut done = 0;
    for step in &transaction.steps {
        match step {
            Step::Append { .. } => done += 1,
            Step::Read { list, elements } => {
                for (number, (of, element)) in later.iter().enumerate().filter(|(_, (of, _))| of == list) {
                    if elements.contains(element) != (number < done) {
                        return Err(format!("#{index} does not see list {of} as it has made it: {element}"));
                    }
                }
            }
            Step::Set { .. } | Step::Get { .. } => {}
        }
    }
    Ok(())
}

/// Adds what follows from the orders.
pub fn add_edges(transactions: &[Transaction], orders: &Orders, graph: &mut Graph) {
    for (list, order) in orders {
        for pair in order.windows(2) {
            graph.add(pair[0].1, pair[1].1, Edge::Overwrites(Place::List(*list)));
        }
    }
    for (reader, transaction) in transactions.iter().enumerate() {
        for step in &transaction.steps {
            let Step::Read { list, elements } = step else { continue };
            let Some(order) = orders.get(list) else { continue };
            if let Some((_, writer)) = elements.len().checked_sub(1).and_then(|last| order.get(last)) {
                graph.add(*writer, reader, Edge::Sees(Place::List(*list)));
            }
            // Not its own: it sees those later.
            if let Some((_, writer)) = order[elements.len()..].iter().find(|(_, writer)| *writer != reader) {
                graph.add(reader, *writer, Edge::DoesNotSee(Place::List(*list)));
            }
        }
    }
}
