//! Whole conversations, byte by byte.
//!
//! A line with `>` is sent, the line with `<` below it is the recorded reply, escaped. No such line: no reply.

use crate::fake::Conversation;
use tessera_config::{Access, Secret};

fn play(transcript: &str, conversation: &mut Conversation) {
    let mut lines = transcript.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    let mut count = 0;
    while let Some(line) = lines.next() {
        let sent = line.strip_prefix("> ").expect("a line that is sent");
        let expected = lines.next_if(|line| line.starts_with("< ")).map_or("", |line| &line[2..]);
        assert_eq!(conversation.ask(sent), expected, "{sent}");
        count += 1;
    }
    assert!(count > 5, "the transcript is not empty");
}

#[test]
fn connections() {
    let mut conversation = Conversation::new(3);
    play(include_str!("data/connections.txt"), &mut conversation);
}

#[test]
fn passwords() {
    let mut conversation = Conversation::new(3);
    conversation.host.config.require_pass = Some(Secret(b"secret".to_vec()));
    conversation.client.authenticated = false;
    play(include_str!("data/passwords.txt"), &mut conversation);
    assert_eq!(conversation.host.facts.stats.authentication_failures, 5);
}

#[test]
fn the_server() {
    let mut conversation = Conversation::new(3);
    conversation.host.config.enable_debug_command = Access::Yes;
    play(include_str!("data/server.txt"), &mut conversation);
    assert_eq!(conversation.host.asleep_us, [0, 0]);
    assert_eq!(conversation.host.log, b"DEBUG LOG: some text\n");
    assert!(conversation.host.active_expire);
}
