use super::*;
use crate::campaign::outcome::fixture::{campaign, expects, held, plan, run, split_brain, variant};
use crate::scenario::plan::ComesOut;

#[test]
fn the_summary_says_what_was_expected_and_seen() {
    let report = Path::new("reports/split-brain/1a2b3c4d5e6f7081/index.html");
    let mut outcome = split_brain();
    outcome.variants.truncate(1);
    insta::assert_snapshot!(render(&outcome, Some(report), Ink::Plain), @r#"
    split-brain · base · 20 runs, seeds 0..20
    Three services poll the same flag every 30 s and disagree about the same order.

      expected
      ✓ split-brain  violated in 20 of 20 runs, 3 019 violations, causes: stale cache (3 000), fallback (19)
      ✓ error_rate   the mean is 0.0305%, as expected: error_rate <= 0.01

      also checked, without a say
      · kill-latency   holds in 20 of 20 runs, exercised 240 times
      · completion     holds in 20 of 20 runs, exercised 2 400 000 times
      · never exercised here: no-lost-event

      metrics, mean over seeds and its 95% interval
        error_rate                0.0305%  (0.0303% to 0.0306%)
        mixed_interactions.count  149.9  (148.3 to 151.5)
        mixed_interactions.share  0.125%  (0.123% to 0.126%)
        latency.p99               189ms  (187ms to 190ms)
        time_to_full              28s  (27.7s to 28.3s)
        lag.max                   804.9  (803.3 to 806.5)

      timeline
        control_plane.down eu-central  in 20 of 20 runs
        kill new-checkout to off       in 20 of 20 runs

      how split-brain is violated, seed 0
        Order place-order #24417 is checked out under stage on and billed under stage off.
        02:00.000  control plane  publishes policy version 2: new-checkout/pilot moves everybody to on
        02:07.412  checkout/3     polls and applies version 2, 7.41s after its publication
        02:13.980  customer       begins place-order #24417
        02:14.004  checkout/3     decides new-checkout = on from its SDK, version 2 (TARGETING_MATCH)
        02:14.031  billing/1      decides new-checkout = off from its SDK, version 1, 14s after version 2 was published
        02:14.040  billing/1      invoices on the old path what checkout sold on the new one <b>&
        02:29.600  billing/1      polls and applies version 2, 15.6s too late for this order

      replay
        windtunnel run scenarios/split-brain.yaml --seed 0

    PASS  Everything expected was seen: 2 expectations, all met.
    report  reports/split-brain/1a2b3c4d5e6f7081/index.html
    "#);
}

#[test]
fn a_missed_expectation_says_what_came_instead() {
    let mut outcome = split_brain();
    outcome.variants.remove(0);
    insta::assert_snapshot!(render(&outcome, None, Ink::Plain), @r#"
    split-brain · edge-context · 20 runs, seeds 0..20
    Three services poll the same flag every 30 s and disagree about the same order.

      expected
      ✓ split-brain                                holds in 20 of 20 runs, exercised 81 220 times; with 95% confidence violated in at most 13.9% of runs
      ✗ kill-latency                               expected to hold, but violated in 2 of 20 runs, first with seed 4: carried context (4)
      ✓ reached: decided while control_plane.down  reached

      also checked, without a say
      · completion     holds in 20 of 20 runs, exercised 2 400 000 times
      · never exercised here: no-lost-event

      metrics, mean over seeds and its 95% interval
        mixed_interactions.count  149.9  (148.3 to 151.5)
        mixed_interactions.share  0.125%  (0.123% to 0.126%)
        error_rate                0.0305%  (0.0303% to 0.0306%)
        latency.p99               189ms  (187ms to 190ms)
        time_to_full              28s  (27.7s to 28.3s)
        lag.max                   804.9  (803.3 to 806.5)

      timeline
        control_plane.down eu-central  in 20 of 20 runs
        kill new-checkout to off       in 20 of 20 runs

      how kill-latency is violated, seed 4
        An invoice is posted on the new path 41s after the kill, 11s beyond the bound.
        08:00.000  operator   kills new-checkout to off (policy version 4)
        08:00.350  gateway/1  applies version 4
        08:41.000  billing/2  posts an invoice on the new path under a decision carried from 7m 55s (version 3)

      replay
        windtunnel run scenarios/split-brain.yaml --variant edge-context --seed 4

    FAIL  1 of 3 expectations is missed. kill-latency in edge-context: expected to hold, but violated in 2 of 20 runs, first with seed 4: carried context (4).
    "#);
}

#[test]
fn what_never_happened_is_said_in_words() {
    let mut run = run(0, vec![held("split-brain", 0)]);
    run.happenings[0].1 = 0;
    run.metrics.clear();
    let outcome = campaign(vec![variant(plan("base", vec![expects("split-brain", ComesOut::Holds)]), vec![run])]);
    insta::assert_snapshot!(render(&outcome, None, Ink::Plain), @r#"
    split-brain · base · 1 run, seeds 0..20
    Three services poll the same flag every 30 s and disagree about the same order.

      expected
      ? split-brain                              expected to hold, but never exercised: this result is worth nothing
      ? timeline: control_plane.down eu-central  never took place: what it was to show is not shown

      timeline
        control_plane.down eu-central  never took place: what it was to show is not shown
        kill new-checkout to off       in 1 of 1 run

      replay
        windtunnel run scenarios/split-brain.yaml --seed 0

    INCONCLUSIVE  It cannot be told. split-brain in base: expected to hold, but never exercised: this result is worth nothing.
    "#);
}

#[test]
fn colour_changes_no_letter() {
    let outcome = split_brain();
    let colored = render(&outcome, None, Ink::Colored);
    assert!(colored.contains('\u{1b}'));
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').expect("an escape sequence of a style ends in m").1;
    }
    assert_eq!(plain + rest, render(&outcome, None, Ink::Plain));
}

#[test]
fn one_line_per_variant_names_what_was_missed_first() {
    let outcome = split_brain();
    let lines: Vec<String> = outcome.variants.iter().map(|variant| one_line(variant, false, Ink::Plain)).collect();
    insta::assert_snapshot!(lines.concat(), @r#"
    ✓ split-brain:base  2 expectations met in 20 runs
    ✗ split-brain:edge-context  kill-latency: expected to hold, but violated in 2 of 20 runs, first with seed 4: carried context (4)
    "#);
}
