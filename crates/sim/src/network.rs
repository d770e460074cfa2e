//! A node's end of the virtual network.

use crate::kernel::{Event, Kernel, SocketNumber};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tessera_node::network::{ConnectionId, Endpoints, Events, Network, PollWait, SocketHandle, Wake};

/// Remembers a ring until the next poll.
#[derive(Debug, Default)]
pub struct VirtualWaker(AtomicBool);

impl VirtualWaker {
    /// It rang since the last poll.
    pub fn is_rung(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for VirtualWaker {
    fn wake(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A node's network: queues in memory.
pub struct VirtualNetwork {
    node: usize,
    kernel: Rc<RefCell<Kernel>>,
    waker: Arc<VirtualWaker>,
}

impl VirtualNetwork {
    /// Node number `node`'s end.
    pub fn new(node: usize, kernel: Rc<RefCell<Kernel>>) -> VirtualNetwork {
        VirtualNetwork { node, kernel, waker: Arc::default() }
    }

    /// Its waker, to see whether it was rung.
    pub fn virtual_waker(&self) -> Arc<VirtualWaker> {
        self.waker.clone()
    }
}

impl Network for VirtualNetwork {
    type Socket = SocketNumber;

    fn waker(&self) -> Arc<dyn Wake> {
        self.waker.clone()
    }

    /// Never waits: the scheduler polls a sleeping node when it has a reason to wake.
    fn poll<E: Events<SocketNumber>>(&mut self, _wait: PollWait, events: &mut E) -> io::Result<()> {
        self.waker.0.store(false, Ordering::Relaxed);
        let told = {
            let mut kernel = self.kernel.borrow_mut();
            kernel.poll(self.node)?;
            kernel.submit(self.node);
            kernel.reap(self.node)
        };
        for event in told {
            match event {
                Event::Accepted(socket) => events.accepted(socket),
                Event::Received(id, bytes) => events.received(id, &bytes),
                Event::Sent(id, buffer, result) => events.sent(id, buffer, result),
                Event::RemoteSent(tag, buffer, written) => events.remote_sent(tag, buffer, written),
                Event::HungUp(id, why) => events.hung_up(id, why),
                Event::SentSome(id) => events.sent_some(id),
                Event::Closed(id, why) => events.closed(id, why),
            }
        }
        Ok(())
    }

    fn adopt(&mut self, socket: SocketNumber) -> io::Result<ConnectionId> {
        self.kernel.borrow_mut().adopt(self.node, socket)
    }

    fn refuse(&mut self, socket: SocketNumber, message: &'static [u8]) {
        self.kernel.borrow_mut().refuse(socket, message);
    }

    fn send(&mut self, id: ConnectionId, buffer: Vec<u8>) {
        self.kernel.borrow_mut().send(self.node, id, buffer, false);
    }

    fn send_quietly(&mut self, id: ConnectionId, buffer: Vec<u8>) {
        self.kernel.borrow_mut().send(self.node, id, buffer, true);
    }

    fn send_remote(&mut self, socket: SocketHandle, tag: u64, buffer: Vec<u8>) {
        self.kernel.borrow_mut().send_remote(self.node, socket.0 as usize, tag, buffer);
    }

    fn handle(&self, id: ConnectionId) -> SocketHandle {
        SocketHandle(self.kernel.borrow().handle(self.node, id) as u64)
    }

    fn pause_receive(&mut self, id: ConnectionId) {
        self.kernel.borrow_mut().pause_receive(self.node, id, true);
    }

    fn resume_receive(&mut self, id: ConnectionId) {
        self.kernel.borrow_mut().pause_receive(self.node, id, false);
    }

    fn close(&mut self, id: ConnectionId) {
        self.kernel.borrow_mut().close(self.node, id);
    }

    fn endpoints(&self, id: ConnectionId) -> Endpoints {
        let socket = self.kernel.borrow().handle(self.node, id);
        Endpoints {
            peer: format!("127.0.0.1:{}", 10_000 + socket % 50_000),
            local: "127.0.0.1:6379".to_owned(),
            descriptor: 8,
            unix: false,
        }
    }

    fn stop_listening(&mut self) {
        self.kernel.borrow_mut().stop_listening(self.node);
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}
