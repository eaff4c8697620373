use super::*;
use crate::campaign::outcome::fixture::{plan, split_brain};
use std::sync::Arc;

fn json() -> serde_json::Value {
    serde_json::from_str(&render(&split_brain())).expect("what is written is JSON")
}

#[test]
fn the_fields_other_tools_rely_on_are_there() {
    let json = json();
    insta::assert_json_snapshot!(json["invariants"][0], @r#"
    {
      "apart": [],
      "causes": [
        {
          "cause": "stale cache",
          "violations": 3000
        },
        {
          "cause": "fallback",
          "violations": 19
        }
      ],
      "checked": 81220,
      "exercised": 81220,
      "exercised_runs": 20,
      "expected": "violated",
      "in_baseline": 0,
      "min_margin": -2.25,
      "name": "split-brain",
      "pending": 0,
      "runs": 20,
      "variant": "base",
      "verdict": "violated",
      "violated_runs": 20,
      "violations": 3019
    }
    "#);
    insta::assert_json_snapshot!(json["metrics"][1], @r#"
    {
      "ci95": [
        148.34480388319875,
        151.45519611680126
      ],
      "mean": 149.9,
      "n": 20,
      "name": "mixed_interactions.count",
      "quantiles": {
        "p50": {
          "approximate": false,
          "ci95": [
            147,
            152
          ],
          "value": 150
        },
        "p90": null,
        "p95": null,
        "p99": null
      },
      "unit": "1",
      "variant": "base"
    }
    "#);
    insta::assert_json_snapshot!(json["faults"][0], @r#"
    {
      "fault": "control_plane.down eu-central",
      "fired": 20,
      "fired_runs": 20,
      "variant": "base"
    }
    "#);
}

#[test]
fn a_run_has_its_digest_verdicts_causes_steps_and_metrics() {
    let json = json();
    insta::assert_json_snapshot!(json["runs"][0], @r#"
    {
      "causes": {
        "split-brain": "stale cache"
      },
      "cut_short": false,
      "digest": "00000000000000000000000000c0ffee",
      "draws": 601000,
      "end": "600s",
      "events": 481234,
      "metrics": {
        "error_rate": 0.0003,
        "interactions.count": 120000,
        "lag.max": 800,
        "latency.p99": 0.184,
        "mixed_interactions.count": 145,
        "mixed_interactions.share": 0.0012,
        "time_to_full": 27
      },
      "seed": 0,
      "steps": {
        "everybody": "300s",
        "pilot": "120s"
      },
      "variant": "base",
      "verdicts": {
        "completion": "holds",
        "kill-latency": "holds",
        "no-lost-event": "vacuous",
        "split-brain": "violated"
      }
    }
    "#);
}

#[test]
fn the_file_opens_with_scenario_and_verdict() {
    let json = json();
    let top = ["schema_version", "scenario", "scenario_hash", "params", "verdict", "seeds"];
    let told: Vec<String> = top.iter().map(|field| json[field].to_string()).collect();
    insta::assert_snapshot!(told.join(" "), @r#"1 "split-brain" "5eed0f4" {"poll":"30s"} "fail" [0,20]"#);
}

#[test]
fn equal_outcomes_give_equal_bytes() {
    assert_eq!(render(&split_brain()), render(&split_brain()));
}

#[test]
fn one_seed_has_a_mean_and_no_interval() {
    let mut outcome = split_brain();
    let mut variant = outcome.variants.remove(0);
    variant.runs.truncate(1);
    let variant = VariantOutcome::of(variant.plan, variant.runs);
    let rows = metric_rows(&variant);
    assert!(rows.iter().all(|row| row.ci95.is_none() && row.n == 1));
}

#[test]
fn steps_of_one_name_in_two_rollouts_keep_their_feature() {
    let mut outcome = split_brain().variants.remove(0);
    outcome.plan = plan("base", vec![]);
    let estate = Arc::make_mut(&mut outcome.plan.estate);
    estate.rollouts.push(estate.rollouts[0].clone());
    estate.rollouts[1].steps.truncate(1);
    let row = run_row(&outcome, &outcome.runs[0]);
    assert_eq!(row.steps.keys().collect::<Vec<_>>(), ["everybody", "new-checkout/pilot"]);
}
