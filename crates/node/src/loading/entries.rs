//! A node's files are decoded, and each key put into the shard that owns it.

use super::reader::FileReader;
use super::state::{Current, IfPresent, Loading};
use crate::clock::Clock;
use crate::core::Core;
use crate::notes::loading::LoadNote;
use crate::snapshot::delay::key_delay_ns;
use tessera_keyspace::Lookup;
use tessera_storage::rdb::{DecodeOptions, DecodedEntry, Decoder, Item};

/// How long a node decodes before it looks at its network again, in nanoseconds.
const TURN_BUDGET_NS: u64 = 2_000_000;
/// Entries decoded between two looks at the clock.
const ENTRIES_PER_LOOK: usize = 64;
/// Entries put into the shard together: what they need of its table is loaded into the caches at once.
const ENTRIES_PER_BATCH: usize = 32;
/// Sent to a peer in one turn at most, in bytes of memory.
const PARCEL_LEN_BYTES: usize = 1024 * 1024;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Decodes what has been read, until the time for it is over or there is no room for more.
    pub(super) fn read_files(&mut self, loading: &mut Loading) -> Result<(), String> {
        loading.has_work = false;
        let peers = (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me);
        if peers.into_iter().any(|peer| self.mesh.is_congested(peer)) {
            return Ok(());
        }
        let until_ns = self.time.clock.monotonic_ns() + TURN_BUDGET_NS;
        let (mut loaded, mut expired) = (0, 0);
        let outcome = loop {
            let Some(mut current) = loading.current.take().or_else(|| self.open_next(loading)) else {
                break Ok(());
            };
            let worked = current.reader.work().map_err(|error| error.to_string());
            let decoded =
                worked.and_then(|()| self.decode_some(loading, &mut current, &mut loaded, &mut expired));
            let own = loading.parcels[self.server.me].0.drain(..);
            let decoded =
                decoded.and_then(|has_more| self.insert_all(own, loading.if_present).map(|()| has_more));
            let path = current.planned.path.clone();
            if decoded == Ok(false) && current.reader.is_closed() {
                match current.is_whole() {
                    Ok(()) => continue,
                    Err(problem) => break Err(format!("{path}: {problem}")),
                }
            }
            loading.current = Some(current);
            match decoded {
                Err(problem) => break Err(format!("{path}: {problem}")),
                // The disk has not brought more yet.
                Ok(false) => break Ok(()),
                Ok(true) => {}
            }
            let is_full = loading.parcels.iter().any(|(_, len_bytes)| *len_bytes >= PARCEL_LEN_BYTES);
            if is_full || self.time.clock.monotonic_ns() >= until_ns {
                loading.has_work = true;
                break Ok(());
            }
        };
        self.server.shared.loading.add_keys(loaded, expired);
        outcome
    }

    fn open_next(&self, loading: &mut Loading) -> Option<Current> {
        let planned = loading.files.pop_front()?;
        Some(Current {
            reader: FileReader::new(self.disk.clone(), planned.path.clone()),
            decoder: Decoder::new(DecodeOptions {
                // Whatever rdbchecksum says: the manifest has one in any case.
                verify_checksum: self.server.config.rdb_checksum || planned.described.is_some(),
                ..self.decode_options()
            }),
            planned,
            keys: 0,
            ended: false,
        })
    }

    /// Decodes some entries of a file. False if the disk has to bring more first.
    fn decode_some(
        &mut self,
        loading: &mut Loading,
        current: &mut Current,
        loaded: &mut u64,
        expired: &mut u64,
    ) -> Result<bool, String> {
        let now_ms = self.now_ms();
        for _ in 0..ENTRIES_PER_LOOK {
            match current.decoder.next().map_err(|error| error.to_string())? {
                None => {
                    let Some(piece) = current.reader.next_piece() else { return Ok(false) };
                    if current.ended {
                        return Err("there are bytes after the end".to_owned());
                    }
                    self.server.shared.loading.add_bytes(piece.len() as u64);
                    current.decoder.feed(&piece);
                }
                Some(Item::End) => current.ended = true,
                Some(Item::Function(code)) => {
                    let first_line = code.split(|byte| *byte == b'\n').next().unwrap_or_default();
                    let what = "a library of functions, which Tessera does not run";
                    self.log_left_out(current, &format!("{what}: {}", first_line.escape_ascii()));
                }
                Some(Item::ModuleAuxiliary { module }) => {
                    self.log_left_out(current, &format!("what the module {module} keeps beside its values"));
                }
                Some(Item::Empty { db, key }) => {
                    let what = format!("the key {} of database {db}, which is empty", key.escape_ascii());
                    self.log_left_out(current, &what);
                }
                Some(Item::Auxiliary { .. } | Item::Sizes { .. }) => {}
                Some(Item::Unsupported { key, what, .. }) => {
                    return Err(format!("the key {} is a {what}", key.escape_ascii()));
                }
                Some(Item::Entry(entry)) => {
                    current.keys += 1;
                    if entry.expire_at_ms.is_some_and(|at_ms| at_ms < now_ms) {
                        *expired += 1;
                        continue;
                    }
                    *loaded += 1;
                    let delay_ns = key_delay_ns(self.server.config.key_load_delay_us);
                    if delay_ns > 0 {
                        self.server.shared.system.sleep(delay_ns.div_ceil(1000));
                    }
                    // Who waits for an answer gets it between two keys that take their time.
                    if self.pass_on(loading, *entry)? || delay_ns > 0 {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(true)
    }

    fn log_left_out(&self, current: &Current, what: &str) {
        self.server.shared.system.log(format!("{}: left out {what}", current.planned.path).as_bytes());
    }

    /// Gives an entry to the shard that owns its key. True if there is much to be sent by now.
    fn pass_on(&mut self, loading: &mut Loading, entry: DecodedEntry) -> Result<bool, String> {
        if entry.db >= self.owner.shard.databases_len() as u64 {
            return Err(format!(
                "it has a database {}, and there are only {}; raise the parameter databases",
                entry.db,
                self.owner.shard.databases_len()
            ));
        }
        let owner = usize::from(self.server.shared.slots.owner_of(&entry.key));
        let (parcel, len_bytes) = &mut loading.parcels[owner];
        if owner == self.server.me {
            parcel.push(entry);
            return Ok(false);
        }
        *len_bytes += size_of::<DecodedEntry>() + entry.key.len() + entry.value.allocated_bytes();
        parcel.push(entry);
        Ok(*len_bytes >= PARCEL_LEN_BYTES)
    }

    /// Puts entries into the shard, those that come first at first.
    fn insert_all(
        &mut self,
        mut entries: std::vec::Drain<'_, DecodedEntry>,
        if_present: IfPresent,
    ) -> Result<(), String> {
        loop {
            let len = entries.len().min(ENTRIES_PER_BATCH);
            if len == 0 {
                return Ok(());
            }
            for batch in entries.as_slice()[..len].chunk_by(|left, right| left.db == right.db) {
                let lookups = batch.iter().map(|entry| Lookup { key: &entry.key, element: None });
                self.owner.shard.prefetch(batch[0].db as u16, lookups);
            }
            entries.by_ref().take(len).try_for_each(|entry| self.insert_loaded(entry, if_present))?;
        }
    }

    fn insert_loaded(&mut self, entry: DecodedEntry, if_present: IfPresent) -> Result<(), String> {
        let DecodedEntry { db, key, value, expire_at_ms, idle_s, frequency } = entry;
        if if_present == IfPresent::Replace {
            self.owner.shard.view_mut(db as u16, false).delete(&key);
        }
        if self.owner.shard.insert_loaded(db as u16, &key, value, expire_at_ms, idle_s, frequency) {
            Ok(())
        } else if if_present == IfPresent::Keep {
            self.server.shared.loading.note_kept();
            Ok(())
        } else {
            Err(format!("the key {} of database {db} is there twice", key.escape_ascii()))
        }
    }

    pub(super) fn send_parcels(&mut self, loading: &mut Loading) {
        for (peer, (parcel, len_bytes)) in loading.parcels.iter_mut().enumerate() {
            if !parcel.is_empty() {
                let note = LoadNote::Entries(std::mem::take(parcel), std::mem::take(len_bytes));
                self.mesh.note(peer, note);
            }
        }
    }

    /// Keys have come that belong here.
    pub(crate) fn take_loaded(&mut self, mut entries: Vec<DecodedEntry>) {
        let if_present = self.loading.as_ref().map(|loading| loading.if_present).unwrap_or_default();
        if let Err(problem) = self.insert_all(entries.drain(..), if_present) {
            self.fail_loading(problem);
        }
    }
}
