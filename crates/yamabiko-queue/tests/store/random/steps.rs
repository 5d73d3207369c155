//! What may happen, drawn at random; numbers pick among what there is at the time.

use std::time::Duration;

use proptest::prelude::*;
use yamabiko_queue::{
    Timestamp,
    store::{Group, Hold},
};

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The clock moves.
    Pass(Duration),
    /// The clock is set back.
    ClockBack(Duration),
    /// New jobs come from outside.
    Insert(Vec<NewPlan>),
    /// What was inserted last is sent again.
    InsertAgain,
    /// What was inserted last is cancelled.
    CancelInserted,
    /// A worker sends what it has to commit, and claims.
    Turn {
        worker: usize,
        at_most: usize,
        queues: u8,
    },
    /// A worker gets on with its runs.
    Work {
        worker: usize,
        ends: Vec<EndPlan>,
    },
    /// A worker beats for its runs.
    Beat {
        worker: usize,
    },
    /// A worker forgets its runs; what it had to commit may come much later.
    Crash {
        worker: usize,
        late: bool,
    },
    /// A commit of a worker that all took for dead arrives.
    Late {
        pick: usize,
    },
    /// A worker does not get an answer: its exchange is lost on the way, or the answer.
    TurnLost {
        worker: usize,
        at_most: usize,
        queues: u8,
        arrives: bool,
    },
    /// A worker gives up an exchange to which it got no answer.
    GiveUp {
        worker: usize,
    },
    /// An exchange arrives late, or a second time; nobody hears of the answer.
    ArriveAgain {
        pick: usize,
    },
    Tick,
    /// So many seconds pass, with a tick in each.
    TickOn {
        seconds: usize,
    },
    Cancel(Vec<usize>),
    Retry(Vec<usize>),
    Delete(Vec<usize>),
    Pause {
        queue: usize,
        time: Option<Duration>,
    },
    Resume {
        queue: usize,
    },
}

impl Step {
    /// Returns steps that are one step of the store at most, each.
    pub(crate) fn parts(self) -> Vec<Self> {
        match self {
            Self::TickOn { seconds } => (0..seconds)
                .flat_map(|_| [Self::Pass(Duration::from_secs(1)), Self::Tick])
                .collect(),
            step => vec![step],
        }
    }
}

/// A job to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewPlan {
    /// An old id, picked among those used before.
    pub(crate) again: Option<usize>,
    pub(crate) queue: usize,
    pub(crate) lane: Option<usize>,
    pub(crate) chat: Option<usize>,
    pub(crate) origin: Option<u8>,
    pub(crate) revokes: Option<u8>,
    pub(crate) due: DuePlan,
    pub(crate) passes: Option<Duration>,
    pub(crate) secret: Option<u8>,
    pub(crate) size: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum DuePlan {
    Now,
    In(Duration),
    At(Duration),
    Past(Duration),
}

