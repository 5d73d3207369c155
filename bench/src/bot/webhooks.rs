//! How fast the whole bot takes signed webhooks; each is stored before it is answered.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::task::JoinSet;
use yamabiko_line::{secret::ChannelSecret, signature};

use super::{BOT, SECRET, body, process::Bot};
use crate::{
    figures::{Figure, rate},
    fresh::Fresh,
    http::Connection,
    punctuality::millis,
};

/// Connections that send at the same time.
const CONNECTIONS: u64 = 64;
/// How long the store may take no webhook.
const PATIENCE: Duration = Duration::from_secs(20);
/// Users who write.
const USERS: u64 = 1000;

/// Measures webhooks a second, how long each takes, and the memory that they need.
pub(super) async fn measure(fresh: &Fresh, n: u64, rest: Duration) -> anyhow::Result<Vec<Figure>> {
    let bot = Bot::start("web", fresh, None).await?;
    tokio::time::sleep(rest).await;
    let memory = bot.memory()?;
    let each = n / CONNECTIONS;
    let n = each * CONNECTIONS;
    let mut senders = Vec::new();
    for sender in 0..CONNECTIONS {
        let requests: Vec<_> = (sender * each..(sender + 1) * each).map(request).collect();
        senders.push((Connection::open(bot.port).await?, requests));
    }
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for (connection, requests) in senders {
        tasks.spawn(send_all(connection, requests));
    }
    let mut took = Vec::new();
    for one in tasks.join_all().await {
        took.extend(one?);
    }
    let whole = began.elapsed();
    let stored: u64 = fresh.open_as(BOT).await?.counts().await?.states.values().sum();
    ensure!(stored == n, "{n} webhooks were answered with 200, but {stored} events stored");
    let peak = bot.peak()?;
    let setting =
        format!("`{BOT} web`, {CONNECTIONS} keep-alive connections, {n} webhooks of {USERS} users");
    let setting = setting.as_str();
    let mut figures =
        vec![Figure::new("webhooks stored and answered", rate(n, whole), "webhooks/s", setting)];
    let shown = [("p50", 50.0), ("p99", 99.0), ("max", 100.0)];
    figures.extend(Figure::percentiles("webhook to 200", &took, &shown, setting));
    let alone = format!("`{BOT} web`, new store, {} s after its start", rest.as_secs_f64());
    figures.push(Figure::new("resident memory of web at rest", memory, "MiB", alone));
    figures.push(Figure::new("most resident memory of web under that load", peak, "MiB", setting));
    Ok(figures)
}

/// Sends each until it is taken, as LINE does: a disk that is busy for seconds is a long wait, not the end.
async fn send_all(mut connection: Connection, requests: Vec<Vec<u8>>) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::with_capacity(requests.len());
    for request in requests {
        let began = Instant::now();
        loop {
            let status = connection.send(&request).await?.status;
            if status == 200 {
                break;
            }
            let is_hopeless = status != 503 || began.elapsed() > PATIENCE;
            ensure!(!is_hopeless, "a webhook was answered with {status}");
        }
        took.push(millis(began.elapsed()));
    }
    Ok(took)
}

/// Returns a whole request: a user writes a text, with an event's id that no other request has.
fn request(index: u64) -> Vec<u8> {
    signed(&body::of_text(index, 2 + index % USERS))
}

/// Returns a whole request with this body.
pub(crate) fn signed(body: &str) -> Vec<u8> {
    let signature = signature::sign(&ChannelSecret::new(SECRET), body.as_bytes());
    format!(
        "POST /callback HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-line-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
