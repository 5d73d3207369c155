//! Ways to end a run other than success and an ordinary error, returned as errors.

use std::time::Duration;

use yamabiko_queue::{Ending, Error, ErrorKind, Hold};

/// How soon a run is made again that met an outage of the store.
const AFTER_OUTAGE: Duration = Duration::from_millis(500);

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
        Ending::Snoozed { after: *after, hold: Hold::No, afresh: true, reason: None }
    } else if let Some(Permanent(error)) = error.downcast_ref() {
        Ending::Dead { error: error.clone() }
    } else if let Some(outage) = error.chain().find_map(|cause| outage(cause.downcast_ref()?)) {
        outage
    } else {
        Ending::Failed { error: format!("{error:#}"), lends: false, after: None, unsure: true }
    }
}

/// Returns how a run ended that met this error of the store.
pub(crate) fn of_store_error(error: &Error) -> Ending {
    outage(error).unwrap_or_else(|| Ending::Failed {
        error: error.to_string(),
        lends: false,
        after: None,
        unsure: false,
    })
}

/// Returns how a run ends that met an outage of the store: that is no failure of the run, and its time begins anew (D1).
fn outage(error: &Error) -> Option<Ending> {
    (error.kind() == ErrorKind::Unavailable).then(|| Ending::Snoozed {
        after: AFTER_OUTAGE,
        hold: Hold::Yes,
        afresh: true,
        reason: Some(error.to_string()),
    })
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
            matches!(of_error(&error), Ending::Snoozed { after, hold: Hold::No, .. } if after == Duration::from_secs(9))
        );
        assert_eq!(of_error(&Cancel.into()), Ending::Cancelled);
    }

    #[test]
    fn d1_an_outage_of_the_store_in_a_run_is_no_failure_and_costs_it_no_time() {
        let outage = || Error::Unavailable("connection refused".into());
        let of_author = anyhow::Error::new(outage()).context("looking at the timers");
        for ending in [of_error(&of_author), of_store_error(&outage())] {
            assert!(matches!(ending, Ending::Snoozed { hold: Hold::Yes, afresh: true, .. }));
        }
        let damaged = || Error::Damaged("a page".into());
        for ending in [of_error(&damaged().into()), of_store_error(&damaged())] {
            assert!(matches!(ending, Ending::Failed { .. }), "it would not pass by itself");
        }
    }

    #[test]
    fn an_ordinary_error_is_tried_again_and_keeps_its_causes() {
        let error = anyhow!("connection refused").context("looking up the weather");
        let Ending::Failed { error, .. } = of_error(&error) else { panic!("not tried again") };
        assert_eq!(error, "looking up the weather: connection refused");
    }
}
