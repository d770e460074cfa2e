//! Loading what was saved, at the start, and again when DEBUG RELOAD wants that.
//!
//! Node 0 finds out what there is ([`finding`]) and tells all nodes. Each reads its share of the files ([`reader`]), and sends every
//! key to the node that owns its slot now, however many shards wrote the files. When a node has heard from all
//! others that they have sent everything, it has everything; when node 0 has heard that from all, clients are served. Until
//! then they are told that the server is loading. What is loaded again comes when all clients are held, see `snapshot/reload.rs`.

pub mod finding;
mod progress;
pub(crate) mod reader;

pub use progress::LoadingProgress;

use crate::clock::Clock;
use crate::core::Core;
use crate::disk::Output;
use crate::home::connection::Connection;
use crate::home::holds::{Flow, Gate, Hold};
use crate::notes::loading::LoadNote;
use crate::snapshot::key_delay_ns;
use crate::snapshot::names::Place;
use finding::{Described, Finder, LoadPlan, PlannedFile};
use reader::FileReader;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tessera_command::Command;
use tessera_command::host::Reload;
use tessera_keyspace::Wanted;
use tessera_storage::rdb::{DecodeOptions, DecodedEntry, Decoder, Item};

/// What clients are told meanwhile.
const LOADING: &[u8] = b"LOADING Redis is loading the dataset in memory";
/// How long a node decodes before it looks at its network again, in nanoseconds.
const TURN_BUDGET_NS: u64 = 2_000_000;
/// Entries decoded between two looks at the clock.
const ENTRIES_PER_LOOK: usize = 64;
/// Entries put into the shard together: what they need of its table is loaded into the caches at once.
const ENTRIES_PER_BATCH: usize = 32;
/// Sent to a peer in one turn at most, in bytes of memory.
const PARCEL_LEN_BYTES: usize = 1024 * 1024;
/// How often the log tells how far loading is, in nanoseconds.
const REPORT_PERIOD_NS: u64 = 5_000_000_000;

/// What was asked of the disk on behalf of loading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoadStep {
    Finder(finding::FindStep),
    Reader(reader::ReadStep),
}

/// A file while it is read.
#[derive(Debug)]
struct Current {
    planned: PlannedFile,
    reader: FileReader,
    decoder: Decoder,
    keys: u64,
    ended: bool,
}

/// What becomes of a key that is loaded and is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum IfPresent {
    /// Loading fails: the file has it twice.
    #[default]
    Fail,
    /// What is loaded replaces it.
    Replace,
    /// It stays, and who has asked for it is told.
    Keep,
}

/// One node's part in loading.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    /// Node 0 looks for what there is.
    finder: Option<Finder>,
    /// The plan is known.
    is_planned: bool,
    /// There is something to load: clients are told so.
    is_refusing: bool,
    files: VecDeque<PlannedFile>,
    current: Option<Current>,
    /// For each node, what is to be sent to it in this turn, and about how much memory that is. This node's own
    /// is put into its shard at once.
    parcels: Vec<(Vec<DecodedEntry>, usize)>,
    /// This node has sent everything.
    has_sent: bool,
    /// How many nodes have sent everything.
    senders_done: usize,
    /// This node has told node 0 that it has everything.
    has_reported: bool,
    /// How many nodes have everything, as node 0 knows.
    nodes_done: usize,
    /// Something can be decoded without waiting.
    has_work: bool,
    /// What was asked of the disk, by its number at the desk.
    pending: Vec<(u64, LoadStep)>,
    began_ns: u64,
    next_report_ns: u64,
    /// The server is long since up: clients are not refused, they wait.
    again: Option<Reload>,
    if_present: IfPresent,
}

