//! Elements that producers push, alone and several in a transaction, and consumers wait for at keys of several shards:
//! each is popped once, or still there at the end, whoever leaves meanwhile; and one queue's elements come in the order
//! in which one producer pushed them.

use super::player::Player;
use super::{all_at_once, counted};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;
use tessera_consistency::resp::{Reply, parse};

/// Queues, of several shards.
const QUEUES: u64 = 5;
/// Elements that each producer pushes.
const ELEMENTS: u64 = 60;

/// What a client did.
#[derive(Default)]
struct Done {
    /// What was pushed and acknowledged, and what perhaps was.
    pushed: Vec<u64>,
    perhaps_pushed: Vec<u64>,
    /// By queue, in the order in which it came.
    popped: Vec<(Vec<u8>, u64)>,
    /// Pops that were never answered: each may have taken one element.
    perhaps_popped: usize,
}

fn queue(round: u32, number: u64) -> Vec<u8> {
    format!("queue:{round}:{number}").into_bytes()
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// Plays it once, and counts what was popped.
///
/// # Errors
/// What is lost, or doubled, or out of order.
pub fn play_round(
    address: SocketAddr,
    clients: usize,
    round: u32,
    seed: u64,
    popped: &mut usize,
) -> Result<(), String> {
    let began = Instant::now();
    let producers = (clients / 2).max(1);
    let mut all = Done::default();
    let play = |number: usize| match number.checked_sub(producers) {
        None => produce(Player::new(address, number, seed, began)?, number as u64, round, seed),
        Some(consumer) => {
            consume(Player::new(address, 1_000 + consumer, seed, began)?, consumer as u64, round, seed)
        }
    };
    for done in all_at_once((0..producers + clients).map(|number| move || play(number)))? {
        in_order(&done.popped)?;
        all.pushed.extend(done.pushed);
        all.perhaps_pushed.extend(done.perhaps_pushed);
        all.popped.extend(done.popped);
        all.perhaps_popped += done.perhaps_popped;
    }
    *popped += all.popped.len();
    let mut last = Player::new(address, 10_000, seed, began)?;
    let mut left = Vec::new();
    for number in 0..QUEUES {
        let ask = [words("LRANGE"), vec![queue(round, number)], words("0 -1")].concat();
        let reply = last.say_and_hear(&ask).map_err(|error| error.to_string())?;
        left.extend(numbers(&reply)?);
        let remove = vec![b"DEL".to_vec(), queue(round, number)];
        last.say_and_hear(&remove).map_err(|error| error.to_string())?;
    }
    judge(&all, &left)
}

fn judge(all: &Done, left: &[u64]) -> Result<(), String> {
    let popped = all.popped.iter().map(|(_, element)| *element);
    let seen = counted(popped.chain(left.iter().copied()));
    if let Some((element, _)) = seen.iter().find(|(_, count)| **count > 1) {
        return Err(format!("{element} was given out twice, or is left though it was given out"));
    }
    let known = counted(all.pushed.iter().chain(&all.perhaps_pushed).copied());
    if let Some(element) = seen.keys().find(|element| !known.contains_key(element)) {
        return Err(format!("{element} was never pushed"));
    }
    let lost = all.pushed.iter().filter(|element| !seen.contains_key(element)).count();
    if lost > all.perhaps_popped {
        return Err(format!("{lost} elements are lost, and {} pops were not answered", all.perhaps_popped));
    }
    Ok(())
}

/// Of one queue and one producer, one consumer gets what was pushed first first.
fn in_order(popped: &[(Vec<u8>, u64)]) -> Result<(), String> {
    let mut last: BTreeMap<(&[u8], u64), u64> = BTreeMap::new();
    for (queue, element) in popped {
        if let Some(before) = last.insert((queue, element / 1_000_000), *element)
            && before > *element
        {
            return Err(format!("{before} came before {element}"));
        }
    }
    Ok(())
}

fn numbers(reply: &[u8]) -> Result<Vec<u64>, String> {
    let number = |reply: &Reply| match reply {
        Reply::Bulk(Some(text)) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    };
    match parse(reply) {
        Some((Reply::Array(Some(elements)), _)) => elements.iter().map(number).collect::<Option<_>>(),
        _ => None,
    }
    .ok_or_else(|| format!("a list was answered as {}", reply.escape_ascii()))
}

fn produce(mut player: Player, number: u64, round: u32, seed: u64) -> Result<Done, String> {
    let mut random = Rng::with_seed(seed ^ number);
    let mut done = Done::default();
    let mut next = (number + 1) * 1_000_000;
    while next < (number + 1) * 1_000_000 + ELEMENTS {
        let count = random.u64(1..4);
        let elements: Vec<u64> = (next..next + count).collect();
        next += count;
        let push =
            |element: &u64, queue: Vec<u8>| vec![b"RPUSH".to_vec(), queue, element.to_string().into_bytes()];
        let mut commands = Vec::new();
        if count > 1 {
            commands.push(words("MULTI"));
        }
        for element in &elements {
            commands.push(push(element, queue(round, random.u64(..QUEUES))));
        }
        if count > 1 {
            commands.push(words("EXEC"));
        }
        match commands.iter().try_for_each(|command| player.say_and_hear(command).map(|_| ())) {
            Ok(()) => done.pushed.extend(elements),
            Err(_) => {
                done.perhaps_pushed.extend(elements);
                player.reconnect()?;
            }
        }
        if random.u8(..4) == 0 {
            std::thread::sleep(std::time::Duration::from_micros(random.u64(..500)));
        }
    }
    Ok(done)
}

fn consume(mut player: Player, number: u64, round: u32, seed: u64) -> Result<Done, String> {
    let mut random = Rng::with_seed(seed ^ (number << 20));
    let mut done = Done::default();
    let mut vain = 0;
    while vain < 3 {
        let mut keys: Vec<Vec<u8>> = (0..QUEUES).map(|number| queue(round, number)).collect();
        random.shuffle(&mut keys);
        keys.truncate(random.usize(1..=keys.len()));
        let command = match random.u8(..3) {
            0 => [words("BLPOP"), keys, words("0.02")].concat(),
            1 => {
                let count = keys.len().to_string().into_bytes();
                [words("BLMPOP 0.02"), vec![count], keys, words("LEFT COUNT 2")].concat()
            }
            _ => [words("BLPOP"), keys, words("0.005")].concat(),
        };
        if random.u8(..25) == 0 {
            player.say_and_leave(&command)?;
            // Of BLMPOP two may be lost.
            done.perhaps_popped += 2;
            continue;
        }
        match player.say_and_hear(&command).map(|reply| parse(&reply).map(|(reply, _)| reply)) {
            Ok(Some(Reply::Array(None))) => vain += 1,
            Ok(Some(Reply::Array(Some(parts)))) => {
                vain = 0;
                take(&parts, &mut done)?;
            }
            Ok(reply) => return Err(format!("a pop was answered {reply:?}")),
            Err(_) => {
                done.perhaps_popped += 2;
                player.reconnect()?;
            }
        }
    }
    Ok(done)
}

/// What BLPOP or BLMPOP answered: a key, and an element or several.
fn take(parts: &[Reply], done: &mut Done) -> Result<(), String> {
    let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
    let [Reply::Bulk(Some(key)), popped] = parts else { return Err(format!("a pop was answered {parts:?}")) };
    let elements: Vec<&Reply> = match popped {
        Reply::Array(Some(elements)) => elements.iter().collect(),
        one => vec![one],
    };
    for element in elements {
        let element = match element {
            Reply::Bulk(Some(text)) => number(text),
            _ => None,
        };
        let element = element.ok_or_else(|| format!("a pop was answered {parts:?}"))?;
        done.popped.push((key.clone(), element));
    }
    Ok(())
}
