use super::view::{Asks, View};
use super::*;
use crate::invariants::fixtures::*;
use crate::invariants::{Settings, Verdict, verdict};
use crate::rollout::condition::{SlotId, Slots, Value};
use crate::rollout::decide::bucket_word;
use crate::rollout::{
    Feature, FeaturePolicy, Kill, Override, Policy, Rule, Scope, Stage, StageId, Subject, Symbols, Who, decide,
};
use crate::units::{Id, Share};
use proptest::prelude::*;

struct Somebody {
    user: u64,
    symbols: Symbols,
}

impl Slots for Somebody {
    fn value(&mut self, _: SlotId) -> Value {
        Value::Missing
    }
    fn can(&mut self, _: u16, _: u16) -> bool {
        false
    }
    fn symbols(&self) -> &Symbols {
        &self.symbols
    }
}

impl Subject for Somebody {
    fn tenant(&self) -> u32 {
        (self.user % 3) as u32
    }
    fn user(&self) -> u64 {
        self.user
    }
    fn region(&self) -> u16 {
        (self.user % 2) as u16
    }
    fn journey(&self) -> u16 {
        0
    }
    fn session(&self) -> u64 {
        self.user
    }
}

const SALT: u64 = 11;

/// Five stages: a ladder, or with grants of which some cannot be compared.
fn feature(with_grants: bool) -> Feature {
    let grants: [&[u16]; 5] = [&[], &[0], &[1], &[0, 1], &[0, 1, 2]];
    let stage = |(rank, grants): (usize, &&[u16])| Stage {
        name: format!("S{rank}"),
        rank: Some(rank as u16),
        grants: if with_grants { grants.to_vec() } else { Vec::new() },
        value: None,
    };
    let mut feature = estate().features[FEATURE].clone();
    feature.stages = grants.iter().enumerate().map(stage).collect();
    feature.capabilities = if with_grants { vec!["a".into(), "b".into(), "c".into()] } else { Vec::new() };
    feature
}

fn stages() -> impl Strategy<Value = StageId> {
    (0_u16..5).prop_map(StageId)
}

fn policies() -> impl Strategy<Value = FeaturePolicy> {
    let scope = (proptest::option::of(0_u16..2), proptest::option::of(0_u32..3)).prop_map(|(region, tenant)| Scope {
        region,
        tenant,
        journey: None,
    });
    let kill = (scope, stages()).prop_map(|(scope, to)| Kill { scope, to, issued_by: 0 });
    let who = prop_oneof![(0_u64..6).prop_map(Who::User), (0_u32..3).prop_map(Who::Tenant)];
    let given = (who, stages()).prop_map(|(who, to)| Override { who, to });
    let rule = (0_u32..=4, stages()).prop_map(|(quarters, stage)| Rule {
        audience: None,
        share: Share::new(f64::from(quarters) / 4.0).expect("a share"),
        stage,
    });
    let lists = (
        proptest::collection::vec(kill, 0..4),
        proptest::collection::vec(given, 0..3),
        proptest::collection::vec(rule, 0..4),
        stages(),
    );
    lists.prop_map(|(kills, mut overrides, rules, default_stage)| {
        let mut named = Vec::new();
        overrides.retain(|given| {
            !named.contains(&given.who) && {
                named.push(given.who);
                true
            }
        });
        FeaturePolicy { overrides, rules, default_stage, kills, bucket_by: BucketBy::User, salt: SALT }
    })
}

fn seen(policy: &FeaturePolicy, user: u64) -> (View, Asks) {
    let kills = policy.kills.iter().map(|kill| (kill.issued_by, kill.scope, kill.to)).collect();
    let view = View {
        kills,
        overrides: policy.overrides.clone(),
        rules: policy.rules.clone(),
        default_stage: policy.default_stage,
    };
    let (tenant, region) = ((user % 3) as u32, (user % 2) as u16);
    (view, Asks { user: Some(user), tenant, region, journey: 0, bucket: Some(bucket_word(SALT, user)) })
}

fn decided_stage(policy: &FeaturePolicy, feature: &Feature, user: u64) -> StageId {
    let whole = Policy::initial([policy.clone()]);
    let mut subject = Somebody { user, symbols: Symbols::default() };
    decide(&whole, Id::new(0), feature, SALT, &mut subject).stage
}

proptest! {
    #[test]
    fn no_decision_contradicts_the_table(policy in policies(), user in 0_u64..6, with_grants: bool) {
        let feature = feature(with_grants);
        let (view, asks) = seen(&policy, user);
        prop_assert_eq!(view.contradiction(&feature, &asks, decided_stage(&policy, &feature, user)), None);
    }

    /// Everything in a policy of these is certain, so that one stage alone is right.
    #[test]
    fn every_other_stage_contradicts_it(policy in policies(), user in 0_u64..6, other in stages()) {
        let feature = feature(true);
        let (view, asks) = seen(&policy, user);
        let right = decided_stage(&policy, &feature, user);
        prop_assert_eq!(view.contradiction(&feature, &asks, other).is_some(), other != right);
    }
}

#[test]
fn a_decision_beyond_a_kill_is_red_and_one_within_it_holds() {
    let estate = estate();
    let stream_with = |stage| {
        let mut stream = Stream::new(&estate);
        stream.arrives(interaction(0, 0));
        stream.at(10.0).steps(2, 2);
        stream.at(20.0).kills(3, Scope::default());
        stream.at(30.0).decides(under(3, decision(interaction(0, 0), BILLING, stage)));
        judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
    };
    assert_eq!(verdict(&stream_with(OFF), false), Verdict::Holds);
    let red = stream_with(ON);
    assert_eq!((red.violations, red.causes), (1, vec![("beyond a kill", 1)]));
}

#[test]
fn the_policy_claimed_is_what_a_decision_is_judged_by_not_the_newest() {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    stream.arrives(interaction(0, 0));
    stream.at(10.0).steps(2, 2);
    stream.at(20.0).kills(3, Scope::default());
    stream.at(30.0).decides(under(2, decision(interaction(0, 0), BILLING, ON)));
    let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
    assert_eq!((ledger.checked, ledger.exercised, ledger.violations), (1, 0, 0));
}

#[test]
fn a_decision_beyond_a_local_switch_and_one_that_no_rule_gives_are_red() {
    let mut estate = estate();
    estate.services[BILLING].local = vec![(FEATURE, OFF)];
    let mut stream = Stream::new(&estate);
    stream.arrives(interaction(0, 0));
    stream.decides(decision(interaction(0, 0), BILLING, ON));
    stream.decides(decision(interaction(0, 0), CHECKOUT, ON));
    let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
    assert_eq!(ledger.causes, [("beyond a local switch", 1), ("no rule gives it", 1)]);
}
