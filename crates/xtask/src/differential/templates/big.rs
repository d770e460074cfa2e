//! Long strings.

use super::{Template, exact};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(2, "SET <key> <big>"),
    exact(1, "APPEND <key> <big>"),
    exact(1, "MSET (<key> <big>)+"),
    exact(1, "GETSET <key> <big>"),
    exact(3, "STRLEN <key>"),
    exact(2, "GETRANGE <key> <offset> <integer>"),
    exact(3, "MGET <key>+"),
    exact(3, "UNLINK <key>+"),
];
