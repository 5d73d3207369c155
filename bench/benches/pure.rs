//! Code without input and output that runs for each webhook or job.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;
use yamabiko_line::{event::Envelope, secret::ChannelSecret, signature};
use yamabiko_queue::{
    Effect, JobId, NewJob, Outcome, Timestamp,
    store::{Commit, Sending},
};

#[path = "../src/bot/body.rs"]
mod body;

/// Returns bodies of webhooks with their names.
fn bodies() -> [(&'static str, String); 2] {
    let ten: Vec<Value> = (0..10).map(|index| body::text(index, index)).collect();
    [("1 event", body::of_text(0, 0)), ("10 events", body::of_events(&ten))]
}

fn signatures(criterion: &mut Criterion) {
    let secret = ChannelSecret::new("8c570fa6dd201bb328f1c1eac23a96d8");
    let mut group = criterion.benchmark_group("verify a signature");
    for (name, body) in bodies() {
        let header = signature::sign(&secret, body.as_bytes());
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| signature::verify(&secret, black_box(body.as_bytes()), &header));
        });
    }
    group.finish();
}

fn envelopes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read a webhook");
    for (name, body) in bodies() {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| Envelope::parse(black_box(body.as_bytes())));
        });
    }
    group.finish();
    let envelope = Envelope::parse(body::of_text(0, 0).as_bytes()).expect("it is a webhook");
    criterion.bench_function("key of an event", |bencher| {
        bencher.iter(|| black_box(&envelope.events[0]).key(envelope.destination.as_deref()));
    });
}

fn jobs(criterion: &mut Criterion) {
    let payload = br#"{"to":"U00000000000000000000000000000000","text":"180"}"#;
    criterion.bench_function("make and check a job", |bencher| {
        bencher.iter(|| {
            let job = NewJob::new("no-op", black_box(&payload[..]));
            job.check().map(|()| job)
        });
    });
    criterion.bench_function("id of a job from its key", |bencher| {
        bencher.iter(|| {
            JobId::of_key(black_box("U00000000000000000000000000000001/00000000000000000000000042"))
        });
    });
    let commit = Commit {
        id: JobId::new(),
        token: Sending::once().token,
        checkpoints: 0,
        outcome: Outcome::Complete,
        effects: vec![
            Effect::Insert(NewJob::new("time_is_up", &payload[..])),
            Effect::Insert(NewJob::new("deliver", &payload[..])),
            Effect::SetState(Some(payload.to_vec())),
        ],
    };
    criterion.bench_function("check a commit of three effects", |bencher| {
        bencher.iter(|| black_box(&commit).check(Timestamp::default()));
    });
}

criterion_group!(benches, signatures, envelopes, jobs);
criterion_main!(benches);
