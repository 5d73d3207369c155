//! Processor time: what this process and the Redis server spend, and how much of it in the kernel.

use std::{ops::Sub, time::Duration};

use anyhow::Context as _;
use nix::{
    sys::{
        resource::{UsageWho, getrusage},
        time::{TimeVal, TimeValLike as _},
    },
    unistd::{SysconfVar, sysconf},
};

use crate::{figures::Figure, fresh::Fresh, redis_info::RedisInfo};

/// Processor time of one process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    /// By its own code.
    pub(crate) user: Duration,
    /// For it in the kernel.
    pub(crate) kernel: Duration,
}

impl Cpu {
    /// Returns what this process has spent.
    fn of_this_process() -> anyhow::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let time =
            |time: TimeVal| u64::try_from(time.num_microseconds()).map(Duration::from_micros);
        Ok(Self { user: time(usage.user_time())?, kernel: time(usage.system_time())? })
    }

    /// Returns what a process of this user has spent, in steps of the kernel's clock tick (10 ms).
    pub(crate) fn of_process(pid: u32) -> anyhow::Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The program's name stands in brackets and may have spaces.
        let (_, rest) = stat.rsplit_once(") ").context("no name")?;
        let mut times = rest.split(' ').skip(11).map(str::parse::<u32>);
        let mut next = || {
            let ticks = times.next().context("too short")??;
            let per_second = sysconf(SysconfVar::CLK_TCK)?.context("no clock tick")?;
            anyhow::Ok(Duration::from_secs(ticks.into()) / u32::try_from(per_second)?)
        };
        Ok(Self { user: next()?, kernel: next()? })
    }

    /// Returns both together.
    pub(crate) fn total(self) -> Duration {
        self.user + self.kernel
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            kernel: self.kernel.saturating_sub(earlier.kernel),
        }
    }
}

/// What this process and the Redis server, if the store is one, have spent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    process: Cpu,
    redis: Option<Cpu>,
}

impl Spent {
    /// Reads what was spent so far.
    pub(crate) fn so_far(fresh: &Fresh) -> anyhow::Result<Self> {
        let redis = fresh.redis().map(|server| RedisInfo::ask(&server.url())?.cpu()).transpose()?;
        Ok(Self { process: Cpu::of_this_process()?, redis })
    }

    /// Reads what was spent since then.
    pub(crate) fn since(self, fresh: &Fresh) -> anyhow::Result<Self> {
        let now = Self::so_far(fresh)?;
        let redis = now.redis.zip(self.redis).map(|(now, then)| now - then);
        Ok(Self { process: now.process - self.process, redis })
    }

    /// Returns what each of `n` things cost, for each process.
    pub(crate) fn figures(self, what: &str, n: u32, setting: &str) -> Vec<Figure> {
        let figure = |(who, cpu): (&str, Cpu)| {
            Figure::new(format!("{what}, {who}"), micros_each(cpu.total(), n), "µs", setting)
        };
        self.each_process().map(figure).collect()
    }

    /// Returns the same, with the kernel's part by itself.
    pub(crate) fn parts(self, what: &str, n: u32, setting: &str) -> Vec<Figure> {
        let figures = |(who, cpu): (&str, Cpu)| {
            [("user", cpu.user), ("kernel", cpu.kernel)].map(|(part, time)| {
                Figure::new(format!("{what}, {who}, {part}"), micros_each(time, n), "µs", setting)
            })
        };
        self.each_process().flat_map(figures).collect()
    }

    fn each_process(self) -> impl Iterator<Item = (&'static str, Cpu)> {
        [("process", self.process)].into_iter().chain(self.redis.map(|redis| ("Redis", redis)))
    }
}

fn micros_each(time: Duration, n: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(n)
}
