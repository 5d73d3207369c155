//! The breaker: starts a bot in several processes, breaks everything around it, and counts.

use std::{io::Write as _, process::ExitCode};

use anyhow::bail;
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

mod aftermath;
mod book;
mod case;
mod check;
mod clocks;
mod conversation;
mod crowd;
mod damage;
mod disk;
mod evidence;
mod faults;
mod harm;
mod herd;
#[path = "../../crates/yamabiko-queue/tests/store/leftovers.rs"]
#[expect(clippy::unwrap_used, reason = "a test's file, where what cannot be read is a failure")]
mod leftovers;
mod line;
mod locks;
mod log_reader;
mod media;
mod options;
mod patience;
mod place;
mod ports;
mod process;
mod redis_server;
mod refusals;
mod report;
mod run;
mod tally;
mod users;
mod webhooks;
mod wire;

use conversation::{Conversation, Keywords, Requests};
use options::{Bot, Options};
use report::Report;
use run::Run;

/// The exit code of a run in which something was lost, said twice, or the like.
const BROKEN: u8 = 1;
/// The exit code of a run that could not be made.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => BROKEN.into(),
        Err(error) => {
            writeln!(std::io::stderr(), "the breaker could not do its work: {error:#}").ok();
            FAILED.into()
        }
    }
}

/// Prints the ledger and says whether all is as it should be.
fn run() -> anyhow::Result<bool> {
    let options = Options::parse();
    // reqwest brings no provider of its own.
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let whole = async {
            match options.bot {
                Bot::ChaosBot => break_bot::<Requests>(options).await,
                Bot::KeywordBot => break_bot::<Keywords>(options).await,
            }
        };
        let mut stop = signal(SignalKind::terminate())?;
        tokio::select! {
            report = whole => report,
            // What was started ends with this process, since nobody holds it any more.
            _ = stop.recv() => bail!("it was stopped"),
        }
    })?;
    std::io::stdout().write_all(report.to_markdown().as_bytes())?;
    Ok(report.passed())
}

async fn break_bot<C: Conversation>(options: Options) -> anyhow::Result<Report> {
    let run = Run::<C>::start(options).await?;
    run.break_everything().await?;
    run.end().await
}
