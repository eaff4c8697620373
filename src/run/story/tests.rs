use super::*;
use crate::invariants::fixtures::*;
use crate::invariants::{Settings, named};
use crate::models::estate::PATH_NEW;
use crate::models::observation::{Decided, Publication};
use crate::units::SimDuration;

/// gateway gets policy 2, billing's polls fail; one order is split between them.
fn split() -> (Estate, Stream, Violation) {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    let order = interaction(3, 0);
    stream.publishes(1, Publication::Initial);
    stream.at(90.0).push(Observation::FaultStarted { entry: OUTAGE });
    stream.at(100.0).steps(0, 2);
    stream.at(101.0).applies(0, 2);
    for at in [104.0, 108.0, 112.0] {
        stream.at(at).suppressed(4);
        stream.suppressed(6);
    }
    stream.at(113.0).arrives(order);
    stream.decides(under(2, decision(order, GATEWAY, ON)));
    let staleness = SimDuration::from_secs(13);
    stream.decides(Decided { staleness, ..decision(order, BILLING, OFF) });
    stream.effects(effect(order, GATEWAY, CHARGE, Some(PATH_NEW)));
    stream.finishes(order);
    stream.arrives(interaction(4, 1));
    stream.at(130.0).push(Observation::FaultEnded { entry: OUTAGE });
    stream.at(135.0).applies(4, 2);
    stream.at(140.0).applies(4, 3);
    let entry = named("split-brain").expect("split-brain is built in");
    let ledger = judge(entry, &estate, Settings::default(), &stream, 300.0);
    let violation = ledger.first[0].clone();
    (estate, stream, violation)
}

fn text(story: &Story) -> String {
    let mut text = format!("{}\n", story.headline);
    for line in &story.lines {
        text.push_str(&format!("{} {}: {}\n", line.at, line.who, line.text));
    }
    text
}

#[test]
fn a_split_is_told_from_the_publication_to_the_customers_answer() {
    let (estate, stream, violation) = split();
    let story = tell(&violation, "split-brain", 7, stream.observed(), &estate);
    let expected = "\
split-brain: in place-order #3, gateway used on (sdk, policy 2, 3s old) and billing used off (sdk, policy 1, \
replaced 13s ago) (stale cache)
0s control plane: publishes policy 1: the policy in force at the start
1m 30s control_plane.down: begins
1m 40s control plane: publishes policy 2: step canary of new-checkout
1m 41s gateway/1: applies policy 2 in place of policy 1
1m 44s billing/1: its poll fails: control plane down, and 2 more
1m 53s customer: begins place-order #3, as user 103 of tenant 1 in eu-west
1m 53s gateway/1: uses on of new-checkout (sdk, policy 2, 3s old): TARGETING_MATCH
1m 53s billing/1: uses off of new-checkout (sdk, policy 1, replaced 13s ago): TARGETING_MATCH
1m 53s gateway/1: does charge on path new, under on of new-checkout, policy 1
1m 53s customer: has the answer after 40ms
2m 10s control_plane.down: ends
2m 15s billing/1: applies policy 2 in place of policy 1
";
    assert_eq!(text(&story), expected);
    assert_eq!((story.seed, story.interaction), (7, violation.interaction));
}

#[test]
fn without_its_observation_a_line_disappears() {
    let (estate, stream, violation) = split();
    let story = tell(&violation, "split-brain", 7, stream.observed(), &estate);
    for line in &story.lines {
        let mut trace = stream.observed().to_vec();
        trace.retain(|observed| observed.id != line.observation);
        let without = tell(&violation, "split-brain", 7, &trace, &estate);
        assert!(without.lines.iter().all(|other| other.observation != line.observation));
        let same = |other: &StoryLine| (other.at, &other.who, &other.text) == (line.at, &line.who, &line.text);
        assert!(!without.lines.iter().any(same), "{}: {} is told without being observed", line.who, line.text);
    }
}

#[test]
fn the_fleets_story_follows_who_stayed_behind() {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    stream.at(100.0).steps(0, 2);
    (0..7).for_each(|at| stream.applies(at, 2));
    for at in [110.0, 120.0] {
        stream.at(at).suppressed(7);
    }
    stream.at(170.0).applies(7, 2);
    let entry = named("convergence").expect("convergence is built in");
    let ledger = judge(entry, &estate, Settings::default(), &stream, 300.0);
    let story = tell(&ledger.first[0], "convergence", 1, stream.observed(), &estate);
    let expected = "\
convergence: mailer/2 does not hold policy 2 1m after it was published (control plane)
1m 40s control plane: publishes policy 2: step canary of new-checkout
1m 50s mailer/2: its poll fails: control plane down, and 1 more
2m 50s mailer/2: applies policy 2 in place of policy 1
";
    assert_eq!(text(&story), expected);
}

#[test]
fn every_observation_but_a_measurement_has_a_sentence() {
    let (estate, stream, _) = split();
    for observed in stream.observed() {
        let (who, text) = sentence(observed, &estate).expect("nothing in this stream is a measurement");
        assert!(!who.is_empty() && !text.is_empty());
    }
    let lag = Observation::Lag { group: crate::units::Id::from_u32(0), partition: 0, end: 4, committed: 1 };
    let measured = Observed { at: seconds(0.0), id: 1, cause: 0, what: lag };
    assert_eq!(sentence(&measured, &estate), None);
}
