//! The virtual disk of all nodes, and what of it survives a crash.
//!
//! What a node submits is carried out at some later step, in any order, and told at its node's next turn. A write is
//! seen by all readers at once, but survives a crash only from the next sync of its file; until then any of its blocks
//! may survive, or part of one. A name survives from the next sync of its directory. Calls that break the contract of
//! [`tessera_node::disk`] panic.

mod disk_weather;
mod inode;

pub use self::disk_weather::DiskWeather;
use self::inode::Inode;
use crate::network::VirtualWaker;
use crate::system::DirectoryLocks;
use crate::weather::happens;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use tessera_node::disk::{BLOCK_LEN_BYTES, Completion, FileId, Listed, Operation, Output};
use tessera_node::network::Wake;

const ENOENT: i32 = 2;
const EIO: i32 = 5;
const EISDIR: i32 = 21;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

/// A change of names since the last sync of its directory.
#[derive(Clone)]
enum Change {
    Made { name: String, inode: usize },
    Renamed { from: String, to: String, inode: usize },
    Removed { name: String },
}

impl Change {
    /// Of both directories, if there are two.
    fn is_in(&self, directory: &str) -> bool {
        match self {
            Change::Made { name, .. } | Change::Removed { name } => parent(name) == directory,
            Change::Renamed { from, to, .. } => parent(from) == directory || parent(to) == directory,
        }
    }

    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Change::Made { name, inode } => {
                names.insert(name.clone(), *inode);
            }
            Change::Renamed { from, to, inode } => {
                if names.get(from) == Some(inode) {
                    names.remove(from);
                }
                names.insert(to.clone(), *inode);
            }
            Change::Removed { name } => {
                names.remove(name);
            }
        }
    }
}

struct UnderWay {
    node: usize,
    tag: u64,
    operation: Operation,
}

/// One node's end.
#[derive(Default)]
struct Port {
    waker: Option<Arc<VirtualWaker>>,
    done: Vec<Completion>,
    files: BTreeMap<FileId, usize>,
}

/// How often things happened that a run is to provoke, for its summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskSights {
    /// Operations carried out.
    pub operations: u64,
    /// Of those, the ones that failed.
    pub failures: u64,
}

/// All files.
pub struct Storage {
    weather: DiskWeather,
    random: fastrand::Rng,
    directories: BTreeSet<String>,
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    changes: Vec<Change>,
    ports: Vec<Port>,
    under_way: Vec<UnderWay>,
    next_file: u64,
    sights: DiskSights,
    locks: DirectoryLocks,
}

impl Storage {
    /// Empty directories on a calm disk. The working directory is there without being named.
    pub fn new(directories: &[&str], seed: u64) -> Storage {
        Storage {
            weather: DiskWeather::calm(),
            random: fastrand::Rng::with_seed(seed),
            directories: directories.iter().map(|path| clean(path)).chain([String::new()]).collect(),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            ports: Vec::new(),
            under_way: Vec::new(),
            next_file: 0,
            sights: DiskSights::default(),
            locks: DirectoryLocks::default(),
        }
    }

    /// Who may use which directory.
    pub fn locks(&self) -> DirectoryLocks {
        self.locks.clone()
    }

    /// The first number that no node has.
    pub(crate) fn next_node(&self) -> usize {
        self.ports.len()
    }

    /// How unkind it is from now on.
    pub fn set_weather(&mut self, weather: DiskWeather) {
        self.weather = weather;
    }

    /// How unkind it is.
    pub fn weather(&self) -> &DiskWeather {
        &self.weather
    }

    /// What happened so far.
    pub fn sights(&self) -> DiskSights {
        self.sights
    }

    /// Makes sure that a directory is there.
    pub fn make_directory(&mut self, path: &str) {
        self.directories.insert(clean(path));
    }

    /// Removes a directory and what is in it. Files that are open stay so.
    pub fn remove_directory(&mut self, path: &str) {
        let path = clean(path);
        self.directories.remove(&path);
        self.names.retain(|name, _| parent(name) != path);
        self.durable_names.retain(|name, _| parent(name) != path);
        self.changes.retain(|change| !change.is_in(&path));
    }

    /// Puts a file there that survives every crash, in place of any of that name.
    pub fn put(&mut self, path: &str, bytes: Vec<u8>) {
        let path = clean(path);
        self.inodes.push(Inode { bytes: bytes.clone(), durable: bytes, ..Inode::default() });
        let inode = self.inodes.len() - 1;
        self.names.insert(path.clone(), inode);
        self.durable_names.insert(path, inode);
    }

    /// Removes a file at once, also from what survives a crash.
    pub fn remove(&mut self, path: &str) {
        let path = clean(path);
        self.names.remove(&path);
        self.durable_names.remove(&path);
    }

