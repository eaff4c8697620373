//! Strategies: the steps that a rollout's `strategy` stands for.

use super::place::Place;
use super::{Draft, shown, unknown};
use crate::rollout::strategy::{self, Strategy};
use crate::rollout::{FeatureId, Move, StageId, Step};
use crate::scenario::defaults;
use crate::scenario::names::Standing;
use crate::scenario::problem::{Problem, Span};
use crate::units::{Share, SimDuration};
use std::sync::Arc;

/// Keys that every strategy takes.
const COMMON: [&str; 3] = ["name", "to", "every"];

/// A step of a strategy before it has a time: what it is called, whom it moves, where, and where that is written.
struct Stride<'a> {
    name: String,
    of: Option<String>,
    percent: Share,
    to: StageId,
    place: Place<'a>,
}

/// Steps with the place each is written at.
pub(super) type Placed<'a> = (Vec<Step>, Vec<Place<'a>>);

impl<'a> Draft<'a> {
    /// The steps a strategy comes to; none where it is wrong, which has been told.
    pub(super) fn strategy(&mut self, feature: FeatureId, place: &Place<'a>) -> Placed<'a> {
        let name = if place.text().is_some() { place.clone() } else { place.key("name") };
        let Some(chosen) = name.text().and_then(strategy::named) else { return Default::default() };
        self.only_what_it_takes(chosen, place);
        let every = self.duration(&place.key("every"), defaults::STRATEGY_EVERY);
        let to = self.goal(feature, &place.key("to"));
        let strides = to.and_then(|to| self.strides(chosen, feature, to, place)).unwrap_or_default();
        let last = strides.len().saturating_sub(1);
        let mut placed = Placed::default();
        for (at, stride) in strides.into_iter().enumerate() {
            let of = match &stride.of {
                None => None,
                Some(text) => match self.compiled(text, &Standing::Audience) {
                    Ok(condition) => Some(Arc::new(condition)),
                    Err(errors) => {
                        for error in errors {
                            let problem = match stride.place.key("of").node.or(place.key("preview").node) {
                                Some(node) => self.placed(node, text, error),
                                None => Problem::error(stride.place.span, error.message).label("in this strategy"),
                            };
                            self.problems.push(problem);
                        }
                        continue;
                    }
                },
            };
            self.can_set(feature, stride.to, "a step of its rollout can set it");
            placed.0.push(Step {
                name: stride.name,
                at: None,
                moves: vec![Move { of, percent: stride.percent, to: stride.to }],
                overrides: Vec::new(),
                redraws: false,
                hold: if at == last { SimDuration::ZERO } else { every },
            });
            placed.1.push(stride.place);
        }
        placed
    }

    /// A key that another strategy takes would do nothing here, and is refused.
    fn only_what_it_takes(&mut self, chosen: &Strategy, place: &Place<'a>) {
        for (entry, _) in place.named() {
            let name = entry.name();
            if COMMON.contains(&name) || chosen.takes.contains(&name) {
                continue;
            }
            let others: Vec<&str> =
                strategy::ALL.iter().filter(|other| other.takes.contains(&name)).map(|other| other.name).collect();
            if others.is_empty() {
                continue; // No key of a strategy at all: told by the shape.
            }
            let takes: Vec<&str> = COMMON[1..].iter().chain(chosen.takes).copied().collect();
            let message = format!("`{}` does not take `{name}`", chosen.name);
            let problem = Problem::error(entry.key.span, message).label(format!("it takes {}", takes.join(", ")));
            self.problems.push(problem.help(format!("`{name}` is for {}", others.join(", "))));
        }
    }

    /// The stage everybody is to reach: by default the highest on the ladder.
    fn goal(&mut self, feature: FeatureId, place: &Place<'a>) -> Option<StageId> {
        if let Some(name) = place.text() {
            return self.stage(feature, name, place.span);
        }
        let stages = self.estate.features[feature].stages.iter();
        let highest = stages.enumerate().rfind(|(_, stage)| stage.rank.is_some());
        highest.and_then(|(at, _)| u16::try_from(at).ok()).map(StageId)
    }

    fn strides(
        &mut self,
        chosen: &'static Strategy,
        feature: FeatureId,
        to: StageId,
        place: &Place<'a>,
    ) -> Option<Vec<Stride<'a>>> {
        let stride = |name: String, of: Option<String>, percent: Share| {
            let place = place.clone();
            Stride { name, of, percent, to, place }
        };
        let everybody = || stride("all".to_owned(), None, Share::ALL);
        let ramp = |shares: Vec<Share>| {
            let named = |(at, share): (usize, Share)| match share == Share::ALL {
                true => everybody(),
                false => stride(format!("ramp-{}", at + 1), None, share),
            };
            shares.into_iter().enumerate().map(named).collect()
        };
        Some(match chosen.name {
            "big-bang" => vec![everybody()],
            "linear-ramp" => {
                let most = super::rollout::MOST_STEPS as u32;
                ramp(strategy::linear(self.count(&place.key("steps"), most, defaults::RAMP_STEPS).max(1)))
            }
            "exponential-ramp" => {
                let start = self.start(place, defaults::RAMP_START)?;
                let factor = self.number(&place.key("factor"), LEAST_FACTOR, 1_000.0, defaults::RAMP_FACTOR);
                ramp(strategy::exponential(start, factor))
            }
            "canary" => {
                let start = self.start(place, defaults::CANARY_START)?;
                vec![stride("canary".to_owned(), None, start), everybody()]
            }
            "ring-by-ring" => self.rings(to, place)?,
            "region-by-region" => {
                let regions = self.estate.regions.iter();
                let shares = regions.map(|region| (region.name.clone(), region.share)).collect();
                self.groups("region", "region", shares, to, place)?
            }
            "cohort-by-cohort" => {
                let (attribute, shares) = self.cohorts(place)?;
                self.groups("cohort", &attribute, shares, to, place)?
            }
            "tenant-by-tenant" => {
                let (tenants, batch) = self.batches(place)?;
                let firsts = (batch..tenants).step_by(batch as usize).enumerate();
                let mut strides: Vec<Stride<'a>> = firsts
                    .map(|(at, first)| {
                        stride(format!("tenants-{}", at + 1), Some(format!("tenant.id < {first}")), Share::ALL)
                    })
                    .collect();
                strides.push(everybody());
                strides
            }
            "blue-green" => {
                let preview = place.key("preview");
                let Some(text) = preview.text() else {
                    let problem = Problem::error(place.span, "`blue-green` needs `preview`");
                    let problem = problem.label("whose traffic tries green before the switch?");
                    self.problems.push(problem.help("such as preview: 'tenant.segment == \"staff\"'"));
                    return None;
                };
                let switch = stride("switch".to_owned(), None, Share::ALL);
                let mut strides = vec![stride("preview".to_owned(), Some(text.to_owned()), Share::ALL), switch];
                let retire = place.key("retire");
                if let Some(name) = retire.text() {
                    let stage = self.stage(feature, name, retire.span)?;
                    strides.push(Stride { to: stage, ..stride("retire".to_owned(), None, Share::ALL) });
                }
                strides
            }
            "dark-launch" => {
                let via = self.shadow_stage(feature, to, place)?;
                vec![Stride { to: via, ..stride("dark".to_owned(), None, Share::ALL) }, everybody()]
            }
            other => unreachable!("`{other}` is no strategy"),
        })
    }

