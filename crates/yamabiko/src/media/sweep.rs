//! Removes published pictures when their time is over.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use yamabiko_queue::{Store, Timestamp};

use super::{Media, name::Name};
use crate::Result;

/// How often it is looked for what is over.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// How many files a thread removes at once: nobody can stop it before.
pub(super) const AT_ONCE: usize = 10_000;

/// Sweeps now and once an hour; any number of processes may do so.
///
/// It belongs to the worker, which has the place at hand: a `timer` may run on a machine without the folder.
pub(crate) async fn sweep_hourly(
    media: Media,
    store: Arc<dyn Store>,
    stop: impl Future<Output = ()>,
) {
    let sweeping = async {
        loop {
            // The time is the store's: a machine's clock that is wrong shall remove nothing.
            let swept = match store.tick().await {
                Ok(tick) => media.sweep(tick.now).await,
                Err(error) => Err(error.into()),
            };
            match swept {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "old pictures were removed"),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(
                        error,
                        "old pictures cannot be removed; trying again in an hour"
                    );
                }
            }
            media.clock.sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = stop => {}
        () = sweeping => {}
    }
}

impl Media {
    /// Removes what is over, and returns how much that was; nothing that is not named as a picture is touched.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<usize> {
        match &self.place.folder {
            Some(folder) => self.sweep_folder(folder, now).await,
            None => self.sweep_bucket(now).await,
        }
    }

    async fn sweep_bucket(&self, now: Timestamp) -> Result<usize> {
        let prefix = Some(&self.place.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let mut listed = self.place.store.list(prefix);
        let explain = |error| self.place.explain(&error);
        let mut removed = 0;
        while let Some(object) = listed.try_next().await.map_err(explain)? {
            let Some(name) = object.location.filename().and_then(Name::parse) else { continue };
            let is_ours = object.location == self.place.path(&name);
            if is_ours && self.time_left(&name, now).is_none() {
                self.place.remove(&name).await.map_err(explain)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn sweep_folder(&self, folder: &Path, now: Timestamp) -> Result<usize> {
        let mut removed = 0;
        loop {
            let (media, folder) = (self.clone(), folder.to_owned());
            let sweep = move || media.sweep_some_of(&folder, now);
            let some = tokio::task::spawn_blocking(sweep).await??;
            removed += some;
            if some < AT_ONCE {
                return Ok(removed);
            }
        }
    }

    fn sweep_some_of(&self, folder: &Path, now: Timestamp) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(folder)? {
            if removed == AT_ONCE {
                break;
            }
            let entry = entry?;
            let file_name = entry.file_name();
            let Some(file_name) = file_name.to_str() else { continue };
            // A process that died while it wrote leaves a file with `#1` behind its name.
            let name = file_name.split_once('#').map_or(file_name, |(name, _)| name);
            let Some(name) = Name::parse(name) else { continue };
            let is_over = entry.file_type()?.is_file() && self.time_left(&name, now).is_none();
            if is_over {
                match fs::remove_file(entry.path()) {
                    Ok(()) => removed += 1,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(removed)
    }
}
