//! Pages of an SQLite file that cannot be read, keys of a Redis that are of another type: they are set aside, and everybody
//! else is served.

mod jobs;
mod keys;
mod pages;
mod places;
mod states;

use std::{fs, os::unix::fs::FileExt as _, path::PathBuf, sync::Arc};

use yamabiko_queue::{JobId, ManualClock, NewJob, StoreOptions};

use crate::{
    ground::{Ground, Kind},
    place::{Place, secs},
};

/// The size of SQLite's pages.
const PAGE: usize = 4096;
/// So large that a payload fills several pages of its own.
const LARGE: usize = 30_000;
/// What a page is overwritten with so that nothing on it can be read.
const GARBAGE: [u8; PAGE] = [0xff; PAGE];

/// Makes a job whose payload fills pages of its own.
fn large(job: NewJob) -> NewJob {
    let name = String::from_utf8(job.payload.clone()).unwrap();
    NewJob { payload: filling(&name), ..job }
}

fn filling(name: &str) -> Vec<u8> {
    format!("{name};").repeat(LARGE / (name.len() + 1)).into_bytes()
}

/// A store's file between two openers.
struct Closed {
    ground: Arc<Ground>,
    clock: ManualClock,
    path: PathBuf,
}

impl Closed {
    /// Closes a store and brings all of it into its file.
    fn new(place: Place) -> Self {
        let (ground, clock) = (Arc::clone(&place.ground), place.clock.clone());
        drop(place);
        let path = ground.url().unwrap().strip_prefix("sqlite:").unwrap().into();
        let closed = Self { ground, clock, path };
        loop {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            let busy: bool = closed.ground.sqlite().query_row(sql, [], |row| row.get(0)).unwrap();
            if !busy {
                return closed;
            }
        }
    }

    async fn open(self) -> Place {
        Place::on(self.ground, self.clock, options).await
    }

    /// Opens the store so that what is completed is removed at once.
    async fn open_keeping_nothing(self) -> Place {
        Place::on(self.ground, self.clock, |_| {}).await
    }

    fn page(&self, number: u32) -> [u8; PAGE] {
        let mut page = [0; PAGE];
        let file = fs::File::open(&self.path).unwrap();
        file.read_exact_at(&mut page, u64::from(number - 1) * PAGE as u64).unwrap();
        page
    }

    fn overwrite(&self, number: u32, page: &[u8; PAGE]) {
        let file = fs::OpenOptions::new().write(true).open(&self.path).unwrap();
        file.write_all_at(page, u64::from(number - 1) * PAGE as u64).unwrap();
    }

    /// Returns the number of the first page that is filled with this text alone, but for where the next one is.
    fn page_filled_with(&self, name: &str) -> u32 {
        let filling = filling(name);
        let is_filled = |page: [u8; PAGE]| {
            page[..4] != [0; 4]
                && (0..=name.len()).any(|at| page[4..] == filling[at..at + PAGE - 4])
        };
        let pages = [self.pages("job", "overflow"), self.pages("state", "overflow")].concat();
        pages.into_iter().find(|number| is_filled(self.page(*number))).expect("there is one")
    }

    /// Makes what is filled with this text unreadable.
    fn damage(&self, name: &str) {
        self.overwrite(self.page_filled_with(name), &GARBAGE);
    }

    /// Returns the numbers of a table's or an index's pages of one type.
    fn pages(&self, of: &str, kind: &str) -> Vec<u32> {
        let file = self.ground.sqlite();
        let sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY pageno";
        let mut pages = file.prepare(sql).unwrap();
        pages.query_map([of, kind], |row| row.get(0)).unwrap().map(|page| page.unwrap()).collect()
    }
}

fn options(options: &mut StoreOptions) {
    options.keep_completed = secs(60);
    options.keep_dead = secs(60);
}

async fn open() -> Place {
    Place::with(Kind::Sqlite, options).await
}

/// Returns the ids and lanes of the jobs that are set aside, and the lanes of the states.
fn set_aside(place: &Place) -> (Vec<(JobId, Option<String>)>, Vec<String>) {
    let file = place.ground.sqlite();
    let mut jobs = file.prepare("SELECT id, lane FROM damaged ORDER BY seq").unwrap();
    let job = |row: &rusqlite::Row<'_>| {
        Ok((JobId::from_slice(&row.get::<_, Vec<u8>>(0)?).unwrap(), row.get(1)?))
    };
    let jobs = jobs.query_map([], job).unwrap().collect::<rusqlite::Result<_>>().unwrap();
    let mut states = file.prepare("SELECT lane FROM damaged_state ORDER BY seq").unwrap();
    let states = states.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>();
    (jobs, states.unwrap())
}
