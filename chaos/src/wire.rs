//! A wire that can be cut: a proxy between a client and a server, in the middle of both.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::Instant,
};

/// How much is passed on at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Bytes go both ways.
    Whole,
    /// The next request is lost, and the connection with it.
    Deaf,
    /// The next answer is lost, and the connection with it.
    Mute,
    /// All answers from now on are lost, while the connection stays open.
    Swallowed,
    /// It is cut at once.
    Cut,
}

/// A listener whose connections lead to one of several servers of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    port: u16,
    connections: Arc<Mutex<Vec<watch::Sender<Fate>>>>,
    /// The ports of the servers.
    to: Arc<Mutex<Arc<[u16]>>>,
    /// Until when answers are held back, if they are.
    held_until: Arc<watch::Sender<Option<Instant>>>,
}

/// What befalls the answers on a connection.
#[derive(Debug)]
struct Answers {
    fate: watch::Receiver<Fate>,
    held_until: watch::Receiver<Option<Instant>>,
}

impl Wire {
    /// Starts a wire to the servers on these ports; a connection goes to the next one that takes it.
    pub(crate) async fn start(to: Vec<u16>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let wire = Self {
            port: listener.local_addr()?.port(),
            connections: Arc::default(),
            to: Arc::new(Mutex::new(to.into())),
            held_until: Arc::default(),
        };
        let connections = Arc::clone(&wire.connections);
        let held_until = wire.held_until.subscribe();
        let all = Arc::clone(&wire.to);
        let next = Arc::new(AtomicUsize::new(0));
        tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let fate = watch::Sender::new(Fate::Whole);
                let to = Arc::clone(&all.lock().unwrap_or_else(PoisonError::into_inner));
                let next = Arc::clone(&next);
                let answers = Answers { fate: fate.subscribe(), held_until: held_until.clone() };
                let mut open = connections.lock().unwrap_or_else(PoisonError::into_inner);
                open.retain(|connection: &watch::Sender<Fate>| connection.receiver_count() > 0);
                open.push(fate);
                drop(open);
                tokio::spawn(async move {
                    // However a connection ends, both sides see it end.
                    if let Some(server) = connect(&to, &next).await {
                        join(client, server, answers).await.ok();
                    }
                });
            }
        });
        Ok(wire)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Leads connections that are opened from now on to the servers on these ports.
    pub(crate) fn lead_to(&self, to: Vec<u16>) {
        *self.to.lock().unwrap_or_else(PoisonError::into_inner) = to.into();
    }

    /// Cuts all connections.
    pub(crate) fn cut(&self) {
        self.decide(Fate::Cut);
    }

    /// Loses the next request on each connection: the server never hears of it, and the client sees the same as if the answer
    /// was lost.
    pub(crate) fn lose_requests(&self) {
        self.decide(Fate::Deaf);
    }

    /// Loses the next answer on each connection: the server has done what was asked, and the client never hears of it.
    pub(crate) fn lose_answers(&self) {
        self.decide(Fate::Mute);
    }

    /// Loses all answers on the connections that are open, which stay open: the server does what it is asked, and the
    /// client learns of it by its own time-out.
    pub(crate) fn swallow_answers(&self) {
        self.decide(Fate::Swallowed);
    }

    /// Holds all answers back for so long, on connections that are opened meanwhile too; then they arrive, in order.
    pub(crate) async fn delay_answers(&self, time: Duration) {
        let until = Instant::now() + time;
        self.held_until.send_replace(Some(until));
        tokio::time::sleep_until(until).await;
    }

    fn decide(&self, fate: Fate) {
        let open = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        for connection in open.iter() {
            connection.send_replace(fate);
        }
    }
}

/// Connects to the next server that listens.
async fn connect(to: &[u16], next: &AtomicUsize) -> Option<TcpStream> {
    for _ in 0..to.len() {
        let port = to[next.fetch_add(1, Ordering::Relaxed) % to.len()];
        if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            return Some(stream);
        }
    }
    None
}

