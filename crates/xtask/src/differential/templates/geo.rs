//! Places.

use super::{Template, exact};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(30, "GEOADD <geo> (<longitude> <latitude> <member>)+"),
    exact(10, "GEOADD <geo> (NX|XX|CH)* (<longitude> <latitude> <member>)+"),
    // Enough to leave a listpack in time.
    exact(
        3,
        "GEOADD <geo> ((<longitude> <latitude> <member>)+ (<longitude> <latitude> <member>)+ (<longitude> <latitude> \
            <member>)+)+",
    ),
    exact(2, "GEOADD <geo> (CH|NX|XX|<longitude>)* <latitude> <member>*"),
    exact(1, "GEOADD <any> <longitude> <latitude> <member>"),
    exact(4, "GEODIST <geo> <member> <member> (m|km|ft|mi|M|Km)?"),
    exact(1, "GEODIST <geo> <member> <member> <text>*"),
    exact(4, "GEOHASH <geo> <member>*"),
    exact(4, "GEOPOS <geo> <member>*"),
    exact(1, "(GEOHASH|GEOPOS) <any> <member>"),
    exact(
        8,
        "(GEORADIUS|GEORADIUS_RO) <geo> <longitude> <latitude> <length> (m|km|ft|mi) \
            (WITHDIST|WITHCOORD|WITHHASH|ASC|DESC|COUNT <offset>|COUNT <offset> ANY)*",
    ),
    exact(
        8,
        "(GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO) <geo> <member> <length> (m|km|ft|mi) \
            (WITHDIST|WITHCOORD|WITHHASH|ASC|DESC|COUNT <offset>|COUNT <offset> ANY)*",
    ),
    exact(
        4,
        "(GEORADIUS|GEORADIUS_RO) <geo> <longitude> <latitude> <length> (m|km|ft|mi) (STORE|STOREDIST) <geo> \
            (ASC|DESC|COUNT <offset>|COUNT <offset> ANY)*",
    ),
    exact(
        2,
        "(GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO) <geo> <member> <length> (m|km|ft|mi) (ASC|DESC|COUNT <offset>|COUNT \
            <offset> ANY)* (STORE|STOREDIST) <any>",
    ),
    exact(
        1,
        "GEORADIUS <any> <longitude> <latitude> <length> (m|km|ft|mi) ((STORE|STOREDIST) <geo>|WITHDIST|ANY|COUNT \
            <index>)*",
    ),
    exact(
        16,
        "GEOSEARCH <geo> (FROMMEMBER <member>|FROMLONLAT <longitude> <latitude>) (BYRADIUS <length> (m|km|ft|mi)|BYBOX \
            <length> <length> (m|km|ft|mi)) (WITHDIST|WITHCOORD|WITHHASH|ASC|DESC|COUNT <offset>|COUNT <offset> ANY)*",
    ),
    exact(
        8,
        "GEOSEARCH <geo> (FROMMEMBER <member>|FROMLONLAT <longitude> <latitude>) (BYRADIUS <length> (m|km|ft|mi)|BYBOX \
            <length> <length> (m|km|ft|mi)) (ASC|DESC) (COUNT <offset>)? ANY? WITHDIST",
    ),
    exact(
        3,
        "GEOSEARCH <any> ((FROMMEMBER <member>|FROMLONLAT <longitude> <latitude>)|(BYRADIUS <length> \
            (m|km|ft|mi)|BYBOX <length> <length> (m|km|ft|mi))|ASC|COUNT \
            <index>|ANY|STOREDIST|WITHDIST|WITHCOORD|WITHHASH)+ WITHDIST",
    ),
    exact(
        6,
        "GEOSEARCHSTORE <geo> <geo> (FROMMEMBER <member>|FROMLONLAT <longitude> <latitude>) (BYRADIUS <length> \
            (m|km|ft|mi)|BYBOX <length> <length> (m|km|ft|mi)) (ASC|DESC|COUNT <offset>|COUNT <offset> ANY)* \
            STOREDIST?",
    ),
    exact(
        2,
        "GEOSEARCHSTORE <any> <any> (FROMMEMBER <member>|FROMLONLAT <longitude> <latitude>) (BYRADIUS <length> \
            (m|km|ft|mi)|BYBOX <length> <length> (m|km|ft|mi)) (STOREDIST|WITHDIST|DESC|COUNT <index>|ANY)*",
    ),
    exact(2, "ZADD <geo> <score> <member>"),
    exact(2, "ZREM <geo> <member>+"),
    exact(1, "DEL <geo>"),
];
