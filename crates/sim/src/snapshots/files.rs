//! Files in memory that are slow, fail and forget when told to.
//!
//! What was not synced may be lost or torn at a crash: of writes any, and of each any beginning; of changes of names those
//! from some moment on.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;
use tessera_node::disk::{BLOCK_LEN_BYTES, Completion, Disk, FileId, Operation, Output};

#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// Since it was synced: where, and what.
    unsynced: Vec<(usize, Vec<u8>)>,
}

/// A change of the names, with the file that a name is for from then on.
type Renaming = Vec<(String, Option<usize>)>;

/// The disk under all nodes.
pub struct Files {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    unsynced_names: Vec<Renaming>,
    open: BTreeMap<u64, usize>,
    next_file: u64,
    pending: Vec<(usize, u64, Operation)>,
    done: BTreeMap<usize, VecDeque<Completion>>,
    random: fastrand::Rng,
    /// Chance that the next operation is not carried out at this step, in percent.
    pub slow: u8,
    /// Chance that an operation fails, in percent.
    pub failing: u8,
    /// Operations carried out so far.
    pub operations: u64,
    /// After so many it crashes: nothing more is carried out.
    pub crashes_after: u64,
}

/// One node's access to it.
pub struct NodeFiles {
    node: usize,
    files: Rc<RefCell<Files>>,
}

fn write(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.resize(bytes.len().max(at + what.len()), 0);
    bytes[at..at + what.len()].copy_from_slice(what);
}

impl Files {
    /// An empty disk.
    pub fn new(seed: u64) -> Rc<RefCell<Files>> {
        Rc::new(RefCell::new(Files {
            files: Vec::new(),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            open: BTreeMap::new(),
            next_file: 0,
            pending: Vec::new(),
            done: BTreeMap::new(),
            random: fastrand::Rng::with_seed(seed),
            slow: 0,
            failing: 0,
            operations: 0,
            crashes_after: u64::MAX,
        }))
    }

    /// A node's access.
    pub fn of_node(files: &Rc<RefCell<Files>>, node: usize) -> Box<dyn Disk> {
        Box::new(NodeFiles { node, files: files.clone() })
    }

    /// It has crashed.
    pub fn has_crashed(&self) -> bool {
        self.operations >= self.crashes_after
    }

