//! Quoted words come back as they were; no line makes the splitter fall over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tessera_resp::words::{quote_word, split_words};

fuzz_target!(|line: &[u8]| {
    let Ok(words) = split_words(line) else { return };
    let mut quoted = Vec::new();
    for word in &words {
        quoted.push(b' ');
        quote_word(&mut quoted, word);
    }
    assert_eq!(split_words(&quoted).as_ref(), Ok(&words));
});
