//! Hand-made outcomes for the tests of verdicts and reports: three services that disagree, and their repair.

use super::{CampaignOutcome, Exhibit, Invocation, VariantOutcome};
use crate::invariants::{Verdict, Violation};
use crate::kernel::Distribution;
use crate::models::estate::{ControlPlane, Estate, Names, Network, Population, Rollout};
use crate::models::{metric, observation::Kind};
use crate::rollout::{FeatureId, Step, Symbols};
use crate::run::summary::{InvariantOutcome, MetricValue, RunSummary, Series, Story, StoryLine};
use crate::scenario::plan::{ComesOut, During, Expectation, Expected, Line, Plan};
use crate::units::{Id, IdVec, Share, SimDuration, SimTime};
use std::sync::Arc;

pub const SOURCE: &str = include_str!("fixture.yaml");

pub fn at(secs: u64) -> SimTime {
    SimTime::from(SimDuration::from_secs(secs))
}

/// An estate with nothing in it but the rollout's steps.
pub fn estate(steps: &[&str]) -> Estate {
    let step = |name: &&str| Step {
        name: (*name).to_owned(),
        at: None,
        moves: vec![],
        overrides: vec![],
        redraws: false,
        hold: SimDuration::ZERO,
    };
    let rollout = Rollout {
        feature: FeatureId::from_u32(0),
        starts: SimDuration::ZERO,
        steps: steps.iter().map(step).collect(),
        guard: None,
    };
    Estate {
        name: "split-brain".to_owned(),
        duration: SimDuration::from_secs(600),
        drain: SimDuration::ZERO,
        starts_at_second_of_day: 0,
        starts_on: crate::units::Day::new(2026, 1, 1),
        regions: IdVec::default(),
        population: Population {
            tenants: 1,
            joining: 0.0,
            from_the_start: 1,
            users_per_tenant: 10_000,
            zipf: 0.0,
            attributes: vec![],
            clients: IdVec::default(),
        },
        features: IdVec::default(),
        control_plane: ControlPlane {
            home: Id::from_u32(0),
            replication: vec![],
            latency: Distribution::ZERO,
            errors: Share::NONE,
        },
        network: Network { within: Distribution::ZERO, between: Distribution::ZERO, loss: Share::NONE },
        services: IdVec::default(),
        replicas: IdVec::default(),
        operations: IdVec::default(),
        topics: IdVec::default(),
        groups: IdVec::default(),
        members: IdVec::default(),
        entities: IdVec::default(),
        journeys: IdVec::default(),
        users: IdVec::default(),
        bounds: Vec::new(),
        gauges: Vec::new(),
        alerts: Vec::new(),
        teams: Vec::new(),
        people: Names::default(),
        rollouts: vec![rollout],
        timeline: vec![],
        currency: None,
        sweeps: Vec::new(),
        reconciliations: Vec::new(),
        own_metrics: Vec::new(),
        standing_rules: vec![],
        salts: vec![],
        bucket_by: vec![],
        slots: vec![],
        symbols: Symbols::default(),
        region_symbols: vec![],
        journey_symbols: vec![],
        client_symbols: vec![],
        status_symbols: vec![],
        request_attributes: Names::default(),
        contexts: Names::default(),
        paths: Names::default(),
        effects: Names::default(),
        moments: Names::default(),
        statuses: Names::default(),
        event_types: Names::default(),
        reasons: Names::default(),
    }
}

pub fn plan(variant: &str, expectations: Vec<Expectation>) -> Plan {
    Plan {
        scenario: "split-brain".to_owned(),
        summary: "Three services poll the same flag every 30 s and disagree about the same order.".to_owned(),
        variant: variant.to_owned(),
        hash: format!("5eed0f{:x}", variant.len()),
        source: SOURCE.to_owned(),
        params: vec![("poll".to_owned(), "30s".to_owned())],
        estate: Arc::new(estate(&["pilot", "everybody"])),
        expectations,
        settings: vec![],
        accepted: vec![],
        judged_on: None,
    }
}

pub fn line(number: usize) -> Line {
    Line { file: "scenarios/split-brain.yaml".to_owned(), number }
}

pub fn expects(name: &'static str, comes_out: ComesOut) -> Expectation {
    let text = match &comes_out {
        ComesOut::Holds => format!("{name}: holds"),
        ComesOut::Violated { cause: None, .. } => format!("{name}: violated"),
        ComesOut::Violated { cause: Some(cause), .. } => format!("{name}: violated, cause: {cause}"),
        ComesOut::AtMost { share, .. } => format!("{name}: at most {share} of runs"),
    };
    Expectation { text, of: Expected::Invariant { name, comes_out }, at: Some(line(14)) }
}

