//! Whether LINE takes the channel's credentials, asked where a 403 leaves it open (O5).

use std::time::Duration;

use tokio::sync::Mutex;
use yamabiko_line::error::ErrorKind;
use yamabiko_queue::{Clock, clock::Stopwatch};

use crate::platform::Platform;

/// How long an answer of LINE counts for all deliveries of the process.
const ANSWER_COUNTS_FOR: Duration = Duration::from_secs(60);
/// How long a delivery waits for an answer, that of a question under way included; a call takes 5 s at most.
const PATIENCE: Duration = Duration::from_secs(6);

/// What LINE says of the channel's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    /// They are good: what LINE refuses is the call.
    Accepted,
    Refused,
    /// LINE failed to answer.
    Unknown,
}

/// LINE's last answer; one question at a time, shared by all deliveries of the process.
#[derive(Debug, Default)]
pub(super) struct Account {
    last: Mutex<Option<Answer>>,
}

#[derive(Debug)]
struct Answer {
    credentials: Credentials,
    age: Stopwatch,
}

impl Answer {
    /// Returns whether the answer serves a delivery that has been waiting for so long.
    ///
    /// A failure serves those only who waited for it, so that a LINE that does not answer is asked once for all of them.
    fn serves(&self, waited: Duration) -> bool {
        let counts_for = match self.credentials {
            Credentials::Accepted | Credentials::Refused => ANSWER_COUNTS_FOR,
            Credentials::Unknown => waited,
        };
        self.age.elapsed() <= counts_for
    }
}

impl Account {
    /// Returns what LINE says of the credentials: its last answer, or a new one.
    pub(super) async fn credentials(&self, platform: &dyn Platform, clock: &Clock) -> Credentials {
        let waiting = clock.stopwatch();
        let answer = async {
            let mut last = self.last.lock().await;
            if let Some(answer) = last.as_ref().filter(|answer| answer.serves(waiting.elapsed())) {
                return answer.credentials;
            }
            let credentials = ask(platform).await;
            *last = Some(Answer { credentials, age: clock.stopwatch() });
            credentials
        };
        clock.timeout(PATIENCE, answer).await.unwrap_or(Credentials::Unknown)
    }
}

async fn ask(platform: &dyn Platform) -> Credentials {
    match platform.bot_info().await {
        Ok(_) => Credentials::Accepted,
        Err(error) => match error.kind() {
            ErrorKind::Unauthorized | ErrorKind::Forbidden => Credentials::Refused,
            _ => Credentials::Unknown,
        },
    }
}