    /// The first share of a ramp.
    fn start(&mut self, place: &Place<'a>, default: defaults::Default) -> Option<Share> {
        let start = self.share(&place.key("start"), default);
        if start == Share::NONE {
            self.error(place.key("start").span, "a ramp from 0% never grows", "expected a share above 0%");
            return None;
        }
        // Below it a ramp of the least factor has more steps than a rollout may have.
        const LEAST: f64 = 1e-6;
        if start.fraction() < LEAST {
            self.error(place.key("start").span, "a ramp begins with at least 0.0001%", "expected a larger share");
            return None;
        }
        Some(start)
    }

    fn rings(&mut self, to: StageId, place: &Place<'a>) -> Option<Vec<Stride<'a>>> {
        let rings = place.key("rings").items();
        if rings.is_empty() {
            let problem = Problem::error(place.span, "`ring-by-ring` needs `rings`").label("who comes first?");
            self.problems.push(problem.help("such as rings: [{ name: staff, of: 'tenant.segment == \"staff\"' }]"));
            return None;
        }
        let mut strides = Vec::new();
        let mut everybody = false;
        for (at, ring) in rings.into_iter().enumerate() {
            if everybody {
                self.error(ring.span, "this ring is empty", "the one before it is everybody");
                return None;
            }
            let name = ring.key("name").text().map_or_else(|| format!("ring-{}", at + 1), str::to_owned);
            self.check_step_name(&name, ring.key("name").span);
            let of = ring.key("of").text().map(str::to_owned);
            let percent = self.maybe_share(&ring.key("percent")).unwrap_or(Share::ALL);
            everybody = of.is_none() && percent == Share::ALL;
            strides.push(Stride { name, of, percent, to, place: ring });
        }
        if !everybody {
            strides.push(Stride { name: "all".to_owned(), of: None, percent: Share::ALL, to, place: place.clone() });
        }
        Some(strides)
    }

    /// One step for each value of a tenant's attribute. The last moves everybody: who is left are those of its value.
    fn groups(
        &mut self,
        what: &str,
        attribute: &str,
        mut shares: Vec<(String, Share)>,
        to: StageId,
        place: &Place<'a>,
    ) -> Option<Vec<Stride<'a>>> {
        shares.sort_by(|a, b| a.1.fraction().total_cmp(&b.1.fraction()).then_with(|| a.0.cmp(&b.0)));
        let order = self.order(what, &shares, place)?;
        let complete = order.len() == shares.len();
        let last = order.len() - 1;
        let mut strides: Vec<Stride<'a>> = Vec::new();
        for (at, value) in order.into_iter().enumerate() {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let of = (at < last || !complete).then(|| format!("tenant.{attribute} == \"{quoted}\""));
            let letters = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
            let name = format!("{what}-{}", value.chars().map(letters).collect::<String>());
            strides.push(Stride { name, of, percent: Share::ALL, to, place: place.clone() });
        }
        if !complete {
            strides.push(Stride { name: "all".to_owned(), of: None, percent: Share::ALL, to, place: place.clone() });
        }
        Some(strides)
    }