pub fn expects_metric(name: &str, at_least: Option<f64>, at_most: Option<f64>) -> Expectation {
    let metric = metric::named(name).expect("a metric of the catalogue");
    let bound = |sign: &str, bound: Option<f64>| bound.map_or(String::new(), |bound| format!(" {sign} {bound}"));
    let text = format!("{name}{}{}", bound(">=", at_least), bound("<=", at_most));
    Expectation { text, of: Expected::Metric { name: metric.name.into(), at_least, at_most }, at: Some(line(15)) }
}

pub fn expects_reached() -> Expectation {
    let of = Expected::Reached { kind: Kind::Decided, during: During::Happening("control_plane.down".to_owned()) };
    Expectation { text: "reached: decided while control_plane.down".to_owned(), of, at: Some(line(16)) }
}

/// An invariant that held in a run that exercised it so often; vacuous where that is never.
pub fn held(name: &'static str, exercised: u64) -> InvariantOutcome {
    InvariantOutcome {
        name,
        verdict: if exercised == 0 { Verdict::Vacuous } else { Verdict::Holds },
        checked: exercised.max(12),
        exercised,
        violations: 0,
        in_baseline: 0,
        pending: 0,
        min_margin: (exercised > 0).then_some(3.5),
        causes: vec![],
        apart: vec![],
        first: vec![],
    }
}

/// An invariant that was violated for these causes.
pub fn broken(name: &'static str, exercised: u64, causes: &[(&'static str, u64)]) -> InvariantOutcome {
    let about = |cause: &'static str| Violation {
        at: at(134),
        interaction: None,
        clause: "stages",
        cause,
        about: "new-checkout".to_owned(),
        text: format!("checkout and billing disagree: {cause}"),
        witnesses: vec![1, 2],
    };
    InvariantOutcome {
        verdict: Verdict::Violated,
        violations: causes.iter().map(|(_, count)| count).sum(),
        min_margin: Some(-2.25),
        causes: causes.to_vec(),
        first: causes.iter().map(|(cause, _)| about(cause)).collect(),
        ..held(name, exercised)
    }
}

pub fn run(seed: u64, invariants: Vec<InvariantOutcome>) -> RunSummary {
    let wobble = (seed * 7 % 11) as f64;
    let value = |name: &'static str, value| MetricValue { name: name.into(), value };
    RunSummary {
        seed,
        digest: format!("{:016x}{:016x}", seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), seed.wrapping_add(0xc0ffee)),
        events: 481_234 + seed,
        draws: 601_000 + 3 * seed,
        end: at(600),
        cut_short: false,
        invariants,
        metrics: vec![
            value("interactions.count", 120_000.0 + 31.0 * wobble),
            value("mixed_interactions.count", 145.0 + wobble),
            value("mixed_interactions.share", 0.0012 + wobble * 1e-5),
            value("error_rate", 0.0003 + wobble * 1e-6),
            value("latency.p99", 0.184 + wobble * 1e-3),
            value("time_to_full", 27.0 + wobble * 0.2),
            value("lag.max", 800.0 + wobble),
        ],
        happenings: vec![("control_plane.down eu-central".to_owned(), 1), ("kill new-checkout to off".to_owned(), 1)],
        plans: Vec::new(),
        steps: vec![("new-checkout/pilot".to_owned(), at(120)), ("new-checkout/everybody".to_owned(), at(300))],
        audit: Vec::new(),
        reached: vec![12],
    }
}

pub fn variant(plan: Plan, runs: Vec<RunSummary>) -> VariantOutcome {
    VariantOutcome::of(plan, runs)
}

pub fn campaign(variants: Vec<VariantOutcome>) -> CampaignOutcome {
    let invocation = Invocation { file: "scenarios/split-brain.yaml".to_owned(), ..Invocation::default() };
    CampaignOutcome { scenario: "split-brain".to_owned(), variants, seeds: (0, 20), incomplete: None, invocation }
}

/// The base, which splits as expected, and its repair, in which something else breaks now and then.
pub fn split_brain() -> CampaignOutcome {
    let cause = ComesOut::Violated { cause: Some("stale cache".to_owned()), about: None };
    let base_plan = plan("base", vec![expects("split-brain", cause), expects_metric("error_rate", None, Some(0.01))]);
    let base_runs = (0..20).map(|seed| {
        let split = broken("split-brain", 4_061, &[("stale cache", 148 + seed % 5), ("fallback", seed % 3)]);
        run(seed, vec![split, held("kill-latency", 12), held("completion", 120_000), held("no-lost-event", 0)])
    });
    let expected =
        vec![expects("split-brain", ComesOut::Holds), expects("kill-latency", ComesOut::Holds), expects_reached()];
    let repaired_runs = (0..20).map(|seed| {
        let kill = if seed % 9 == 4 {
            broken("kill-latency", 12, &[("carried context", 2)])
        } else {
            held("kill-latency", 12)
        };
        run(seed, vec![held("split-brain", 4_061), kill, held("completion", 120_000), held("no-lost-event", 0)])
    });
    let mut base = variant(base_plan, base_runs.collect());
    base.exhibit = Some(Exhibit { seed: 0, series: series(true), stories: vec![split_story()] });
    let mut repaired = variant(plan("edge-context", expected), repaired_runs.collect());
    repaired.exhibit = Some(Exhibit { seed: 4, series: series(false), stories: vec![kill_story()] });
    campaign(vec![base, repaired])
}

