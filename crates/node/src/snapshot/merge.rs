//! What one file of all shards consists of: their bodies, sorted by database.

use super::body::Body;
use crate::notes::snapshot::WrittenPart;
use std::collections::BTreeMap;
use std::sync::Arc;
use tessera_storage::rdb::put_database;

/// What the files of all shards have of one database.
#[derive(Debug, Default)]
struct Database {
    keys: u64,
    volatile: u64,
    bodies: Vec<Body>,
}

/// The bodies of all shards, whose files are at `paths`, in such an order that each database is chosen once, with the
/// sums of its sizes: readers show it as often as it is chosen. If it is not known which database is where, the bodies
/// follow one another as they are, which is good as well.
pub(super) fn bodies(parts: &[WrittenPart], paths: &[Arc<str>]) -> Vec<Body> {
    if parts.iter().any(|part| !part.layout.is_complete) {
        let whole = |(part, path): (&WrittenPart, &Arc<str>)| Body {
            before: Vec::new(),
            path: path.clone(),
            offset_bytes: part.body_offset_bytes,
            len_bytes: part.body_len_bytes,
        };
        return parts.iter().zip(paths).map(whole).collect();
    }
    let mut databases: BTreeMap<u16, Database> = BTreeMap::new();
    for (part, path) in parts.iter().zip(paths) {
        for sizes in &part.layout.databases {
            let database = databases.entry(sizes.db).or_default();
            database.keys += sizes.keys;
            database.volatile += sizes.volatile;
        }
        for run in &part.layout.runs {
            databases.entry(run.db).or_default().bodies.push(Body {
                before: Vec::new(),
                path: path.clone(),
                offset_bytes: part.body_offset_bytes + run.starts_at_bytes,
                len_bytes: run.ends_at_bytes - run.starts_at_bytes,
            });
        }
    }
    for (db, database) in &mut databases {
        if let Some(first) = database.bodies.first_mut() {
            put_database(&mut first.before, *db, Some((database.keys, database.volatile)));
        }
    }
    databases.into_values().flat_map(|database| database.bodies).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_keyspace::snapshot::{DatabaseSizes, Run, SnapshotLayout};

    fn part(sizes: &[(u16, u64, u64)], runs: &[(u16, u64, u64)], is_complete: bool) -> WrittenPart {
        let database = |(db, keys, volatile): &(u16, u64, u64)| DatabaseSizes {
            db: *db,
            keys: *keys,
            volatile: *volatile,
        };
        let run = |(db, starts, ends): &(u16, u64, u64)| Run {
            db: *db,
            starts_at_bytes: *starts,
            ends_at_bytes: *ends,
        };
        let layout = SnapshotLayout {
            entries: 0,
            databases: sizes.iter().map(database).collect(),
            runs: runs.iter().map(run).collect(),
            is_complete,
        };
        let (body_offset_bytes, body_len_bytes) = (100, 1000);
        WrittenPart { body_offset_bytes, body_len_bytes, layout: Arc::new(layout), ..WrittenPart::default() }
    }

    fn named(db: u16, keys: u64, volatile: u64) -> Vec<u8> {
        let mut named = Vec::new();
        put_database(&mut named, db, Some((keys, volatile)));
        named
    }

    fn told(bodies: &[Body]) -> Vec<(&[u8], &str, u64, u64)> {
        bodies.iter().map(|body| (&body.before[..], &*body.path, body.offset_bytes, body.len_bytes)).collect()
    }

    #[test]
    fn each_database_is_chosen_once() {
        let parts = [
            part(&[(0, 5, 1), (3, 7, 0)], &[(0, 4, 50), (3, 53, 70), (0, 72, 100), (3, 102, 1000)], true),
            part(&[], &[], true),
            // The time of all keys of database 1 was over.
            part(&[(0, 2, 2), (1, 9, 9), (3, 1, 1)], &[(3, 4, 9), (0, 11, 1000)], true),
        ];
        let paths: Vec<Arc<str>> = ["/a", "/b", "/c"].map(Arc::from).to_vec();
        let (zero, three): (&[u8], &[u8]) = (&named(0, 7, 3), &named(3, 8, 1));
        assert_eq!(
            told(&bodies(&parts, &paths)),
            [
                (zero, "/a", 104, 46),
                (&[], "/a", 172, 28),
                (&[], "/c", 111, 989),
                (three, "/a", 153, 17),
                (&[], "/a", 202, 898),
                (&[], "/c", 104, 5),
            ]
        );
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        let parts = [part(&[(0, 1, 0)], &[(0, 4, 1000)], true), part(&[(0, 1, 0)], &[], false)];
        let paths: Vec<Arc<str>> = ["/a", "/b"].map(Arc::from).to_vec();
        assert_eq!(told(&bodies(&parts, &paths)), [(&[][..], "/a", 100, 1000), (&[], "/b", 100, 1000)]);
    }
}
