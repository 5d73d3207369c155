//! Web, workers and timers in processes of their own, killed again and again: nothing is lost and nothing said twice.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{collections::HashMap, time::Duration};

use support::{Line, Process, Said, block_on, free_port, redis_server::RedisServer};

const CHATS: usize = 200;
const TIMERS: usize = 500;
const KILLS_EACH: u32 = 5;
/// How long the delivery of a notification takes at most, killed several times.
const DELIVERED_WITHIN_MS: i64 = 30_000;

#[test]
fn five_hundred_timers_survive_killed_processes_on_redis() {
    let redis = RedisServer::start();
    block_on(survive(&redis.url()));
}

#[test]
fn five_hundred_timers_survive_killed_processes_on_an_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    block_on(survive(&format!("sqlite:{}", folder.path().join("bot.db").display())));
}

async fn survive(store: &str) {
    let port = free_port();
    let line = Line::start(port).await;
    let mut processes: Vec<_> = ["web", "worker", "worker", "timer", "timer"]
        .into_iter()
        .map(|role| Process::bot(role, store, port, &line))
        .collect();
    let mut users = Vec::new();
    for number in 0..CHATS {
        users.push(line.user(&format!("user {number}"), "en").await);
    }
    // Half of the timers are asked for while processes die, half of them before.
    let mut requests = Vec::new();
    for number in 0..TIMERS {
        let user = &users[number % CHATS];
        requests.push(line.says(user, &(3 + number % 17).to_string()).await);
        if number >= TIMERS / 2 && number % 10 == 0 {
            kill_one(&mut processes);
        }
    }
    while processes.iter().any(|process| process.kills < KILLS_EACH) {
        kill_one(&mut processes);
        // What is waited for is the passing of time itself, in which timers fall due.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let ledger = line.ledger_with(2 * TIMERS).await;
    check(&requests, &ledger);
    for process in processes {
        assert!(process.terminate(), "a process that is asked to stop ends well");
    }
}

fn kill_one(processes: &mut [Process]) {
    let fewest = processes.iter().map(|process| process.kills).min().unwrap_or(0);
    let candidates: Vec<_> =
        (0..processes.len()).filter(|&index| processes[index].kills == fewest).collect();
    processes[candidates[fastrand::usize(..candidates.len())]].kill_and_restart();
}

fn check(requests: &[String], ledger: &[Said]) {
    let mut heard: HashMap<&str, (Vec<&Said>, Vec<&Said>)> = HashMap::new();
    for said in ledger.iter().filter(|said| said.by_bot) {
        let quoted = said.quotes.as_deref().unwrap_or_else(|| panic!("quotes nothing: {said:?}"));
        let (confirmations, notifications) = heard.entry(quoted).or_default();
        match said.text.chars().next() {
            Some('⏰') => confirmations.push(said),
            Some('🔔') => notifications.push(said),
            _ => panic!("not expected: {said:?}"),
        }
    }
    let counts =
        |request: &String| heard.get(request.as_str()).map_or((0, 0), |(a, b)| (a.len(), b.len()));
    let wrong: Vec<_> = requests
        .iter()
        .map(|request| (request, counts(request)))
        .filter(|(_, count)| *count != (1, 1))
        .collect();
    assert!(wrong.is_empty(), "request, (confirmations, notifications): {wrong:?}");
    assert_eq!(heard.len(), requests.len());
    for (request, (_, notifications)) in &heard {
        let asked = ledger.iter().find(|said| said.id == **request).unwrap();
        let seconds: i64 = asked.text.parse().unwrap();
        let late = notifications[0].at_ms - asked.at_ms - seconds * 1000;
        assert!(late >= 0, "request {request} of {seconds} s was notified {late} ms late");
        // A run in time says nothing of it; its delivery, which may be killed as well, comes after.
        let said = &notifications[0].text;
        assert!(
            late < DELIVERED_WITHIN_MS || said.contains("It was due at"),
            "{late} ms late: {said}"
        );
        assert!(late >= 1_000 || !said.contains("It was due at"), "{late} ms late: {said}");
    }
}
