//! The states of a job and the legal moves between them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a job is; it is in exactly one place (R4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Due later: a timer, or waiting to be tried again.
    Scheduled,
    /// May be claimed.
    Ready,
    /// Behind another of its lane.
    Waiting,
    /// Claimed by a worker.
    Running,
    /// Given up; kept for people.
    Dead,
    /// Done; kept for people if retention says so.
    Completed,
    /// Called off; such a job leaves the store.
    Cancelled,
}

impl State {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::Ready,
        Self::Waiting,
        Self::Running,
        Self::Dead,
        Self::Completed,
        Self::Cancelled,
    ];

    /// Says whether a job may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use State::{Cancelled, Completed, Dead, Ready, Running, Scheduled, Waiting};
        matches!(
            (self, next),
            (Scheduled, Ready | Waiting | Cancelled)
                | (Ready, Running | Cancelled)
                | (Waiting, Ready | Cancelled)
                | (Running, Completed | Scheduled | Ready | Waiting | Dead | Cancelled)
                | (Dead, Ready | Waiting)
        )
    }

    /// Says whether work is still to be done on a job in this state.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Scheduled | Self::Ready | Self::Waiting | Self::Running)
    }

    /// Returns the state's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Dead => "dead",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or_else(|| {
            format!(
                "{name:?} is no state: use scheduled, ready, waiting, running, dead or completed"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{State::*, *};

    #[test]
    fn every_legal_move_is_one_of_the_table() {
        let table = [
            (Scheduled, Ready, "falls due and its lane is free, or a person runs it now"),
            (Scheduled, Waiting, "falls due behind another of its lane"),
            (Scheduled, Cancelled, "is called off"),
            (Ready, Running, "is claimed"),
            (Ready, Cancelled, "is called off"),
            (Waiting, Ready, "gets its lane"),
            (Waiting, Cancelled, "is called off"),
            (Running, Completed, "is done"),
            (Running, Scheduled, "is tried again later, or snoozed"),
            (Running, Ready, "its worker stopped or died"),
            (Running, Waiting, "gives back the lane that it had on loan"),
            (Running, Dead, "fails for good"),
            (Running, Cancelled, "is called off, once its worker has heard of it"),
            (Dead, Ready, "is run again by a person"),
            (Dead, Waiting, "is run again behind others of its lane"),
        ];
        for from in State::ALL {
            for to in State::ALL {
                let legal = table.iter().any(|&(a, b, _)| (a, b) == (from, to));
                assert_eq!(from.may_become(to), legal, "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_state_is_found_by_its_name() {
        for state in State::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        assert!("asleep".parse::<State>().is_err());
    }
}