/// How one run goes on.
#[derive(Clone, Debug)]
pub(crate) struct EndPlan {
    pub(crate) pick: usize,
    pub(crate) outcome: OutcomePlan,
    pub(crate) effects: Vec<EffectPlan>,
    /// Whether the run knows a checkpoint that the store has lost.
    pub(crate) has_lost: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum OutcomePlan {
    Complete,
    /// A checkpoint, or one that is sent a second time.
    Checkpoint {
        again: bool,
    },
    Retry {
        after: Duration,
        hold: Hold,
        unsure: bool,
    },
    Snooze {
        after: Duration,
        hold: Hold,
        noted: bool,
        afresh: bool,
    },
    Dead,
    Release {
        unsure: bool,
    },
    Cancel,
    /// Gives its lane back, if it has it on loan; some that have not try it as well.
    GiveBack {
        afresh: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) enum EffectPlan {
    Insert(NewPlan),
    Cancel(usize),
    /// Cancels what is about to end in the same turn.
    CancelNear(usize),
    /// Cancels all jobs of the chat, or those of one kind or origin; those that were started by then.
    CancelAll(Group, Option<usize>),
    SetState(Option<u8>),
    Scrub(u8),
    Pause {
        queue: usize,
        time: Duration,
    },
}

fn up_to(longest: Duration) -> impl Strategy<Value = Duration> {
    let longest = u64::try_from(longest.as_micros()).unwrap();
    prop_oneof![4 => 0..=longest, 1 => (0..=longest).prop_map(|micros| micros / 1_000_000 * 1_000_000)]
        .prop_map(Duration::from_micros)
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn new_plan() -> impl Strategy<Value = NewPlan> {
    let due = prop_oneof![
        6 => Just(DuePlan::Now),
        1 => up_to(secs(20)).prop_map(DuePlan::In),
        1 => up_to(secs(20)).prop_map(DuePlan::At),
        1 => up_to(secs(20)).prop_map(DuePlan::Past),
    ];
    let size = prop_oneof![9 => Just(0_usize), 1 => 0..5000_usize];
    (
        proptest::option::weighted(0.15, any::<usize>()),
        any::<usize>(),
        proptest::option::weighted(0.7, any::<usize>()),
        proptest::option::weighted(0.6, any::<usize>()),
        proptest::option::weighted(0.4, 0..9_u8),
        proptest::option::weighted(0.02, 0..9_u8),
        due,
        proptest::option::weighted(0.3, up_to(secs(20))),
        proptest::option::weighted(0.3, any::<u8>()),
        size,
    )
        .prop_map(|(again, queue, lane, chat, origin, revokes, due, passes, secret, size)| {
            NewPlan { again, queue, lane, chat, origin, revokes, due, passes, secret, size }
        })
}

fn hold() -> impl Strategy<Value = Hold> {
    prop_oneof![2 => Just(Hold::No), 2 => Just(Hold::Yes), 3 => Just(Hold::Lend)]
}

fn outcome() -> impl Strategy<Value = OutcomePlan> {
    prop_oneof![
        30 => Just(OutcomePlan::Complete),
        12 => any::<bool>().prop_map(|again| OutcomePlan::Checkpoint { again }),
        10 => (up_to(secs(8)), hold(), any::<bool>())
            .prop_map(|(after, hold, unsure)| OutcomePlan::Retry { after, hold, unsure }),
        6 => (up_to(secs(8)), hold(), any::<bool>(), any::<bool>())
            .prop_map(|(after, hold, noted, afresh)| OutcomePlan::Snooze { after, hold, noted, afresh }),
        4 => Just(OutcomePlan::Dead),
        4 => any::<bool>().prop_map(|unsure| OutcomePlan::Release { unsure }),
        2 => Just(OutcomePlan::Cancel),
        4 => any::<bool>().prop_map(|afresh| OutcomePlan::GiveBack { afresh }),
    ]
}

fn effect() -> impl Strategy<Value = EffectPlan> {
    prop_oneof![
        8 => new_plan().prop_map(EffectPlan::Insert),
        2 => any::<usize>().prop_map(EffectPlan::Cancel),
        2 => any::<usize>().prop_map(EffectPlan::CancelNear),
        2 => (group(), proptest::option::weighted(0.3, any::<usize>()))
            .prop_map(|(group, by)| EffectPlan::CancelAll(group, by)),
        4 => proptest::option::weighted(0.8, any::<u8>()).prop_map(EffectPlan::SetState),
        2 => (0..9_u8).prop_map(EffectPlan::Scrub),
        1 => (any::<usize>(), up_to(secs(10))).prop_map(|(queue, time)| EffectPlan::Pause { queue, time }),
    ]
}

/// All jobs, or those of a kind or an origin as the driver gives them.
fn group() -> impl Strategy<Value = Group> {
    prop_oneof![
        1 => Just(Group::AllBut("another kind".to_owned())),
        3 => (0..3_u8).prop_map(|n| Group::Kind(format!("kind {n}"))),
        3 => (0..3_u8).prop_map(|n| Group::Origin(format!("message {n}"))),
    ]
}

/// When what starts a job happens, by a clock of its own.
pub(crate) fn happened(pick: usize) -> Timestamp {
    Timestamp::from_millis(i64::try_from(pick % 10).expect("it is small"))
}

fn end() -> impl Strategy<Value = EndPlan> {
    let effects = prop::collection::vec(effect(), 0..4);
    (any::<usize>(), outcome(), effects, prop::bool::weighted(0.05))
        .prop_map(|(pick, outcome, effects, has_lost)| EndPlan { pick, outcome, effects, has_lost })
}

fn picks() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<usize>(), 1..4)
}

/// How many workers there are.
pub(crate) const WORKERS: usize = 3;

/// Returns the strategy that draws a step.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let worker = || 0..WORKERS;
    let passed = prop_oneof![
        12 => up_to(Duration::from_millis(100)),
        4 => up_to(secs(3)),
        1 => up_to(secs(12)),
        1 => Just(secs(5)),
    ];
    prop_oneof![
        12 => passed.prop_map(Step::Pass),
        1 => up_to(secs(20)).prop_map(Step::ClockBack),
        14 => prop::collection::vec(new_plan(), 1..6).prop_map(Step::Insert),
        4 => Just(Step::InsertAgain),
        4 => Just(Step::CancelInserted),
        26 => (worker(), 0..8_usize, any::<u8>())
            .prop_map(|(worker, at_most, queues)| Step::Turn { worker, at_most, queues }),
        24 => (worker(), prop::collection::vec(end(), 1..5)).prop_map(|(worker, ends)| Step::Work { worker, ends }),
        8 => worker().prop_map(|worker| Step::Beat { worker }),
        1 => (worker(), any::<bool>()).prop_map(|(worker, late)| Step::Crash { worker, late }),
        2 => any::<usize>().prop_map(|pick| Step::Late { pick }),
        4 => (worker(), 0..8_usize, any::<u8>(), any::<bool>())
            .prop_map(|(worker, at_most, queues, arrives)| Step::TurnLost { worker, at_most, queues, arrives }),
        1 => worker().prop_map(|worker| Step::GiveUp { worker }),
        3 => any::<usize>().prop_map(|pick| Step::ArriveAgain { pick }),
        10 => Just(Step::Tick),
        3 => (4..9_usize).prop_map(|seconds| Step::TickOn { seconds }),
        5 => picks().prop_map(Step::Cancel),
        3 => picks().prop_map(Step::Retry),
        2 => picks().prop_map(Step::Delete),
        1 => (any::<usize>(), proptest::option::weighted(0.7, up_to(secs(10))))
            .prop_map(|(queue, time)| Step::Pause { queue, time }),
        2 => any::<usize>().prop_map(|queue| Step::Resume { queue }),
    ]
}
