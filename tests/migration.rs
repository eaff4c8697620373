//! Shadows and dual writes, and the six stages of a migration with their reads and writes.

mod common;

use common::plan;
use std::sync::atomic::AtomicBool;
use windtunnel::models::observation::{Observation, Outcome, Shadowed, Wrote};
use windtunnel::run::{Completed, Detail, Limits, run};

fn completed(text: &str) -> Completed {
    let keep = (0..2).flat_map(|journey| (0..5_000).map(move |n| (journey, n))).collect::<Vec<_>>();
    let keep = keep.into_iter().map(|(journey, n)| (windtunnel::units::Id::new(journey), n, 0)).collect();
    let detail = Detail::Exhibit { buckets: 10, keep };
    run(&plan(text), 1, Limits::default(), &detail, &AtomicBool::new(false)).expect("nobody stops it")
}

/// LaunchDarkly's migration flags: reads and writes by stage, the write that counts first, the second one skipped where
/// the first fails.
fn migration(stage: &str, own: &str, other: &str) -> String {
    format!(
        r#"windtunnel: 1
name: migration
duration: 10m
features:
  new-store: {{ stages: migration }}
services:
  profile:
    sdk: {{ poll: 5s }}
    decides_from: [sdk, safe_stage]
    code: {{ 1: {{ defects: [{{ disagrees: 3%, path: new }}] }} }}
    operations:
      read:
        by_stage:
          "off": {{ path: old, do: [{{ effect: read }}] }}
          dualwrite: {{ path: old, do: [{{ effect: read }}] }}
          shadow: {{ path: old, do: [{{ shadow: {{ of: new }} }}, {{ effect: read }}] }}
          live: {{ path: new, do: [{{ shadow: {{ of: old }} }}, {{ effect: read }}] }}
          rampdown: {{ path: new, do: [{{ effect: read }}] }}
          complete: {{ path: new, do: [{{ effect: read }}] }}
      write:
        by_stage:
          "off": {{ path: old, do: [{{ effect: write }}] }}
          dualwrite: {{ path: old, do: [{{ dual_write: {{ effect: write, of: new, fails: {own}, other_fails: {other} }} }}] }}
          shadow: {{ path: old, do: [{{ dual_write: {{ effect: write, of: new, fails: {own}, other_fails: {other} }} }}] }}
          live: {{ path: new, do: [{{ dual_write: {{ effect: write, of: old, fails: {own}, other_fails: {other} }} }}] }}
          rampdown: {{ path: new, do: [{{ dual_write: {{ effect: write, of: old, fails: {own}, other_fails: {other} }} }}] }}
          complete: {{ path: new, do: [{{ effect: write }}] }}
journeys:
  look: {{ arrivals: 5/s, first: profile.read, feature: new-store }}
  save: {{ arrivals: 5/s, first: profile.write, feature: new-store }}
rollout:
  new-store: {{ steps: [{{ name: there, at: 0s, move: [{{ to: "{stage}" }}] }}] }}
"#
    )
}

#[test]
fn the_six_stages_read_and_write_as_their_matrix_says() {
    // Stage, read from, compared with, written to, and whether both stores are written.
    let matrix = [
        ("off", 0, None, 0, false),
        ("dualwrite", 0, None, 0, true),
        ("shadow", 0, Some(1), 0, true),
        ("live", 1, Some(0), 1, true),
        ("rampdown", 1, None, 1, true),
        ("complete", 1, None, 1, false),
    ];
    for (stage, read, compared, written, both) in matrix {
        let run = completed(&migration(stage, "0%", "0%"));
        let late = run.trace.iter().filter(|observed| observed.at.since_start().as_secs_f64() > 30.0);
        let (mut effects, mut shadows, mut writes) = (0, 0, 0);
        for observed in late {
            match observed.what {
                Observation::Effect(made) => {
                    let expected = if made.interaction.journey.index() == 0 { read } else { written };
                    assert_eq!(made.path, Some(expected), "{stage}");
                    effects += 1;
                }
                Observation::ShadowCompared { of, .. } => {
                    assert_eq!(Some(of), compared, "{stage}");
                    shadows += 1;
                }
                Observation::DualWrote { of, wrote, .. } => {
                    assert_eq!((of, wrote), (1 - written, Wrote::Both), "{stage}");
                    writes += 1;
                }
                _ => {}
            }
        }
        assert!(effects > 4_000, "{stage}: {effects}");
        assert_eq!((shadows > 2_000, writes > 2_000), (compared.is_some(), both), "{stage}: {shadows} {writes}");
    }
}

