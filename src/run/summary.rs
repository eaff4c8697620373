//! What is left of one run: verdicts, counts, numbers. No trace, no world.

pub use crate::invariants::{Verdict, Violation};
use crate::models::observation::{Consent, Interaction, ObservationId, Publication};
use crate::rollout::{FeatureId, PolicyVersion};
use crate::units::{SimDuration, SimTime};
use std::borrow::Cow;

/// What one invariant came to in one run.
#[derive(Clone, Debug)]
pub struct InvariantOutcome {
    pub name: &'static str,
    pub verdict: Verdict,
    /// How often it was looked at.
    pub checked: u64,
    /// How often the situation it guards occurred.
    pub exercised: u64,
    /// Violations that count against the rollout.
    pub violations: u64,
    /// Violations that the run without the rollout has too.
    pub in_baseline: u64,
    /// Obligations still open at the end.
    pub pending: u64,
    /// The smallest distance to a violation seen, in the invariant's own unit (seconds for deadlines).
    pub min_margin: Option<f64>,
    /// Counted violations by cause, most frequent first.
    pub causes: Vec<(&'static str, u64)>,
    /// What was seen and set apart by class: it is judged elsewhere.
    pub apart: Vec<(&'static str, u64)>,
    /// The first sixteen.
    pub first: Vec<Violation>,
}

/// A metric's value in one run; absent where it has none (no kill, no eviction).
#[derive(Clone, Debug, PartialEq)]
pub struct MetricValue {
    pub name: Cow<'static, str>,
    pub value: f64,
}

/// One entry of the control plane's audit log: a policy version and what caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    pub at: SimTime,
    pub version: PolicyVersion,
    /// `None`: the policy in force when the run began.
    pub feature: Option<FeatureId>,
    pub publication: Publication,
    /// Who was asked for it and what they said, index of the estate's people.
    pub consents: Vec<(Consent, Option<u16>)>,
}

/// One run.
#[derive(Clone, Debug)]
pub struct RunSummary {
    pub seed: u64,
    /// 32 hexadecimal digits over every dispatched event and every draw.
    pub digest: String,
    pub events: u64,
    pub draws: u64,
    pub end: SimTime,
    /// The run hit its limit of events before its horizon.
    pub cut_short: bool,
    pub invariants: Vec<InvariantOutcome>,
    pub metrics: Vec<MetricValue>,
    /// Per timeline entry: label and how often it took place.
    pub happenings: Vec<(String, u64)>,
    /// Per rollout that is watched over: its feature, and how its plan ended.
    pub plans: Vec<(String, String)>,
    /// Per published step: `feature/step` and when.
    pub steps: Vec<(String, SimTime)>,
    /// Every policy version, in the order of publication. Nothing is ever taken out.
    pub audit: Vec<Audited>,
    /// Per `reached` expectation, in their order: how often.
    pub reached: Vec<u64>,
}

impl RunSummary {
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }
}

/// How things went over time in one run, for plots. All vectors have one value per bucket.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub bucket: SimDuration,
    pub buckets: usize,
    /// Per policy version: the share of replicas with an SDK that held it at the end of each bucket; the last entry
    /// with `version: None` is the share that held no policy (lost, or down).
    pub held: Vec<(Option<u32>, Vec<f64>)>,
    /// Interactions that at least two contexts judged, and those that were mixed, by arrival.
    pub judged: Vec<u64>,
    pub mixed: Vec<u64>,
    /// Failed answers and all answers.
    pub failed: Vec<u64>,
    pub finished: Vec<u64>,
    /// Per consumer group: its lag at the end of each bucket.
    pub lag: Vec<(String, Vec<u64>)>,
    /// Faults, kills and deploys as bands: label, begin, end (the horizon where it did not end).
    pub bands: Vec<(String, SimTime, SimTime)>,
    /// Steps, kills and lifts as lines.
    pub lines: Vec<(String, SimTime)>,
}

/// One line of a story.
#[derive(Clone, Debug)]
pub struct StoryLine {
    pub at: SimTime,
    /// Who: a service, a replica, the control plane, the customer.
    pub who: String,
    pub text: String,
    pub observation: ObservationId,
}

/// The account of one violation, every number of it a field of an observation.
#[derive(Clone, Debug)]
pub struct Story {
    pub invariant: &'static str,
    pub seed: u64,
    pub interaction: Option<Interaction>,
    /// One sentence: what was promised and how it was broken.
    pub headline: String,
    pub lines: Vec<StoryLine>,
}
