//! CLUSTER and its kin: this server is no part of a cluster of Redis nodes, and says so in Redis's words, as clients
//! ask before they know.

use tessera_command::prelude::*;

const DISABLED: Error = Error::Text("ERR This instance has cluster support disabled");

/// Declares commands that are refused whatever they are asked.
macro_rules! refused {
    ($($command:ident: $name:literal, $since:literal, $flags:expr, { $($field:ident: $value:expr),* $(,)? };)*) => {
        $(
            pub struct $command;

            impl Session for $command {
                const SPEC: Spec = Spec {
                    name: $name,
                    summary: "Is refused: the server is no part of a Redis Cluster.",
                    since: $since,
                    group: Group::Cluster,
                    flags: $flags,
                    $($field: $value,)*
                    ..Spec::BASE
                };
                type Args<'a> = ();

                fn parse<'a>(_: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
                    Err(DISABLED)
                }

                fn execute((): &(), _: &mut SessionContext<'_>, _: &mut Reply<'_>) -> Result<(), Error> {
                    Err(DISABLED)
                }
            }
        )*
    };
}

const STALE: Flags = Flags::STALE;
const WHILE_LOADING: Flags = Flags::STALE.with(Flags::LOADING);
const ADMIN: Flags = Flags::ADMIN.with(Flags::STALE);
const VARIES: &[&str] = &["nondeterministic_output"];

refused! {
    Asking: "asking", "3.0.0", Flags::FAST, { categories: Categories::CONNECTION };
    ReadOnly: "readonly", "3.0.0", WHILE_LOADING.with(Flags::FAST), { categories: Categories::CONNECTION };
    ReadWrite: "readwrite", "3.0.0", WHILE_LOADING.with(Flags::FAST), { categories: Categories::CONNECTION };
    CountKeysInSlot: "cluster|countkeysinslot", "3.0.0", STALE, { grammar: &[integer("slot")] };
    GetKeysInSlot: "cluster|getkeysinslot", "3.0.0", STALE, {
        grammar: &[integer("slot"), integer("count")], tips: VARIES,
    };
    Help: "cluster|help", "5.0.0", WHILE_LOADING, {};
    Info: "cluster|info", "3.0.0", STALE, { tips: VARIES };
    KeySlot: "cluster|keyslot", "3.0.0", STALE, { grammar: &[string("key")] };
    Links: "cluster|links", "7.0.0", STALE, { tips: VARIES };
    MyId: "cluster|myid", "3.0.0", STALE, {};
    MyShardId: "cluster|myshardid", "7.2.0", STALE, { tips: VARIES };
    Nodes: "cluster|nodes", "3.0.0", STALE, { tips: VARIES };
    Replicas: "cluster|replicas", "5.0.0", ADMIN, { grammar: &[string("node-id")], tips: VARIES };
    Shards: "cluster|shards", "7.0.0", WHILE_LOADING, { tips: VARIES };
    Slots: "cluster|slots", "3.0.0", WHILE_LOADING, {
        tips: VARIES,
        history: &[
            ("4.0.0", "Added node IDs."),
            ("7.0.0", "Added additional networking metadata field."),
        ],
        deprecated: Some(("7.0.0", "`CLUSTER SHARDS`")),
    };
}

const SPEC: Spec = Spec {
    name: "cluster",
    summary: "Is refused: the server is no part of a Redis Cluster.",
    since: "3.0.0",
    group: Group::Cluster,
    complexity: "Depends on subcommand.",
    ..Spec::BASE
};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::session::<Asking>(),
    Command::container(SPEC, SUBCOMMANDS),
    Command::session::<ReadOnly>(),
    Command::session::<ReadWrite>(),
];

const SUBCOMMANDS: &[Command] = &[
    Command::session::<CountKeysInSlot>(),
    Command::session::<GetKeysInSlot>(),
    Command::session::<Help>(),
    Command::session::<Info>(),
    Command::session::<KeySlot>(),
    Command::session::<Links>(),
    Command::session::<MyId>(),
    Command::session::<MyShardId>(),
    Command::session::<Nodes>(),
    Command::session::<Replicas>(),
    Command::session::<Shards>(),
    Command::session::<Slots>(),
];
