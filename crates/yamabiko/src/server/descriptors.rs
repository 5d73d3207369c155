//! How many connections the descriptors of this process allow.

/// What the public port of no bot needs more of.
const MOST: usize = 1_024;
/// What operators need.
const MOST_ADMIN: usize = 64;
/// What a server needs, however few descriptors there are.
const FEWEST: usize = 8;

/// How many connections may be open: half of the descriptors is left for LINE's API, the store and pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) public: usize,
    pub(crate) admin: usize,
}

impl Share {
    /// Returns the shares in the descriptors that this process may have.
    pub(crate) fn of_this_process() -> Self {
        Self::of(descriptors())
    }

    fn of(descriptors: Option<u64>) -> Self {
        let all = descriptors.and_then(|all| usize::try_from(all).ok()).unwrap_or(usize::MAX);
        let admin = (all / 16).clamp(FEWEST, MOST_ADMIN);
        Self { public: (all / 2).saturating_sub(admin).clamp(FEWEST, MOST), admin }
    }
}

/// Returns how many descriptors this process may have; `None` where there is no limit.
#[cfg(unix)]
fn descriptors() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptors() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_descriptors_is_for_clients() {
        let share = |descriptors| {
            let Share { public, admin } = Share::of(descriptors);
            (public, admin)
        };
        assert_eq!(share(Some(1_024)), (448, 64));
        assert_eq!(share(Some(128)), (56, 8));
        assert_eq!(share(Some(10)), (FEWEST, FEWEST));
        assert_eq!(share(Some(1_048_576)), (MOST, MOST_ADMIN));
        assert_eq!(share(None), (MOST, MOST_ADMIN));
    }
}
