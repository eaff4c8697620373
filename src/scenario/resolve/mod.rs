//! From the merged tree to the plan: every name resolved, every default applied once, every mistake of meaning found.
//!
//! Resolving goes on after a mistake, so that all are told in one go; what is wrong is left out, and a plan is only
//! made where nothing blocking was found. Maps of named things are walked by name, so that the order of keys decides
//! nothing, not even an id.

mod accepted;
mod actions;
mod amounts;
mod bounds;
mod clients;
mod compensations;
mod conditions;
mod contract;
mod coverage;
mod decisions;
mod defects;
mod expect;
mod faults;
mod features;
mod flags;
mod graph;
mod guard;
mod job_bounds;
mod journeys;
mod layers;
mod metrics;
mod needs;
mod operations;
mod overrides;
mod place;
mod population;
mod reconciliations;
mod rollout;
mod schedules;
mod services;
mod settings;
mod shrinking;
mod strategies;
mod sweeps;
mod teams;
mod timeline;
mod topics;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::Files;
use super::names::Vocabulary;
use super::plan::{Accepted, Expectation, Plan};
use super::problem::{Problem, Problems, Sources, Span, nearest};
use super::tree::{Kind, Node};
use super::{Assumption, hash};
use crate::invariants::Settings;
use crate::kernel::Distribution;
use crate::models::estate::{ControlPlane, Estate, Names, Network, Population};
use crate::rollout::{FeatureId, StageId};
use crate::units::{Id, IdVec, Share, SimDuration};
use place::Place;

/// What the merged tree of one variant comes to.
pub struct Resolved {
    /// `None` where something keeps it from running.
    pub plan: Option<Plan>,
    pub problems: Problems,
    pub assumptions: Vec<Assumption>,
}

/// Who a tree belongs to.
pub struct Subject<'a> {
    pub sources: &'a Sources,
    pub files: &'a Files,
    pub variant: &'a str,
    pub params: &'a [(String, String)],
    /// The tree that the plan's hash is made of: without defaults.
    pub hashed: &'a Node,
}

/// Resolves a merged and substituted tree; `problems` holds what was found before.
pub fn resolve(root: &Node, subject: &Subject<'_>, problems: Problems) -> Resolved {
    let mut draft = Draft::new(root, subject, problems);
    let place = Place::root(root);
    draft.settings(&place);
    draft.population(&place.key("population"));
    draft.declare_journeys(&place.key("journeys"));
    draft.features(&place.key("features"));
    draft.flag_file(&place.key("flags"));
    draft.number_features();
    draft.control_plane(&place);
    draft.declare_services(&place);
    draft.clients(&place.key("population").key("clients"));
    draft.layers();
    draft.topics(&place);
    draft.declare_operations();
    draft.begin_journeys();
    draft.reach();
    draft.returning_journeys();
    draft.compile_operations();
    draft.check_compensations();
    draft.sagas();
    draft.reconciliations(&place.key("reconciliation"));
    draft.defects();
    draft.consumers();
    draft.decide_sources();
    draft.trust();
    draft.users(&place.key("users"));
    draft.standing_rules();
    draft.rollouts(&place.key("rollout"));
    draft.timeline(&place.key("timeline"));
    draft.schedules();
    draft.teams(&place.key("teams"));
    draft.alerts(&place.key("alerts"));
    draft.check_needs();
    draft.contracts(&place.key("features"));
    draft.check_coverage();
    draft.expectations(&place);
    draft.accepted(&place.key("accepted"));
    draft.drain(&place.key("drain"));
    draft.check_due();
    draft.finish(&place, subject)
}