    /// What a reader of a file would see.
    pub fn contents(&self, path: &str) -> Option<&[u8]> {
        Some(&self.inodes[*self.names.get(&clean(path))?].bytes)
    }

    /// The names of the files in a directory.
    pub fn list(&self, directory: &str) -> Vec<String> {
        let directory = clean(directory);
        let inside = self.names.keys().filter(|name| parent(name) == directory);
        inside.map(|name| last(name).to_owned()).collect()
    }

    /// What is there when the machine comes back after a sudden end, on a calm disk. What was under way may have been
    /// done, or not.
    pub fn crash(&mut self) -> Storage {
        self.weather = DiskWeather { slow: 0, ..self.weather };
        while let Some(operation) = self.draw_under_way() {
            if self.random.bool() {
                let _ = self.carry_out(operation.node, operation.operation);
            }
        }
        let mut names = std::mem::take(&mut self.durable_names);
        // Either names change in the order of the calls, as a journal has it, or in none.
        let kept = self.random.usize(..=self.changes.len());
        let in_order = self.random.bool();
        for (number, change) in self.changes.iter().enumerate() {
            if if in_order { number < kept } else { self.random.bool() } {
                change.apply(&mut names);
            }
        }
        let inodes = self.inodes.iter().map(|inode| inode.survivor(&mut self.random)).collect();
        self.restarted(names, inodes)
    }

    /// What is there when the nodes are started anew without any crash, on a calm disk. Nothing is under way.
    pub fn restart(&mut self) -> Storage {
        assert!(self.under_way.is_empty(), "something is under way on the disk");
        let (names, inodes) = (std::mem::take(&mut self.names), std::mem::take(&mut self.inodes));
        let mut next = self.restarted(names, inodes);
        next.durable_names = std::mem::take(&mut self.durable_names);
        next.changes = std::mem::take(&mut self.changes);
        next
    }

    fn restarted(&mut self, names: BTreeMap<String, usize>, inodes: Vec<Inode>) -> Storage {
        let mut next = Storage::new(&[], self.random.u64(..));
        next.directories.clone_from(&self.directories);
        next.durable_names.clone_from(&names);
        next.names = names;
        next.inodes = inodes;
        for inode in &mut next.inodes {
            inode.end = None;
        }
        next
    }

    /// Nothing is under way, and everything is told.
    pub fn is_quiet(&self) -> bool {
        self.under_way.is_empty() && self.ports.iter().all(|port| port.done.is_empty())
    }

    /// Something is under way, and will be carried out.
    pub fn is_busy(&self) -> bool {
        !self.under_way.is_empty() && !self.has_stopped()
    }

    /// See [`DiskWeather::stops_after_operations`].
    pub fn has_stopped(&self) -> bool {
        self.sights.operations >= self.weather.stops_after_operations
    }

    /// A node has not been told of something that is over.
    pub fn has_completions(&self, node: usize) -> bool {
        !self.ports[node].done.is_empty()
    }

    pub(crate) fn attach(&mut self, node: usize, waker: Arc<VirtualWaker>) {
        if self.ports.len() <= node {
            self.ports.resize_with(node + 1, Port::default);
        }
        self.ports[node].waker = Some(waker);
    }

    pub(crate) fn submit(&mut self, node: usize, tag: u64, operation: Operation) {
        let is_of = |other: &&UnderWay| other.node == node;
        assert!(
            self.under_way.iter().filter(is_of).all(|other| other.tag != tag),
            "contract: node {node} uses tag {tag} twice at once"
        );
        self.check(node, &operation);
        self.under_way.push(UnderWay { node, tag, operation });
    }

