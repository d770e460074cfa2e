//! Passing over a stream, which is no value here, to get at what comes behind it.

use super::reader::{Reader, Stop};
use crate::rdb::opcodes::ValueType;

/// What is still to be passed over.
#[derive(Clone, Copy, Debug)]
enum Todo {
    /// How many pairs of strings there are, and these: nodes with their keys.
    CountPairs,
    Pairs(u64),
    /// So many numbers.
    Numbers(u8),
    /// How many groups there are, and these.
    CountGroups,
    Groups(u64),
    /// How many messages somebody has not acknowledged, and these. Only a group's say when they were delivered.
    CountPending {
        says_when: bool,
    },
    Pending {
        left: u64,
        says_when: bool,
    },
    /// How many consumers there are, and these.
    CountConsumers,
    Consumers(u64),
}

/// Passes over a stream, as far as its bytes are there.
#[derive(Debug)]
pub(super) struct StreamSkip {
    /// The version of the format: 1 to 3.
    version: u8,
    /// The last is next.
    todo: Vec<Todo>,
}

impl StreamSkip {
    /// At the beginning of a stream; `None` if the type is not one.
    pub fn of(value_type: ValueType) -> Option<StreamSkip> {
        let version = match value_type {
            ValueType::StreamListpacks => 1,
            ValueType::StreamListpacks2 => 2,
            ValueType::StreamListpacks3 => 3,
            _ => return None,
        };
        // Its length and its last identifier; since version 2 the first one, the highest that was removed, and a count.
        let numbers = if version == 1 { 3 } else { 8 };
        Some(StreamSkip { version, todo: vec![Todo::CountGroups, Todo::Numbers(numbers), Todo::CountPairs] })
    }

    /// Goes on. Of what is not there yet, the reader stands at the beginning.
    pub fn resume(&mut self, reader: &mut Reader<'_>) -> Result<(), Stop> {
        while let Some(todo) = self.todo.last().copied() {
            let next = reader.whole(|reader| self.pass(reader, todo))?;
            self.todo.pop();
            self.todo.extend(next.into_iter().flatten());
        }
        Ok(())
    }

    /// Passes over one thing. What is to be done then, the first at the end.
    fn pass(&self, reader: &mut Reader<'_>, todo: Todo) -> Result<[Option<Todo>; 3], Stop> {
        let only = |todo| [Some(todo), None, None];
        Ok(match todo {
            Todo::CountPairs => only(Todo::Pairs(reader.number()?)),
            Todo::CountGroups => only(Todo::Groups(reader.number()?)),
            Todo::CountConsumers => only(Todo::Consumers(reader.number()?)),
            Todo::CountPending { says_when } => only(Todo::Pending { left: reader.number()?, says_when }),
            Todo::Pairs(0)
            | Todo::Groups(0)
            | Todo::Consumers(0)
            | Todo::Numbers(0)
            | Todo::Pending { left: 0, .. } => [None; 3],
            Todo::Pairs(left) => {
                reader.string()?;
                reader.string()?;
                only(Todo::Pairs(left - 1))
            }
            Todo::Numbers(left) => {
                reader.number()?;
                only(Todo::Numbers(left - 1))
            }
            Todo::Groups(left) => {
                reader.string()?;
                for _ in 0..if self.version == 1 { 2 } else { 3 } {
                    reader.number()?;
                }
                let pending = Todo::CountPending { says_when: true };
                [Some(Todo::Groups(left - 1)), Some(Todo::CountConsumers), Some(pending)]
            }
            Todo::Pending { left, says_when } => {
                reader.array::<16>()?;
                if says_when {
                    reader.array::<8>()?;
                    reader.number()?;
                }
                only(Todo::Pending { left: left - 1, says_when })
            }
            Todo::Consumers(left) => {
                reader.string()?;
                reader.array::<8>()?;
                if self.version == 3 {
                    reader.array::<8>()?;
                }
                [Some(Todo::Consumers(left - 1)), Some(Todo::CountPending { says_when: false }), None]
            }
        })
    }
}
