//! Raw JSON-RPC over a pair of byte streams. Nothing is lost to a typed structure.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

use serde_json::Value;

/// One end of a conversation. Reading goes on in a thread of its own, so that the peer is never held up by a test.
pub(crate) struct Wire {
    output: Option<Box<dyn Write + Send>>,
    input: Receiver<Item>,
}

/// One thing that was read.
enum Item {
    Message(Value),
    /// Bytes that are no message; the rest of the stream is not read.
    Rubbish(String),
}

/// What [`Wire::receive`] found.
#[derive(Debug)]
pub(crate) enum Received {
    Message(Value),
    Rubbish(String),
    /// The peer closed its output.
    End,
    /// Nothing came in time.
    Silence,
}

impl Wire {
    pub(crate) fn new(
        input: impl Read + Send + 'static,
        output: impl Write + Send + 'static,
    ) -> Wire {
        let (sender, receiver) = channel();
        thread::spawn(move || read(BufReader::new(input), &sender));
        Wire {
            output: Some(Box::new(output)),
            input: receiver,
        }
    }

    /// Sends one message; false if the peer no longer reads.
    pub(crate) fn send(&mut self, message: &Value) -> bool {
        let body = message.to_string();
        self.send_bytes(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
    }

    /// Sends bytes as they are.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> bool {
        let Some(output) = &mut self.output else {
            return false;
        };
        output
            .write_all(bytes)
            .and_then(|()| output.flush())
            .is_ok()
    }

    /// Closes our output: the peer's input ends.
    pub(crate) fn close(&mut self) {
        self.output = None;
    }

    /// The next message, waited for until `deadline`.
    pub(crate) fn receive(&self, deadline: Instant) -> Received {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.input.recv_timeout(left) {
            Ok(Item::Message(message)) => Received::Message(message),
            Ok(Item::Rubbish(bytes)) => Received::Rubbish(bytes),
            Err(RecvTimeoutError::Timeout) => Received::Silence,
            Err(RecvTimeoutError::Disconnected) => Received::End,
        }
    }
}

fn read(mut input: impl BufRead, sender: &Sender<Item>) {
    loop {
        let read = match message(&mut input) {
            Ok(Some(message)) => Item::Message(message),
            Ok(None) => return,
            Err(rubbish) => Item::Rubbish(rubbish),
        };
        let last = matches!(read, Item::Rubbish(_));
        if sender.send(read).is_err() || last {
            return;
        }
    }
}

/// One message, `None` at the end of the stream, or what stands there instead of a message.
fn message(input: &mut impl BufRead) -> Result<Option<Value>, String> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        let read = input.read_until(b'\n', &mut line).or_else(end_on_reset);
        if read.map_err(|error| error.to_string())? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let Some(header) = line.strip_suffix("\r\n") else {
            return Err(line.into_owned());
        };
        match (header.strip_prefix("Content-Length: "), length) {
            (Some(number), None) => length = Some(number.parse().map_err(|_| header.to_owned())?),
            (None, Some(length)) if header.is_empty() => {
                let mut body = vec![0; length];
                input
                    .read_exact(&mut body)
                    .map_err(|error| error.to_string())?;
                let text = String::from_utf8_lossy(&body);
                return match serde_json::from_str(&text) {
                    Ok(message) => Ok(Some(message)),
                    Err(_) => Err(text.into_owned()),
                };
            }
            _ => return Err(header.to_owned()),
        }
    }
}

/// A killed peer may reset the stream instead of closing it.
fn end_on_reset(error: io::Error) -> io::Result<usize> {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Ok(0),
        _ => Err(error),
    }
}
