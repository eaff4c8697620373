//! One run as a line of JSON: everything that judging it and reporting it needs, so that whoever reads the line has what
//! whoever made the run had.

use super::words::word;
use crate::invariants::{Verdict, Violation};
use crate::models::observation::{Consent, Interaction, Publication};
use crate::rollout::{PolicyVersion, StageId};
use crate::run::summary::{Audited, InvariantOutcome, MetricValue, RunSummary};
use crate::units::{Id, SimDuration, SimTime};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A run of a variant. Times are nanoseconds of the simulated clock.
#[derive(Serialize, Deserialize)]
pub struct Line<'a> {
    #[serde(borrow)]
    pub variant: Cow<'a, str>,
    pub seed: u64,
    digest: Cow<'a, str>,
    events: u64,
    draws: u64,
    end_ns: u64,
    cut_short: bool,
    metrics: Vec<Metric<'a>>,
    invariants: Vec<Invariant<'a>>,
    happenings: Vec<(Cow<'a, str>, u64)>,
    plans: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    steps: Vec<(Cow<'a, str>, u64)>,
    audit: Vec<Entry>,
    reached: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct Metric<'a> {
    name: Cow<'a, str>,
    value: Real,
}

#[derive(Serialize, Deserialize)]
struct Invariant<'a> {
    name: Cow<'a, str>,
    verdict: Cow<'a, str>,
    // Most invariants have nothing to do in most runs: what is zero or empty is not written.
    #[serde(default, skip_serializing_if = "is_zero")]
    checked: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    exercised: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    violations: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    in_baseline: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pending: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_margin: Option<Real>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<(Cow<'a, str>, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apart: Vec<(Cow<'a, str>, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    first: Vec<Broken<'a>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Serialize, Deserialize)]
struct Broken<'a> {
    at_ns: u64,
    /// Journey, number, replay, place.
    interaction: Option<(u32, u64, u32, u32)>,
    clause: Cow<'a, str>,
    cause: Cow<'a, str>,
    about: Cow<'a, str>,
    text: Cow<'a, str>,
    witnesses: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    at_ns: u64,
    version: u32,
    feature: Option<u32>,
    publication: Published,
    consents: Vec<(Agreed, Option<u16>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Published {
    Initial,
    Step(u16, u16),
    Kill(u32),
    Lift(u32),
    Override(u32),
    RolledBack(u16, u16),
    Capped(u16, u16),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Agreed {
    Given,
    Refused,
    Lapsed,
    Bypassed,
}

/// A number with all its bits: what JSON has no number for is a word.
#[derive(Clone, Copy)]
struct Real(f64);

impl Serialize for Real {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.collect_str(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(Real(value)),
            Written::Word(word) => word.parse().map(Real).map_err(serde::de::Error::custom),
        }
    }
}

fn borrowed(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn counts<'a>(counts: &'a [(&'static str, u64)]) -> Vec<(Cow<'a, str>, u64)> {
    counts.iter().map(|(name, count)| (borrowed(name), *count)).collect()
}

impl<'a> Line<'a> {
    pub fn of(variant: &'a str, run: &'a RunSummary) -> Line<'a> {
        Line {
            variant: borrowed(variant),
            seed: run.seed,
            digest: borrowed(&run.digest),
            events: run.events,
            draws: run.draws,
            end_ns: run.end.nanos(),
            cut_short: run.cut_short,
            metrics: run.metrics.iter().map(|m| Metric { name: borrowed(&m.name), value: Real(m.value) }).collect(),
            invariants: run.invariants.iter().map(Invariant::of).collect(),
            happenings: run.happenings.iter().map(|(label, times)| (borrowed(label), *times)).collect(),
            plans: run.plans.iter().map(|(feature, end)| (borrowed(feature), borrowed(end))).collect(),
            steps: run.steps.iter().map(|(label, at)| (borrowed(label), at.nanos())).collect(),
            audit: run.audit.iter().map(Entry::of).collect(),
            reached: run.reached.clone(),
        }
    }

    /// The run; `Err` where it says something that this version does not know.
    pub fn run(self) -> Result<RunSummary, String> {
        let owned = |text: Cow<'_, str>| text.into_owned();
        Ok(RunSummary {
            seed: self.seed,
            digest: owned(self.digest),
            events: self.events,
            draws: self.draws,
            end: moment(self.end_ns),
            cut_short: self.cut_short,
            invariants: self.invariants.into_iter().map(Invariant::outcome).collect::<Result<_, _>>()?,
            metrics: self
                .metrics
                .into_iter()
                .map(|metric| MetricValue { name: Cow::Borrowed(word(&metric.name)), value: metric.value.0 })
                .collect(),
            happenings: self.happenings.into_iter().map(|(label, times)| (owned(label), times)).collect(),
            plans: self.plans.into_iter().map(|(feature, end)| (owned(feature), owned(end))).collect(),
            steps: self.steps.into_iter().map(|(label, at)| (owned(label), moment(at))).collect(),
            audit: self.audit.into_iter().map(Entry::audited).collect(),
            reached: self.reached,
        })
    }
}

fn moment(nanos: u64) -> SimTime {
    SimTime::from(SimDuration::from_nanos(nanos))
}

impl<'a> Invariant<'a> {
    fn of(outcome: &'a InvariantOutcome) -> Invariant<'a> {
        Invariant {
            name: borrowed(outcome.name),
            verdict: borrowed(outcome.verdict.name()),
            checked: outcome.checked,
            exercised: outcome.exercised,
            violations: outcome.violations,
            in_baseline: outcome.in_baseline,
            pending: outcome.pending,
            min_margin: outcome.min_margin.map(Real),
            causes: counts(&outcome.causes),
            apart: counts(&outcome.apart),
            first: outcome.first.iter().map(Broken::of).collect(),
        }
    }

    fn outcome(self) -> Result<InvariantOutcome, String> {
        let verdict = Verdict::named(&self.verdict).ok_or_else(|| format!("`{}` is no verdict", self.verdict))?;
        let words = |counts: Vec<(Cow<'_, str>, u64)>| counts.into_iter().map(|(of, n)| (word(&of), n)).collect();
        Ok(InvariantOutcome {
            name: word(&self.name),
            verdict,
            checked: self.checked,
            exercised: self.exercised,
            violations: self.violations,
            in_baseline: self.in_baseline,
            pending: self.pending,
            min_margin: self.min_margin.map(|margin| margin.0),
            causes: words(self.causes),
            apart: words(self.apart),
            first: self.first.into_iter().map(Broken::violation).collect(),
        })
    }
}

impl<'a> Broken<'a> {
    fn of(violation: &'a Violation) -> Broken<'a> {
        let interaction = violation.interaction.map(|of| (of.journey.as_u32(), of.n, of.replay, of.place));
        Broken {
            at_ns: violation.at.nanos(),
            interaction,
            clause: borrowed(violation.clause),
            cause: borrowed(violation.cause),
            about: borrowed(&violation.about),
            text: borrowed(&violation.text),
            witnesses: violation.witnesses.clone(),
        }
    }

    fn violation(self) -> Violation {
        let interaction = self.interaction.map(|(journey, n, replay, place)| Interaction {
            journey: Id::from_u32(journey),
            n,
            replay,
            place,
        });
        Violation {
            at: moment(self.at_ns),
            interaction,
            clause: word(&self.clause),
            cause: word(&self.cause),
            about: self.about.into_owned(),
            text: self.text.into_owned(),
            witnesses: self.witnesses,
        }
    }
}

impl Entry {
    fn of(audited: &Audited) -> Entry {
        let publication = match audited.publication {
            Publication::Initial => Published::Initial,
            Publication::Step { rollout, step } => Published::Step(rollout, step),
            Publication::Kill { entry } => Published::Kill(entry),
            Publication::Lift { entry } => Published::Lift(entry),
            Publication::Override { entry } => Published::Override(entry),
            Publication::RolledBack { rollout, before } => Published::RolledBack(rollout, before),
            Publication::Capped { rollout, most } => Published::Capped(rollout, most.0),
        };
        let consents = audited.consents.iter().map(|(consent, by)| {
            let consent = match consent {
                Consent::Given => Agreed::Given,
                Consent::Refused => Agreed::Refused,
                Consent::Lapsed => Agreed::Lapsed,
                Consent::Bypassed => Agreed::Bypassed,
            };
            (consent, *by)
        });
        Entry {
            at_ns: audited.at.nanos(),
            version: audited.version.0,
            feature: audited.feature.map(Id::as_u32),
            publication,
            consents: consents.collect(),
        }
    }

    fn audited(self) -> Audited {
        let publication = match self.publication {
            Published::Initial => Publication::Initial,
            Published::Step(rollout, step) => Publication::Step { rollout, step },
            Published::Kill(entry) => Publication::Kill { entry },
            Published::Lift(entry) => Publication::Lift { entry },
            Published::Override(entry) => Publication::Override { entry },
            Published::RolledBack(rollout, before) => Publication::RolledBack { rollout, before },
            Published::Capped(rollout, most) => Publication::Capped { rollout, most: StageId(most) },
        };
        let consents = self.consents.into_iter().map(|(consent, by)| {
            let consent = match consent {
                Agreed::Given => Consent::Given,
                Agreed::Refused => Consent::Refused,
                Agreed::Lapsed => Consent::Lapsed,
                Agreed::Bypassed => Consent::Bypassed,
            };
            (consent, by)
        });
        Audited {
            at: moment(self.at_ns),
            version: PolicyVersion(self.version),
            feature: self.feature.map(Id::from_u32),
            publication,
            consents: consents.collect(),
        }
    }
}