impl Loading {
    fn new(nodes: usize, now_ns: u64) -> Loading {
        Loading {
            parcels: (0..nodes).map(|_| (Vec::new(), 0)).collect(),
            began_ns: now_ns,
            next_report_ns: now_ns + REPORT_PERIOD_NS,
            ..Loading::default()
        }
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Begins to load, if the server was told to.
    pub(crate) fn begin_loading(&mut self) {
        if !self.server.shared.loading.is_loading() {
            return;
        }
        let mut loading = Loading::new(self.mesh.nodes(), self.time.now_ns);
        if self.server.me == 0 {
            match Place::new(&self.server.config.dir, &self.server.config.db_filename.0) {
                Ok(place) => loading.finder = Some(Finder::new(place, self.decode_options())),
                Err(problem) => self.fail_loading(problem),
            }
        }
        self.loading = Some(Box::new(loading));
    }

    /// Node 0 looks for what there is, to load it once more.
    ///
    /// # Errors
    /// It cannot know where to look.
    pub(crate) fn begin_loading_again(&mut self, reload: Reload) -> Result<(), String> {
        let mut loading =
            Loading { again: Some(reload), ..Loading::new(self.mesh.nodes(), self.time.now_ns) };
        let place = Place::new(&self.server.config.dir, &self.server.config.db_filename.0)?;
        loading.finder = Some(Finder::new(place, self.decode_options()));
        self.server.shared.loading.begin(self.time.unix_us);
        // There is something to be asked of the disk.
        loading.has_work = true;
        self.loading = Some(Box::new(loading));
        Ok(())
    }

    /// This node loads its share once more.
    pub(crate) fn load_again(&mut self, reload: Reload, plan: &LoadPlan) {
        // Node 0 has found the plan with it, and works on it just now.
        let mut loading = self.loading.take().unwrap_or_else(|| {
            let loading = Loading::new(self.mesh.nodes(), self.time.now_ns);
            Box::new(Loading { again: Some(reload), ..loading })
        });
        loading.if_present = match (reload.flushes, reload.merges) {
            (_, true) => IfPresent::Replace,
            (true, false) => IfPresent::Fail,
            (false, false) => IfPresent::Keep,
        };
        self.take_plan(&mut loading, plan);
        loading.has_work = true;
        self.loading = Some(loading);
    }

    /// What is being loaded is loaded once more.
    pub(crate) fn is_loading_again(&self) -> bool {
        self.loading.as_ref().is_some_and(|loading| loading.again.is_some())
    }

    /// Node 0 has found nothing to load, and nothing was removed.
    #[cold]
    fn give_up_loading_again(&mut self, problem: &str) {
        self.server.shared.system.log(format!("Loading failed, all keys stay: {problem}").as_bytes());
        self.server.shared.end_loading();
        self.note_reloaded(false);
    }

    fn decode_options(&self) -> DecodeOptions {
        DecodeOptions {
            thresholds: self.owner.shard.settings().thresholds,
            verify_checksum: self.server.config.rdb_checksum,
            skip_unsupported: false,
            prefetch: tessera_keyspace::prefetch,
        }
    }

    /// The node must not sleep: there is something to decode.
    pub(crate) fn has_loading_work(&self) -> bool {
        self.loading.as_ref().is_some_and(|loading| loading.has_work)
    }

    /// Loads on, if the server is loading: a turn's share.
    pub(crate) fn load(&mut self) {
        let Some(mut loading) = self.loading.take() else { return };
        if self.server.shared.loading.has_failed() {
            self.stop_loading(&mut loading);
        } else if !self.server.shared.loading.is_loading() {
            return self.end_loading(*loading);
        } else {
            let outcome = match self.take_from_disk(&mut loading) {
                Ok(None) => self.load_some(&mut loading),
                // Only what is to be loaded again begins with what was found.
                Ok(Some((reload, plan))) => {
                    self.loading = Some(loading);
                    return self.order_reload(reload, plan);
                }
                Err(problem) => Err(problem),
            };
            if let Err(problem) = outcome {
                if loading.again.is_some() && !loading.is_planned {
                    loading.pending.drain(..).for_each(|(tag, _)| self.disk.abandon(tag));
                    self.home.release(Gate::Loading);
                    return self.give_up_loading_again(&problem);
                }
                self.fail_loading(problem);
                self.stop_loading(&mut loading);
            }
        }
        // A node whose loading has failed is loading until it ends: it serves nobody, and saves nothing.
        self.loading = Some(loading);
    }

    /// Something has failed, here or on another node. Clients are refused until the server has ended.
    #[cold]
    fn stop_loading(&mut self, loading: &mut Loading) {
        loading.is_refusing = true;
        loading.has_work = false;
        loading.finder = None;
        loading.current = None;
        loading.files.clear();
        loading.parcels.iter_mut().for_each(|(parcel, _)| *parcel = Vec::new());
        loading.pending.drain(..).for_each(|(tag, _)| self.disk.abandon(tag));
        self.home.release(Gate::Loading);
    }

    /// What becomes of a command while the server is loading. Usually there is nothing to load, and clients that come before that
    /// is known need not hear of it: they wait.
    #[cold]
    pub(crate) fn hold_or_refuse_while_loading(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
    ) -> Flow {
        match &mut self.loading {
            Some(loading) if !loading.is_refusing => self.home.hold(connection, Hold::Loading),
            _ => {
                self.stats().commands.note_rejected(self.server.shared.registry.number(command));
                self.refuse(connection, LOADING)
            }
        }
    }

    fn end_loading(&mut self, loading: Loading) {
        self.home.release(Gate::Loading);
        if self.server.me == 0 && (loading.is_refusing || loading.again.is_some()) {
            let facts = self.server.shared.loading.facts(self.time.unix_us);
            let line = format!(
                "Loaded {} keys in {:.3} seconds; {} had expired",
                facts.keys_loaded,
                (self.time.now_ns - loading.began_ns) as f64 / 1e9,
                facts.keys_expired
            );
            self.server.shared.system.notice(line.as_bytes());
        }
        if self.server.me == 0 && loading.again.is_some() {
            self.tell_how_it_was_reloaded();
        }
    }

    #[cold]
    fn tell_how_it_was_reloaded(&mut self) {
        let keys_kept = self.server.shared.loading.keys_kept();
        if keys_kept == 0 {
            self.server.shared.system.notice(b"DB reloaded by DEBUG RELOAD");
        } else {
            let line = format!(
                "DEBUG RELOAD NOFLUSH without MERGE: {keys_kept} keys were there already, and stay as they were"
            );
            self.server.shared.system.log(line.as_bytes());
        }
        self.note_reloaded(keys_kept == 0);
    }

    /// The server cannot start. It ends, and nothing is written or removed.
    fn fail_loading(&mut self, problem: String) {
        self.server.shared.system.log(format!("Loading failed: {problem}").as_bytes());
        self.server.shared.loading.fail(problem);
        self.server.shared.shut_down();
    }

    fn load_some(&mut self, loading: &mut Loading) -> Result<(), String> {
        if let Some(finder) = &mut loading.finder {
            while let Some((asked, operation)) = finder.next_operation() {
                loading.pending.push((self.disk.submit(operation), LoadStep::Finder(asked)));
            }
        }
        self.read_files(loading)?;
        self.send_parcels(loading);
        if loading.is_planned && !loading.has_sent && loading.current.is_none() && loading.files.is_empty() {
            loading.has_sent = true;
            loading.senders_done += 1;
            for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me) {
                self.mesh.note(peer, LoadNote::Sent);
            }
        }
        if loading.senders_done == self.mesh.nodes() && !loading.has_reported {
            loading.has_reported = true;
            if self.server.me == 0 {
                loading.nodes_done += 1;
            } else {
                self.mesh.note(0, LoadNote::Arrived);
            }
        }
        if self.server.me == 0 && loading.nodes_done == self.mesh.nodes() {
            self.server.shared.end_loading();
        }
        if self.server.me == 0 && self.time.now_ns >= loading.next_report_ns {
            loading.next_report_ns = self.time.now_ns + REPORT_PERIOD_NS;
            let facts = self.server.shared.loading.facts(self.time.unix_us);
            let line = format!(
                "Loading: {} of {} bytes, {} keys",
                facts.loaded_bytes, facts.total_bytes, facts.keys_loaded
            );
            self.server.shared.system.notice(line.as_bytes());
        }
        Ok(())
    }

