//! What every disk does, whoever implements it. The simulation's tests include this file too.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use tessera_node::disk::{BLOCK_LEN_BYTES, FileId, Operation, Output};

/// A disk with an empty directory of its own.
pub trait Subject {
    /// Submits all operations in one turn of a node, and answers what came of them, in the same order.
    fn run(&mut self, operations: Vec<Operation>) -> Vec<io::Result<Output>>;

    /// The directory.
    fn directory(&self) -> String;

    fn path(&self, name: &str) -> Arc<str> {
        format!("{}/{name}", self.directory()).into()
    }

    fn run_one(&mut self, operation: Operation) -> io::Result<Output> {
        self.run(vec![operation]).remove(0)
    }

    fn create(&mut self, name: &str) -> FileId {
        let path = self.path(name);
        match self.run_one(Operation::Create { path }) {
            Ok(Output::File(file)) => file,
            other => panic!("{other:?}"),
        }
    }

    fn open(&mut self, name: &str) -> (FileId, u64) {
        let path = self.path(name);
        match self.run_one(Operation::Open { path }) {
            Ok(Output::Opened(file, len_bytes)) => (file, len_bytes),
            other => panic!("{other:?}"),
        }
    }

    fn do_all(&mut self, operations: Vec<Operation>) {
        for result in self.run(operations) {
            assert!(matches!(result, Ok(Output::Done)), "{result:?}");
        }
    }

