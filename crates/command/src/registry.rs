//! The table of all commands, and the search by name.

use crate::command::Command;
use tessera_resp::Args;

/// Longer names are not looked for.
const NAME_MAX_LEN_BYTES: usize = 32;

/// Why there is no such command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// No command of this name.
    Command,
    /// The command has no subcommand of this name.
    Subcommand(&'static str),
}

/// All commands. Looking one up is one hash of its name and one comparison: the hash's seed was chosen so that
/// no two names meet.
pub struct Registry {
    commands: &'static [Command],
    seed: u64,
    mask: usize,
    /// Index of the command plus one, 0 for none.
    places: Vec<u16>,
    /// All subcommands follow the commands in the numbering of [`Registry::number`].
    numbered: Vec<&'static Command>,
}

impl Registry {
    /// A table of `commands`. Names must be different.
    pub fn new(commands: &'static [Command]) -> Registry {
        // Four places per command make a seed without collision likely within a few thousand tries.
        let mut places_len = (commands.len() * 8).next_power_of_two();
        let mut seed = 0u64;
        let numbered =
            commands.iter().chain(commands.iter().flat_map(|command| command.subcommands)).collect();
        loop {
            if let Some(places) = place_all(commands, seed, places_len) {
                return Registry { commands, seed, mask: places_len - 1, places, numbered };
            }
            seed += 1;
            if seed.is_multiple_of(10_000) {
                places_len *= 2;
            }
            assert!(places_len < 1 << 20, "two commands share a name");
        }
    }

    /// The command of this name, in any case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&'static Command> {
        if name.len() > NAME_MAX_LEN_BYTES {
            return None;
        }
        let place = self.places[hash(name, self.seed) as usize & self.mask];
        let command = self.commands.get(usize::from(place).checked_sub(1)?)?;
        command.full_name.as_bytes().eq_ignore_ascii_case(name).then_some(command)
    }

    /// The command, or the subcommand, that these words call.
    ///
    /// # Errors
    /// If there is none.
    #[inline]
    pub fn resolve(&self, args: Args<'_>) -> Result<&'static Command, Unknown> {
        let command = args.get(0).and_then(|name| self.find(name)).ok_or(Unknown::Command)?;
        if command.subcommands.is_empty() { Ok(command) } else { self.resolve_subcommand(command, args) }
    }

    #[cold]
    fn resolve_subcommand(
        &self,
        command: &'static Command,
        args: Args<'_>,
    ) -> Result<&'static Command, Unknown> {
        // Without a subcommand's name the command itself decides: by its arity, or because it can stand alone.
        let Some(name) = args.get(1) else { return Ok(command) };
        command
            .subcommands
            .iter()
            .find(|sub| sub.spec.last_name().as_bytes().eq_ignore_ascii_case(name))
            .ok_or(Unknown::Subcommand(command.full_name))
    }

    /// The published command of a full name such as `get` or `config|get`, in any case.
    pub fn find_full(&self, full_name: &[u8]) -> Option<&'static Command> {
        match full_name.iter().position(|byte| *byte == b'|') {
            None => self.find(full_name),
            Some(bar) => self
                .find(&full_name[..bar])?
                .published_subcommands()
                .iter()
                .find(|sub| sub.full_name.as_bytes().eq_ignore_ascii_case(full_name)),
        }
    }

    /// All commands, without subcommands.
    pub fn commands(&self) -> &'static [Command] {
        self.commands
    }

    /// All commands and subcommands: [`Registry::number`] is the index in here.
    pub fn numbered(&self) -> &[&'static Command] {
        &self.numbered
    }

    /// A small number for each command and subcommand, for tables of statistics.
    #[inline]
    pub fn number(&self, command: &'static Command) -> usize {
        // Rows lie in two kinds of slices; for the common kind the distance from the start is the number.
        let (at, start) = (std::ptr::from_ref(command).addr(), self.commands.as_ptr().addr());
        let index = at.wrapping_sub(start) / size_of::<Command>();
        if index < self.commands.len() {
            return index;
        }
        if !command.is_counted_apart() {
            // Redis knows of no subcommands there, so it counts them together.
            return self.find(command.shown_name.as_bytes()).map_or(0, |container| self.number(container));
        }
        self.numbered.iter().position(|known| std::ptr::eq(*known, command)).unwrap_or(0)
    }
}

fn place_all(commands: &[Command], seed: u64, places_len: usize) -> Option<Vec<u16>> {
    let mut places = vec![0u16; places_len];
    for (index, command) in commands.iter().enumerate() {
        let place = &mut places[hash(command.full_name.as_bytes(), seed) as usize & (places_len - 1)];
        if *place != 0 {
            return None;
        }
        *place = index as u16 + 1;
    }
    Some(places)
}

/// FNV-1a over the bytes in lower case, mixed once more at the end.
#[inline]
fn hash(name: &[u8], seed: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for byte in name {
        hash = (hash ^ u64::from(byte | 0x20)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^ (hash >> 29)
}
