//! Ways to end a run other than success and an ordinary error, returned as errors.

use std::time::Duration;

use yamabiko_queue::Ending;

/// Ends the job without success and without another attempt; nothing that the run asked for happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the job called itself off")]
pub struct Cancel;

/// Runs the job again after this time; counts as no failure, and nothing that the run asked for happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the job wants to run again in {0:?}")]
pub struct Snooze(pub Duration);

/// Fails the job for good: trying again cannot help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Permanent(pub String);

/// Returns how a run ended that returned this error.
pub(crate) fn of_error(error: &anyhow::Error) -> Ending {
    if error.downcast_ref::<Cancel>().is_some() {
        Ending::Cancelled
    } else if let Some(Snooze(after)) = error.downcast_ref() {
        Ending::Snoozed { after: *after, hold: false, afresh: true, reason: None }
    } else if let Some(Permanent(error)) = error.downcast_ref() {
        Ending::Dead { error: error.clone() }
    } else {
        Ending::Failed { error: format!("{error:#}"), after: None, unsure: true }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn an_ending_is_found_behind_added_context() {
        let error = anyhow::Error::new(Permanent("no such city".into())).context("weather");
        assert_eq!(of_error(&error), Ending::Dead { error: "no such city".into() });
        let snooze: anyhow::Result<()> = Err(Snooze(Duration::from_secs(9)).into());
        let error = snooze.context("busy").unwrap_err();
        assert!(
            matches!(of_error(&error), Ending::Snoozed { after, hold: false, .. } if after == Duration::from_secs(9))
        );
        assert_eq!(of_error(&Cancel.into()), Ending::Cancelled);
    }

    #[test]
    fn an_ordinary_error_is_tried_again_and_keeps_its_causes() {
        let error = anyhow!("connection refused").context("looking up the weather");
        let Ending::Failed { error, .. } = of_error(&error) else { panic!("not tried again") };
        assert_eq!(error, "looking up the weather: connection refused");
    }
}
