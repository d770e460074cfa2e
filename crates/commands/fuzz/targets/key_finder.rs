//! The keys of any words of any command are among the words, and no command's parser falls over.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tessera_command::Registry;
use tessera_command::keys::find_keys_with_flags;
use tessera_resp::args::OwnedArgs;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::new(&tessera_commands::COMMANDS));

fuzz_target!(|data: &[u8]| {
    let Some((&[low, high], rest)) = data.split_first_chunk::<2>() else { return };
    let commands = REGISTRY.numbered();
    let command = commands[usize::from(u16::from_le_bytes([low, high])) % commands.len()];
    let words = command.full_name.split('|').map(str::as_bytes);
    let words: Vec<&[u8]> = words.chain(rest.split(|byte| *byte == 0)).collect();
    let owned = OwnedArgs::from_words(&words);
    let args = owned.as_args();
    let mut keys = Vec::new();
    find_keys_with_flags(command, args, &mut keys);
    for key in &keys {
        assert!(key.index > 0 && key.index < args.len(), "{}: {}", command.full_name, key.index);
    }
    if command.takes(args.len()) {
        // Refused or not.
        let _ = (command.check)(args);
    }
});
