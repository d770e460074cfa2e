use super::load::{REQUESTS_MAX, REQUESTS_MAX_LEN_BYTES};
use super::*;
use tessera_routing::message::ErrandKind;
use tessera_routing::{Errand, Ticket, TransactionId};

/// A note, of which the mesh knows only this much.
enum Rare {
    Numbered(u32),
    Long(usize),
    Request,
}

impl Carried for Rare {
    fn is_request(&self) -> bool {
        matches!(self, Rare::Request)
    }

    fn len_bytes(&self) -> NoteLen {
        match self {
            Rare::Numbered(_) | Rare::Request => NoteLen::Short,
            Rare::Long(len_bytes) => NoteLen::Request(*len_bytes),
        }
    }
}

fn two() -> (Mesh<Rare>, Mesh<Rare>) {
    let mut meshes = Mesh::<Rare>::build(2);
    let receiver = meshes.pop().unwrap();
    (meshes.pop().unwrap(), receiver)
}

#[test]
fn a_full_channel_keeps_everything_in_order() {
    let (mut sender, mut receiver) = two();
    for number in 0..1000 {
        sender.note(1, Rare::Numbered(number));
        sender.flush();
    }
    assert!(sender.is_restless() && !sender.is_congested(1), "what is rare and short is no congestion");
    let mut received = Vec::new();
    let mut turns = 0;
    while received.len() < 1000 {
        turns += 1;
        while let Some(parcel) = receiver.receive(0) {
            assert!(parcel.batch.is_none());
            received.extend(parcel.notes.into_iter().map(|note| match note {
                Rare::Numbered(number) => number,
                _ => unreachable!("only such notes were sent"),
            }));
        }
        sender.flush();
    }
    assert_eq!(received, (0..1000).collect::<Vec<_>>());
    assert_eq!(turns, 2, "what found no room in the channel leaves together");
    assert!(!sender.is_restless() && !receiver.has_mail());
}

fn ticket(sequence: u32) -> Ticket {
    Ticket { connection: 1, sequence, part: 0 }
}

fn send_requests(sender: &mut Mesh<Rare>, requests: usize) {
    for number in 0..requests {
        let kind = ErrandKind::Remove;
        let (transaction, ticket) = (TransactionId::default(), ticket(number as u32));
        let errand =
            Errand { transaction, ticket, db: 0, touch: true, moment_ms: None, key: Box::default(), kind };
        sender.outgoing(1).errands.push(errand);
    }
}

/// Takes everything in. Answers how many bytes of replies that was.
fn take_in(mesh: &mut Mesh<Rare>, peer: usize) -> usize {
    let mut len_bytes = 0;
    while let Some(parcel) = mesh.receive(peer) {
        if let Some(batch) = parcel.batch {
            len_bytes += batch.replies_len_bytes();
            mesh.defer(peer, batch);
        }
    }
    len_bytes
}

fn carry_out(mesh: &mut Mesh<Rare>, peer: usize) -> usize {
    let mut batches = 0;
    while let Some(deferred) = mesh.next_deferred(peer) {
        mesh.put_back(peer, deferred, true);
        batches += 1;
    }
    batches
}

#[test]
fn a_peer_with_much_to_do_is_congested_until_it_has_done_it() {
    let (mut sender, mut receiver) = two();
    send_requests(&mut sender, REQUESTS_MAX - 1);
    sender.flush();
    assert!(!sender.is_congested(1), "there is room in the channel, and little to do");
    send_requests(&mut sender, 1);
    assert!(sender.is_congested(1), "what has not left counts as well");
    assert_eq!(sender.congested_of([0, 1]), Some(1));
    sender.flush();
    take_in(&mut receiver, 0);
    sender.look_at_peers();
    assert!(sender.is_congested(1), "what is taken in is not carried out");
    let first = receiver.next_deferred(0).unwrap();
    receiver.put_back(0, first, false);
    sender.look_at_peers();
    assert!(sender.is_congested(1), "what has lost its turn is not either");
    assert_eq!(carry_out(&mut receiver, 0), 2);
    assert_eq!(receiver.traffic().done, REQUESTS_MAX as u64);
    sender.look_at_peers();
    assert!(!sender.is_congested(1));
}

#[test]
fn bytes_of_notes_are_congestion_until_they_are_taken_in() {
    let (mut sender, mut receiver) = two();
    sender.note(1, Rare::Long(REQUESTS_MAX_LEN_BYTES));
    assert!(sender.is_congested(1));
    sender.flush();
    assert!(sender.is_congested(1));
    take_in(&mut receiver, 0);
    sender.look_at_peers();
    assert!(!sender.is_congested(1));
}

