//! Which transaction has come before which.

use crate::history::Transaction;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{BTreeMap, VecDeque};

/// What somebody wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A list.
    List(u32),
    /// A register.
    Register(u32),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::List(list) => write!(f, "list {list}"),
            Place::Register(register) => write!(f, "register {register}"),
        }
    }
}

/// Why one has come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// What it wrote came before what the other wrote (ww).
    Overwrites(Place),
    /// The other saw what it wrote (wr).
    Sees(Place),
    /// It did not see what the other wrote (rw).
    DoesNotSee(Place),
    /// It had ended when the other began.
    EndsBefore,
}

/// See the module.
pub struct Graph {
    graph: DiGraph<Option<usize>, Edge>,
}

impl Graph {
    /// With the edges that follow from time alone.
    pub fn of(transactions: &[Transaction]) -> Graph {
        let mut graph = DiGraph::with_capacity(2 * transactions.len(), 4 * transactions.len());
        let nodes: Vec<NodeIndex> =
            (0..transactions.len()).map(|index| graph.add_node(Some(index))).collect();
        // Each moment at which one ended is a node: after that one, before the next moment, and before all that began
        // behind it. So there are as many edges as transactions, and not as many as pairs of them.
        let mut moments: BTreeMap<u64, NodeIndex> = BTreeMap::new();
        for (node, transaction) in nodes.iter().zip(transactions) {
            if let Some(ended) = transaction.ended.filter(|_| !transaction.is_refused) {
                let moment = *moments.entry(ended).or_insert_with(|| graph.add_node(None));
                graph.add_edge(*node, moment, Edge::EndsBefore);
            }
        }
        let in_order: Vec<NodeIndex> = moments.values().copied().collect();
        for pair in in_order.windows(2) {
            graph.add_edge(pair[0], pair[1], Edge::EndsBefore);
        }
        for (node, transaction) in nodes.iter().zip(transactions) {
            if let Some((_, moment)) = moments.range(..transaction.began).next_back() {
                graph.add_edge(*moment, *node, Edge::EndsBefore);
            }
        }
        Graph { graph }
    }

    /// One transaction has come before another, by their places in the history.
    pub fn add(&mut self, before: usize, after: usize, why: Edge) {
        if before != after {
            self.graph.add_edge(NodeIndex::new(before), NodeIndex::new(after), why);
        }
    }

    /// Looks for transactions that come before each other. Returns how many edges there are.
    ///
    /// # Errors
    /// A shortest circle of such, in words.
    pub fn check(&self, shown: impl Fn(usize) -> String) -> Result<usize, String> {
        let circles = tarjan_scc(&self.graph);
        let Some(circle) = circles.into_iter().find(|nodes| nodes.len() > 1) else {
            return Ok(self.graph.edge_count());
        };
        let of_transactions = circle.iter().copied().filter(|node| self.graph[*node].is_some());
        let shortest = of_transactions.take(200).filter_map(|node| self.way_back(node)).min_by_key(Vec::len);
        let lines = shortest.unwrap_or_default().into_iter().map(|(node, why)| {
            let name = self.graph[node].map_or("(a moment)".to_owned(), &shown);
            format!("{name}\n    {}", why.shown())
        });
        let lines: Vec<String> = lines.collect();
        Err(format!("these come before each other:\n{}\n(the first)", lines.join("\n")))
    }

    /// The shortest way from a node to itself: the nodes, and why each comes before the next.
    fn way_back(&self, start: NodeIndex) -> Option<Vec<(NodeIndex, Edge)>> {
        let mut came_from: BTreeMap<NodeIndex, (NodeIndex, Edge)> = BTreeMap::new();
        let mut next = VecDeque::from([start]);
        while let Some(node) = next.pop_front() {
            for edge in self.graph.edges(node) {
                if edge.target() == start {
                    let mut way = vec![(node, *edge.weight())];
                    let mut at = node;
                    while let Some((before, why)) = came_from.get(&at).filter(|_| at != start) {
                        way.push((*before, *why));
                        at = *before;
                    }
                    way.reverse();
                    return Some(way);
                }
                came_from.entry(edge.target()).or_insert_with(|| {
                    next.push_back(edge.target());
                    (node, *edge.weight())
                });
            }
        }
        None
    }
}
