//! What follows from the commands' specs, against what a server of Redis 7.2's behaviour told of the same commands.

#[path = "support/tree.rs"]
mod tree;

use std::collections::BTreeMap;
use tessera_command::keys::KeyPositions;
use tessera_command::spec::{Begin, Find};
use tessera_command::{Command, Group, KeyFlags, KeySpec, introspect};
use tessera_commands::COMMANDS;
use tessera_resp::{Protocol, Reply};
use tree::Node;

const RECORDED_INFO: &[u8] = include_bytes!("data/command-info-7.2.resp");
const RECORDED_DOCS: &[u8] = include_bytes!("data/command-docs-7.2.resp");

/// Redis takes these words apart by itself and publishes no subcommands of theirs.
const OWN_PREFIXES: &[&str] = &["debug|"];

/// Newer than the Redis that was recorded: there is nothing to compare them with.
const NEWER: &[&str] = &[
    "hexpire",
    "hexpireat",
    "hexpiretime",
    "hgetdel",
    "hgetex",
    "hpersist",
    "hpexpire",
    "hpexpireat",
    "hpexpiretime",
    "hpttl",
    "hsetex",
    "httl",
];

fn recorded(reply: &[u8]) -> BTreeMap<String, Node> {
    Node::parse(reply).members().chunks(2).map(|pair| (pair[0].text().to_owned(), pair[1].clone())).collect()
}

