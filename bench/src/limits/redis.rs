//! Redis without a queue: `redis-benchmark` sends commands in pipelines.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::{figures::Figure, redis_server::RedisServer};

/// The least that stores a job with fields: its record, and its place in a list.
const SCRIPT: &str =
    "redis.call('HSET', KEYS[1], 'p', ARGV[1]) return redis.call('RPUSH', KEYS[2], KEYS[1])";
/// As many bytes as the payloads of the other measurements.
const PAYLOAD: &str = "0123456789012345678901234567890123456789012345678901234";
/// Commands that are sent before the first answer is read.
const PIPELINE: &str = "64";

/// Measures a push to a list, and a script of two commands.
pub(super) fn limits(server: &RedisServer, n: u64) -> anyhow::Result<[Figure; 2]> {
    let mut connection = redis::Client::open(server.url())?.get_connection()?;
    let script: String = redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query(&mut connection)?;
    let push = rate(server.port(), n, &["LPUSH", "pushed", PAYLOAD])?;
    let scripted = rate(
        server.port(),
        n,
        &["EVALSHA", &script, "2", "job:__rand_int__", "scripted", PAYLOAD],
    )?;
    let setting = format!("redis-benchmark, 1 connection, pipeline of {PIPELINE}");
    let figure = |what, rate| Figure::new(what, rate, "commands/s", setting.as_str());
    Ok([figure("limit: LPUSH", push), figure("limit: script of HSET and RPUSH", scripted)])
}

fn rate(port: u16, n: u64, command: &[&str]) -> anyhow::Result<f64> {
    let output = Command::new("redis-benchmark")
        .args(["-p", &port.to_string(), "-c", "1", "-P", PIPELINE, "-n", &n.to_string()])
        .args(["-r", "1000000", "--csv"])
        .args(command)
        .output()
        .context("redis-benchmark is missing: it comes with redis-server's tools")?;
    ensure!(output.status.success(), "redis-benchmark: {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).with_context(|| format!("redis-benchmark says {text}"))
}

/// Reads the rate from the last line, `"name","rate",…`.
fn parse(csv: &str) -> Option<f64> {
    csv.lines().last()?.split(',').nth(1)?.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_stands_behind_the_name_with_and_without_a_head() {
        let new = "\"test\",\"rps\",\"avg_latency_ms\"\n\"LPUSH q x\",\"780031.25\",\"0.042\"\n";
        assert_eq!(parse(new), Some(780_031.25));
        assert_eq!(parse("\"LPUSH q x\",\"512.00\"\n"), Some(512.0));
        assert_eq!(parse("Could not connect\n"), None);
    }
}