    /// Takes what has come from the disk: perhaps it is known now what there is to load again.
    fn take_from_disk(&mut self, loading: &mut Loading) -> Result<Option<(Reload, LoadPlan)>, String> {
        let mut outcome = Ok(None);
        for (tag, asked) in std::mem::take(&mut loading.pending) {
            let result = if outcome == Ok(None) { self.disk.take(tag) } else { None };
            match (result, asked) {
                // After a failure somebody has to see to what is under way.
                (None, _) => loading.pending.push((tag, asked)),
                (Some(result), LoadStep::Finder(asked)) => {
                    outcome = self.take_finding(loading, asked, result)
                }
                (Some(result), LoadStep::Reader(asked)) => {
                    if let Some(current) = &mut loading.current {
                        let taken = current.reader.take(asked, result);
                        outcome = taken
                            .map(|()| None)
                            .map_err(|error| format!("{}: {error}", current.planned.path));
                    }
                }
            }
        }
        outcome
    }

    /// The plan is known: this node takes its share of the files.
    fn take_plan(&mut self, loading: &mut Loading, plan: &LoadPlan) {
        loading.is_planned = true;
        loading.finder = None;
        loading.is_refusing = !plan.files.is_empty() && loading.again.is_none();
        if loading.is_refusing {
            self.home.release(Gate::Loading);
        }
        let nodes = self.mesh.nodes();
        loading.files = plan.files.iter().skip(self.server.me).step_by(nodes).cloned().collect();
    }

