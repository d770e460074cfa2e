//! The connection.

use super::{Equality, Template, exact, like};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(6, "PING <text>?"),
    exact(4, "ECHO <text>"),
    exact(8, "SELECT <database>"),
    exact(3, "CLIENT SETNAME <name>"),
    exact(3, "CLIENT GETNAME"),
    exact(1, "CLIENT NO-EVICT (ON|OFF)"),
    exact(6, "<unknown> <text>*"),
    exact(1, "(CLIENT|OBJECT|CONFIG|COMMAND) <unknown> <text>*"),
    exact(1, "CONFIG GET (databases|proto-max-bulk-len|timeout|maxclient?|<unknown>)"),
    exact(1, "RESET"),
    like(4, "HELLO", Equality::Hello),
    like(2, "HELLO (2|3) SETNAME <name>", Equality::Hello),
    like(1, "HELLO <integer>", Equality::Hello),
];