#[test]
fn an_owner_waits_for_its_replies_to_be_taken_in() {
    let (mut home, mut owner) = two();
    for _ in 0..3 {
        send_requests(&mut home, 1);
        home.flush();
    }
    take_in(&mut owner, 0);
    let mut done = 0;
    let mut peak_bytes = 0;
    for turn in 0..100 {
        // Each request is answered by as much as may be on its way.
        while let Some(deferred) = owner.next_deferred(0) {
            owner.outgoing(0).push_reply(ticket(0), |out| out.resize(REPLIES_MAX_LEN_BYTES, 0));
            owner.put_back(0, deferred, true);
            done += 1;
        }
        owner.flush();
        assert!(!owner.has_runnable(), "nothing of what is left may run");
        // The home is slow.
        if turn % 10 == 9 {
            peak_bytes = peak_bytes.max(take_in(&mut home, 1));
        }
    }
    assert_eq!((done, peak_bytes), (3, REPLIES_MAX_LEN_BYTES));
}

#[test]
fn an_owner_whose_next_call_has_to_wait_sleeps_until_something_happens() {
    let (mut home, mut owner) = two();
    send_requests(&mut home, 1);
    home.flush();
    take_in(&mut owner, 0);
    let deferred = owner.next_deferred(0).unwrap();
    owner.stop_calls(0);
    owner.put_back(0, deferred, false);
    assert!(!owner.has_runnable() && owner.next_deferred(0).is_none(), "the call would have to wait again");
    assert!(!owner.waits_for_peers(), "none of them can help");
    assert!(owner.is_restless() && owner.has_requests(), "but it is not done");
    owner.let_calls_go();
    assert!(owner.has_runnable() && owner.waits_for_peers());
    assert_eq!(carry_out(&mut owner, 0), 1);
    assert!(!owner.is_restless());
}

#[test]
fn what_is_added_while_a_batch_is_away_comes_behind() {
    let (mut mesh, _) = two();
    mesh.outgoing(1).push_reply(ticket(1), |out| out.extend(b"one"));
    let batch = mesh.take_outgoing(1);
    mesh.outgoing(1).push_reply(ticket(2), |out| out.extend(b"two"));
    send_requests(&mut mesh, 1);
    mesh.restore_outgoing(1, batch);
    let replies: Vec<_> =
        mesh.outgoing(1).replies().map(|(ticket, reply)| (ticket.sequence, reply)).collect();
    assert_eq!(replies, [(1, &b"one"[..]), (2, b"two")]);
    assert_eq!(mesh.outgoing(1).errands.len(), 1);
}

#[test]
fn what_is_rare_does_not_stand_behind_calls() {
    let (mut sender, mut receiver) = two();
    send_requests(&mut sender, 100);
    sender.note(1, Rare::Numbered(7));
    sender.flush();
    let parcel = receiver.receive(0).unwrap();
    assert!(matches!(parcel.notes[..], [Rare::Numbered(7)]));
    assert_eq!(parcel.batch.unwrap().errands.len(), 100);
}

#[test]
fn lines_that_nobody_takes_are_bounded() {
    let (mut sender, mut receiver) = two();
    let line = vec![b'x'; 1024 * 1024];
    for _ in 0..200 {
        sender.line(1, &line);
        sender.flush();
    }
    let (mut len_bytes, mut has_lost_lines) = (0, false);
    while let Some(parcel) = receiver.receive(0) {
        len_bytes += parcel.lines.len();
        has_lost_lines |= parcel.has_lost_lines;
        sender.flush();
    }
    assert_eq!(len_bytes, LINES_MAX_LEN_BYTES);
    assert!(has_lost_lines, "the peer is told, so that it can end its monitors");
    // Then everything is as before.
    sender.line(1, &line);
    sender.flush();
    let parcel = receiver.receive(0).unwrap();
    assert_eq!((parcel.lines.len(), parcel.has_lost_lines), (line.len(), false));
}

#[test]
fn a_note_that_is_a_request_counts_from_when_it_is_sent_until_it_is_done() {
    let (mut sender, mut receiver) = two();
    sender.note(1, Rare::Numbered(1));
    assert_eq!(sender.traffic(), Traffic::default());
    (0..REQUESTS_MAX).for_each(|_| sender.note(1, Rare::Request));
    assert_eq!(sender.traffic(), Traffic { sent: REQUESTS_MAX as u64, done: 0 });
    assert!(sender.is_congested(1), "requests that are notes are something to do");
    sender.flush();
    let parcel = receiver.receive(0).unwrap();
    let requests = parcel.notes.iter().filter(|note| note.is_request()).count() as u64;
    receiver.note_done(requests);
    assert_eq!(receiver.traffic(), Traffic { sent: 0, done: REQUESTS_MAX as u64 });
    sender.look_at_peers();
    assert!(!sender.is_congested(1));
}