    /// Checks what [`tessera_node::disk`] demands of calls.
    fn check(&self, node: usize, operation: &Operation) {
        let (file, writes) = match operation {
            Operation::Write { file, .. } => (*file, true),
            Operation::Read { file, .. } => (*file, false),
            Operation::Sync { file } | Operation::Close { file } => (*file, false),
            _ => return,
        };
        let inode = self.ports[node].files.get(&file);
        let inode = inode.unwrap_or_else(|| panic!("contract: {file:?} is not open on node {node}"));
        let others = self.under_way.iter().filter(|other| other.node == node);
        let mut others = others.filter_map(|other| match &other.operation {
            Operation::Write { file: other, offset_bytes, bytes } => {
                Some((*other, Some(*offset_bytes as usize..*offset_bytes as usize + bytes.len())))
            }
            Operation::Read { file, .. } | Operation::Sync { file } | Operation::Close { file } => {
                Some((*file, None))
            }
            _ => None,
        });
        match operation {
            Operation::Sync { .. } => {
                assert!(
                    others.all(|(other, write)| other != file || write.is_none()),
                    "contract: {file:?} is synced with a write under way"
                );
            }
            Operation::Close { .. } => {
                assert!(
                    others.all(|(other, _)| other != file),
                    "contract: {file:?} is closed with an operation under way"
                );
            }
            Operation::Write { offset_bytes, bytes, .. } => {
                let (start, end) = (*offset_bytes as usize, *offset_bytes as usize + bytes.len());
                let is_whole = bytes.len().is_multiple_of(BLOCK_LEN_BYTES);
                let known_end = self.inodes[*inode].end;
                let mut written_end = self.inodes[*inode].bytes.len();
                let mut is_apart = true;
                for range in others.filter(|(other, _)| *other == file).filter_map(|(_, range)| range) {
                    is_apart &= range.end <= start || end <= range.start;
                    written_end = written_end.max(range.end);
                }
                assert!(is_apart, "contract: two writes of {file:?} overlap");
                assert!(
                    known_end.is_none_or(|known| end <= known),
                    "contract: {file:?} is written beyond its end"
                );
                assert!(
                    is_whole || end >= written_end,
                    "contract: a write of {} bytes is not the end of {file:?}",
                    bytes.len()
                );
            }
            _ => {}
        }
        if let Operation::Write { offset_bytes, .. } | Operation::Read { offset_bytes, .. } = operation {
            let what = if writes { "write" } else { "read" };
            assert!(
                offset_bytes.is_multiple_of(BLOCK_LEN_BYTES as u64),
                "contract: a {what} of {file:?} at {offset_bytes}"
            );
        }
    }

    pub(crate) fn take_completions(&mut self, node: usize, into: &mut Vec<Completion>) {
        into.append(&mut self.ports[node].done);
    }

    /// Carries out what it gets to. Whether it did anything.
    pub fn progress(&mut self) -> bool {
        if !self.is_busy() || happens(&mut self.random, self.weather.slow) {
            return false;
        }
        let Some(UnderWay { node, tag, operation }) = self.draw_under_way() else { return false };
        let result = self.carry_out(node, operation);
        self.sights.operations += 1;
        self.sights.failures += u64::from(result.is_err());
        let port = &mut self.ports[node];
        let place = self.random.usize(..=port.done.len());
        port.done.insert(place, Completion { tag, result });
        if let Some(waker) = &port.waker {
            waker.wake();
        }
        true
    }

    fn draw_under_way(&mut self) -> Option<UnderWay> {
        if self.under_way.is_empty() {
            return None;
        }
        Some(self.under_way.swap_remove(self.random.usize(..self.under_way.len())))
    }

    fn fails(&mut self, percent: u8) -> io::Result<()> {
        if happens(&mut self.random, percent) { Err(error(EIO)) } else { Ok(()) }
    }

    fn may_change(&self) -> io::Result<()> {
        if self.weather.is_read_only { Err(error(EROFS)) } else { Ok(()) }
    }

    fn inode(&self, path: &str) -> io::Result<usize> {
        if self.directories.contains(path) {
            return Err(error(EISDIR));
        }
        self.names.get(path).copied().ok_or_else(|| error(ENOENT))
    }

    fn directory(&self, path: &str) -> io::Result<()> {
        if self.directories.contains(path) { Ok(()) } else { Err(error(ENOENT)) }
    }

