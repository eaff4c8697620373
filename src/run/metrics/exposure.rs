//! Who was exposed to the new path and who came to harm, how many before somebody noticed, and what a kill left behind.

use super::{Measure, Report};
use crate::invariants::{Kills, Mixed, Places, Reading, Reset, is_new};
use crate::models::estate::{Estate, PATH_OLD, RegionId};
use crate::models::observation::{Decided, EffectMade, Interaction, Kind, Observation, Observed, Outcome};
use crate::rollout::FeatureId;
use crate::units::{Lookup, SimTime};

/// An interaction is exposed once it has made an effect on a new path, or a rule of a new path has failed. It comes to harm if it is exposed and fails, is
/// decided both ways, or has a result that is wrong; each weighs the same.
#[derive(Debug, Default)]
pub struct Exposure {
    open: Places<Seen>,
    mixed: Mixed,
    answered_since_step: u64,
    first_step: Option<SimTime>,
    exposed: u64,
    harmed: u64,
    users: Distinct<u64>,
    harmed_users: Distinct<u64>,
    /// Users, and those who came to harm, by region.
    by_region: Vec<(u64, u64)>,
    tuples: Distinct<u64>,
    decisions: u64,
    flaps: u64,
    /// Of each user and feature: the stage last given, and the newest policy version it was given under.
    given: Lookup<(u64, FeatureId), (u16, u32)>,
    at_detection: Option<u64>,
    kills: Kills,
    after_kill: Option<AfterKill>,
    irreversible_after_kill: u64,
    new_effects: u64,
    with_lineage: u64,
}

/// What went on after the last kill was issued.
#[derive(Debug)]
struct AfterKill {
    issued: SimTime,
    last_decision: SimTime,
    exposed: u64,
}

#[derive(Debug, Default)]
struct Seen {
    user: Option<(u64, u16)>,
    exposed: bool,
    /// What is harm where it is exposed.
    trouble: bool,
    told: bool,
    /// The features decided so far.
    decided: Vec<FeatureId>,
    /// Contexts with the policy versions they used, in no order.
    tuple: u64,
}

impl Reset for Seen {
    fn reset(&mut self) {
        let decided = std::mem::take(&mut self.decided);
        *self = Seen { decided, ..Seen::default() };
        self.decided.clear();
    }
}

/// How many different ones there were.
#[derive(Debug)]
struct Distinct<K> {
    known: Lookup<K, ()>,
    count: u64,
}

impl<K: Eq + std::hash::Hash> Default for Distinct<K> {
    fn default() -> Self {
        Distinct { known: Lookup::default(), count: 0 }
    }
}

impl<K: Eq + std::hash::Hash> Distinct<K> {
    /// Whether it is a new one.
    fn add(&mut self, one: K) -> bool {
        let new = self.known.get(&one).is_none();
        if new {
            self.known.insert(one, ());
            self.count += 1;
        }
        new
    }
}

impl Measure for Exposure {
    fn interests(&self) -> &'static [Kind] {
        &[
            Kind::Arrived,
            Kind::Decided,
            Kind::Effect,
            Kind::Failed,
            Kind::Finished,
            Kind::Closed,
            Kind::Stepped,
            Kind::Killed,
            Kind::Lifted,
            Kind::AlertRaised,
            Kind::RolledBack,
        ]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if let Observation::Decided(decided) = &observed.what {
            self.decided(observed.at, decided, estate);
        } else if let Observation::Effect(made) = &observed.what {
            self.effect(made, estate);
        } else if let Observation::Failed { interaction, path, .. } = &observed.what {
            if path.is_some_and(|path| path != PATH_OLD) {
                self.expose(interaction);
            }
        } else if let Observation::Arrived { interaction, user, tenant_region, .. } = &observed.what {
            self.arrived(interaction, *user, *tenant_region);
        } else if let Observation::Finished { interaction, outcome, .. } = &observed.what {
            self.answered_since_step += u64::from(self.first_step.is_some());
            if matches!(outcome, Outcome::Failed(_)) {
                self.trouble(interaction);
            }
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            if let Some(seen) = self.open.known(interaction).filter(|seen| seen.tuple != 0) {
                self.tuples.add(seen.tuple);
            }
            self.open.close(interaction);
            self.mixed.close(interaction);
        } else if let Observation::Stepped { .. } = observed.what {
            self.first_step.get_or_insert(observed.at);
        } else {
            if !matches!(observed.what, Observation::Lifted { .. }) {
                self.at_detection.get_or_insert(self.exposed);
            }
            if let Some(kill) = self.kills.observe(observed) {
                let (issued, exposed) = (kill.issued, self.exposed);
                self.after_kill = Some(AfterKill { issued, last_decision: issued, exposed });
            }
        }
    }

    fn finish(&mut self, end: SimTime, _: &Estate, report: &mut Report) {
        for (_, seen) in self.open.open().filter(|(_, seen)| seen.tuple != 0) {
            self.tuples.add(seen.tuple);
        }
        report.count("exposed_interactions.count", self.exposed);
        report.count("harm.count", self.harmed);
        report.share("harm.share", self.harmed, self.exposed);
        report.share("blast_radius.share", self.harmed_users.count, self.users.count);
        let worst = self.by_region.iter().filter(|(users, _)| *users > 0);
        let worst = worst.map(|(users, harmed)| *harmed as f64 / *users as f64).max_by(f64::total_cmp);
        report.value("blast_radius.max_region", worst);
        report.value("exposure_at_detection.count", self.at_detection.map(|exposed| exposed as f64));
        let contained = self.after_kill.as_ref();
        report.value("exposure_at_containment.count", contained.map(|kill| kill.exposed as f64));
        report.secs("time_to_kill.decisions", contained.map(|kill| kill.last_decision.since(kill.issued)));
        report.value("irreversible_after_kill.count", contained.map(|_| self.irreversible_after_kill as f64));
        report.value("flap_rate", (self.decisions > 0).then(|| 1_000.0 * self.flaps as f64 / self.decisions as f64));
        report.share("decision_lineage.share", self.with_lineage, self.new_effects);
        let answered = self.answered_since_step.max(self.exposed) as f64;
        let cost = self
            .first_step
            .filter(|_| answered > 0.0)
            .map(|step| end.since(step).as_secs_f64() * (1.0 - self.exposed as f64 / answered));
        report.value("opportunity_cost", cost);
        report.count("version_tuples.count", self.tuples.count);
    }
}

