use super::*;
use crate::campaign::outcome::fixture::{broken, campaign, expects, held, line, plan, run, split_brain, variant};
use crate::scenario::plan::{Accepted, ComesOut};
use crate::units::Day;

fn suite() -> Suite {
    let mut suite = Suite::new(Doubt::Fails);
    suite.add(&split_brain());
    suite
}

/// A campaign in which each outcome occurs: met, missed, inconclusive, accepted.
fn mixed() -> Suite {
    let holds = |name| expects(name, ComesOut::Holds);
    let expected = vec![holds("split-brain"), holds("completion"), holds("no-lost-event"), holds("kill-latency")];
    let mut plan = plan("base", expected);
    plan.judged_on = Some(Day::new(2026, 11, 26));
    plan.accepted.push(Accepted {
        invariant: "kill-latency",
        cause: None,
        until: Day::new(2026, 12, 31),
        owner: "payments".to_owned(),
        ticket: "SHOP-1".to_owned(),
        at: line(20),
    });
    let seen = vec![
        held("split-brain", 9),
        broken("completion", 9, &[("slow", 2)]),
        held("no-lost-event", 0),
        broken("kill-latency", 9, &[("poll", 1)]),
    ];
    let mut suite = Suite::new(Doubt::Fails);
    suite.add(&campaign(vec![variant(plan, vec![run(7, seen)])]));
    suite
}

#[test]
fn formats_have_names_of_their_own() {
    for (index, format) in ALL.iter().enumerate() {
        assert!(ALL[..index].iter().all(|other| other.name != format.name));
        assert!(crate::report::named(format.name).is_none(), "{} is a format of one campaign, too", format.name);
    }
}

#[test]
fn every_outcome_is_told_by_every_format_and_equal_suites_give_equal_bytes() {
    for format in ALL {
        let text = (format.render)(&mixed());
        assert_eq!(text, (format.render)(&mixed()), "{}", format.name);
        for told in ["completion", "no-lost-event", "accepted until 2026-12-31 by payments, ticket SHOP-1"] {
            let told = if format.name == "summary" { summary_text(told) } else { told.to_owned() };
            assert!(text.contains(&told), "{} says nothing of {told}: {text}", format.name);
        }
    }
}

fn summary_text(text: &str) -> String {
    crate::report::summary::escaped(text)
}

#[test]
fn junit_has_a_case_per_expectation_and_never_a_green_one_for_what_was_not_shown() {
    insta::assert_snapshot!(junit::render(&mixed()));
    let mut warned = mixed();
    warned.doubt = Doubt::Warns;
    let text = junit::render(&warned);
    assert!(text.contains("<skipped type=\"inconclusive\"") && text.contains("errors=\"0\""), "{text}");
}

#[test]
fn annotations_name_the_line_and_the_command_to_paste() {
    insta::assert_snapshot!(github::render(&mixed()));
}

#[test]
fn the_step_summary_tells_what_is_not_met_first() {
    insta::assert_snapshot!(step_summary::render(&mixed()));
    let text = step_summary::render(&suite());
    assert!(
        text.starts_with("## windtunnel: fail\n\n4 met, 1 missed of 5 expectations in 2 scenario variants."),
        "{text}"
    );
    assert!(step_summary::render(&Suite::default()).contains("nothing selected"));
}

#[test]
fn sarif_has_a_rule_for_each_result_and_suppresses_what_is_accepted() {
    let document: serde_json::Value = serde_json::from_str(&sarif::render(&mixed())).expect("JSON");
    let driven = &document["runs"][0];
    let results = driven["results"].as_array().expect("a list");
    let told: Vec<String> = results.iter().map(|one| format!("{} {}", one["ruleId"], one["level"])).collect();
    assert_eq!(told, [r#""completion" "error""#, r#""no-lost-event" "error""#, r#""kill-latency" "note""#]);
    for result in results {
        let at = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small");
        assert_eq!(driven["tool"]["driver"]["rules"][at]["id"], result["ruleId"]);
    }
    insta::assert_json_snapshot!(results[2]);
}

#[test]
fn gitlab_has_a_finding_for_each_expectation_that_is_not_met() {
    insta::assert_snapshot!(gitlab::render(&mixed()));
}

#[test]
fn an_incomplete_campaign_has_a_row_that_says_so() {
    let mut outcome = split_brain();
    outcome.incomplete = Some(crate::campaign::outcome::Incomplete::Interrupted);
    let mut suite = Suite::new(Doubt::Fails);
    suite.add(&outcome);
    let rows: Vec<&Row> = suite.told().into_iter().filter(|row| row.expected == "every run is made").collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].account, "Interrupted after 20 runs");
    assert_eq!(rows[0].replay, "windtunnel run scenarios/split-brain.yaml --seeds 0..20");
}

#[test]
fn a_path_is_told_as_platforms_want_it() {
    let mut suite = Suite::new(Doubt::Fails);
    suite.refuse("././scenarios/my one.yaml", None, "wrong");
    assert_eq!(suite.rows[0].at.file, "scenarios/my one.yaml");
    assert_eq!(sarif::uri("scenarios/my one.yaml"), "scenarios/my%20one.yaml");
    assert_eq!(sarif::uri("/srv/ü:1.yaml"), "file:///srv/%C3%BC%3A1.yaml");
}