    /// The values in the order given, or as they are.
    fn order(&mut self, what: &str, shares: &[(String, Share)], place: &Place<'a>) -> Option<Vec<String>> {
        let given: Vec<(&str, Span)> = place.key("order").texts();
        if given.is_empty() {
            return Some(shares.iter().map(|(name, _)| name.clone()).collect());
        }
        let mut order: Vec<String> = Vec::new();
        for (name, span) in given {
            if shares.iter().all(|(known, _)| known != name) {
                let problem = unknown(span, what, name, shares.iter().map(|(known, _)| known.as_str()));
                self.problems.push(problem);
                return None;
            }
            if order.iter().any(|earlier| earlier == name) {
                self.error(span, format!("the {what} `{}` comes twice", shown(name)), "again here");
                return None;
            }
            order.push(name.to_owned());
        }
        Some(order)
    }

    /// The attribute whose values are the cohorts, with their shares.
    fn cohorts(&mut self, place: &Place<'a>) -> Option<(String, Vec<(String, Share)>)> {
        let by = place.key("by");
        let attributes = &self.estate.population.attributes;
        let Some(name) = by.text() else {
            let problem = Problem::error(place.span, "`cohort-by-cohort` needs `by`").label("which attribute?");
            self.problems.push(problem.help("the name of an attribute of tenants, as in by: segment"));
            return None;
        };
        let bare = name.strip_prefix("tenant.").unwrap_or(name);
        let Some(attribute) = attributes.iter().find(|attribute| attribute.name == bare) else {
            let names = attributes.iter().map(|attribute| attribute.name.as_str());
            let problem = unknown(by.span, "attribute of tenants", name, names);
            self.problems.push(problem);
            return None;
        };
        let texts = self.vocabulary.tenant_attributes.iter().find(|(known, _)| known == bare);
        let texts = texts.map(|(_, texts)| texts.as_slice()).unwrap_or_default();
        let shares: Vec<(String, Share)> =
            texts.iter().cloned().zip(attribute.values.iter().map(|(_, share)| *share)).collect();
        // Without a value, nobody is in any cohort; that the attribute has none was told.
        (!shares.is_empty()).then(|| (bare.to_owned(), shares))
    }

    /// How many tenants there are, and how many more each step takes in.
    fn batches(&mut self, place: &Place<'a>) -> Option<(u32, u32)> {
        let tenants = self.estate.population.tenants;
        let batch = self.count(&place.key("batch"), 1_000_000, defaults::TENANT_BATCH).max(1);
        let most = super::rollout::MOST_STEPS as u32;
        if tenants.div_ceil(batch) > most {
            let message = format!("{tenants} tenants, {batch} at a time, are {} steps", tenants.div_ceil(batch));
            let problem = Problem::error(place.span, message).label(format!("at most {most} are possible"));
            self.problems.push(problem.help(format!("write batch: {} or more", tenants.div_ceil(most))));
            return None;
        }
        Some((tenants, batch))
    }

    /// The stage in which the new one runs without counting.
    fn shadow_stage(&mut self, feature: FeatureId, to: StageId, place: &Place<'a>) -> Option<StageId> {
        let via = place.key("via");
        if let Some(name) = via.text() {
            let stage = self.stage(feature, name, via.span)?;
            if stage == to {
                self.error(via.span, "a dark launch ends where it begins", "expected another stage than `to`");
                return None;
            }
            return Some(stage);
        }
        let of = &self.estate.features[feature];
        let capability = of.capabilities.iter().position(|name| name == "shadow").and_then(|at| u16::try_from(at).ok());
        let below = |stage: &StageId| *stage != to && of.stages[stage.index()].rank < of.stages[to.index()].rank;
        let ids = || (0..of.stages.len() as u16).map(StageId).filter(|id| of.stages[id.index()].rank.is_some());
        let granting = ids().filter(below).find(|id| capability.is_some_and(|capability| of.grants(*id, capability)));
        let found =
            granting.or_else(|| ids().filter(below).find(|id| of.stage_name(*id).to_lowercase().contains("shadow")));
        if found.is_none() {
            let message = format!("`{}` has no stage in which the new one only shadows the old one", of.name);
            let problem = Problem::error(place.span, message).label("a dark launch needs one");
            self.problems.push(problem.help("name it with via: STAGE, or grant it the capability `shadow`"));
        }
        found
    }
}

/// The least factor of a ramp that multiplies: with a smaller one it would not be over in any number of steps a rollout
/// may have.
const LEAST_FACTOR: f64 = 1.05;
