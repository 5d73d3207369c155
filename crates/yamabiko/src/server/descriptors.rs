//! How many connections the descriptors of this process allow.

/// What no server needs more of.
const MOST: usize = 1_024;
/// What a server needs, however few descriptors there are.
const FEWEST: usize = 16;

/// Returns how many connections may be open: half of the descriptors is left for LINE's API, the store and pictures.
pub(crate) fn connections() -> usize {
    allowed(descriptors())
}

fn allowed(descriptors: Option<u64>) -> usize {
    let half = descriptors.map_or(u64::MAX, |all| all / 2);
    usize::try_from(half).unwrap_or(usize::MAX).clamp(FEWEST, MOST)
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
        assert_eq!(allowed(Some(1_024)), 512);
        assert_eq!(allowed(Some(256)), 128);
        assert_eq!(allowed(Some(10)), FEWEST);
        assert_eq!(allowed(Some(1_048_576)), MOST);
        assert_eq!(allowed(None), MOST);
    }
}
