//! HyperLogLogs.

use super::{Template, exact};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(10, "PFADD <hll> <element>+"),
    exact(3, "PFADD <hll> <member>*"),
    exact(4, "PFADD <hll> (<element>+ <element>+ <element>+ <element>+ <element>+ <element>+ <element>+)+"),
    exact(10, "PFCOUNT <hll>"),
    exact(4, "PFCOUNT <hll> <hll>+"),
    exact(1, "PFCOUNT <any>+"),
    exact(4, "PFMERGE <hll> <hll>*"),
    exact(1, "PFMERGE <any> <hll>*"),
    exact(2, "PFDEBUG (ENCODING|TODENSE|DECODE|<text>) <hll>"),
    exact(6, "PFDEBUG (ENCODING|DECODE) <hll>"),
    exact(1, "PFDEBUG GETREG <hll>"),
    exact(6, "SET <hll> <log> KEEPTTL?"),
    exact(2, "DEL <hll>"),
    exact(1, "COPY <hll> <hll> REPLACE"),
    exact(2, "SETRANGE <hll> <offset> <text>"),
    exact(2, "STRLEN <hll>"),
];