fn told(lines: &[(u64, &str, &str)]) -> Vec<StoryLine> {
    let line = |(index, (millis, who, text)): (usize, &(u64, &str, &str))| StoryLine {
        at: SimTime::from(SimDuration::from_millis(*millis)),
        who: (*who).to_owned(),
        text: (*text).to_owned(),
        observation: index as u64 + 400,
    };
    lines.iter().enumerate().map(line).collect()
}

fn split_story() -> Story {
    Story {
        invariant: "split-brain",
        seed: 0,
        interaction: None,
        headline: "Order place-order #24417 is checked out under stage on and billed under stage off.".to_owned(),
        lines: told(&[
            (120_000, "control plane", "publishes policy version 2: new-checkout/pilot moves everybody to on"),
            (127_412, "checkout/3", "polls and applies version 2, 7.41s after its publication"),
            (133_980, "customer", "begins place-order #24417"),
            (134_004, "checkout/3", "decides new-checkout = on from its SDK, version 2 (TARGETING_MATCH)"),
            (
                134_031,
                "billing/1",
                "decides new-checkout = off from its SDK, version 1, 14s after version 2 was published",
            ),
            (134_040, "billing/1", "invoices on the old path what checkout sold on the new one <b>&"),
            (149_600, "billing/1", "polls and applies version 2, 15.6s too late for this order"),
        ]),
    }
}

fn kill_story() -> Story {
    Story {
        invariant: "kill-latency",
        seed: 4,
        interaction: None,
        headline: "An invoice is posted on the new path 41s after the kill, 11s beyond the bound.".to_owned(),
        lines: told(&[
            (480_000, "operator", "kills new-checkout to off (policy version 4)"),
            (480_350, "gateway/1", "applies version 4"),
            (521_000, "billing/2", "posts an invoice on the new path under a decision carried from 7m 55s (version 3)"),
        ]),
    }
}

/// Ten minutes in buckets of five seconds: two steps, an outage and a kill.
fn series(mixed: bool) -> Series {
    const BUCKETS: usize = 120;
    let ramp = |from: u64, takes: u64, bucket: usize| {
        let end = (bucket as u64 + 1) * 5;
        (end.saturating_sub(from) as f64 / takes as f64).clamp(0.0, 1.0)
    };
    let down = |bucket: usize| if (78..84).contains(&bucket) { 0.25 } else { 0.0 };
    let reached: Vec<[f64; 3]> = (0..BUCKETS).map(|b| [ramp(120, 30, b), ramp(300, 90, b), ramp(480, 30, b)]).collect();
    let alive = |share: f64, bucket: usize| share * (1.0 - down(bucket));
    let of = |share: &dyn Fn(&[f64; 3]) -> f64| -> Vec<f64> {
        reached.iter().enumerate().map(|(bucket, steps)| alive(share(steps), bucket)).collect()
    };
    let stale = |b: usize| {
        let moving = (24..30).contains(&b) || (60..78).contains(&b) || (96..102).contains(&b);
        u64::from(mixed && moving)
    };
    Series {
        bucket: SimDuration::from_secs(5),
        buckets: BUCKETS,
        held: vec![
            (Some(1), of(&|s| 1.0 - s[0])),
            (Some(2), of(&|s| s[0] - s[1])),
            (Some(3), of(&|s| s[1] - s[2])),
            (Some(4), of(&|s| s[2])),
            (None, (0..BUCKETS).map(down).collect()),
        ],
        judged: vec![1_000; BUCKETS],
        mixed: (0..BUCKETS as u64).map(|b| stale(b as usize) * (20 + b * 37 % 29)).collect(),
        failed: (0..BUCKETS).map(|b| if (76..86).contains(&b) { 9 + b as u64 % 4 } else { 0 }).collect(),
        finished: vec![1_000; BUCKETS],
        lag: vec![
            (
                "billing".to_owned(),
                (0..BUCKETS as u64).map(|b| if b > 76 { (b - 76).min(20) * (140 - b) } else { b % 5 }).collect(),
            ),
            ("reporting".to_owned(), (0..BUCKETS as u64).map(|b| b % 7).collect()),
        ],
        bands: vec![("control_plane.down eu-central".to_owned(), at(380), at(420))],
        lines: vec![
            ("new-checkout/pilot".to_owned(), at(120)),
            ("new-checkout/everybody".to_owned(), at(300)),
            ("kill new-checkout to off".to_owned(), at(480)),
        ],
    }
}
