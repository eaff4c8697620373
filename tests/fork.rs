//! A fork: the same past, and other luck from a moment on.

mod common;

use common::{plan, plan_with, shipped};
use windtunnel::models::observation::{Kind, Observation};
use windtunnel::models::world::{Course, World};
use windtunnel::run::{Checkpoint, Deed, Fork, Keep, Limits, RunSpec, Walk};
use windtunnel::scenario::Plan;
use windtunnel::units::{SimDuration, SimTime};

fn at(seconds: u64) -> SimTime {
    SimTime::from(SimDuration::from_secs(seconds))
}

/// When the luck becomes another: after the first publication.
const FORK: u64 = 150;

fn forked(salt: u64) -> RunSpec {
    RunSpec { fork: Some(Fork { at: at(FORK), salt }), ..RunSpec::of(5) }
}

fn walked(plan: &Plan, spec: &RunSpec) -> (Vec<Checkpoint>, Vec<Deed>) {
    let mut walk = Walk::new(plan, spec, Limits::default(), Keep::Deeds);
    let (mut checkpoints, mut deeds) = (Vec::new(), Vec::new());
    while let Some(checkpoint) = walk.next_checkpoint() {
        checkpoints.push(checkpoint);
        deeds.extend_from_slice(walk.deeds());
    }
    (checkpoints, deeds)
}

#[test]
fn everything_before_the_fork_is_the_same_and_what_comes_after_is_not() {
    let plans = [
        ("split-brain", plan_with(&shipped("split-brain.yaml"), None, &["duration=200s"])),
        ("consumer-lag", plan(&shipped("consumer-lag.yaml"))),
    ];
    for (name, plan) in plans {
        let (whole, whole_deeds) = walked(&plan, &RunSpec::of(5));
        let (fork, fork_deeds) = walked(&plan, &forked(1));
        let before = |deeds: &[Deed]| deeds.iter().take_while(|deed| deed.at < at(FORK)).cloned().collect::<Vec<_>>();
        assert!(before(&whole_deeds).len() > 1_000, "{name}: there is a past");
        assert!(before(&whole_deeds) == before(&fork_deeds), "{name}: event by event, draw by draw, plan by plan");
        let differing = whole.iter().zip(&fork).position(|(a, b)| a != b).expect("the future is another");
        assert!(whole[differing].at >= at(FORK) && fork[differing].at >= at(FORK), "{name}");
        assert_ne!(whole.last().map(|end| end.digest), fork.last().map(|end| end.digest), "{name}");
        let words = |deeds: &[Deed]| -> Vec<u64> {
            let after = deeds.iter().filter(|deed| deed.at >= at(FORK));
            after.flat_map(|deed| deed.draws.iter().map(|draw| draw.word)).take(1_000).collect()
        };
        let (one, other) = (words(&whole_deeds), words(&fork_deeds));
        assert!(one.len() > 100 && one.iter().all(|word| !other.contains(word)), "{name}: every draw is another");
    }
}

#[test]
fn each_salt_has_one_future_of_its_own() {
    let plan = plan_with(&shipped("split-brain.yaml"), None, &["duration=200s"]);
    let end = |salt| Walk::new(&plan, &forked(salt), Limits::default(), Keep::Nothing).to_end().digest;
    assert_eq!(end(1), end(1));
    assert_ne!(end(1), end(2));
}

/// Tenants with attributes and a share of them moved: who is on the new stage is a matter of cohorts.
const COHORTS: &str = "windtunnel: 1\nname: cohorts\nduration: 8m\n\
    population: { regions: { eu: 60%, us: 40% }, tenants: { count: 40, users: 25, attributes: { segment: { staff: 30%, public: 70% } } } }\n\
    features: { f: { stages: [\"off\", \"on\"] } }\n\
    services: { a: { replicas: 1, sdk: { poll: 10s } } }\n\
    journeys: { j: { arrivals: 40/s, calls: [a], feature: f } }\n\
    rollout: { f: { steps: [{ at: 0s, move: [{ of: 'tenant.segment == \"staff\"', to: \"on\", percent: 60% }] }] } }\n";

/// The region of each tenant and the stage of each user, as they were seen from a minute on; none may be seen twice
/// in different ways.
fn identities(plan: &Plan, fork: Option<u64>) -> std::collections::BTreeMap<(u32, u64), (usize, usize)> {
    let estate = &*plan.estate;
    let wanted = Kind::ALL.map(|kind| matches!(kind, Kind::Arrived | Kind::Decided));
    let mut world = World::assemble(estate, 5, Course::WithRollouts, wanted);
    let mut found = std::collections::BTreeMap::new();
    let mut open = std::collections::BTreeMap::new();
    let mut pending = fork;
    loop {
        for fact in world.cx().observations() {
            match fact.what {
                Observation::Arrived { interaction, tenant, user, tenant_region, .. } => {
                    open.insert(interaction.n, (tenant, user, tenant_region.index()));
                }
                Observation::Decided(decided) if fact.at >= at(60) => {
                    let (tenant, user, region) = open[&decided.interaction.n];
                    let seen = (region, decided.stage.index());
                    assert_eq!(*found.entry((tenant, user)).or_insert(seen), seen, "user {user} of tenant {tenant}");
                }
                _ => {}
            }
        }
        if world.cx().now() >= at(FORK)
            && let Some(salt) = pending.take()
        {
            world.fork(estate, world.cx().now(), salt);
        }
        if !world.step(estate, SimTime::from(estate.horizon())) {
            return found;
        }
    }
}

#[test]
fn customers_stay_who_they_are_and_in_their_cohorts() {
    let plan = plan(COHORTS);
    // Each user is checked against what was seen of them before, across the fork, too.
    let (whole, fork) = (identities(&plan, None), identities(&plan, Some(7)));
    let both: Vec<_> = whole.iter().filter(|(user, _)| fork.contains_key(user)).collect();
    assert!(both.len() > 900, "{} users come in both", both.len());
    assert!(both.iter().all(|(user, seen)| fork[user] == **seen), "the same region and the same cohort");
    let on = both.iter().filter(|(_, (_, stage))| *stage == 1).count();
    assert!(on > 50 && on < both.len() / 2, "{on} of {} are in the cohort", both.len());
}
