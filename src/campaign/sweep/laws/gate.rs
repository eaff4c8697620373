//! How often a gate takes back a release that is as it is.

use super::ClosedForm;
use super::situation::{arrivals, initial, is_poisson};
use super::walk::errands;
use crate::kernel::maths;
use crate::models::defect::Harm;
use crate::models::estate::{Delivery, Estate, Rollout};
use crate::models::guard::{Bounded, Compared, Comparison, Guard, Measured, OnFailure, Side, Statistic};
use crate::rollout::{BucketBy, FeaturePolicy};
use crate::theory::canary;
use crate::units::{Share, SimDuration};

const HOLDS: &str = "each step of K judgements of windows that do not overlap; Poisson arrivals of which the step's share \
                     is treated, each answer fails by itself with q (`fails` of the code that runs); the one gate \
                     bounds error_rate, c failed judgements in a row or more than a limit of them end the plan; nobody \
                     approves or tries again, nothing else disturbs the plan";
const SOURCE: &str = "P(Bin(n, q) over the bound) with Poisson n, stepped judgement by judgement \
                      (windtunnel::theory::canary; Argo Rollouts' failureLimit, Flagger's threshold)";

pub const COMPLETED: ClosedForm = ClosedForm {
    name: "plans-that-a-gate-lets-through",
    of: "plan_completed",
    formula: "Π over steps of P(no c of K judgements in a row fail), a judgement fails with Σ P(n) P(Bin(n, q) over the bound)",
    holds: HOLDS,
    source: SOURCE,
    resolution: 0.0,
    value: |plan| survives(&plan.estate),
};

pub const TAKEN_BACK: ClosedForm = ClosedForm {
    name: "plans-that-a-gate-takes-back",
    of: "plan_rollbacks.count",
    formula: "1 − plans-that-a-gate-lets-through",
    holds: HOLDS,
    source: SOURCE,
    resolution: 0.0,
    value: |plan| {
        let guard = plan.estate.rollouts.first()?.guard.as_ref()?;
        let back = match guard.on_failure {
            OnFailure::Back | OnFailure::BackAll | OnFailure::BackTo(_) => true,
            OnFailure::Pause | OnFailure::Kill(_) => false,
        };
        survives(&plan.estate).filter(|_| back).map(|survives| 1.0 - survives)
    },
};

/// Fewer answers in a window than this would leave judgements without data.
const FEWEST_ANSWERS: f64 = 30.0;

/// The probability that the one plan of an estate gets through its gate.
fn survives(estate: &Estate) -> Option<f64> {
    let [rollout] = estate.rollouts.as_slice() else { return None };
    let guard = rollout.guard.as_ref().filter(|guard| is_simple(guard))?;
    let bound = one_bound(estate, guard)?;
    let (side, window) = measured(estate, bound, guard)?;
    let answers = Answers::of(estate, rollout)?;
    let mut due = rollout.starts.as_secs_f64();
    let (mut rows, mut policy, mut before) = (Vec::new(), initial(estate, rollout.feature), 0.0);
    for step in &rollout.steps {
        if let Some(at) = step.at {
            due = due.max((rollout.starts + at).as_secs_f64());
        }
        policy = step.apply(&policy);
        let share = treated(estate, rollout, &policy)?;
        // What ends a hold comes before the judgement of the same moment.
        let judgements = step.hold.nanos().div_ceil(window.nanos().max(1)).saturating_sub(1);
        let failing = |delay: f64| {
            let seconds = window.as_secs_f64();
            let mean = match side {
                Side::Everybody => answers.per_second * seconds,
                Side::Treated(_) => answers.per_second * (share * seconds - (share - before) * delay),
                Side::Control(_) => return None,
            };
            let enough = mean >= FEWEST_ANSWERS.max(bound.least as f64 + 6.0 * mean.sqrt());
            enough.then(|| judgement_fails(bound, mean, answers.failing))
        };
        let (first, later) = (failing(answers.delay)?, failing(0.0)?);
        rows.push((0..judgements).map(|at| if at == 0 { first } else { later }).collect());
        due += step.hold.as_secs_f64();
        before = share;
    }
    let judged = rows.iter().any(|row: &Vec<f64>| !row.is_empty());
    let over = due <= estate.duration.as_secs_f64();
    (judged && over).then(|| canary::survives(&rows, guard.analysis.failures, guard.analysis.failure_limit))
}

/// Whether nothing but gates decides on the plan.
fn is_simple(guard: &Guard) -> bool {
    let only_gates = guard.steps.iter().all(|step| {
        step.exit.is_empty() && step.requires.is_empty() && step.approvals.is_empty() && step.gates.len() == 1
    });
    guard.retry.is_none() && only_gates
}