fn rendered(protocol: Protocol, render: impl Fn(&Command, &mut Reply<'_>)) -> Vec<Node> {
    COMMANDS
        .iter()
        .map(|command| {
            let mut out = Vec::new();
            render(command, &mut Reply::new(&mut out, protocol));
            Node::parse(&out)
        })
        .collect()
}

fn compare(ours: &BTreeMap<String, Node>, recorded: &BTreeMap<String, Node>) {
    let mut differences = Vec::new();
    let is_own = |name: &str| OWN_PREFIXES.iter().any(|own| name.starts_with(own));
    let is_comparable = |name: &str| !is_own(name) && !NEWER.contains(&name);
    for (name, node) in ours.iter().filter(|(name, _)| is_comparable(name)) {
        match recorded.get(name) {
            None => differences.push(format!("{name} is neither Redis's nor listed as our own")),
            Some(expected) if node != expected => {
                differences.push(format!("{name}\n  ours:  {node:?}\n  Redis: {expected:?}"));
            }
            Some(_) => {}
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn command_info_tells_the_facts_that_redis_tells() {
    let mut ours = BTreeMap::new();
    tree::descriptions(&rendered(Protocol::Resp3, introspect::info), &mut ours);
    assert!(ours.len() > COMMANDS.len(), "subcommands are compared too");
    compare(&ours, &recorded(RECORDED_INFO));
}

#[test]
fn command_docs_tells_the_facts_that_redis_tells() {
    let docs: Vec<Node> = rendered(Protocol::Resp3, introspect::docs);
    let names = COMMANDS.iter().map(|command| Node::Text(command.full_name.to_owned()));
    let pairs: Vec<Node> = names.zip(docs).flat_map(|(name, doc)| [name, doc]).collect();
    let mut ours = BTreeMap::new();
    tree::documents(&pairs, &mut ours);
    compare(&ours, &recorded(RECORDED_DOCS));
}

/// What RESP2 makes of a reply: arrays only.
fn flattened(node: &Node) -> Node {
    match node {
        Node::Many(_, members) => Node::Many(b'*', members.iter().map(flattened).collect()),
        other => other.clone(),
    }
}

#[test]
fn resp2_tells_the_same_as_resp3() {
    for render in [introspect::info, introspect::docs] {
        let resp3: Vec<Node> = rendered(Protocol::Resp3, render).iter().map(flattened).collect();
        assert_eq!(rendered(Protocol::Resp2, render), resp3);
    }
}

#[test]
fn newer_commands_are_there_and_say_so() {
    let recorded = recorded(RECORDED_INFO);
    for name in NEWER {
        let command = COMMANDS.iter().find(|command| command.full_name == *name).expect("the command");
        assert!(!recorded.contains_key(*name), "{name} can be compared");
        assert!(command.spec.since > "7.2", "{name}");
    }
}

fn all_commands() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().flat_map(|command| std::iter::once(command).chain(command.subcommands))
}

#[test]
fn key_flags_that_vary_can_be_told() {
    for command in all_commands() {
        let vary = command.spec.keys.iter().any(|spec| spec.flags.has(KeyFlags::VARIABLE_FLAGS));
        assert_eq!(vary, command.spec.key_flags.is_some(), "{}", command.full_name);
    }
}

/// A command on strings fails on what is none, and those that also answer what they find replace it; one that sets a
/// time leaves what its key holds. All others that change what a key holds say nothing, and wait for those who read it:
/// APPEND and SETRANGE, too.
#[test]
fn who_changes_no_large_value_says_so() {
    for command in all_commands() {
        let changes = command.spec.keys.iter().any(|spec| spec.flags.has(KeyFlags::RW));
        let sets_time =
            ["expire", "pexpire", "expireat", "pexpireat", "persist"].contains(&command.full_name);
        let answers = command.spec.keys.iter().any(|spec| spec.flags.has(KeyFlags::ACCESS));
        let leaves = changes && (command.spec.group == Group::String && answers || sets_time);
        assert_eq!(command.spec.leaves_values, leaves, "{}", command.full_name);
    }
}

#[test]
fn prose_is_our_own_and_not_missing() {
    for command in all_commands() {
        let (name, summary) = (command.full_name, command.spec.summary);
        assert!(summary.ends_with('.') && summary.len() > 10, "{name}: {summary:?}");
        // Redis publishes no cost of these.
        let has_none = matches!(name, "lolwut" | "monitor" | "psync" | "sync");
        assert_eq!(command.spec.complexity.is_empty(), has_none, "{name}");
    }
}

#[test]
fn the_page_of_commands_has_a_row_for_each() {
    let registry = tessera_command::Registry::new(&COMMANDS);
    let page = introspect::render_markdown(&registry);
    for command in all_commands() {
        let name = command.full_name.to_ascii_uppercase().replace('|', " ");
        let rows = page.lines().filter(|line| {
            line.starts_with(&format!("| `{name} ")) || line.starts_with(&format!("| `{name}`"))
        });
        // A container's own name begins its subcommands' rows as well.
        assert_eq!(rows.count(), 1 + command.subcommands.len(), "{name}");
    }
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(page.lines().filter(|line| line.starts_with('|')).all(|line| columns(line) == 7), "{page}");
}

/// A recorded key spec; `None` if it is of a kind that no spec of ours can be.
fn key_spec(node: &Node) -> Option<KeySpec> {
    let step = |step: i64| usize::try_from(step).expect("a positive step");
    let field =
        |node: &Node, name: &str| node.field(name).unwrap_or_else(|| panic!("{name} in {node:?}")).clone();
    let (begin, find) = (field(node, "begin_search"), field(node, "find_keys"));
    let number = |search: &Node, name: &str| field(&field(search, "spec"), name).integer();
    let begin = match field(&begin, "type").text() {
        "index" => Begin::Index(step(number(&begin, "index"))),
        "unknown" => Begin::Unknown,
        "keyword" => Begin::Keyword { word: "WORD", from: number(&begin, "startfrom") as i32 },
        _ => return None,
    };
    let find = match field(&find, "type").text() {
        "range" => Find::Range {
            last: number(&find, "lastkey") as i32,
            step: step(number(&find, "keystep")),
            limit: step(number(&find, "limit")),
        },
        "unknown" => Find::Unknown,
        "keynum" => Find::Count {
            at: step(number(&find, "keynumidx")),
            first: step(number(&find, "firstkey")),
            step: step(number(&find, "keystep")),
        },
        _ => return None,
    };
    let names: Vec<Node> = field(node, "flags").members().to_vec();
    let flags = KeyFlags::ALL
        .iter()
        .filter(|(_, name)| names.contains(&Node::Line(format!("+{name}"))))
        .fold(KeyFlags::NONE, |all, (flag, _)| all.with(*flag));
    Some(KeySpec { begin, find, flags, notes: None })
}

/// Of all of Redis's commands, not only ours: the derivation of first, last, step and `movablekeys`.
#[test]
fn key_positions_follow_from_key_specs() {
    let mut compared = 0;
    for (name, info) in recorded(RECORDED_INFO) {
        let info = info.members();
        let Some(specs) = info[8].members().iter().map(key_spec).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let positions = KeyPositions::of(&specs);
        let movable = info[2].members().contains(&Node::Line("+movablekeys".into()));
        let ours = [positions.first, positions.last, positions.step].map(i64::from);
        let expected = [&info[3], &info[4], &info[5]].map(Node::integer);
        assert_eq!((ours, positions.suffice), (expected, !movable), "{name}");
        compared += 1;
    }
    assert!(compared > 300, "{compared}");
}