/// An estate in the making.
struct Draft<'a> {
    sources: &'a Sources,
    files: &'a Files,
    problems: Problems,
    assumptions: Vec<Assumption>,
    vocabulary: Vocabulary,
    estate: Estate,
    /// Flags that exist and cannot be simulated: why, told where one is used.
    unusable: BTreeMap<String, Problem>,
    flag_targeting: Vec<(String, Vec<super::flagd::Targeted>)>,
    services: Vec<services::ServiceDraft<'a>>,
    operations: Vec<operations::OperationDraft<'a>>,
    journeys: Vec<journeys::JourneyDraft<'a>>,
    consumers: Vec<topics::ConsumerDraft>,
    /// Overrides with a beginning or an end of their own.
    scheduled: Vec<schedules::Scheduled<'a>>,
    matrices: Vec<coverage::Matrix>,
    undoings: compensations::Undoings,
    /// Stages of each feature that something in the plan can set, with what sets them.
    settable: Vec<Vec<(StageId, &'static str)>>,
    /// Some rollout could not be read, so that steps may be missing for that reason alone.
    lacks_rollouts: bool,
    /// When each step is published, as planned: by rollout and step.
    published: Vec<Vec<SimDuration>>,
    /// When each kill is issued, as planned.
    kills: Vec<SimDuration>,
    /// What steps require, and where it is written.
    needs: Vec<(crate::models::guard::Need, Span)>,
    /// What is due when, as planned: where it is written, what it is.
    due: Vec<(Span, String, SimDuration)>,
    expectations: Vec<Expectation>,
    settings: Vec<(&'static str, Settings)>,
    accepted: Vec<Accepted>,
    /// Promises that must be reachable: name, where it was named.
    promised: Vec<(&'static str, Span)>,
    /// Neither `expect` nor `invariants`: what can be reached is expected to hold.
    by_default: bool,
    waits_for_a_daily_time: bool,
    call_defaults: Place<'a>,
    root: &'a Node,
}

impl<'a> Draft<'a> {
    fn new(root: &'a Node, subject: &Subject<'a>, problems: Problems) -> Self {
        let call_defaults = Place::root(root).key("defaults").key("call");
        Draft {
            sources: subject.sources,
            files: subject.files,
            problems,
            assumptions: Vec::new(),
            vocabulary: Vocabulary::default(),
            estate: empty_estate(),
            unusable: BTreeMap::new(),
            flag_targeting: Vec::new(),
            services: Vec::new(),
            operations: Vec::new(),
            journeys: Vec::new(),
            consumers: Vec::new(),
            scheduled: Vec::new(),
            matrices: Vec::new(),
            undoings: compensations::Undoings::default(),
            settable: Vec::new(),
            lacks_rollouts: false,
            published: Vec::new(),
            kills: Vec::new(),
            needs: Vec::new(),
            due: Vec::new(),
            expectations: Vec::new(),
            settings: Vec::new(),
            accepted: Vec::new(),
            promised: Vec::new(),
            by_default: false,
            waits_for_a_daily_time: false,
            call_defaults,
            root,
        }
    }

    fn error(&mut self, span: Span, message: impl Into<String>, label: impl Into<String>) {
        self.problems.push(Problem::error(span, message).label(label));
    }

    /// Tells that nothing of this kind has the name, with the nearest that exists.
    fn unknown<'n>(&mut self, span: Span, what: &str, name: &str, valid: impl IntoIterator<Item = &'n str>) {
        let problem = unknown(span, what, name, valid);
        self.problems.push(problem);
    }

    /// The feature of a name, or a problem.
    fn feature(&mut self, name: &str, span: Span) -> Option<FeatureId> {
        if let Some(found) = self.estate.feature_named(name) {
            return Some(found);
        }
        if let Some(problem) = self.unusable.get(name) {
            let problem = Problem { span: Some(span), ..problem.clone() };
            self.problems.push(problem);
            return None;
        }
        let names = self.estate.features.iter().map(|feature| feature.name.as_str());
        let problem = unknown(span, "feature", name, names);
        self.problems.push(problem);
        None
    }

    /// The stage of a name, or a problem.
    fn stage(&mut self, feature: FeatureId, name: &str, span: Span) -> Option<StageId> {
        let of = &self.estate.features[feature];
        let found = of.stage(name);
        if found.is_none() {
            let problem = has_no(span, &of.name, "stage", name, of.stages.iter().map(|stage| stage.name.as_str()));
            self.problems.push(problem);
        }
        found
    }

    fn finish(mut self, root: &Place<'a>, subject: &Subject<'_>) -> Resolved {
        let assumptions = std::mem::take(&mut self.assumptions);
        let Vocabulary { symbols, slots, .. } = std::mem::take(&mut self.vocabulary);
        (self.estate.symbols, self.estate.slots) = (symbols, slots);
        if !self.problems.has_errors() {
            self.check_promises();
        }
        if self.problems.has_errors() {
            return Resolved { plan: None, problems: self.problems, assumptions };
        }
        let estate = self.estate;
        let plan = Plan {
            scenario: estate.name.clone(),
            summary: root.key("summary").text().unwrap_or_default().to_owned(),
            variant: subject.variant.to_owned(),
            hash: hash::of(subject.hashed, subject.variant, subject.files),
            source: source_of(subject.sources),
            params: subject.params.to_vec(),
            estate: Arc::new(estate),
            expectations: self.expectations,
            settings: self.settings,
            accepted: self.accepted,
            judged_on: None,
        };
        Resolved { plan: Some(plan), problems: self.problems, assumptions }
    }
}

/// The scenario as it was read, and after it what it includes.
fn source_of(sources: &Sources) -> String {
    let mut text = String::new();
    for file in 0..u16::try_from(sources.len()).unwrap_or(u16::MAX) {
        if file > 0 {
            text.push_str(&format!("\n# --- {} ---\n", sources.name(file)));
        }
        text.push_str(sources.text(file));
    }
    text
}

fn empty_estate() -> Estate {
    Estate {
        name: String::new(),
        duration: SimDuration::ZERO,
        drain: SimDuration::ZERO,
        starts_at_second_of_day: 0,
        starts_on: settings::FIRST_DAY,
        regions: IdVec::default(),
        population: Population {
            tenants: 1,
            joining: 0.0,
            from_the_start: 1,
            users_per_tenant: 1,
            zipf: 0.0,
            attributes: Vec::new(),
            clients: IdVec::default(),
        },
        features: IdVec::default(),
        control_plane: ControlPlane {
            home: Id::new(0),
            replication: Vec::new(),
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
        rollouts: Vec::new(),
        bounds: Vec::new(),
        gauges: Vec::new(),
        alerts: Vec::new(),
        teams: Vec::new(),
        people: Names::default(),
        timeline: Vec::new(),
        currency: None,
        reconciliations: Vec::new(),
        sweeps: Vec::new(),
        own_metrics: Vec::new(),
        standing_rules: Vec::new(),
        salts: Vec::new(),
        bucket_by: Vec::new(),
        slots: Vec::new(),
        symbols: Default::default(),
        region_symbols: Vec::new(),
        journey_symbols: Vec::new(),
        client_symbols: Vec::new(),
        status_symbols: Vec::new(),
        request_attributes: Names::default(),
        contexts: Names::default(),
        paths: Names::default(),
        effects: Names::default(),
        moments: Names::default(),
        statuses: Names::default(),
        event_types: Names::default(),
        reasons: no_rule(),
    }
}

/// A problem that says that a name is unknown, with the nearest that is not, or all of them where they are few.
fn unknown<'n>(span: Span, what: &str, name: &str, valid: impl IntoIterator<Item = &'n str>) -> Problem {
    near_miss(Problem::error(span, format!("there is no {what} `{}`", shown(name))), name, valid)
}

/// The same for a name within something that has one of its own.
fn has_no<'n>(span: Span, owner: &str, what: &str, name: &str, valid: impl IntoIterator<Item = &'n str>) -> Problem {
    near_miss(Problem::error(span, format!("`{owner}` has no {what} `{}`", shown(name))), name, valid)
}

fn near_miss<'n>(problem: Problem, name: &str, valid: impl IntoIterator<Item = &'n str>) -> Problem {
    const LISTED: usize = 12;
    let valid: Vec<&str> = valid.into_iter().take(1_000).collect();
    match nearest(name, valid.iter().copied()) {
        Some(near) => problem.label("not known").help(format!("did you mean `{near}`?")),
        None if valid.is_empty() => problem.label("none is declared"),
        None if valid.len() <= LISTED => problem.label(format!("expected one of {}", valid.join(", "))),
        None => problem.label(format!("expected one of {}, …", valid[..LISTED].join(", "))),
    }
}

fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(60)]
}

/// A value of the tree in one line, for lists of assumptions and expectations.
pub fn one_line(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.text.clone(),
        Kind::List(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|entry| format!("{}: {}", entry.name(), one_line(&entry.value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The reason with which the engine itself rejects: no rule of an operation holds (rules.md, 11).
fn no_rule() -> Names {
    let mut reasons = Names::default();
    reasons.intern(crate::models::estate::NO_RULE);
    reasons
}