    /// Decodes what has been read, until the time for it is over or there is no room for more.
    fn read_files(&mut self, loading: &mut Loading) -> Result<(), String> {
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
            while let Some((asked, operation)) = current.reader.next_operation() {
                loading.pending.push((self.disk.submit(operation), LoadStep::Reader(asked)));
            }
            let decoded = self.decode_some(loading, &mut current, &mut loaded, &mut expired);
            let own = loading.parcels[self.server.me].0.drain(..);
            let decoded =
                decoded.and_then(|has_more| self.insert_all(own, loading.if_present).map(|()| has_more));
            let path = current.planned.path.clone();
            if decoded == Ok(false) && current.reader.is_closed() {
                match is_whole(&current) {
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
            reader: FileReader::new(planned.path.clone()),
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
                let wanted = batch.iter().map(|entry| Wanted { key: &entry.key, element: None });
                self.owner.shard.warm(batch[0].db as u16, wanted);
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

    fn send_parcels(&mut self, loading: &mut Loading) {
        for (peer, (parcel, len_bytes)) in loading.parcels.iter_mut().enumerate() {
            if !parcel.is_empty() {
                let note = LoadNote::Entries(std::mem::take(parcel), std::mem::take(len_bytes));
                self.mesh.note(peer, note);
            }
        }
    }

    /// Takes in what another node says of loading.
    pub(crate) fn take_load_note(&mut self, note: LoadNote) {
        match note {
            LoadNote::Plan(plan) => self.take_load_plan(&plan),
            LoadNote::Entries(entries, _) => self.take_loaded(entries),
            LoadNote::Sent => self.take_load_sent(),
            LoadNote::Arrived => self.take_load_arrived(),
        }
    }

    /// Node 0 knows what there is to load.
    pub(crate) fn take_load_plan(&mut self, plan: &LoadPlan) {
        if let Some(mut loading) = self.loading.take() {
            self.take_plan(&mut loading, plan);
            self.loading = Some(loading);
        }
    }

    /// Keys have come that belong here.
    pub(crate) fn take_loaded(&mut self, mut entries: Vec<DecodedEntry>) {
        let if_present = self.loading.as_ref().map(|loading| loading.if_present).unwrap_or_default();
        if let Err(problem) = self.insert_all(entries.drain(..), if_present) {
            self.fail_loading(problem);
        }
    }

    /// A peer has sent everything.
    pub(crate) fn take_load_sent(&mut self) {
        if let Some(loading) = &mut self.loading {
            loading.senders_done += 1;
        }
    }

    /// A peer has everything.
    pub(crate) fn take_load_arrived(&mut self) {
        if let Some(loading) = &mut self.loading {
            loading.nodes_done += 1;
        }
    }

    fn take_finding(
        &mut self,
        loading: &mut Loading,
        asked: finding::FindStep,
        result: io::Result<Output>,
    ) -> Result<Option<(Reload, LoadPlan)>, String> {
        let Some(finder) = &mut loading.finder else { return Ok(None) };
        let Some(plan) = finder.take(asked, result)? else { return Ok(None) };
        if loading.again.is_some() && plan.files.is_empty() {
            return Err("there is no file to load".to_owned());
        }
        if !plan.files.is_empty() {
            self.server.shared.system.notice(format!("Loading {}", plan.description).as_bytes());
        }
        for remark in &plan.remarks {
            self.server.shared.system.log(remark.as_bytes());
        }
        if let Some(cut_ms) = plan.cut_ms {
            self.server.shared.persistence.change(|facts| facts.last_cut_ms = cut_ms);
        }
        self.server.shared.loading.set_total(plan.total_bytes(), plan.used_memory_bytes);
        if let Some(reload) = loading.again {
            return Ok(Some((reload, plan)));
        }
        let plan = Arc::new(plan);
        for peer in 1..self.mesh.nodes() {
            self.mesh.note(peer, LoadNote::Plan(plan.clone()));
        }
        self.take_plan(loading, &plan);
        Ok(None)
    }
}

/// Whether a file that was read to its end is what the plan says.
fn is_whole(current: &Current) -> Result<(), String> {
    let Current { planned, reader, decoder, keys, ended } = current;
    if !ended {
        return Err(format!("it breaks off after {} bytes", reader.len_bytes()));
    }
    let Some(Described { keys: keys_said, crc64, rdb_version }) = planned.described else { return Ok(()) };
    if reader.len_bytes() != planned.len_bytes {
        return Err(format!(
            "it has {} bytes, and its manifest says {}",
            reader.len_bytes(),
            planned.len_bytes
        ));
    }
    if keys_said != *keys {
        return Err(format!("it has {keys} keys, and its manifest says {keys_said}"));
    }
    if rdb_version != decoder.version() {
        let version = decoder.version();
        return Err(format!("it is of version {version}, and its manifest says {rdb_version}"));
    }
    if decoder.checksum().is_some_and(|checksum| checksum == crc64) {
        return Ok(());
    }
    Err("its bytes are not those that its manifest was made for: it is of another snapshot, or damaged"
        .into())
}
