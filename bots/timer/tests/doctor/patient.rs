//! A bot with a simulator of LINE, and what the doctor says of it.

use std::process::Command;

use serde_json::Value;

use crate::support::{Line, PATIENCE, Process, free_port, line, settings};

/// What people read of the doctor.
const PAGE: &str = include_str!("../../../../docs/operations.md");

/// Where the bot is, whether it runs or not.
pub(crate) struct Patient {
    pub(crate) line: Line,
    pub(crate) port: u16,
    pub(crate) store: String,
}

impl Patient {
    pub(crate) async fn with(store: impl Into<String>) -> Self {
        let port = free_port();
        Self { line: Line::start(port).await, port, store: store.into() }
    }

    /// Starts a role of the bot.
    pub(crate) fn start(&self, role: &str) -> Process {
        Process::bot(role, &self.store, self.port, &self.line)
    }

    /// Starts the whole bot, and waits until it says that all is well.
    pub(crate) async fn started(&self) -> Process {
        let bot = self.start("all");
        let ready = format!("http://127.0.0.1:{}/ready", self.port);
        self.line.reaches(&ready).await;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.line.text(&ready).await != "ready\n" {
            assert!(tokio::time::Instant::now() < deadline, "the bot is not ready");
            // The bot tells nobody when its worker has beaten; this only sets how often we look.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        bot
    }

    /// Returns `doctor --json`, with these settings in place of the usual.
    pub(crate) fn call(&self, arguments: &[&str], others: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_timer-bot"));
        command
            .args(["doctor", "--json"])
            .args(arguments)
            .env_clear()
            .envs(settings(&self.store, &self.line))
            .envs(others.iter().copied());
        command
    }

    pub(crate) fn examined(&self) -> Findings {
        Findings::of(self.call(&[], &[]))
    }

    pub(crate) fn examined_with(&self, others: &[(&str, &str)]) -> Findings {
        Findings::of(self.call(&[], others))
    }

    /// Changes a rule of LINE's.
    pub(crate) async fn rule(&self, rule: Value) {
        self.line.post("/control/settings", &rule).await;
    }
}

/// What the doctor said.
#[derive(Debug)]
pub(crate) struct Findings {
    is_well: bool,
    findings: Vec<Value>,
}

impl Findings {
    pub(crate) fn of(mut doctor: Command) -> Self {
        let output = doctor.output().unwrap();
        let (said, logged) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        for secret in [line::SECRET, line::TOKEN, "geheim"] {
            assert!(!said.contains(secret) && !logged.contains(secret), "{said}\n{logged}");
        }
        let all: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}\n{logged}"));
        let findings = all["findings"].as_array().unwrap().clone();
        let problems = findings.iter().filter(|finding| finding["mark"] == "problem").count();
        assert_eq!(all["problems"], problems);
        let is_well = output.status.success();
        assert_eq!(
            is_well,
            problems == 0,
            "the exit code says whether there is a problem: {all:#}"
        );
        for finding in &findings {
            assert_eq!(finding["advice"].is_null(), finding["mark"] == "ok", "{finding}");
            let topic = format!("| {} |", finding["topic"].as_str().unwrap());
            assert!(PAGE.contains(&topic), "docs/operations.md does not tell of {topic}");
        }
        Self { is_well, findings }
    }

    /// Returns the mark and the sentences of the only finding of a topic that is not `ok`, or of the first.
    fn one(&self, topic: &str) -> (&str, String) {
        let mut of_topic: Vec<_> =
            self.findings.iter().filter(|finding| finding["topic"] == topic).collect();
        of_topic.sort_by_key(|finding| finding["mark"] == "ok");
        let found = of_topic.first().unwrap_or_else(|| panic!("nothing on {topic}: {self:#?}"));
        let sentence = |key: &str| found[key].as_str().unwrap_or_default();
        (found["mark"].as_str().unwrap(), format!("{} → {}", sentence("text"), sentence("advice")))
    }

    #[track_caller]
    fn says(&self, mark: &str, topic: &str, words: &[&str]) -> &Self {
        let (found, text) = self.one(topic);
        assert_eq!(found, mark, "{topic}: {text}");
        for word in words {
            assert!(text.contains(word), "{word:?} is not in: {text}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn ok(&self, topic: &str, words: &[&str]) -> &Self {
        self.says("ok", topic, words)
    }

    #[track_caller]
    pub(crate) fn note(&self, topic: &str, words: &[&str]) -> &Self {
        self.says("note", topic, words)
    }

    #[track_caller]
    pub(crate) fn warning(&self, topic: &str, words: &[&str]) -> &Self {
        self.says("warning", topic, words)
    }

    #[track_caller]
    pub(crate) fn problem(&self, topic: &str, words: &[&str]) -> &Self {
        self.says("problem", topic, words)
    }

    /// Nothing but the room on the disk of whoever runs this may be worth a warning.
    #[track_caller]
    pub(crate) fn all_is_well(&self) -> &Self {
        let is_bad = |finding: &&Value| {
            (finding["mark"] == "problem" || finding["mark"] == "warning")
                && finding["topic"] != "disk"
        };
        let bad: Vec<_> = self.findings.iter().filter(is_bad).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn is_well(&self) -> &Self {
        assert!(self.is_well, "{self:#?}");
        self
    }
}

/// Returns a new SQLite store in a folder.
pub(crate) fn file(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("bot.db").display())
}
