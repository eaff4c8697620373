//! People: alerts, who is called and what they do, and what the timeline has somebody do to a plan.

use super::bounds::Standing;
use super::place::Place;
use super::{Draft, shown, unknown};
use crate::models::estate::{Entry, Happening, Rollout};
use crate::models::guard::{Act, AlertRule, Deed, Team};
use crate::rollout::FeatureId;
use crate::scenario::defaults;
use crate::units::{Share, SimDuration};

impl<'a> Draft<'a> {
    pub(super) fn teams(&mut self, place: &Place<'a>) {
        for (entry, team) in place.named() {
            let on_call_place = team.key("on_call");
            let on_call = match on_call_place.text().map(str::trim) {
                None | Some("always") => None,
                Some(text) => {
                    let read = text.split_once('-').and_then(|(from, until)| Some((clock(from)?, clock(until)?)));
                    if read.is_none_or(|(from, until)| from == until) {
                        let message = format!("`{}` is no time on call", shown(text));
                        self.error(on_call_place.span, message, "expected two times of a day, such as 08:00-18:00");
                    }
                    read
                }
            };
            let acts_in = self.maybe_distribution(&team.key("acts_in")).unwrap_or(crate::kernel::Distribution::ZERO);
            let wrong_action = self.maybe_share(&team.key("wrong_action")).unwrap_or(Share::NONE);
            self.estate.teams.push(Team { name: entry.name().to_owned(), on_call, acts_in, wrong_action });
        }
    }

    pub(super) fn alerts(&mut self, place: &Place<'a>) {
        for item in place.items() {
            let when_place = item.key("when");
            let window = self.period(&item.key("window"), defaults::ANALYSIS_WINDOW);
            let scrape = self.period(&item.key("scrape"), defaults::SCRAPE);
            let over = self.maybe_duration(&item.key("over")).unwrap_or(SimDuration::ZERO);
            let repeat = self.period(&item.key("repeat"), defaults::ALERT_REPEAT);
            let least = u64::from(self.maybe_count(&item.key("min_answers"), 100_000_000).unwrap_or(1));
            let standing = Standing { rollout: None, window, delay: SimDuration::ZERO, before: false, least };
            let text = when_place.text().unwrap_or_default();
            let when = self.bound(text, when_place.span, standing);
            let pages_place = item.key("pages");
            let pages = pages_place.text().and_then(|name| {
                let found = self.estate.teams.iter().position(|team| team.name == name);
                if found.is_none() {
                    let problem = unknown(
                        pages_place.span,
                        "team",
                        name,
                        self.estate.teams.iter().map(|team| team.name.as_str()),
                    );
                    self.problems.push(problem);
                }
                found.and_then(|at| u16::try_from(at).ok())
            });
            let name = item.key("name").text().unwrap_or(text).to_owned();
            if self.estate.alerts.iter().any(|alert| alert.name == name) {
                self.error(item.span, format!("two alerts are called `{}`", shown(&name)), "the second");
            }
            let does = self.deed(&item.key("does"));
            let wrong_place = item.key("wrong");
            if wrong_place.is_given() && pages.is_none() {
                self.error(wrong_place.span, "a machine does not take the wrong action", "expected `pages:` a team");
            }
            let wrong = self.deed(&wrong_place);
            let Some(when) = when else { continue };
            self.estate.alerts.push(AlertRule { name, when, over, scrape, repeat, pages, does, wrong });
        }
    }

    pub(super) fn deed(&mut self, place: &Place<'a>) -> Option<Act> {
        let deeds = ["kill", "pause", "resume", "back", "back_all"];
        let named = deeds.iter().find_map(|deed| Some((*deed, place.key(deed))).filter(|(_, name)| name.is_given()));
        let (deed, name_place) = named?;
        let (feature, rollout) = self.rolled_out(&name_place)?;
        let to_place = place.key("to");
        let deed = match deed {
            "kill" => {
                let to = match to_place.text() {
                    Some(name) => self.stage(feature, name, to_place.span)?,
                    None => self.estate.features[feature].safe_stage,
                };
                Deed::Kill(self.kill_on_demand(feature, to, "alert"))
            }
            "pause" => Deed::Pause,
            "resume" => Deed::Resume,
            "back" => Deed::Back,
            _ => Deed::BackAll,
        };
        if to_place.is_given() && !matches!(deed, Deed::Kill(_)) {
            self.error(to_place.span, "`to` is for a kill", "not expected here");
        }
        Some(Act { rollout, deed })
    }

    /// The feature a place names, with its rollout.
    pub(super) fn rolled_out(&mut self, place: &Place<'a>) -> Option<(FeatureId, u16)> {
        let feature = self.feature(place.text()?, place.span)?;
        let found = self.estate.rollouts.iter().position(|rollout| rollout.feature == feature);
        if found.is_none() && !self.lacks_rollouts {
            let message = format!("`{}` is not rolled out here", self.estate.features[feature].name);
            self.error(place.span, message, "it has no plan to act on");
        }
        Some((feature, found.and_then(|at| u16::try_from(at).ok())?))
    }

    /// An entry of the timeline that acts on a plan.
    pub(super) fn acts(&mut self, item: &Place<'a>, named: &str) {
        let place = item.key(named);
        let when = self.when(item, "the action");
        let Some((_, rollout)) = self.rolled_out(&place) else { return };
        let deed = match named {
            "pause" => Deed::Pause,
            "resume" => Deed::Resume,
            "back" => Deed::Back,
            "back_all" => Deed::BackAll,
            _ => Deed::Bypass,
        };
        let label = format!("{named} {}", place.text().unwrap_or_default());
        if deed == Deed::Bypass && !self.estate.rollouts[usize::from(rollout)].can_be_bypassed() {
            self.error(
                place.span,
                "nobody may bypass an approval of this rollout",
                "expected `bypass:` in one of them",
            );
        }
        let Some(when) = when else { return };
        self.estate.timeline.push(Entry { label, when, what: Happening::Act { rollout, deed } });
    }
}

impl Rollout {
    fn can_be_bypassed(&self) -> bool {
        self.guard.as_ref().is_some_and(|guard| guard.approvals.iter().any(|approval| approval.bypass.is_some()))
    }
}

/// `08:30` as seconds of the day.
fn clock(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)
}