    fn names(&mut self) -> Vec<(String, u64)> {
        let directory = self.directory().into();
        match self.run_one(Operation::List { directory }) {
            Ok(Output::Names(mut names)) => {
                names.sort();
                assert!(names.iter().all(|listed| listed.is_regular), "{names:?}");
                names.into_iter().map(|listed| (listed.name, listed.len_bytes)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn write_file(&mut self, name: &str, bytes: &[u8]) {
        let file = self.create(name);
        if !bytes.is_empty() {
            let write = Operation::Write { file, offset_bytes: 0, bytes: bytes.to_vec() };
            assert!(matches!(self.run_one(write), Ok(Output::Written(back)) if back == bytes));
        }
        self.do_all(vec![Operation::Sync { file }]);
        self.do_all(vec![Operation::Close { file }]);
    }

    fn read_file(&mut self, name: &str) -> Vec<u8> {
        let (file, len_bytes) = self.open(name);
        let read = Operation::Read { file, offset_bytes: 0, len_bytes: len_bytes as usize + 1 };
        let Ok(Output::Read(bytes)) = self.run_one(read) else {
            panic!("a file that was opened can be read")
        };
        assert_eq!(bytes.len() as u64, len_bytes);
        self.do_all(vec![Operation::Close { file }]);
        bytes
    }

    fn error(&mut self, operation: Operation) -> ErrorKind {
        match self.run_one(operation) {
            Ok(output) => panic!("it went well: {output:?}"),
            Err(error) => error.kind(),
        }
    }
}

/// Bytes that tell where they belong.
pub fn bytes(len: usize, seed: u64) -> Vec<u8> {
    (0..len as u64).map(|place| (place.wrapping_mul(31) ^ (place >> 8) ^ seed) as u8).collect()
}

pub fn all(subject: &mut impl Subject) {
    writes_at_depth(subject);
    ends_that_fill_no_block(subject);
    names(subject);
    errors(subject);
    files_beside_each_other(subject);
}

/// Many writes and reads of one file at once.
fn writes_at_depth(subject: &mut impl Subject) {
    let lens = [1, 3, 64, 7, 256, 2, 16, 1].map(|blocks| blocks * BLOCK_LEN_BYTES);
    let whole = bytes(lens.iter().sum::<usize>() + 1234, 1);
    let file = subject.create("deep");
    let (mut offset, mut writes) = (0, Vec::new());
    for len in lens.into_iter().chain([1234]) {
        let bytes = whole[offset..offset + len].to_vec();
        writes.push(Operation::Write { file, offset_bytes: offset as u64, bytes });
        offset += len;
    }
    writes.reverse();
    // The end is last, because there is no writing beyond it.
    writes.rotate_left(1);
    for result in subject.run(writes) {
        assert!(matches!(result, Ok(Output::Written(_))), "{result:?}");
    }
    subject.do_all(vec![Operation::Sync { file }]);
    subject.do_all(vec![Operation::Close { file }]);
    assert_eq!(subject.names(), [("deep".to_owned(), whole.len() as u64)]);

    let (file, len_bytes) = subject.open("deep");
    assert_eq!(len_bytes, whole.len() as u64);
    let step = 5 * BLOCK_LEN_BYTES;
    let reads = (0..whole.len()).step_by(step).map(|offset| Operation::Read {
        file,
        offset_bytes: offset as u64,
        len_bytes: step - 3,
    });
    for (result, chunk) in subject.run(reads.collect()).into_iter().zip(whole.chunks(step)) {
        let Ok(Output::Read(read)) = result else { panic!("{result:?}") };
        assert!(read == chunk[..chunk.len().min(step - 3)]);
    }
    for offset_bytes in [whole.len().next_multiple_of(BLOCK_LEN_BYTES) as u64, 1 << 40] {
        let beyond = subject.run_one(Operation::Read { file, offset_bytes, len_bytes: 10 });
        assert!(matches!(&beyond, Ok(Output::Read(read)) if read.is_empty()), "{beyond:?}");
    }
    let nothing = subject.run_one(Operation::Read { file, offset_bytes: 0, len_bytes: 0 });
    assert!(matches!(&nothing, Ok(Output::Read(read)) if read.is_empty()), "{nothing:?}");
    subject.do_all(vec![Operation::Close { file }]);
    subject.do_all(vec![Operation::Remove { path: subject.path("deep") }]);
    assert_eq!(subject.names(), []);
}

fn ends_that_fill_no_block(subject: &mut impl Subject) {
    for len in [0, 1, 511, 512, 513, BLOCK_LEN_BYTES - 1, BLOCK_LEN_BYTES, BLOCK_LEN_BYTES + 1, 100_000] {
        let content = bytes(len, len as u64);
        subject.write_file("end", &content);
        assert_eq!(subject.names(), [("end".to_owned(), len as u64)]);
        assert!(subject.read_file("end") == content, "{len} bytes");
    }
    // Made anew, it is empty.
    subject.write_file("end", b"");
    assert_eq!(subject.read_file("end"), b"");
    subject.do_all(vec![Operation::Remove { path: subject.path("end") }]);
}

fn names(subject: &mut impl Subject) {
    subject.write_file("one", b"1");
    subject.write_file("two", b"22");
    subject.do_all(vec![Operation::Rename { from: subject.path("one"), to: subject.path("two") }]);
    subject.do_all(vec![Operation::SyncDirectory { directory: subject.directory().into() }]);
    assert_eq!(subject.names(), [("two".to_owned(), 1)]);
    assert_eq!(subject.read_file("two"), b"1");
    // A file that is open can be renamed and removed.
    let (file, _) = subject.open("two");
    subject.do_all(vec![Operation::Rename { from: subject.path("two"), to: subject.path("three") }]);
    subject.do_all(vec![Operation::Remove { path: subject.path("three") }]);
    let read = subject.run_one(Operation::Read { file, offset_bytes: 0, len_bytes: 4096 });
    assert!(matches!(&read, Ok(Output::Read(read)) if read == b"1"), "{read:?}");
    subject.do_all(vec![Operation::Close { file }]);
    assert_eq!(subject.names(), []);
    subject.do_all(vec![Operation::SyncDirectory { directory: subject.directory().into() }]);
}

fn errors(subject: &mut impl Subject) {
    let (missing, inside) = (subject.path("missing"), subject.path("missing/file"));
    let directory: Arc<str> = subject.directory().into();
    subject.write_file("here", b"here");
    let here = subject.path("here");
    for operation in [
        Operation::Open { path: missing.clone() },
        Operation::Remove { path: missing.clone() },
        Operation::Rename { from: missing.clone(), to: here.clone() },
        Operation::Rename { from: here.clone(), to: inside.clone() },
        Operation::Create { path: inside },
        Operation::List { directory: missing.clone() },
        Operation::SyncDirectory { directory: missing },
    ] {
        let text = format!("{operation:?}");
        assert_eq!(subject.error(operation), ErrorKind::NotFound, "{text}");
    }
    for operation in [
        Operation::Open { path: directory.clone() },
        Operation::Create { path: directory.clone() },
        Operation::Remove { path: directory },
    ] {
        let text = format!("{operation:?}");
        assert_eq!(subject.error(operation), ErrorKind::IsADirectory, "{text}");
    }
    assert_eq!(subject.read_file("here"), b"here");
    subject.do_all(vec![Operation::Remove { path: here }]);
}

fn files_beside_each_other(subject: &mut impl Subject) {
    let files: Vec<FileId> = (0..5).map(|number| subject.create(&format!("{number}"))).collect();
    let content = |number: u64, len: usize| bytes(len + number as usize, number);
    let writes = files.iter().zip(0..).map(|(file, number)| Operation::Write {
        file: *file,
        offset_bytes: 0,
        bytes: content(number, 50_000),
    });
    for result in subject.run(writes.collect()) {
        assert!(matches!(result, Ok(Output::Written(_))), "{result:?}");
    }
    subject.do_all(files.iter().map(|file| Operation::Sync { file: *file }).collect());
    subject.do_all(files.iter().map(|file| Operation::Close { file: *file }).collect());
    for number in 0..5 {
        assert!(subject.read_file(&format!("{number}")) == content(number, 50_000));
    }
    subject.do_all((0..5).map(|n| Operation::Remove { path: subject.path(&format!("{n}")) }).collect());
}
