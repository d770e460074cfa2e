//! What clients did, and what they were told.

use crate::graph::{Edge, Graph};
use crate::{fractured, lists, registers};

/// One thing that a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It appended an element, which nobody else appends anywhere; and how long the list was then, if it was told.
    Append {
        /// Which list.
        list: u32,
        /// The element.
        element: u64,
        /// The number of elements, with this one.
        len: Option<usize>,
    },
    /// It read a list.
    Read {
        /// Which list.
        list: u32,
        /// What it was told.
        elements: Vec<u64>,
    },
    /// It gave a register a value, which nobody else gives any register.
    Set {
        /// Which register.
        register: u32,
        /// The value.
        value: u64,
    },
    /// It read a register.
    Get {
        /// Which register.
        register: u32,
        /// What it was told; `None`: nobody has given it a value yet.
        value: Option<u64>,
    },
}

/// What a client did at one moment, as it should seem.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Whose.
    pub client: usize,
    /// When it was sent, on a clock that all clients share.
    pub began: u64,
    /// When it was answered. `None`: it never was, and perhaps has not happened, or will happen any time.
    pub ended: Option<u64>,
    /// What it did, in order.
    pub steps: Vec<Step>,
    /// It was told that it did not happen: none of its steps shall be seen by anybody.
    pub is_refused: bool,
}

/// All that happened.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In any order.
    pub transactions: Vec<Transaction>,
}

impl History {
    /// Looks whether there is an order. Returns how many dependencies were looked at.
    ///
    /// # Errors
    /// What there is no order for, in words.
    pub fn check(&self) -> Result<usize, String> {
        let mut graph = Graph::of(&self.transactions);
        let lists = lists::orders(&self.transactions)?;
        lists::add_edges(&self.transactions, &lists, &mut graph);
        registers::add_edges(&self.transactions, &mut graph)?;
        let dependencies = graph.check(|index| self.shown(index))?;
        fractured::check(&self.transactions).map_err(|(why, of)| {
            [vec![why], of.into_iter().map(|index| self.shown(index)).collect()].concat().join("\n")
        })?;
        Ok(dependencies)
    }

    /// A transaction in words.
    pub fn shown(&self, index: usize) -> String {
        let Transaction { client, began, ended, steps, is_refused } = &self.transactions[index];
        let ended = ended.map_or("never".to_owned(), |ended| ended.to_string());
        let refused = if *is_refused { ", refused" } else { "" };
        let steps: Vec<String> = steps.iter().map(shown_step).collect();
        format!("#{index} of client {client} ({began} to {ended}{refused}): {}", steps.join(", "))
    }
}

fn shown_step(step: &Step) -> String {
    match step {
        Step::Append { list, element, len } => match len {
            Some(len) => format!("append {element} to list {list}, which has {len} then"),
            None => format!("append {element} to list {list}"),
        },
        Step::Read { list, elements } => format!("list {list} is {elements:?}"),
        Step::Set { register, value } => format!("register {register} becomes {value}"),
        Step::Get { register, value: Some(value) } => format!("register {register} is {value}"),
        Step::Get { register, value: None } => format!("register {register} is missing"),
    }
}

impl Edge {
    /// What it says, in words.
    pub(crate) fn shown(self) -> String {
        match self {
            Edge::Overwrites(what) => format!("wrote to {what} before"),
            Edge::Sees(what) => format!("wrote what is seen in {what} by"),
            Edge::DoesNotSee(what) => format!("does not see in {what} what is written by"),
            Edge::EndsBefore => "ended before the beginning of".to_owned(),
        }
    }
}
