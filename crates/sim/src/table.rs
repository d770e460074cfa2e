//! A server with one client, who asks one thing after the other.

use crate::client::Client;
use crate::weather::Weather;
use crate::world::{Step, World};

/// One client's server.
pub struct Table {
    /// The server, and the world around it.
    pub world: World,
    /// Its client.
    pub client: Client,
}

impl Table {
    /// A server of so many nodes, in calm weather.
    pub fn new(nodes: usize) -> Table {
        let world = World::new(nodes, Weather::calm(), false, 7);
        let client = Client::new(world.kernel().connect(0), 7);
        Table { world, client }
    }

    /// Has both go on by a step.
    pub fn step(&mut self) {
        let (weather, step) = (*self.world.weather(), self.world.steps());
        self.client.act(&mut self.world.kernel(), &weather, step);
        if self.world.step() == Step::Idle {
            self.world.sleep();
        }
    }

    /// What a command of words with single spaces between them is answered.
    pub fn ask(&mut self, line: &str) -> String {
        self.ask_words(&line.split(' ').collect::<Vec<_>>())
    }

    /// What a command is answered.
    pub fn ask_words(&mut self, words: &[&str]) -> String {
        self.client.say(&words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
        self.world.note_answer();
        loop {
            if let Some(reply) = self.client.replies.pop_front() {
                return String::from_utf8_lossy(&reply).into_owned();
            }
            self.step();
        }
    }
}
