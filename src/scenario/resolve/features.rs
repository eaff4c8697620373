//! Features: stages, capabilities, what happens without policy. Contracts come later, when effects are known.

use super::place::Place;
use super::{Draft, has_no};
use crate::rollout::feature::Risk;
use crate::rollout::vocabulary::{self, Vocabulary};
use crate::rollout::{Contract, Feature, FeatureId, Stage, StageId, WhenUnknown};
use crate::scenario::expression::StageName;
use crate::scenario::problem::{Problem, Span};
use crate::scenario::quantity;
use crate::scenario::tree::Node;

/// More stages than any rollout is described with.
const MOST_STAGES: usize = 200;
const MOST_CAPABILITIES: usize = 500;

impl<'a> Draft<'a> {
    pub(super) fn features(&mut self, place: &Place<'a>) {
        for (entry, place) in place.named() {
            self.check_name("feature", entry.name(), entry.key.span);
            let mut feature = self.stages_of(entry.name(), &place.key("stages"));
            if feature.stages.is_empty() {
                // Something to go on with; that the list is missing or empty has been told.
                feature.stages.push(Stage { name: "off".to_owned(), rank: Some(0), grants: Vec::new(), value: None });
            }
            self.named_stages(&mut feature, &place);
            feature.risk = if place.key("risk").text() == Some("high") { Risk::High } else { Risk::Low };
            feature.owner = place.key("owner").text().map(str::to_owned);
            feature.retire_by = place.key("retire_by").text().and_then(quantity::day);
            feature.stale_after = self.maybe_duration(&place.key("stale_after"));
            feature.when_unknown = match feature.risk {
                Risk::High => WhenUnknown::FailClosed,
                Risk::Low => WhenUnknown::LastKnownGood,
            };
            self.estate.features.push(feature);
        }
    }

    fn stages_of(&mut self, name: &str, place: &Place<'a>) -> Feature {
        if let Some(vocabulary) = place.text().and_then(vocabulary::named) {
            return shipped_feature(name, vocabulary);
        }
        let mut feature = bare_feature(name);
        let items = place.items();
        if place.is_given() && items.is_empty() && place.node.and_then(Node::as_list).is_some() {
            self.error(place.span, format!("`{name}` has no stages"), "expected at least one");
        }
        if let Some(item) = items.get(MOST_STAGES) {
            self.error(item.span, format!("more than {MOST_STAGES} stages"), "the first one too many");
        }
        let mut rank = 0_u16;
        for item in items.iter().take(MOST_STAGES) {
            let Some((stage_name, span, details)) = self.stage_item(item) else { continue };
            if let Some(first) = feature.stages.iter().position(|stage| stage.name == stage_name) {
                let problem = Problem::error(span, format!("the stage `{stage_name}` is listed twice"));
                let problem = problem.label("again here");
                self.problems.push(match items.get(first) {
                    Some(first) => problem.related(first.span, "first here"),
                    None => problem,
                });
                continue;
            }
            let off_ladder = details.as_ref().is_some_and(|details| self.boolean(&details.key("off_ladder")));
            let mut grants = Vec::new();
            for (capability, span) in details.map(|details| details.key("grants").texts()).unwrap_or_default() {
                grants.extend(self.capability(&mut feature, capability, span));
            }
            grants.sort_unstable();
            grants.dedup();
            let own_rank = (!off_ladder).then_some(rank);
            rank += u16::from(!off_ladder);
            feature.stages.push(Stage { name: stage_name.to_owned(), rank: own_rank, grants, value: None });
        }
        if !feature.stages.is_empty() && feature.stages.iter().all(|stage| stage.rank.is_none()) {
            self.error(place.span, format!("every stage of `{name}` is off the ladder"), "expected one on it");
        }
        feature
    }

    /// A stage of the list: a name, or a map from a name to what it grants.
    fn stage_item(&mut self, item: &Place<'a>) -> Option<(&'a str, Span, Option<Place<'a>>)> {
        if let Some(name) = item.text() {
            return Some((name, item.span, None));
        }
        let entries = item.node.and_then(Node::as_map)?;
        let [entry] = entries else {
            let problem = Problem::error(item.span, "a stage is one name with what it grants");
            let problem = problem.label(format!("found {} keys", entries.len()));
            self.problems.push(problem.help("write { VISIBLE: { grants: [see] } }"));
            return None;
        };
        let span = entry.value.span;
        let details = Place { node: Some(&entry.value), path: format!("{}.{}", item.path, entry.name()), span };
        Some((entry.name(), entry.key.span, Some(details)))
    }

    fn capability(&mut self, feature: &mut Feature, capability: &str, span: Span) -> Option<u16> {
        let known = feature.capabilities.iter().position(|known| known == capability);
        if known.is_none() && feature.capabilities.len() >= MOST_CAPABILITIES {
            self.error(span, format!("more than {MOST_CAPABILITIES} capabilities"), "the first one too many");
            return None;
        }
        let at = known.unwrap_or_else(|| {
            feature.capabilities.push(capability.to_owned());
            feature.capabilities.len() - 1
        });
        u16::try_from(at).ok()
    }

    fn named_stages(&mut self, feature: &mut Feature, place: &Place<'a>) {
        let mut find = |key: &str| {
            let place = place.key(key);
            let name = place.text()?;
            let found = feature.stage(name);
            if found.is_none() {
                let names = feature.stages.iter().map(|stage| stage.name.as_str());
                let problem = has_no(place.span, &feature.name, "stage", name, names);
                self.problems.push(problem);
            }
            found
        };
        let (safe, initial, commit) = (find("safe_stage"), find("initial_stage"), find("commit_stage"));
        feature.safe_stage = safe.unwrap_or(StageId(0));
        feature.initial_stage = initial.unwrap_or(StageId(0));
        feature.commit_stage = commit;
        self.transitions(feature, &place.key("transitions"));
    }