/// The bound that the gates of all steps are.
fn one_bound<'e>(estate: &'e Estate, guard: &Guard) -> Option<&'e Bounded> {
    let mut bounds = guard.steps.iter().flat_map(|step| &step.gates).map(|bound| &estate.bounds[usize::from(*bound)]);
    let first = bounds.next()?;
    bounds.all(|bound| bound.text == first.text && bound.measured == first.measured).then_some(first)
}

/// Whose failures a bound counts, in windows that do not overlap and end now.
fn measured(estate: &Estate, bound: &Bounded, guard: &Guard) -> Option<(Side, SimDuration)> {
    let Measured::Gauge(gauge) = bound.measured else { return None };
    let gauge = &estate.gauges[usize::from(gauge)];
    let plain = matches!(bound.comparison, Comparison::Below | Comparison::AtMost)
        && bound.compared == Compared::Absolute
        && gauge.statistic == Statistic::ErrorRate
        && gauge.journey.is_none()
        && gauge.region.is_none()
        && gauge.delay.is_zero()
        && gauge.window == guard.analysis.every;
    plain.then_some((gauge.side, gauge.window))
}

/// The share of users who are not at the initial stage under a policy.
fn treated(estate: &Estate, rollout: &Rollout, policy: &FeaturePolicy) -> Option<f64> {
    let initial = estate.features[rollout.feature].initial_stage;
    let simple = policy.rules.iter().all(|rule| rule.audience.is_none() && rule.stage != initial);
    let widest = policy.rules.iter().map(|rule| rule.share.fraction()).fold(0.0, f64::max);
    let fits = simple && policy.overrides.is_empty() && policy.default_stage == initial;
    (fits && matches!(policy.bucket_by, BucketBy::User | BucketBy::Session)).then_some(widest)
}

/// What customers are answered.
struct Answers {
    per_second: f64,
    failing: f64,
    /// Mean seconds until a publication is known where decisions are taken.
    delay: f64,
}

impl Answers {
    fn of(estate: &Estate, rollout: &Rollout) -> Option<Answers> {
        let quiet = estate.timeline.is_empty()
            && estate.alerts.is_empty()
            && estate.users.is_empty()
            && estate.regions.len() == 1
            && estate.network.loss == Share::NONE
            && estate.control_plane.errors == Share::NONE
            && estate.population.clients.is_empty()
            && estate.services.iter().all(|service| service.silence.is_none() && service.saga.is_none());
        let ([journey], true) = (estate.journeys.as_slice(), quiet && is_poisson(estate)) else { return None };
        let errands = errands(estate, rollout.feature)?;
        let visits = &errands.first()?.visits;
        let mut passes = 1.0;
        for (at, visit) in visits.iter().enumerate() {
            // A second visit meets the same defect again.
            if visits[..at].iter().any(|other| other.service == visit.service) {
                return None;
            }
            let service = &estate.services[visit.service];
            let code = service.codes.iter().find(|code| code.number == service.initial_code);
            for defect in code.iter().flat_map(|code| &code.defects) {
                match defect.harm {
                    Harm::Fails(share) if defect.path.is_none() && defect.when.is_none() => {
                        passes *= 1.0 - share.fraction();
                    }
                    Harm::Disagrees(_) | Harm::Corrupts(_) => {}
                    Harm::Fails(_) | Harm::Slower(_) | Harm::FailsAfter(_) => return None,
                }
            }
        }
        // One service decides, for all that follow.
        let mut sdks = estate.services.iter().filter_map(|service| service.sdk.as_ref());
        let (Some(sdk), None) = (sdks.next(), sdks.next()) else { return None };
        let delay = match &sdk.delivery {
            Delivery::Poll { every, jitter: 0.0 } => every.as_secs_f64() / 2.0,
            Delivery::Stream { delay } => delay.mean().as_secs_f64(),
            Delivery::Remote => 0.0,
            Delivery::Poll { .. } | Delivery::Ttl { .. } | Delivery::File | Delivery::Topic { .. } => return None,
        };
        Some(Answers { per_second: arrivals(&journey.arrivals)?, failing: 1.0 - passes, delay })
    }
}

/// The probability that a judgement of a Poisson number of answers with this mean fails.
fn judgement_fails(bound: &Bounded, mean: f64, failing: f64) -> f64 {
    let reach = 8.0 * mean.sqrt() + 10.0;
    let (from, until) = ((mean - reach).max(1.0) as u32, (mean + reach) as u32);
    let exactly = |n: u32| maths::exp(f64::from(n) * maths::ln(mean) - mean - libm::lgamma(f64::from(n) + 1.0));
    let fails = |n: u32| {
        let holds = |failed: u32| bound.comparison.holds(f64::from(failed) / f64::from(n), bound.limit);
        // The more fail, the worse: the fewest with which the bound does not hold any more.
        let fewest = (0..=n).find(|failed| !holds(*failed));
        fewest.map_or(0.0, |fewest| canary::at_least(n, failing, fewest))
    };
    (from..=until).map(|n| exactly(n) * fails(n)).sum()
}
