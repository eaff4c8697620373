//! `kill-latency`: what was killed stops within its bound, everywhere in its scope.

use super::account::{effect_made, occurrence, scope};
use super::kills::{InForce, Kills};
use super::places::Places;
use super::{Entry, Invariant, Ledger, Settings, Violation};
use crate::kernel::Histogram;
use crate::models::estate::{Estate, Happening};
use crate::models::observation::{Decided, EffectMade, Kind, Observation, ObservationId, Observed, Source};
use crate::rollout::FeatureId;
use crate::units::{SimDuration, SimTime};

/// The bound where the file sets none: two rounds of a 30 s poll.
const BOUND: SimDuration = SimDuration::from_secs(60);

pub static ENTRY: Entry = Entry {
    name: "kill-latency",
    sentence: "an effect on a new path, in the scope of a kill and under a stage that the kill does not allow, took \
               place later than the bound (60s) after the kill was issued; with a quantile, that quantile of the \
               latencies of all such effects is beyond the bound",
    exercised_when: "an effect of the killed feature, on an old or a new path, took place in the scope of a kill in \
                     force",
    exhibits: ("control-plane-outage", "control-plane-outage:edge-closed"),
    causes: &[
        "stale cache",
        "decided before the kill",
        "carried context",
        "carried by an event",
        "kept by the entity",
        "fallback",
        "another restriction",
        "no decision",
        "quantile",
    ],
    reachable,
    create: |estate, settings| {
        let can_kill = reachable(estate, settings);
        let bound = settings.bound.unwrap_or(BOUND);
        let latencies = Histogram::default();
        let (kills, used) = (Kills::default(), Places::default());
        Box::new(KillLatency { can_kill, bound, quantile: settings.quantile, kills, used, latencies, last: None })
    },
};

fn reachable(estate: &Estate, _: &Settings) -> bool {
    estate.timeline.iter().any(|entry| matches!(entry.what, Happening::Kill { .. }))
}

struct KillLatency {
    /// Whether the plan has a kill at all; decisions need not be remembered otherwise.
    can_kill: bool,
    bound: SimDuration,
    quantile: Option<f64>,
    kills: Kills,
    /// What each context used last in each interaction in flight.
    used: Places<Vec<Used>>,
    /// Of effects that a kill in force forbids, since the kill.
    latencies: Histogram,
    /// The effect with the greatest latency so far: its kill's observation and its own.
    last: Option<(SimDuration, ObservationId, ObservationId)>,
}

struct Used {
    context: u16,
    feature: FeatureId,
    source: Source,
    at: SimTime,
    observation: ObservationId,
}

impl Invariant for KillLatency {
    fn interests(&self) -> &'static [Kind] {
        match self.can_kill {
            true => &[Kind::Decided, Kind::Effect, Kind::Closed, Kind::Killed, Kind::Lifted],
            false => &[],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Decided(decided) = &observed.what {
            self.remember(observed, decided);
        } else if let Observation::Effect(made) = &observed.what {
            if !self.kills.is_empty() && made.path.is_some() {
                self.judge(observed, made, estate, ledger);
            }
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.used.close(interaction);
        } else {
            self.kills.observe(observed);
        }
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger) {
        ledger.pending += self.kills.iter().filter(|kill| kill.issued + self.bound > end).count() as u64;
        let (Some(quantile), Some((_, kill, last))) = (self.quantile, self.last) else { return };
        let Some(latency) = self.latencies.quantile(quantile) else { return };
        ledger.margin(self.bound.as_secs_f64() - latency.as_secs_f64());
        if latency > self.bound {
            ledger.violate("quantile", "quantile", None, 0, || Violation {
                at: end,
                interaction: None,
                clause: "quantile",
                cause: "quantile",
                about: estate.name.clone(),
                text: format!(
                    "p{} of {} effects after a kill came {latency} after it, beyond {}",
                    quantile * 100.0,
                    self.latencies.count(),
                    self.bound
                ),
                witnesses: vec![kill, last],
            });
        }
    }
}

