//! What becomes of a delivery whose call has failed (O5).

use yamabiko_line::{
    error::{Error, Limit},
    id::ChatId,
};
use yamabiko_queue::{Finish, job::OUTBOX};

use super::{
    Trimmed,
    account::Credentials,
    attempt::{Attempt, again, dead, ended, failed},
    call::Courier,
    decide::{Call, RATE_PAUSE, REFUSED_PAUSE, Verdict},
    pushes::PUSHES,
};

impl Courier {
    pub(super) async fn failed(
        &self,
        attempt: &Attempt,
        call: Call,
        verdict: Verdict,
        error: &Error,
    ) -> Finish {
        metrics::counter!("yamabiko_delivery_failures_total").increment(1);
        let text = describe(error);
        match verdict {
            Verdict::Again { unsure } => ended(again(call, text, error.retry_after(), unsure)),
            Verdict::CredentialsRefused => self.credentials_refused(attempt, text),
            Verdict::Forbidden => self.forbidden(attempt, call, text).await,
            Verdict::TooMany => self.too_many(attempt, call, error, text).await,
            _ if call == Call::Push && attempt.delivery.trimmed == Some(Trimmed::SameKey) => {
                dead(format!(
                    "nobody can tell whether this was sent with its quote, quick replies or sender; without them LINE refuses it: {text}"
                ))
            }
            Verdict::Never
            | Verdict::SaidBefore
            | Verdict::PushInstead
            | Verdict::Uncertain
            | Verdict::Trim => dead(text),
        }
    }

    fn credentials_refused(&self, attempt: &Attempt, text: String) -> Finish {
        self.health.credentials_refused();
        tracing::error!(
            error = text,
            "LINE refuses the channel's credentials, nothing is sent for now"
        );
        attempt.wait(REFUSED_PAUSE, text, OUTBOX)
    }

    /// Finds out what a 403 refuses: the credentials, this call, or all pushes of the account.
    async fn forbidden(&self, attempt: &Attempt, call: Call, text: String) -> Finish {
        match self.account.credentials(&*self.platform, attempt.run.clock()).await {
            Credentials::Refused => self.credentials_refused(attempt, text),
            Credentials::Unknown => failed(call, text, None),
            Credentials::Accepted => match (call, &attempt.delivery.to) {
                (Call::Push, Some(chat)) => self.push_forbidden(attempt, chat, text).await,
                _ => dead(format!(
                    "LINE forbids this reply, though it takes the channel's credentials: {text}"
                )),
            },
        }
    }

    async fn push_forbidden(&self, attempt: &Attempt, chat: &ChatId, text: String) -> Finish {
        let clock = attempt.run.clock();
        if let Some(wait) = self.pushes.forbidden(chat, clock) {
            return attempt.wait(wait, text, PUSHES);
        }
        match attempt.run.store().counts().await {
            Ok(counts) if counts.queues.get(PUSHES).is_some_and(|queue| queue.paused.is_some()) => {
                attempt.wait(self.pushes.wait_elsewhere(clock), text, PUSHES)
            }
            Ok(_) => dead(format!(
                "LINE forbids pushes to this chat, though it takes the channel's credentials: {text}"
            )),
            Err(error) => failed(Call::Push, format!("{text}; {error}"), None),
        }
    }

    /// Ends a call that met a limit, by which limit it is.
    async fn too_many(&self, attempt: &Attempt, call: Call, error: &Error, text: String) -> Finish {
        let used_up = match error.limit() {
            Some(Limit::Rate) => {
                let wait = error.retry_after().unwrap_or(RATE_PAUSE);
                return attempt.wait(wait, text, OUTBOX);
            }
            Some(Limit::Month) => call == Call::Push,
            Some(Limit::User) => false,
            _ => call == Call::Push && self.quota_is_used_up().await,
        };
        // The next push may be of one to whom there is still room, so each is tried.
        if used_up {
            dead(format!("the month's messages are used up: {text}"))
        } else {
            failed(call, text, error.retry_after())
        }
    }

    /// Asks LINE whether the month's messages are used up; what it tells of their consumption lags behind.
    async fn quota_is_used_up(&self) -> bool {
        match (self.platform.quota().await, self.platform.quota_used().await) {
            (Ok(quota), Ok(used)) => quota.limit.is_some_and(|limit| used >= limit),
            _ => false,
        }
    }
}

pub(super) fn describe(error: &Error) -> String {
    match error.request_id() {
        Some(id) => format!("{error} (request {id})"),
        None => error.to_string(),
    }
}
