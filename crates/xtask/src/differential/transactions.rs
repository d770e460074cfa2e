//! Transactions: commands between MULTI and EXEC, which are compared one by one within EXEC's reply, and what watches
//! keys before them. What is watched in one pipeline may be used in a later one, when others have changed it.

use super::chance::{FORGETFUL, may_tell_chance, sorts};
use super::generate::{KEYS_LEN, key};
use super::steps::{Command, Part, Steps, command};
use super::templates::Equality;

/// Most commands of a transaction.
const QUEUED_MAX_LEN: usize = 12;

impl Steps {
    /// MULTI, commands, and mostly EXEC; perhaps something that does not belong there.
    pub(super) fn add_transaction(&mut self, commands: &mut Vec<Command>, bytes: &mut Vec<u8>) {
        if self.below(3) == 0 {
            self.add_watch(commands, bytes);
            for _ in 0..self.below(3) {
                self.add_any(commands, bytes);
            }
        }
        self.add(command(&["MULTI"], Equality::Exact), commands, bytes);
        let mut parts = Vec::new();
        for _ in 0..self.below(QUEUED_MAX_LEN) {
            match self.below(60) {
                0 => self.add(command(&["MULTI"], Equality::Exact), commands, bytes),
                1 => self.add_watch_of_keys(commands, bytes),
                2 => self.add_part(command(&["UNWATCH"], Equality::Exact), &mut parts, commands, bytes),
                _ => self.add_queued(&mut parts, commands, bytes),
            }
        }
        if self.below(12) == 0 {
            return self.add(command(&["DISCARD"], Equality::Exact), commands, bytes);
        }
        let exec = Command { parts, ..command(&["EXEC"], Equality::Exact) };
        self.add(exec, commands, bytes);
    }

    /// WATCH of some keys, or rarely a command of that kind without what belongs to it.
    pub(super) fn add_watch(&mut self, commands: &mut Vec<Command>, bytes: &mut Vec<u8>) {
        let alone = match self.below(40) {
            0 => Some("UNWATCH"),
            1 => Some("EXEC"),
            2 => Some("DISCARD"),
            3 => Some("WATCH"),
            _ => None,
        };
        if let Some(alone) = alone {
            return self.add(command(&[alone], Equality::Exact), commands, bytes);
        }
        self.add_watch_of_keys(commands, bytes);
    }

    fn add_watch_of_keys(&mut self, commands: &mut Vec<Command>, bytes: &mut Vec<u8>) {
        let mut watch = command(&["WATCH"], Equality::Exact);
        for _ in 0..=self.below(3) {
            watch.words.push(key(self.below(KEYS_LEN as usize) as u32));
        }
        self.add(watch, commands, bytes);
    }

    fn add_queued(&mut self, parts: &mut Vec<Part>, commands: &mut Vec<Command>, bytes: &mut Vec<u8>) {
        let (_, template, words) = self.next_command();
        // What SCAN finds, and what is drawn, is compared by asking more.
        let is_plain = !words[0].eq_ignore_ascii_case(b"SCAN") && template.equality != Equality::RandomKey;
        if !is_plain || !self.suits(&words) || !self.may_queue(&words) {
            return;
        }
        if sorts(&words) {
            self.add_part(command(&FORGETFUL, Equality::Exact), parts, commands, bytes);
        }
        let equality = if may_tell_chance(&words) { Equality::AnyOrder } else { template.equality };
        self.add_part(Command { words, ..command(&[], equality) }, parts, commands, bytes);
    }

    fn add_part(
        &mut self,
        queued: Command,
        parts: &mut Vec<Part>,
        commands: &mut Vec<Command>,
        bytes: &mut Vec<u8>,
    ) {
        parts.push(Part { words: queued.words.clone(), equality: queued.equality });
        self.add(queued, commands, bytes);
    }
}