impl KillLatency {
    fn remember(&mut self, observed: &Observed, decided: &Decided) {
        let Decided { context, feature, source, .. } = *decided;
        let used = Used { context, feature, source, at: observed.at, observation: observed.id };
        let known = self.used.of(&decided.interaction);
        match known.iter_mut().find(|known| known.context == context && known.feature == feature) {
            Some(known) => *known = used,
            None => known.push(used),
        }
    }

    fn judge(&mut self, observed: &Observed, made: &EffectMade, estate: &Estate, ledger: &mut Ledger) {
        if !self.kills.iter().any(|kill| kill.reaches(made)) {
            return;
        }
        ledger.check();
        ledger.exercise();
        // Kills are in the order in which they were issued: the first that forbids the effect waited longest.
        let Some(kill) = self.kills.iter().find(|kill| kill.forbids(made, estate)).copied() else { return };
        let latency = observed.at.since(kill.issued);
        self.latencies.record(latency);
        if self.last.is_none_or(|(greatest, _, _)| latency > greatest) {
            self.last = Some((latency, kill.observation, observed.id));
        }
        if self.quantile.is_none() {
            ledger.margin(self.bound.as_secs_f64() - latency.as_secs_f64());
            if latency > self.bound {
                self.late(observed, made, &kill, estate, ledger);
            }
        }
    }

    fn late(&self, observed: &Observed, made: &EffectMade, kill: &InForce, estate: &Estate, ledger: &mut Ledger) {
        let mut known = self.used.known(&made.interaction).into_iter().flatten();
        let used = known.find(|used| used.context == made.context && used.feature == kill.feature);
        let cause = used.map_or("no decision", |used| cause(used, kill));
        let subject = u64::from(kill.entry) << 32 | u64::from(made.context) << 16 | u64::from(made.effect);
        ledger.violate("effect", cause, Some(made.interaction), subject, || {
            let mut witnesses = vec![kill.observation, observed.id];
            witnesses.extend(used.map(|used| used.observation));
            witnesses.sort_unstable();
            Violation {
                at: observed.at,
                interaction: Some(made.interaction),
                clause: "effect",
                cause,
                about: estate.effects.text(made.effect).to_owned(),
                text: format!(
                    "in {}, {} did {} {} after {} was killed{}",
                    occurrence(&made.interaction, estate),
                    estate.contexts.text(made.context),
                    effect_made(made, estate),
                    observed.at.since(kill.issued),
                    estate.features[kill.feature].name,
                    scope(&kill.scope, estate),
                ),
                witnesses,
            }
        });
    }
}

