//! Places on the earth, kept in sorted sets.

mod answer;
mod found;
mod geoadd;
mod geodist;
mod geohash;
mod geopos;
mod georadius;
mod georadius_ro;
mod georadiusbymember;
mod georadiusbymember_ro;
mod geosearch;
mod geosearchstore;
mod grammar;
mod query;
mod storing;
mod units;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::write::<geoadd::GeoAdd>(),
    Command::read::<geodist::GeoDist>(),
    Command::read::<geohash::GeoHash>(),
    Command::read::<geopos::GeoPos>(),
    Command::gather::<georadius::GeoRadius>(),
    Command::read::<georadius_ro::GeoRadiusRo>(),
    Command::gather::<georadiusbymember::GeoRadiusByMember>(),
    Command::read::<georadiusbymember_ro::GeoRadiusByMemberRo>(),
    Command::read::<geosearch::GeoSearch>(),
    Command::gather::<geosearchstore::GeoSearchStore>(),
];