    fn keep(&mut self, node: usize, inode: usize) -> FileId {
        self.next_file += 1;
        let file = FileId(self.next_file);
        self.ports[node].files.insert(file, inode);
        file
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    fn carry_out(&mut self, node: usize, operation: Operation) -> io::Result<Output> {
        match operation {
            Operation::Create { path } => self.create(node, &clean(&path)),
            Operation::Open { path } => {
                let inode = self.inode(&clean(&path))?;
                self.fails(self.weather.open_fails)?;
                let len_bytes = self.inodes[inode].bytes.len() as u64;
                Ok(Output::Opened(self.keep(node, inode), len_bytes))
            }
            Operation::Write { file, offset_bytes, bytes } => {
                self.write(self.ports[node].files[&file], offset_bytes as usize, &bytes)?;
                Ok(Output::Written(bytes))
            }
            Operation::Read { file, offset_bytes, len_bytes } => {
                self.fails(self.weather.read_fails)?;
                let bytes = &self.inodes[self.ports[node].files[&file]].bytes;
                let start = (offset_bytes as usize).min(bytes.len());
                Ok(Output::Read(bytes[start..(start + len_bytes).min(bytes.len())].to_vec()))
            }
            Operation::Sync { file } => {
                let failure = self.fails(self.weather.sync_fails);
                let inode = &mut self.inodes[self.ports[node].files[&file]];
                match &failure {
                    Ok(()) => inode.sync(),
                    // The system takes what it could not write for written.
                    Err(_) => inode.dirty.clear(),
                }
                failure.map(|()| Output::Done)
            }
            Operation::Close { file } => {
                self.ports[node].files.remove(&file);
                Ok(Output::Done)
            }
            Operation::List { directory } => self.list_directory(&clean(&directory)),
            Operation::Rename { from, to } => self.rename(clean(&from), clean(&to)),
            Operation::Remove { path } => {
                let name = clean(&path);
                self.inode(&name)?;
                self.may_change()?;
                self.fails(self.weather.directory_fails)?;
                self.change(Change::Removed { name });
                Ok(Output::Done)
            }
            Operation::SyncDirectory { directory } => self.sync_directory(&clean(&directory)),
        }
    }

    fn list_directory(&mut self, directory: &str) -> io::Result<Output> {
        self.directory(directory)?;
        self.fails(self.weather.directory_fails)?;
        let inside = self.names.iter().filter(|(name, _)| parent(name) == directory);
        let len = |inode: &usize| self.inodes[*inode].bytes.len() as u64;
        let files = inside.map(|(name, inode)| Listed::file(last(name), len(inode)));
        let is_inside = |path: &&String| !path.is_empty() && parent(path) == directory;
        let directories = self.directories.iter().filter(is_inside);
        Ok(Output::Names(files.chain(directories.map(|path| Listed::other(last(path)))).collect()))
    }

    fn rename(&mut self, from: String, to: String) -> io::Result<Output> {
        let inode = self.inode(&from)?;
        self.directory(parent(&to))?;
        if self.directories.contains(&to) {
            return Err(error(EISDIR));
        }
        self.may_change()?;
        self.fails(self.weather.directory_fails)?;
        self.change(Change::Renamed { from, to, inode });
        Ok(Output::Done)
    }

    /// What changed in a directory stays after a crash from now on.
    fn sync_directory(&mut self, directory: &str) -> io::Result<Output> {
        self.directory(directory)?;
        self.fails(self.weather.directory_fails)?;
        let durable = &mut self.durable_names;
        self.changes.retain(|change| {
            let is_inside = change.is_in(directory);
            if is_inside {
                change.apply(durable);
            }
            !is_inside
        });
        Ok(Output::Done)
    }

    fn create(&mut self, node: usize, path: &str) -> io::Result<Output> {
        if self.directories.contains(path) {
            return Err(error(EISDIR));
        }
        self.directory(parent(path))?;
        self.may_change()?;
        self.fails(self.weather.open_fails)?;
        let inode = if let Some(inode) = self.names.get(path) {
            // The old bytes may come back with a crash, as may any state between.
            let old = &mut self.inodes[*inode];
            old.dirty.clear();
            old.bytes.clear();
            old.end = None;
            *inode
        } else {
            if self.used_bytes() >= self.weather.capacity_bytes {
                return Err(error(ENOSPC));
            }
            self.inodes.push(Inode::default());
            let inode = self.inodes.len() - 1;
            self.change(Change::Made { name: path.to_owned(), inode });
            inode
        };
        Ok(Output::File(self.keep(node, inode)))
    }

    fn write(&mut self, inode: usize, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.may_change()?;
        let mut failure = self.fails(self.weather.write_fails);
        let mut len = bytes.len();
        let grows = (offset + len).saturating_sub(self.inodes[inode].bytes.len()) as u64;
        if grows > 0 && self.used_bytes().saturating_add(grows) > self.weather.capacity_bytes {
            failure = failure.and(Err(error(ENOSPC)));
        }
        if failure.is_err() {
            // Part of it may be there.
            len = self.random.usize(..=len / BLOCK_LEN_BYTES) * BLOCK_LEN_BYTES;
        }
        if len > 0 {
            self.inodes[inode].write(offset, &bytes[..len]);
        }
        if failure.is_ok() && !len.is_multiple_of(BLOCK_LEN_BYTES) {
            self.inodes[inode].end = Some(offset + len);
        }
        failure
    }

    /// What files hold that have a name.
    fn used_bytes(&self) -> u64 {
        self.names.values().map(|inode| self.inodes[*inode].bytes.len() as u64).sum()
    }
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// A path without what does not matter. The working directory is empty.
fn clean(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// The directory that a clean path is in.
fn parent(path: &str) -> &str {
    match path.rfind('/') {
        None => "",
        Some(0) => "/",
        Some(end) => &path[..end],
    }
}

/// What a clean path is called in its directory.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
