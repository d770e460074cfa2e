//! The commands: one file each, one folder per family.
//!
//! To add a command, write its file and add its type to the family's list. Nothing else knows it by name.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]
// Each command's type is documented by its `Spec`.
#![allow(missing_docs)]

pub mod bitmaps;
pub mod cluster;
pub mod connection;
pub mod geo;
pub mod hashes;
pub mod hyperloglogs;
pub mod keys;
pub mod lists;
mod scanning;
pub mod server;
pub mod sets;
mod several;
pub mod sorted_sets;
pub mod sorting;
pub mod strings;
mod timeout;
pub mod transactions;

use tessera_command::Command;

const FAMILIES: &[&[Command]] = &[
    strings::COMMANDS,
    bitmaps::COMMANDS,
    lists::COMMANDS,
    hashes::COMMANDS,
    sets::COMMANDS,
    sorted_sets::COMMANDS,
    hyperloglogs::COMMANDS,
    geo::COMMANDS,
    sorting::COMMANDS,
    keys::COMMANDS,
    connection::COMMANDS,
    server::COMMANDS,
    transactions::COMMANDS,
    cluster::COMMANDS,
];

const COMMANDS_LEN: usize = {
    let (mut total, mut family) = (0, 0);
    while family < FAMILIES.len() {
        total += FAMILIES[family].len();
        family += 1;
    }
    total
};

/// All commands there are.
pub static COMMANDS: [Command; COMMANDS_LEN] = {
    let mut all = [FAMILIES[0][0]; COMMANDS_LEN];
    let (mut at, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut row = 0;
        while row < FAMILIES[family].len() {
            all[at] = FAMILIES[family][row];
            at += 1;
            row += 1;
        }
        family += 1;
    }
    all
};
