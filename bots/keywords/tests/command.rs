//! The bot's own command, endpoint and settings, in real processes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn bot(arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyword-bot"));
    command.args(arguments).env_clear().envs(settings.iter().copied());
    command
}

fn analyze(input: &[u8]) -> Output {
    let mut child =
        bot(&["analyze"], &[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn lines_of_text_become_lines_of_json() {
    let output = analyze("すもももももももものうち\n\n今日は\u{202e}😀 Hello\0\n".as_bytes());
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let surfaces: Vec<_> = lines[0]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["surface"].as_str().unwrap())
        .collect();
    assert_eq!(surfaces, ["すもも", "も", "もも", "も", "もも", "の", "うち"]);
    let first = serde_json::json!({"surface": "すもも", "pos": ["名詞", "一般"], "base": "すもも", "reading": "スモモ"});
    assert_eq!((&lines[0][0], &lines[1]), (&first, &Value::Array(Vec::new())));
}

#[test]
fn bytes_that_are_no_text_are_no_reason_to_fail() {
    let output = analyze(&[0xff, 0xfe, b'\n', 0xe3, 0x81]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
}

/// Starts a role with one setting and returns how it complains.
fn complaint(role: &str, setting: (&str, &str)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let right = [
        ("LINE_CHANNEL_SECRET", "s"),
        ("LINE_CHANNEL_ACCESS_TOKEN", "t"),
        ("MEDIA_URL", "https://bot.example.com/media"),
        ("PORT", "0"),
        ("ADMIN_PORT", "0"),
    ];
    let output = bot(&[role], &right).env(setting.0, setting.1).current_dir(folder.path()).output();
    let output = output.unwrap();
    assert!(!output.status.success(), "{setting:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn each_wrong_setting_is_answered_with_a_right_one() {
    let wrong = [
        ("OFFLINE", "maybe", "true or false"),
        ("DEMO", "2", "true or false"),
        ("MEDIAWIKI_URL", "wikipedia", "https://{language}.wikipedia.org/w/api.php"),
        ("MEDIAWIKI_USER_AGENT", "Mozilla/5.0", "bot@example.org"),
        ("MEDIAWIKI_TIMEOUT_SECONDS", "0", "from 1 to 60"),
        ("MEDIAWIKI_REQUESTS_PER_SECOND", "no", "from 1 to 100"),
        ("QUEUE_CONCURRENCY", "heavy", "heavy=2"),
        ("QUEUE_CONCURRENCY", "heavvy=2", "it has default, events, heavy, outbox"),
        ("BLOCKING_THREADS", "0", "BLOCKING_THREADS"),
        ("MEDIA_URL", "http://bot.example.com/media", "https://"),
        ("MEDIA_URL", "", "https://"),
    ];
    for (name, value, right) in wrong {
        let complaint = complaint("all", (name, value));
        assert!(complaint.contains(name) && complaint.contains(right), "{name}: {complaint}");
    }
}

#[test]
fn the_page_of_settings_names_each_setting_of_the_bot() {
    let page = include_str!("../../../docs/settings.md");
    let section = page.split("\n## The keyword bot").nth(1).unwrap();
    let help = bot(&["--help"], &[]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let named: Vec<_> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    for name in ["OFFLINE", "DEMO", "MEDIAWIKI_URL", "MEDIAWIKI_TIMEOUT_SECONDS"] {
        assert!(named.contains(&name), "{name} is not in docs/settings.md");
    }
    for name in named {
        assert!(help.contains(&format!("[env: {name}=")), "{name} is no setting");
    }
}

#[test]
fn the_notice_of_the_dictionary_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let notice = std::fs::read_to_string(root.join("NOTICE")).unwrap();
    assert!(notice.contains("Nara Institute of Science and Technology"), "{notice}");
}
