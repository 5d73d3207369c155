//! A crowd of clients that connect to a process's public port and never say what they want.

use std::{io, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

/// How many clients there are; more than the process has descriptors.
pub(crate) const CLIENTS: usize = 400;
/// How many descriptors each process has.
pub(crate) const DESCRIPTORS: usize = 320;
/// How long the process may take to answer another client beside the crowd.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the clients send before they fall silent, by turns: nothing, half a head, half a body.
const BEGINNINGS: [&[u8]; 3] = [
    b"",
    b"POST /callback HTTP/1.1\r\nhost: bot\r\n",
    b"POST /callback HTTP/1.1\r\nhost: bot\r\ncontent-length: 1000\r\n\r\n{\"events\":",
];

/// Crowds a port for so long, and says whether another client was answered meanwhile.
pub(crate) async fn beset(port: u16, time: Duration) -> io::Result<bool> {
    let until = Instant::now() + time;
    let mut crowd = Vec::new();
    for beginning in BEGINNINGS.into_iter().cycle().take(CLIENTS) {
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        // The process may have closed it already to make room.
        client.write_all(beginning).await.ok();
        crowd.push(client);
    }
    let is_answered = matches!(timeout(PATIENCE, ask(port)).await, Ok(Ok(true)));
    sleep_until(until).await;
    Ok(is_answered)
}

/// Asks whether a process lives.
async fn ask(port: u16) -> io::Result<bool> {
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    client.write_all(b"GET /live HTTP/1.1\r\nhost: bot\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}
