//! What watches over a rollout, as the scenario describes it: gates, approvals, readiness, what a failure does, alert
//! rules and the teams that answer them. Their courses are in `progress`,
//! `approval` and `alarm`; what they measure is in [`gauge`](super::gauge).

use super::estate::{GroupId, JourneyId, RegionId, ServiceId};
use crate::kernel::Distribution;
use crate::rollout::StageId;
use crate::units::{Share, SimDuration};

/// Position in [`Estate::bounds`](super::estate::Estate::bounds).
pub type BoundId = u16;

/// On which side of the quantity the metric has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
}

impl Comparison {
    /// Whether the comparison holds; NaN is on no side.
    pub fn holds(self, measured: f64, bound: f64) -> bool {
        match self {
            Comparison::Below => measured < bound,
            Comparison::AtMost => measured <= bound,
            Comparison::Above => measured > bound,
            Comparison::AtLeast => measured >= bound,
            Comparison::Equal => measured == bound,
        }
    }

    /// The sign, as a file writes it.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Below => "<",
            Comparison::AtMost => "<=",
            Comparison::Above => ">",
            Comparison::AtLeast => ">=",
            Comparison::Equal => "==",
        }
    }
}

/// What the answers of a window are counted for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// Failed of finished.
    ErrorRate,
    /// One minus the error rate.
    SuccessRate,
    /// Refused with a business reason, of finished.
    RejectRate,
    /// A quantile of the time to the answer, in seconds.
    Latency(f64),
    /// Answers.
    Count,
    /// Of the comparisons of shadows, those that came to another result or none.
    ShadowMismatch,
}

/// Whose answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Everybody,
    /// Interactions in which some context was at another stage of this rollout's feature than the initial one.
    Treated(u16),
    /// Interactions that asked for the feature and met its initial stage only.
    Control(u16),
}

/// Answers counted over a sliding window that ends a scrape's delay ago.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugeSpec {
    pub statistic: Statistic,
    pub side: Side,
    pub journey: Option<JourneyId>,
    /// The tenant's region.
    pub region: Option<RegionId>,
    pub window: SimDuration,
    pub delay: SimDuration,
}

/// Where a bound's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// Position in [`Estate::gauges`](super::estate::Estate::gauges).
    Gauge(u16),
    /// The lag of a consumer group, summed over its partitions, now.
    Lag(GroupId),
    /// The variance that the latest run of a reconciliation job which compared anything found.
    Variance(u32),
    /// The exceptions of a reconciliation job that nobody has worked off yet.
    Exceptions(u32),
}

/// With what a value is compared before it meets its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    Absolute,
    /// Minus the reference.
    Delta,
    /// Over the reference.
    Ratio,
}

/// What deltas and ratios are against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The same measure among those who are not treated, at the same time.
    Control(Measured),
    /// The same measure when the step in force was published.
    Before,
}

/// A bound on a measure: of a gate, what has to hold; of an alert, what has to be wrong.
#[derive(Clone, Debug)]
pub struct Bounded {
    /// As the file writes it.
    pub text: String,
    pub measured: Measured,
    pub compared: Compared,
    pub against: Against,
    pub comparison: Comparison,
    /// In seconds, shares or counts.
    pub limit: f64,
    /// With fewer answers on either side there is no data.
    pub least: u64,
}

/// What too little data does to a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoData {
    /// The step is held until there is data.
    Pause,
    Pass,
    Fail,
}

/// How gates are judged.
#[derive(Clone, Copy, Debug)]
pub struct Analysis {
    pub every: SimDuration,
    /// Failed judgements in a row that fail the step.
    pub failures: u32,
    /// Failed judgements of one step, in a row or not, that it survives.
    pub failure_limit: Option<u32>,
    pub no_data: NoData,
}

/// What a failed gate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    Pause,
    /// One step back.
    Back,
    /// All the way back.
    BackAll,
    /// Nobody stays above this stage.
    BackTo(StageId),
    /// The kill of this entry of the timeline, which is there for it.
    Kill(u32),
}

/// Whether and when a plan that went back tries the step again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    pub after: SimDuration,
    pub most: u32,
}

/// Who must agree before a step.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Positions in [`Estate::people`](super::estate::Estate::people).
    pub by: Vec<u16>,
    pub need: u32,
    /// How long each of them takes.
    pub takes: Distribution,
    /// How often each of them says no.
    pub rejects: Share,
    /// When the question lapses.
    pub expires: Option<SimDuration>,
    /// Who may do without it in an emergency.
    pub bypass: Option<u16>,
}

/// A service has to run at least this code on every replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub service: ServiceId,
    pub code: u32,
}

/// What watches over one step.
#[derive(Clone, Debug, Default)]
pub struct StepGuard {
    /// Have to hold throughout, as long as the step is the one in force.
    pub gates: Vec<BoundId>,
    /// Have to hold when its hold is over.
    pub exit: Vec<BoundId>,
    pub requires: Vec<Need>,
    /// Positions in [`Guard::approvals`].
    pub approvals: Vec<u16>,
}

/// What watches over a rollout.
#[derive(Clone, Debug)]
pub struct Guard {
    pub analysis: Analysis,
    pub on_failure: OnFailure,
    pub retry: Option<Retry>,
    pub approvals: Vec<Approval>,
    /// One for each step.
    pub steps: Vec<StepGuard>,
}

/// What is done to a plan from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Pause,
    Resume,
    Back,
    BackAll,
    /// Goes on without the approval that is waited for.
    Bypass,
    /// The kill of this entry of the timeline, which is there for it.
    Kill(u32),
}

impl Deed {
    pub fn name(self) -> &'static str {
        match self {
            Deed::Pause => "pause",
            Deed::Resume => "resume",
            Deed::Back => "back",
            Deed::BackAll => "back_all",
            Deed::Bypass => "bypass",
            Deed::Kill(_) => "kill",
        }
    }
}

/// A deed and the rollout it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    pub rollout: u16,
    pub deed: Deed,
}

/// A rule that raises an alert.
#[derive(Clone, Debug)]
pub struct AlertRule {
    pub name: String,
    /// What is wrong while it holds.
    pub when: BoundId,
    /// For how long it has to be so.
    pub over: SimDuration,
    pub scrape: SimDuration,
    /// While it goes on being wrong, somebody is called again after this long.
    pub repeat: SimDuration,
    /// Position in [`Estate::teams`](super::estate::Estate::teams); without one a machine acts, at once.
    pub pages: Option<u16>,
    pub does: Option<Act>,
    /// What is done when the wrong action is taken; `None`: nothing that helps.
    pub wrong: Option<Act>,
}

/// Who answers alerts.
#[derive(Clone, Debug)]
pub struct Team {
    pub name: String,
    /// Seconds of the day (UTC) between which somebody answers; `None`: always.
    pub on_call: Option<(u32, u32)>,
    /// From the page to the action.
    pub acts_in: Distribution,
    pub wrong_action: Share,
}