    /// Which moves from stage to stage are legal.
    fn transitions(&mut self, feature: &mut Feature, place: &Place<'a>) {
        let find = |draft: &mut Self, feature: &Feature, name: &str, span: Span| {
            let found = feature.stage(name);
            if found.is_none() {
                let names = feature.stages.iter().map(|stage| stage.name.as_str());
                let problem = has_no(span, &feature.name, "stage", name, names);
                draft.problems.push(problem);
            }
            found
        };
        for (entry, targets) in place.named() {
            let from = find(self, feature, entry.name(), entry.key.span);
            for (name, span) in targets.texts() {
                let to = find(self, feature, name, span);
                if let (Some(from), Some(to)) = (from, to) {
                    feature.transitions.push((from, to));
                }
            }
        }
        if place.is_given() && place.named().is_empty() {
            self.error(place.span, "no transition is legal", "expected stages with those they lead to");
        }
    }

    /// Puts features and flags in the order of their names and lists their stages for conditions.
    pub(super) fn number_features(&mut self) {
        let mut features: Vec<Feature> = std::mem::take(&mut self.estate.features).iter().cloned().collect();
        features.sort_by(|a, b| a.name.cmp(&b.name));
        self.estate.features = features.into_iter().collect();
        let names = |feature: &Feature| {
            let name = |stage: &Stage| StageName { name: stage.name.clone(), rank: stage.rank };
            feature.stages.iter().map(name).collect()
        };
        self.vocabulary.stages = self.estate.features.iter().map(names).collect();
        let count = self.estate.features.len();
        self.estate.salts = vec![None; count];
        self.estate.bucket_by = vec![crate::rollout::BucketBy::User; count];
        self.settable = vec![Vec::new(); count];
        for id in self.estate.features.ids() {
            let (initial, safe) = (self.estate.features[id].initial_stage, self.estate.features[id].safe_stage);
            self.can_set(id, initial, "it is the initial stage");
            self.can_set(id, safe, "it is the safe stage");
        }
    }

    /// Notes that something in the plan can set a stage.
    pub(super) fn can_set(&mut self, feature: FeatureId, stage: StageId, by: &'static str) {
        let stages = &mut self.settable[feature.index()];
        if stages.iter().all(|(known, _)| *known != stage) {
            stages.push((stage, by));
        }
    }

    /// `when_unknown`: a default, and what differs by context.
    pub(super) fn when_unknown(&mut self, id: FeatureId, place: &Place<'a>) {
        for (entry, place) in place.named() {
            let Some(behaviour) = self.behaviour(id, &place) else { continue };
            if entry.name() == "default" {
                self.estate.features[id].when_unknown = behaviour;
                continue;
            }
            let Some(context) = self.estate.contexts.find(entry.name()) else {
                let contexts: Vec<String> = self.estate.contexts.iter().map(str::to_owned).collect();
                let valid = contexts.iter().map(String::as_str).chain(["default"]);
                self.unknown(entry.key.span, "context", entry.name(), valid);
                continue;
            };
            self.estate.features[id].when_unknown_in.push((context, behaviour));
        }
    }

    fn behaviour(&mut self, feature: FeatureId, place: &Place<'a>) -> Option<WhenUnknown> {
        match place.text() {
            Some("fail_closed") => return Some(WhenUnknown::FailClosed),
            Some("last_known_good") => return Some(WhenUnknown::LastKnownGood),
            Some(_) | None => {}
        }
        let (open, code) = (place.key("fail_open"), place.key("code_default"));
        let stage_of = if open.is_given() { &open } else { &code };
        let stage = self.stage(feature, stage_of.text()?, stage_of.span)?;
        self.can_set(feature, stage, "`when_unknown` can set it");
        Some(if open.is_given() { WhenUnknown::FailOpen(stage) } else { WhenUnknown::CodeDefault(stage) })
    }
}

/// A feature with the stages of a shipped vocabulary.
fn shipped_feature(name: &str, vocabulary: &Vocabulary) -> Feature {
    let mut feature = bare_feature(name);
    feature.capabilities = vocabulary.capabilities.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut rank = 0_u16;
    for stage in vocabulary.stages {
        let granted = |(at, (name, _)): (u16, &(&str, &str))| stage.grants.contains(name).then_some(at);
        feature.stages.push(Stage {
            name: stage.name.to_owned(),
            rank: (!stage.off_ladder).then_some(rank),
            grants: (0_u16..).zip(vocabulary.capabilities).filter_map(granted).collect(),
            value: None,
        });
        rank += u16::from(!stage.off_ladder);
    }
    feature
}

/// A feature without stages yet.
pub(super) fn bare_feature(name: &str) -> Feature {
    Feature {
        name: name.to_owned(),
        stages: Vec::new(),
        capabilities: Vec::new(),
        safe_stage: StageId(0),
        initial_stage: StageId(0),
        risk: Risk::Low,
        owner: None,
        retire_by: None,
        commit_stage: None,
        transitions: Vec::new(),
        contract: Contract::default(),
        when_unknown: WhenUnknown::LastKnownGood,
        when_unknown_in: Vec::new(),
        stale_after: None,
    }
}
