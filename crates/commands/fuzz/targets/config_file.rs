//! A configuration that was read survives CONFIG REWRITE, and rewriting once more changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tessera_config::{Config, Reading, rewrite};

fn read(text: &[u8]) -> Option<Config> {
    let mut reading = Reading::default();
    let mut include = |_: &[u8]| Err("there are no other files".to_owned());
    reading.file("fuzz", text, &mut include);
    reading.finish().ok().map(|(config, _)| config)
}

/// Empty lines may come and go.
fn statements(text: &[u8]) -> Vec<&[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect()
}

fuzz_target!(|text: &[u8]| {
    let Some(config) = read(text) else { return };
    let once = rewrite(text, &config);
    let again = read(&once).expect("what was written can be read");
    let twice = rewrite(&once, &again);
    assert!(
        statements(&once) == statements(&twice),
        "{}\n---\n{}",
        String::from_utf8_lossy(&once),
        String::from_utf8_lossy(&twice)
    );
});