impl Exposure {
    fn arrived(&mut self, interaction: &Interaction, user: u64, region: RegionId) {
        let place = region.index();
        self.open.of(interaction).user = Some((user, place as u16));
        if place >= self.by_region.len() {
            self.by_region.resize(place + 1, (0, 0));
        }
        self.by_region[place].0 += u64::from(self.users.add(user));
    }

    fn decided(&mut self, at: SimTime, decided: &Decided, estate: &Estate) {
        let version = decided.policy_version.map_or(0, |version| version.0);
        let seen = self.open.of(&decided.interaction);
        let used = (u64::from(decided.context) << 32) | (u64::from(version) + 1);
        seen.tuple ^= used.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
        let first = !seen.decided.contains(&decided.feature);
        if first {
            seen.decided.push(decided.feature);
            self.decisions += 1;
            if let Some((user, _)) = seen.user {
                let key = (user, decided.feature);
                let (stage, newest) = self.given.get(&key).copied().unwrap_or((decided.stage.0, version));
                // Another stage from an older policy than this user has been decided under: nobody wanted that.
                self.flaps += u64::from(stage != decided.stage.0 && version < newest);
                self.given.insert(key, (decided.stage.0, newest.max(version)));
            }
        }
        if matches!(self.mixed.decided(decided), Reading::Mixed | Reading::JudgedMixed) {
            self.trouble(&decided.interaction);
        }
        let (region, journey) = (decided.tenant_region.index() as u16, decided.interaction.journey.index() as u16);
        let feature = &estate.features[decided.feature];
        let beyond = self.kills.iter().any(|kill| {
            kill.feature == decided.feature
                && kill.scope.contains(region, decided.tenant, journey)
                && !feature.at_most_as_permissive(decided.stage, kill.to)
        });
        if beyond && let Some(kill) = &mut self.after_kill {
            kill.last_decision = at;
        }
    }

    fn effect(&mut self, made: &EffectMade, estate: &Estate) {
        if made.wrong.is_some() {
            self.trouble(&made.interaction);
        }
        if !is_new(made) {
            return;
        }
        self.new_effects += 1;
        self.with_lineage += u64::from(made.policy_version.is_some() && made.decision_id != 0);
        self.expose(&made.interaction);
        if self.kills.iter().any(|kill| kill.forbids(made, estate)) {
            self.irreversible_after_kill += u64::from(made.irreversible && !made.compensated);
            if let Some(kill) = &mut self.after_kill {
                kill.exposed = self.exposed;
            }
        }
    }

    fn expose(&mut self, interaction: &Interaction) {
        let seen = self.open.of(interaction);
        if !std::mem::replace(&mut seen.exposed, true) {
            self.exposed += 1;
        }
        if seen.trouble {
            self.harm(interaction);
        }
    }

    fn trouble(&mut self, interaction: &Interaction) {
        let seen = self.open.of(interaction);
        seen.trouble = true;
        if seen.exposed {
            self.harm(interaction);
        }
    }

    fn harm(&mut self, interaction: &Interaction) {
        let seen = self.open.of(interaction);
        if std::mem::replace(&mut seen.told, true) {
            return;
        }
        self.harmed += 1;
        if let Some((user, region)) = seen.user
            && self.harmed_users.add(user)
        {
            self.by_region[usize::from(region)].1 += 1;
        }
    }
}
