//! Arguments that several of these commands have.

use tessera_command::prelude::*;

pub(super) const UNIT: Arg =
    one_of("unit", &[token("m", "M"), token("km", "KM"), token("ft", "FT"), token("mi", "MI")]);
pub(super) const WITH_COORDINATES: Arg = token("withcoord", "WITHCOORD").optional();
pub(super) const WITH_DISTANCE: Arg = token("withdist", "WITHDIST").optional();
pub(super) const WITH_SCORE: Arg = token("withhash", "WITHHASH").optional();
pub(super) const COUNT: Arg =
    block("count-block", &[integer("count").after("COUNT"), token("any", "ANY").optional()]).optional();
/// Of commands that are older than the option ANY.
pub(super) const COUNT_ANY_SINCE_6_2: Arg =
    block("count-block", &[integer("count").after("COUNT"), token("any", "ANY").optional().since("6.2.0")])
        .optional();
pub(super) const ORDER: Arg = one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional();
pub(super) const STORE: Arg = one_of(
    "store",
    &[
        key("storekey", 1).after("STORE").display("key"),
        key("storedistkey", 2).after("STOREDIST").display("key"),
    ],
)
.optional();
pub(super) const FROM: Arg = one_of(
    "from",
    &[
        string("member").after("FROMMEMBER"),
        block("fromlonlat", &[double("longitude"), double("latitude")]).after("FROMLONLAT"),
    ],
);
pub(super) const BY: Arg = one_of(
    "by",
    &[
        block("circle", &[double("radius").after("BYRADIUS"), UNIT]),
        block("box", &[double("width").after("BYBOX"), double("height"), UNIT]),
    ],
);

/// A key behind STORE or STOREDIST, looked for from word `from` on.
pub(super) const fn stored(word: &'static str, from: i32) -> KeySpec {
    let mut spec = KeySpec::at(0, KeyFlags::OW.with(KeyFlags::UPDATE));
    spec.begin = tessera_command::spec::Begin::Keyword { word, from };
    spec
}