#[test]
fn a_shadow_finds_what_is_wrong_with_the_other_path_and_with_its_own() {
    for stage in ["shadow", "live"] {
        let mismatch = completed(&migration(stage, "0%", "0%")).summary.metric("shadow_mismatch");
        assert!(mismatch.is_some_and(|share| (0.02..0.04).contains(&share)), "{stage}: {mismatch:?}");
    }
    assert_eq!(completed(&migration("off", "0%", "0%")).summary.metric("shadow_mismatch"), None);
    let failing = migration("shadow", "0%", "0%").replace("disagrees: 3%", "fails: 20%");
    let run = completed(&failing);
    let failed = |observed: &&windtunnel::models::observation::Observed| {
        matches!(observed.what, Observation::ShadowCompared { shadowed: Shadowed::Failed, .. })
    };
    assert!(run.trace.iter().filter(failed).count() > 300);
    // Nobody but the shadow notices: its result is dropped.
    assert_eq!(run.summary.metric("error_rate"), Some(0.0));
}

#[test]
fn each_write_fails_by_itself_and_the_second_is_skipped_where_the_first_fails() {
    let count = |text: &str| {
        let run = completed(text);
        let gaps = run.trace.iter().filter(|observed| {
            matches!(observed.what, Observation::DualWrote { wrote: Wrote::OnlyOne | Wrote::OnlyOther, .. })
        });
        assert_eq!(run.summary.metric("dual_write_gaps.count"), Some(gaps.count() as f64));
        let of = |wanted: Wrote| {
            let found = |observed: &&windtunnel::models::observation::Observed| matches!(observed.what, Observation::DualWrote { wrote, .. } if wrote == wanted);
            run.trace.iter().filter(found).count()
        };
        let failed = run
            .trace
            .iter()
            .filter(|observed| matches!(observed.what, Observation::Finished { outcome: Outcome::Failed(_), .. }));
        (of(Wrote::Both), of(Wrote::OnlyOne), of(Wrote::OnlyOther), of(Wrote::Neither), failed.count())
    };
    let own_first = migration("dualwrite", "10%", "20%");
    let (both, one, other, neither, failed) = count(&own_first);
    let all = (both + one + other + neither) as f64;
    assert_eq!((other, failed), (0, neither));
    let near = |part: usize, share: f64| (part as f64 / all - share).abs() < 0.03;
    assert!(near(one, 0.18) && near(neither, 0.1), "{both} {one} {neither}");
    // The other one first: what fails second leaves an orphan that the customer never hears of.
    let other_first = own_first.replace("of: new,", "of: new, order: other_first,");
    let (_, one, other, neither, failed) = count(&other_first);
    assert_eq!((one, failed), (0, other + neither));
    assert!(near(other, 0.08) && near(neither, 0.2), "{other} {neither}");
}

#[test]
fn a_dark_launch_stops_on_what_its_shadow_finds() {
    let gate = |bound: &str| {
        let text = migration("shadow", "0%", "0%").replace(
            "new-store: { steps: [{ name: there, at: 0s, move: [{ to: \"shadow\" }] }] }",
            &format!("new-store: {{ analysis: {{ every: 30s, window: 2m, delay: 0s }}, exit: [\"shadow_mismatch < {bound}\"], steps: [{{ name: dark, at: 0s, move: [{{ to: shadow }}], hold: 5m }}, {{ name: live, move: [{{ to: live }}] }}] }}"),
        );
        completed(&text).summary.plans[0].1.clone()
    };
    assert_eq!(gate("1%"), "paused by a failed gate at step dark");
    assert_eq!(gate("10%"), "completed");
}
