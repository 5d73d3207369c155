//! Stands between a store and its Redis server, and answers in the server's place when it is told to.

use std::{
    net::TcpListener as StdListener,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    sync::watch,
};

/// A gate; it closes when the runtime of its test ends.
pub(crate) struct Gate {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    /// The error with which every command is answered.
    answer: Mutex<Option<String>>,
    refused: watch::Sender<usize>,
}

impl Gate {
    /// Opens a gate before the server at this port.
    pub(crate) fn before(server: u16) -> Self {
        let listener = StdListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let shared =
            Arc::new(Shared { server, answer: Mutex::default(), refused: watch::Sender::new(0) });
        let listener = TcpListener::from_std(listener).unwrap();
        tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(Arc::clone(&shared).serve(client));
                }
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Answers every command from now on with this error.
    pub(crate) fn refuse(&self, answer: &str) {
        *self.shared.answer.lock().unwrap() = Some(answer.to_owned());
    }

    /// Lets every command pass from now on.
    pub(crate) fn pass(&self) {
        *self.shared.answer.lock().unwrap() = None;
    }

    /// Waits until so many more commands were refused.
    pub(crate) async fn refuses(&self, more: usize) {
        let mut refused = self.shared.refused.subscribe();
        let before = *refused.borrow();
        refused.wait_for(|count| *count >= before + more).await.unwrap();
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, client: TcpStream) {
        let server = TcpStream::connect(("127.0.0.1", self.server)).await.unwrap();
        let (from_client, mut to_client) = client.into_split();
        let (mut from_server, to_server) = server.into_split();
        let answers = Arc::clone(&self);
        let (refusals, mut refused) = tokio::sync::mpsc::unbounded_channel::<String>();
        tokio::spawn(async move { answers.read(from_client, to_server, refusals).await });
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let sent = tokio::select! {
                read = from_server.read(&mut buffer) => match read {
                    Ok(count) if count > 0 => to_client.write_all(&buffer[..count]).await,
                    _ => return,
                },
                refusal = refused.recv() => match refusal {
                    Some(line) => to_client.write_all(line.as_bytes()).await,
                    None => return,
                },
            };
            if sent.is_err() {
                return;
            }
        }
    }

    /// Reads commands, and hands each on or refuses it.
    async fn read(
        &self,
        mut client: OwnedReadHalf,
        mut server: tokio::net::tcp::OwnedWriteHalf,
        refusals: tokio::sync::mpsc::UnboundedSender<String>,
    ) {
        let mut buffer = Vec::new();
        while client.read_buf(&mut buffer).await.is_ok_and(|count| count > 0) {
            while let Some(length) = command(&buffer) {
                let command: Vec<u8> = buffer.drain(..length).collect();
                let answer = self.answer.lock().unwrap().clone();
                match answer {
                    None => server.write_all(&command).await.unwrap(),
                    Some(answer) => {
                        refusals.send(format!("-{answer}\r\n")).ok();
                        self.refused.send_modify(|count| *count += 1);
                    }
                }
            }
        }
    }
}

/// Returns the length of the first command, if it is whole: an array of strings, each behind its length.
fn command(bytes: &[u8]) -> Option<usize> {
    let (strings, mut end) = number(bytes, 0)?;
    for _ in 0..strings {
        let (length, start) = number(bytes, end)?;
        end = start + length + 2;
    }
    (end <= bytes.len()).then_some(end)
}

/// Returns the number in the line at this place, and where the next line begins.
fn number(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let end = at + bytes.get(at..)?.windows(2).position(|pair| pair == b"\r\n")?;
    let number = std::str::from_utf8(bytes.get(at + 1..end)?).ok()?.parse().ok()?;
    Some((number, end + 2))
}