async fn join(client: TcpStream, server: TcpStream, answers: Answers) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (fate, mut cut) = (answers.fate.clone(), answers.fate.clone());
    tokio::select! {
        ended = pass_requests(from_client, to_server, fate) => ended,
        ended = pass_answers(from_server, to_client, answers) => ended,
        _ = cut.wait_for(|fate| *fate == Fate::Cut) => Ok(()),
    }
}

/// Passes requests on, as far as they are not lost.
async fn pass_requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    fate: watch::Receiver<Fate>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 || *fate.borrow() == Fate::Deaf {
            return Ok(());
        }
        to.write_all(&buffer[..read]).await?;
    }
}

/// Passes answers on, as far as they are not lost and once they are no longer held back.
async fn pass_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    answers: Answers,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).await?;
        let fate = *answers.fate.borrow();
        if read == 0 || matches!(fate, Fate::Mute | Fate::Cut) {
            return Ok(());
        }
        let held_until = *answers.held_until.borrow();
        if let Some(until) = held_until {
            tokio::time::sleep_until(until).await;
        }
        if fate != Fate::Swallowed {
            to.write_all(&buffer[..read]).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a server that answers each byte by the same byte, after it has counted it.
    async fn echo(counted: watch::Sender<usize>) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut byte = [0];
            while stream.read_exact(&mut byte).await.is_ok() {
                counted.send_modify(|count| *count += 1);
                stream.write_all(&byte).await.unwrap();
            }
        });
        port
    }

    async fn ask(stream: &mut TcpStream) -> io::Result<u8> {
        stream.write_all(b"x").await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn a_wire_passes_bytes_until_it_is_cut() {
        let wire = Wire::start(vec![echo(watch::Sender::new(0)).await]).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", wire.port())).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
        wire.cut();
        assert!(stream.read_u8().await.is_err());
    }

    #[tokio::test]
    async fn a_lost_answer_is_one_to_something_that_was_done() {
        let counted = watch::Sender::new(0);
        let mut count = counted.subscribe();
        let wire = Wire::start(vec![echo(counted).await]).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", wire.port())).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
        wire.lose_answers();
        assert!(ask(&mut stream).await.is_err());
        count.wait_for(|count| *count == 2).await.unwrap();
    }

    #[tokio::test]
    async fn a_lost_request_is_one_that_the_server_never_hears_of() {
        let counted = watch::Sender::new(0);
        let count = counted.subscribe();
        let wire = Wire::start(vec![echo(counted).await]).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", wire.port())).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
        wire.lose_requests();
        assert!(ask(&mut stream).await.is_err());
        assert_eq!(*count.borrow(), 1);
    }

    #[tokio::test]
    async fn a_swallowed_answer_never_comes_and_the_connection_stays_open() {
        let counted = watch::Sender::new(0);
        let mut count = counted.subscribe();
        let wire = Wire::start(vec![echo(counted).await]).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", wire.port())).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
        wire.swallow_answers();
        stream.write_all(b"xx").await.unwrap();
        count.wait_for(|count| *count == 3).await.unwrap();
        wire.cut();
        assert!(stream.read_u8().await.is_err(), "it ends without any answer");
    }

    #[tokio::test]
    async fn a_delayed_answer_comes_when_the_delay_is_over_on_new_connections_too() {
        let wire = Wire::start(vec![echo(watch::Sender::new(0)).await]).await.unwrap();
        let delay = Duration::from_millis(50);
        let until = Instant::now() + delay;
        let delayed = tokio::spawn({
            let wire = wire.clone();
            async move { wire.delay_answers(delay).await }
        });
        wire.held_until.subscribe().wait_for(Option::is_some).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", wire.port())).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
        assert!(Instant::now() >= until);
        delayed.await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_passed_over() {
        let away = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = away.local_addr().unwrap().port();
        drop(away);
        let wire = Wire::start(vec![port, echo(watch::Sender::new(0)).await]).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", wire.port())).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
    }
}