    /// Something is to be carried out.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() && !self.has_crashed()
    }

    /// Something is to be told to a node.
    pub fn has_completions(&self, node: usize) -> bool {
        self.done.get(&node).is_some_and(|done| !done.is_empty())
    }

    /// Carries an operation out, perhaps.
    pub fn progress(&mut self) {
        if !self.is_busy() || self.random.u8(..100) < self.slow {
            return;
        }
        let (node, tag, operation) = self.pending.swap_remove(self.random.usize(..self.pending.len()));
        self.operations += 1;
        // Files that cannot be closed are of no interest.
        let may_fail = !matches!(operation, Operation::Close { .. });
        let result = if may_fail && self.random.u8(..100) < self.failing {
            if let Operation::Write { file, offset_bytes, mut bytes } = operation {
                bytes.truncate(self.random.usize(..=bytes.len()));
                let _ = self.carry_out(Operation::Write { file, offset_bytes, bytes });
            }
            Err(io::Error::from(io::ErrorKind::StorageFull))
        } else {
            self.carry_out(operation)
        };
        self.done.entry(node).or_default().push_back(Completion { tag, result });
    }

    fn file(&mut self, id: FileId) -> &mut File {
        let number = self.open[&id.0];
        &mut self.files[number]
    }

    fn open_file(&mut self, number: usize) -> FileId {
        self.next_file += 1;
        self.open.insert(self.next_file, number);
        FileId(self.next_file)
    }

    fn rename(&mut self, changes: Renaming) {
        for (name, file) in &changes {
            match file {
                Some(file) => self.names.insert(name.clone(), *file),
                None => self.names.remove(name),
            };
        }
        self.unsynced_names.push(changes);
    }

    fn carry_out(&mut self, operation: Operation) -> io::Result<Output> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        match operation {
            Operation::Create { path } => {
                self.files.push(File::default());
                let number = self.files.len() - 1;
                self.rename(vec![(path.to_string(), Some(number))]);
                Ok(Output::File(self.open_file(number)))
            }
            Operation::Open { path } => {
                let number = *self.names.get(&*path).ok_or_else(missing)?;
                let len_bytes = self.files[number].bytes.len() as u64;
                Ok(Output::Opened(self.open_file(number), len_bytes))
            }
            Operation::Write { file, offset_bytes, bytes } => {
                assert!(offset_bytes.is_multiple_of(BLOCK_LEN_BYTES as u64));
                let file = self.file(file);
                write(&mut file.bytes, offset_bytes as usize, &bytes);
                file.unsynced.push((offset_bytes as usize, bytes.clone()));
                Ok(Output::Written(bytes))
            }
            Operation::Read { file, offset_bytes, len_bytes } => {
                assert!(offset_bytes.is_multiple_of(BLOCK_LEN_BYTES as u64));
                let bytes = &self.file(file).bytes;
                let start = bytes.len().min(offset_bytes as usize);
                Ok(Output::Read(bytes[start..bytes.len().min(start + len_bytes)].to_vec()))
            }
            Operation::Sync { file } => {
                let file = self.file(file);
                file.synced = file.bytes.clone();
                file.unsynced.clear();
                Ok(Output::Done)
            }
            Operation::Close { file } => {
                self.open.remove(&file.0).expect("the file is open");
                Ok(Output::Done)
            }
            Operation::List { directory } => {
                let prefix = format!("{directory}/");
                let names = self.names.iter().filter_map(|(path, number)| {
                    let name = path.strip_prefix(&prefix)?;
                    Some((name.to_owned(), self.files[*number].bytes.len() as u64))
                });
                Ok(Output::Names(names.collect()))
            }
            Operation::Rename { from, to } => {
                let number = *self.names.get(&*from).ok_or_else(missing)?;
                self.rename(vec![(from.to_string(), None), (to.to_string(), Some(number))]);
                Ok(Output::Done)
            }
            Operation::Remove { path } => {
                self.names.get(&*path).ok_or_else(missing)?;
                self.rename(vec![(path.to_string(), None)]);
                Ok(Output::Done)
            }
            Operation::SyncDirectory { .. } => {
                self.synced_names = self.names.clone();
                self.unsynced_names.clear();
                Ok(Output::Done)
            }
        }
    }

    /// What is there now, by path.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        self.names.iter().map(|(path, number)| (path.clone(), self.files[*number].bytes.clone())).collect()
    }

    /// What may be there after a crash, by path.
    pub fn after_crash(&mut self) -> BTreeMap<String, Vec<u8>> {
        let mut names = self.synced_names.clone();
        let kept = self.random.usize(..=self.unsynced_names.len());
        for (name, file) in self.unsynced_names[..kept].iter().flatten() {
            match file {
                Some(file) => names.insert(name.clone(), *file),
                None => names.remove(name),
            };
        }
        let mut contents = BTreeMap::new();
        for (name, number) in names {
            let mut bytes = self.files[number].synced.clone();
            for (at, what) in &self.files[number].unsynced {
                if self.random.bool() {
                    write(&mut bytes, *at, &what[..self.random.usize(..=what.len())]);
                }
            }
            contents.insert(name, bytes);
        }
        contents
    }
}

impl Disk for NodeFiles {
    fn submit(&mut self, tag: u64, operation: Operation) {
        self.files.borrow_mut().pending.push((self.node, tag, operation));
    }

    fn take_completions(&mut self, into: &mut Vec<Completion>) {
        if let Some(done) = self.files.borrow_mut().done.get_mut(&self.node) {
            into.extend(done.drain(..));
        }
    }

    fn is_direct(&self, _file: FileId) -> bool {
        false
    }
}
