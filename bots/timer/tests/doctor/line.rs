//! LINE's side: credentials, webhook, quota, clock.

use serde_json::json;

use crate::{
    patient::{Findings, Patient, file},
    support::{Process, block_on, redis_server::RedisServer, settings},
};

async fn is_well_on(store: String, schema: &str) {
    let patient = Patient::with(store).await;
    let _bot = patient.started().await;
    patient
        .examined()
        .all_is_well()
        .ok("access token", &["Bot", "@simulator"])
        .ok("channel secret", &["webhook test"])
        .ok("webhook", &["/callback"])
        .ok("webhook test", &["took LINE's signature"])
        .note("redelivery", &["does not tell", "Webhook redelivery"])
        .ok("quota", &["without a limit"])
        .ok("store", &[schema])
        .ok("durability", &[])
        .ok("clock", &[])
        .ok("workers", &["/all"])
        .ok("queues", &["served are events, outbox"])
        .ok("dead jobs", &[])
        .ok("LINE's clock", &[]);
}

#[test]
fn a_bot_in_good_shape_is_well_on_an_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    block_on(is_well_on(file(&folder), "schema version is 4"));
}

#[test]
fn a_bot_in_good_shape_is_well_on_redis() {
    let redis = RedisServer::start_durable();
    block_on(is_well_on(redis.url(), "schema version is 3"));
}

#[test]
fn each_fault_of_the_account_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let patient = Patient::with(file(&folder)).await;
        let _bot = patient.started().await;
        credentials(&patient);
        webhook(&patient).await;
        quota(&patient).await;
        patient.line.post("/control/clock", &json!({"advanceSeconds": 600})).await;
        patient.examined().problem("LINE's clock", &["ahead of the store's", "NTP"]);
    });
}

fn credentials(patient: &Patient) {
    let with = |others: &[(&str, &str)]| patient.examined_with(others);
    with(&[("LINE_CHANNEL_ACCESS_TOKEN", "geheim")])
        .problem("access token", &["401", "issue a new token", "LINE_CHANNEL_ACCESS_TOKEN"])
        .ok("store", &[]);
    with(&[("LINE_CHANNEL_ACCESS_TOKEN", "")])
        .problem("access token", &["LINE_CHANNEL_ACCESS_TOKEN is not set"]);
    with(&[("LINE_CHANNEL_SECRET", "")])
        .ok("access token", &[])
        .problem("channel secret", &["LINE_CHANNEL_SECRET is not set"]);
    let id = ("LINE_CHANNEL_ID", "1234567890");
    with(&[id]).ok("channel secret", &["LINE gives an access token"]).is_well();
    with(&[id, ("LINE_CHANNEL_SECRET", "geheim")])
        .problem("channel secret", &["400", "LINE_CHANNEL_SECRET and LINE_CHANNEL_ID"]);
    with(&[id, ("LINE_CHANNEL_ACCESS_TOKEN", "")]).ok("access token", &[]).is_well();
    with(&[("LINE_API_URL", "http://127.0.0.1:1")])
        .problem("access token", &["LINE was not reached", "LINE_API_URL"])
        .ok("store", &[]);
}

async fn webhook(patient: &Patient) {
    patient.rule(json!({"webhook": "off"})).await;
    patient
        .examined()
        .problem("webhook", &["sends no webhooks", "Use webhook"])
        .ok("webhook test", &[]);
    patient.rule(json!({"webhook": "unset"})).await;
    patient.examined().problem("webhook", &["no address", "/callback"]);
    patient.rule(json!({"webhook": "on"})).await;
}

async fn quota(patient: &Patient) {
    patient.rule(json!({"monthlyLimit": 200})).await;
    patient.examined().ok("quota", &["0 of this month's 200"]).is_well();
    patient.rule(json!({"monthlyLimit": 0})).await;
    patient.examined().problem("quota", &["0 of this month's 0", "replies go on"]);
    patient.rule(json!({"monthlyLimit": null})).await;
    let failing = json!({"endpoint": "quota", "status": 500});
    patient.line.post("/control/faults", &failing).await;
    patient.examined().warning("quota", &["500", "later"]).is_well();
}

#[test]
fn a_web_that_is_down_or_has_another_secret_is_told_by_the_webhook_test() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let patient = Patient::with(file(&folder)).await;
        patient.examined().problem("webhook test", &["COULD_NOT_CONNECT", "start `web`"]);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_timer-bot"));
        command
            .arg("web")
            .env_clear()
            .envs(settings(&patient.store, &patient.line))
            .env("LINE_CHANNEL_SECRET", "another")
            .env("HOST", "127.0.0.1")
            .env("PORT", patient.port.to_string());
        let _web = Process::start(command);
        patient.line.reaches(&format!("http://127.0.0.1:{}/ready", patient.port)).await;
        patient.examined().problem("webhook test", &["401", "refuses LINE's signature"]);
    });
}

#[test]
fn a_line_that_does_not_answer_is_a_finding_and_not_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let patient = Patient::with(file(&folder)).await;
        let silent = json!({"endpoint": "info", "timeout": "before"});
        patient.line.post("/control/faults", &silent).await;
        patient.examined().problem("access token", &["did not answer in time"]);
    });
}

#[test]
fn people_get_one_line_for_each_finding() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let patient = Patient::with(file(&folder)).await;
        let json = Findings::of(patient.call(&[], &[]));
        json.warning("store", &["there is no file"]);
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_timer-bot"))
            .arg("doctor")
            .env_clear()
            .envs(settings(&patient.store, &patient.line))
            .output()
            .unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        let (first, sum) = (said.lines().next().unwrap(), said.lines().last().unwrap());
        assert!(first.starts_with("ok      access token: LINE takes it"), "{said}");
        let advice = "\nproblem webhook test: LINE's test failed: COULD_NOT_CONNECT, no answer → start `web`";
        assert!(said.contains(advice), "{said}");
        assert_eq!(sum, "problems: 1, warnings: 1", "{said}");
    });
}
