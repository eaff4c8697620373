//! `stale-policy`: whoever relies on an old policy has said so.

use super::account::{grounds, occurrence};
use super::{Entry, Invariant, Ledger, Settings, Violation};
use crate::models::estate::Estate;
use crate::models::observation::{Decided, Kind, Observation, Observed};
use crate::rollout::Reason;
use crate::units::{SimDuration, SimTime};

pub static ENTRY: Entry = Entry {
    name: "stale-policy",
    sentence: "a decision relied on a cache without contact for longer than the bound (the feature's `stale_after`, \
               if the file sets none; inactive without either) and its replica had raised no staleness alert since \
               that contact",
    exercised_when: "a decision relied on a cache without contact for longer than the bound; it then holds only \
                     through alerts, and the margin is the bound minus the greatest time without contact",
    exhibits: ("control-plane-outage", "none shipped yet"),
    causes: &["no alert"],
    reachable: |estate, settings| {
        let with_sdk = estate.services.iter().any(|service| service.sdk.is_some());
        with_sdk && bounds(estate, settings).iter().any(Option::is_some)
    },
    create: |estate, settings| {
        Box::new(StalePolicy { bounds: bounds(estate, settings), alerted: vec![None; estate.replicas.len()] })
    },
};

fn bounds(estate: &Estate, settings: &Settings) -> Vec<Option<SimDuration>> {
    estate.features.iter().map(|feature| settings.bound.or(feature.stale_after)).collect()
}

struct StalePolicy {
    /// Per feature.
    bounds: Vec<Option<SimDuration>>,
    /// Per replica: its last alert.
    alerted: Vec<Option<SimTime>>,
}

impl Invariant for StalePolicy {
    fn interests(&self) -> &'static [Kind] {
        match self.bounds.iter().any(Option::is_some) {
            true => &[Kind::Decided, Kind::Alert],
            false => &[],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Alert { replica } = observed.what {
            self.alerted[replica.index()] = Some(observed.at);
        } else if let Observation::Decided(decided) = &observed.what
            && let (Some(bound), Some(age)) = (self.bounds[decided.feature.index()], decided.freshness)
            // Whoever fell back because the policy was too old relied on none.
            && decided.reason != Reason::Error
        {
            ledger.check();
            ledger.margin(bound.as_secs_f64() - age.as_secs_f64());
            if age <= bound {
                return;
            }
            ledger.exercise();
            // The alert must be about this silence: raised since the last contact.
            let alert = self.alerted[decided.replica.index()];
            if alert.is_none_or(|alert| observed.at.since(alert) > age) {
                unannounced(observed, decided, bound, estate, ledger);
            }
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every decision was judged when it was made.
    }
}

fn unannounced(observed: &Observed, decided: &Decided, bound: SimDuration, estate: &Estate, ledger: &mut Ledger) {
    let subject = u64::from(decided.feature.as_u32()) << 16 | u64::from(decided.context);
    ledger.violate("alert", "no alert", Some(decided.interaction), subject, || Violation {
        at: observed.at,
        interaction: Some(decided.interaction),
        clause: "alert",
        cause: "no alert",
        about: estate.features[decided.feature].name.clone(),
        text: format!(
            "in {}, {} used {} ({}), beyond {bound}, and had raised no alert",
            occurrence(&decided.interaction, estate),
            estate.replicas[decided.replica].name,
            estate.features[decided.feature].stage_name(decided.stage),
            grounds(decided, observed.at),
        ),
        witnesses: vec![observed.id],
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Verdict, verdict};

    /// Billing decides at 200 s with a cache that has had no contact for so long; its alerts are raised at these times.
    fn decided(freshness: u64, alerts: &[(u32, f64)]) -> Ledger {
        let mut estate = estate();
        estate.features[FEATURE].stale_after = Some(SimDuration::from_secs(60));
        let mut stream = Stream::new(&estate);
        for (at, secs) in alerts {
            stream.at(*secs).push(Observation::Alert { replica: replica(*at) });
        }
        let freshness = Some(SimDuration::from_secs(freshness));
        stream.at(200.0).decides(Decided { freshness, ..decision(interaction(0, 0), BILLING, ON) });
        judge(&ENTRY, &estate, Settings::default(), &stream, 300.0)
    }

    #[test]
    fn a_fresh_policy_is_vacuous_and_an_announced_old_one_holds() {
        let ledger = decided(60, &[]);
        assert_eq!((verdict(&ledger, false), ledger.checked), (Verdict::Vacuous, 1));
        let ledger = decided(90, &[(4, 120.0)]);
        assert_eq!((verdict(&ledger, false), ledger.min_margin), (Verdict::Holds, Some(-30.0)));
    }

    #[test]
    fn an_old_policy_without_an_alert_of_its_replica_about_this_silence_is_violated() {
        for alerts in [&[][..], &[(5, 120.0)], &[(4, 100.0)]] {
            let ledger = decided(90, alerts);
            assert_eq!(ledger.causes, [("no alert", 1)]);
        }
        assert_eq!(
            decided(90, &[]).first[0].text,
            "in place-order #0, billing/1 used on (sdk, policy 1, 1m 30s old), beyond 1m, and had raised no alert"
        );
    }

    #[test]
    fn whoever_falls_back_because_the_policy_is_too_old_relies_on_none() {
        let settings = Settings { bound: Some(SimDuration::from_secs(2)), quantile: None };
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.decides(Decided { reason: Reason::Error, ..decision(interaction(0, 0), BILLING, OFF) });
        assert_eq!(judge(&ENTRY, &estate, settings, &stream, 1.0).checked, 0);
    }

    #[test]
    fn without_a_bound_it_is_inactive_and_a_file_can_set_one() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.decides(decision(interaction(0, 0), BILLING, ON));
        assert!(!(ENTRY.reachable)(&estate, &Settings::default()));
        assert_eq!(judge(&ENTRY, &estate, Settings::default(), &stream, 1.0).checked, 0);
        let settings = Settings { bound: Some(SimDuration::from_secs(2)), quantile: None };
        assert!((ENTRY.reachable)(&estate, &settings));
        assert_eq!(judge(&ENTRY, &estate, settings, &stream, 1.0).violations, 1);
    }
}