/// Why a context still did what was killed: what its decision rested on.
fn cause(used: &Used, kill: &InForce) -> &'static str {
    match used.source {
        Source::Sdk if used.at <= kill.issued => "decided before the kill",
        Source::Sdk => "stale cache",
        Source::Context => "carried context",
        Source::Event => "carried by an event",
        Source::Entity => "kept by the entity",
        Source::Fallback => "fallback",
        Source::Kill | Source::Local => "another restriction",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Verdict, verdict};
    use crate::models::estate::{PATH_NEW, PATH_OLD};
    use crate::rollout::Scope;

    /// A kill at 100 s; billing decides at `decided` from `source` and charges at `done`, on this path.
    fn charged(source: Source, decided: f64, done: f64, path: u16, settings: Settings) -> Ledger {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        let order = interaction(0, 0);
        let decision = Decided { source, ..decision(order, BILLING, ON) };
        if decided <= 100.0 {
            stream.at(decided).decides(decision);
        }
        stream.at(100.0).kills(2, Scope::default());
        if decided > 100.0 {
            stream.at(decided).decides(decision);
        }
        stream.at(done).effects(effect(order, BILLING, CHARGE, Some(path)));
        judge(&ENTRY, &estate, settings, &stream, 300.0)
    }

    #[test]
    fn new_effects_within_the_bound_and_old_ones_after_it_hold() {
        let ledger = charged(Source::Sdk, 125.0, 130.0, PATH_NEW, Settings::default());
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
        assert_eq!(ledger.min_margin, Some(30.0));
        let ledger = charged(Source::Sdk, 200.0, 200.0, PATH_OLD, Settings::default());
        assert_eq!((ledger.exercised, ledger.violations), (1, 0));
    }

    #[test]
    fn without_an_effect_after_the_kill_it_is_vacuous() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.at(50.0).effects(effect(interaction(0, 0), BILLING, CHARGE, Some(PATH_NEW)));
        stream.at(100.0).kills(2, Scope::default());
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!(verdict(&ledger, false), Verdict::Vacuous);
    }

    #[test]
    fn each_cause_comes_from_the_decision_the_effect_rests_on() {
        let cases = [
            (Source::Sdk, 190.0, "stale cache"),
            (Source::Sdk, 90.0, "decided before the kill"),
            (Source::Context, 190.0, "carried context"),
            (Source::Event, 190.0, "carried by an event"),
            (Source::Entity, 190.0, "kept by the entity"),
            (Source::Fallback, 190.0, "fallback"),
            (Source::Local, 190.0, "another restriction"),
        ];
        for (source, decided, cause) in cases {
            let ledger = charged(source, decided, 191.0, PATH_NEW, Settings::default());
            assert_eq!(ledger.causes, [(cause, 1)]);
            assert_eq!(ledger.min_margin, Some(-31.0));
        }
        let ledger = charged(Source::Sdk, 190.0, 191.4, PATH_NEW, Settings::default());
        assert_eq!(
            ledger.first[0].text,
            "in place-order #0, billing did charge on path new 1m 31s after new-checkout was killed"
        );
    }

    #[test]
    fn an_effect_whose_decision_was_not_seen_is_still_late() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.at(100.0).kills(2, Scope::default());
        stream.at(191.0).effects(effect(interaction(0, 0), BILLING, CHARGE, Some(PATH_NEW)));
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!(ledger.causes, [("no decision", 1)]);
    }

    #[test]
    fn a_file_can_set_another_bound() {
        let settings = Settings { bound: Some(SimDuration::from_secs(10)), quantile: None };
        assert_eq!(charged(Source::Sdk, 105.0, 111.0, PATH_NEW, settings).violations, 1);
        assert_eq!(charged(Source::Sdk, 105.0, 110.0, PATH_NEW, settings).violations, 0);
    }

    #[test]
    fn only_effects_in_scope_and_before_the_lift_count() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        let made = effect(interaction(0, 0), BILLING, CHARGE, Some(PATH_NEW));
        stream.at(100.0).kills(2, Scope { tenant: Some(3), ..Scope::default() });
        stream.at(200.0).effects(made);
        stream.effects(EffectMade { tenant: 3, path: None, ..made });
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!((ledger.checked, ledger.violations), (0, 0));
        stream.effects(EffectMade { tenant: 3, path: Some(PATH_OLD), ..made });
        stream.at(210.0).lifts(3);
        stream.at(220.0).effects(EffectMade { tenant: 3, ..made });
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!((ledger.checked, ledger.violations, ledger.pending), (1, 0, 0));
    }

    #[test]
    fn with_a_quantile_a_few_late_ones_are_allowed() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.at(100.0).kills(2, Scope::default());
        for n in 0..100 {
            let late = if n < 97 { 110.0 } else { 190.0 };
            stream.at(late).effects(effect(interaction(n, 0), BILLING, CHARGE, Some(PATH_NEW)));
        }
        let at = |quantile| {
            let settings = Settings { bound: None, quantile: Some(quantile) };
            judge(&ENTRY, &estate, settings, &stream, 300.0)
        };
        assert_eq!(at(0.9).violations, 0);
        assert_eq!(at(0.99).causes, [("quantile", 1)]);
    }

    #[test]
    fn a_kill_whose_bound_lies_past_the_end_is_pending() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.at(100.0).kills(2, Scope::default());
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 150.0);
        assert_eq!(verdict(&ledger, false), Verdict::Pending);
    }
}
