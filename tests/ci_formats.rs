//! Reports over a whole suite, as continuous integration reads them: held to the schemas of others, within the limits of
//! the platforms, and never silently green.

#[path = "common/json_schema.rs"]
mod json_schema;
#[path = "common/xsd.rs"]
mod xsd;

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;
use windtunnel::report::suite::{self, Doubt, Outcome, Row, Rule, Suite, github, gitlab, junit, sarif, step_summary};
use windtunnel::scenario::Line;

const JUNIT: &str = include_str!("schemas/junit-10.xsd");
const SARIF: &str = include_str!("schemas/sarif-2.1.0.json");

const SMALL: &str = "windtunnel: 1\nname: NAME\nsummary: Do two services disagree?\nduration: 2m\n\
    features: { f: { stages: [\"off\", \"on\"] } }\n\
    services:\n  a: { replicas: 1, sdk: { poll: 30s } }\n  b: { replicas: 1, sdk: { poll: 30s } }\n\
    journeys: { j: { arrivals: 5/s, calls: [a, b], feature: f } }\n\
    rollout: { f: { steps: [{ at: 1m, move: [{ to: \"on\" }] }] } }\n";

fn windtunnel(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    command.current_dir(folder).env("NO_COLOR", "1").args(["--color", "never"]);
    for inherited in ["WINDTUNNEL_SEEDS", "WINDTUNNEL_JOBS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(inherited);
    }
    command
}

fn said(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A folder with a scenario that is met, one that is missed and accepted in part, and one that is inconclusive.
fn suite_of_three() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::create_dir(folder.path().join("scenarios")).expect("writable");
    let put = |name: &str, expect: &str| {
        let text = format!("{}{expect}\n", SMALL.replace("NAME", name));
        fs::write(folder.path().join(format!("scenarios/{name}.yaml")), text).expect("writable");
    };
    put("met", "expect: { split-brain: violated }");
    put(
        "missed",
        "expect:\n  split-brain: holds\n  error_rate: { at_most: 1% }\nvariants:\n  known:\n    accepted:\n      \
         - { invariant: split-brain, until: 2026-12-31, owner: payments, ticket: 'SHOP-1: 100%' }",
    );
    put("unsure", "expect: { split-brain: violated, reached: [\"crashed while f/step-1\"] }");
    folder
}

const EMITS: [&str; 10] = [
    "--emit",
    "junit=junit.xml",
    "--emit",
    "sarif=out.sarif",
    "--emit",
    "gitlab=gl.json",
    "--emit",
    "summary=step.md",
    "--emit",
    "github=annotations.txt",
];

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|why| panic!("{file}: {why}"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// What is wrong with a GitLab Code Quality report, by the fields that GitLab documents.
fn gitlab_problems(report: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut prints = Vec::new();
    for finding in report.as_array().expect("a list") {
        for key in ["description", "check_name", "fingerprint", "severity"] {
            if finding[key].as_str().is_none_or(str::is_empty) {
                found.push(format!("no {key}"));
            }
        }
        if !["info", "minor", "major", "critical", "blocker"].contains(&finding["severity"].as_str().unwrap_or("")) {
            found.push(format!("the severity {}", finding["severity"]));
        }
        if finding["location"]["path"].as_str().is_none_or(|path| path.starts_with("./")) {
            found.push(format!("the path {}", finding["location"]["path"]));
        }
        if finding["location"]["lines"]["begin"].as_u64().is_none_or(|line| line == 0) {
            found.push("no line".to_owned());
        }
        if prints.contains(&&finding["fingerprint"]) {
            found.push(format!("the fingerprint {} twice", finding["fingerprint"]));
        }
        prints.push(&finding["fingerprint"]);
    }
    found
}

#[test]
fn a_suite_of_several_files_is_written_in_every_format_and_each_keeps_its_schema() {
    let folder = suite_of_three();
    let test = ["test", "scenarios", "--seeds", "1..3", "--no-report", "--today", "2026-11-26"];
    let (code, out, err) = said(windtunnel(folder.path()).args(test).args(EMITS));
    assert_eq!(code, 1, "{out}{err}");
    let junit = read(folder.path(), "junit.xml");
    assert_eq!(xsd::problems(&junit, JUNIT), [""; 0], "{junit}");
    let sarif = json(&read(folder.path(), "out.sarif"));
    assert_eq!(json_schema::problems(&sarif, &json(SARIF)), [""; 0]);
    assert_eq!(gitlab_problems(&json(&read(folder.path(), "gl.json"))), [""; 0]);
    let step = read(folder.path(), "step.md");
    for told in ["met:base", "missed:base", "missed:known", "unsure:base", "1 inconclusive", "1 missed", "1 accepted"] {
        assert!(step.contains(told), "{told}: {step}");
    }
    let annotations = read(folder.path(), "annotations.txt");
    assert!(
        annotations.contains("::error file=scenarios/missed.yaml,line=12,title=split-brain in missed%3Abase::"),
        "{annotations}"
    );
    assert!(annotations.contains("::notice file=scenarios/missed.yaml") && annotations.contains("SHOP-1: 100%25"));
    // The same suite, otherwise made: the same bytes.
    let before =
        ["junit.xml", "out.sarif", "gl.json", "step.md", "annotations.txt"].map(|file| read(folder.path(), file));
    said(windtunnel(folder.path()).args(test).args(EMITS).args(["--jobs", "1", "--quiet"]));
    let after =
        ["junit.xml", "out.sarif", "gl.json", "step.md", "annotations.txt"].map(|file| read(folder.path(), file));
    assert_eq!(before, after);
}

#[test]
fn run_writes_them_too_and_formats_of_one_campaign_still_refuse_several_files() {
    let folder = suite_of_three();
    let files = ["run", "scenarios/met.yaml", "scenarios/unsure.yaml", "--seed", "1", "--no-report"];
    let (code, ..) = said(windtunnel(folder.path()).args(files).args(["--emit", "junit=junit.xml"]));
    assert_eq!(code, 3);
    let junit = read(folder.path(), "junit.xml");
    assert_eq!(xsd::problems(&junit, JUNIT), [""; 0], "{junit}");
    assert!(junit.contains("met:base") && junit.contains("unsure:base"), "{junit}");
    let (code, out, err) = said(windtunnel(folder.path()).args(files).args(["--emit", "json=out.json"]));
    assert_eq!((code, out.as_str()), (2, ""), "nothing ran");
    assert!(err.contains("--emit json takes one scenario file") && err.contains("junit, sarif"), "{err}");
    let twice = ["--emit", "junit=one", "--emit", "sarif=one"];
    let (code, _, err) = said(windtunnel(folder.path()).args(files).args(twice));
    assert!(code == 2 && err.contains("write over each other in one"), "{err}");
    let (code, _, err) = said(windtunnel(folder.path()).args(files).args(["--emit", "junt=one"]));
    assert!(code == 2 && err.contains("expected one of json, html") && err.contains("junit"), "{err}");
    let (code, ..) = said(windtunnel(folder.path()).args(files).args(["--emit", "junit=absent/junit.xml"]));
    assert_eq!(code, 74);
}

#[test]
fn a_file_that_does_not_run_is_an_error_of_the_suite_and_the_others_are_there() {
    let folder = suite_of_three();
    let wrong = SMALL.replace("NAME", "wrong").replace("calls: [a, b]", "calls: [a, bee]");
    fs::write(folder.path().join("scenarios/wrong.yaml"), wrong).expect("writable");
    let (code, _, err) =
        said(windtunnel(folder.path()).args(["test", "scenarios", "--seeds", "1..2", "--no-report"]).args(EMITS));
    assert!(code == 2 && err.contains("bee"), "{err}");
    let junit = read(folder.path(), "junit.xml");
    assert_eq!(xsd::problems(&junit, JUNIT), [""; 0]);
    assert!(junit.contains("<error type=\"refused\"") && junit.contains("met:base"), "{junit}");
    assert!(read(folder.path(), "annotations.txt").contains("::error file=scenarios/wrong.yaml,line=1,"));
}

#[test]
fn an_inconclusive_result_fails_or_warns_as_asked_and_is_told_in_both_cases() {
    let folder = suite_of_three();
    let unsure = ["scenarios/unsure.yaml", "--seeds", "1..2", "--no-report", "--emit", "junit=junit.xml"];
    for command in ["run", "test"] {
        let with = |choice: &[&str]| said(windtunnel(folder.path()).arg(command).args(unsure).args(choice));
        assert_eq!(with(&[]).0, 3);
        assert!(read(folder.path(), "junit.xml").contains("<error type=\"inconclusive\""));
        let (code, out, err) = with(&["--inconclusive", "warn"]);
        assert_eq!(code, 0, "{out}{err}");
        assert!(
            err.contains("warning: unsure is inconclusive") && out.contains('?') | out.contains("INCONCLUSIVE"),
            "{out}{err}"
        );
        assert!(read(folder.path(), "junit.xml").contains("<skipped type=\"inconclusive\""));
        let missed = ["scenarios/missed.yaml", "--seeds", "1..2", "--no-report", "--inconclusive", "warn"];
        assert_eq!(said(windtunnel(folder.path()).arg(command).args(missed)).0, 1, "what else is wrong stays so");
    }
}

#[test]
fn github_actions_is_told_where_it_listens_and_nowhere_else() {
    let folder = suite_of_three();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "what the step said before\n").expect("writable");
    let on_github = |more: &[&str]| {
        let mut command = windtunnel(folder.path());
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
        said(command.args(["test", "scenarios/missed.yaml", "--seeds", "1..2", "--no-report"]).args(more))
    };
    let (code, out, _) = on_github(&[]);
    assert_eq!(code, 1);
    assert!(out.lines().any(|line| line.starts_with("::error file=scenarios/missed.yaml,line=12,")), "{out}");
    let step = read(folder.path(), "summary.md");
    assert!(step.starts_with("what the step said before\n## windtunnel: fail"), "appended: {step}");
    let (_, out, err) = on_github(&["--format", "json"]);
    assert_eq!(json(&out)["verdict"], "fail", "a document stays one");
    assert!(err.contains("::error file="), "{err}");
    let (_, out, err) = on_github(&["--ci", "none"]);
    assert!(!out.contains("::error") && !err.contains("::error"));
    let (_, out, _) =
        said(windtunnel(folder.path()).args(["test", "scenarios/missed.yaml", "--seeds", "1..2", "--no-report"]));
    assert!(!out.contains("::error"), "{out}");
    let (_, out, _) = said(windtunnel(folder.path()).args([
        "test",
        "scenarios/missed.yaml",
        "--seeds",
        "1..2",
        "--no-report",
        "--ci",
        "github",
    ]));
    assert!(out.contains("::error"), "{out}");
}

#[test]
fn a_row_is_at_the_line_that_expects_it_wherever_that_is_written() {
    let folder = suite_of_three();
    fs::create_dir(folder.path().join("scenarios/shared")).expect("writable");
    fs::write(folder.path().join("scenarios/shared/promises.yaml"), "expect:\n  convergence: { at_most: 1s }\n")
        .expect("writable");
    let variant = "variants:\n  named:\n    expect:\n      error_rate: { at_least: 50% }\n";
    let text = format!("{}include: [shared/promises.yaml]\n{variant}", SMALL.replace("NAME", "spread"));
    fs::write(folder.path().join("scenarios/spread.yaml"), text).expect("writable");
    let spread = ["test", "./scenarios/spread.yaml", "--seeds", "1..2", "--no-report", "--emit", "gitlab=gl.json"];
    let lines = |more: &[&str]| {
        said(windtunnel(folder.path()).args(spread).args(more));
        let report = json(&read(folder.path(), "gl.json"));
        let line = |one: &Value| {
            format!("{}:{}", one["location"]["path"].as_str().unwrap_or("?"), one["location"]["lines"]["begin"])
        };
        let findings = report.as_array().expect("a list").iter();
        let at = |one: &Value| format!("{} {}", one["check_name"].as_str().unwrap_or("?"), line(one));
        findings.map(at).collect::<Vec<_>>()
    };
    let (shared, own) = ("convergence scenarios/shared/promises.yaml:2", "metric/error_rate scenarios/spread.yaml:15");
    assert_eq!(lines(&[]), [shared, shared, own]);
    let set = lines(&["--set", "expect.error_rate={ at_least: 50% }", "--filter", "base"]);
    assert_eq!(set, [shared, "metric/error_rate scenarios/spread.yaml:1"], "what is set stands in no file");
}

#[test]
fn the_pipelines_ask_for_formats_that_there_are() {
    for file in ["contrib/github/windtunnel.yml", "contrib/gitlab/.gitlab-ci.yml"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("it is shipped");
        let asked: Vec<&str> = text.split("--emit ").skip(1).filter_map(|rest| rest.split('=').next()).collect();
        assert!(asked.len() >= 2 && asked.iter().all(|name| suite::named(name).is_some()), "{file}: {asked:?}");
    }
}

#[test]
fn formats_are_listed_and_explained() {
    let folder = suite_of_three();
    let (_, listed, _) = said(windtunnel(folder.path()).args(["list", "formats"]));
    for format in suite::ALL {
        assert!(listed.contains(format.name) && listed.contains(format.sentence), "{listed}");
        let (code, told, _) = said(windtunnel(folder.path()).args(["explain", format.name]));
        assert!(code == 0 && told.contains(format.details), "{told}");
    }
    assert!(said(windtunnel(folder.path()).args(["explain", "seeds"])).1.contains("seeds.csv"));
}

/// A row whose every text is as awkward as texts can be.
fn row(number: usize, outcome: Outcome, text: &str) -> Row {
    let at = Line { file: format!("scenarios/{number}.yaml"), number: number + 1 };
    Row {
        scenario: text.to_owned(),
        variant: "base".to_owned(),
        file: at.file.clone(),
        rule: Rule::Metric(format!("m{number}")),
        subject: format!("m{number} {text}"),
        expected: format!("m{number}: {text}"),
        outcome,
        account: text.to_owned(),
        replay: format!("windtunnel run '{text}'"),
        accepted: if outcome == Outcome::Accepted { vec![(text.to_owned(), at.clone())] } else { Vec::new() },
        at,
    }
}

const OUTCOMES: [Outcome; 5] =
    [Outcome::Met, Outcome::Missed, Outcome::Inconclusive, Outcome::Accepted, Outcome::Refused];

#[test]
fn no_text_breaks_out_of_its_place() {
    let nasty = "]]> <b a=\"1\" c='2'>&amp; 50% a:b,c\r\n::error::x\u{0}\u{1b}[31m\u{ffff} | `*_\\ \u{1f600}";
    let mut suite = Suite::new(Doubt::Fails);
    suite.rows = OUTCOMES.iter().enumerate().map(|(number, outcome)| row(number, *outcome, nasty)).collect();
    let junit = junit::render(&suite);
    assert_eq!(xsd::problems(&junit, JUNIT), [""; 0], "{junit}");
    let document = roxmltree::Document::parse(&junit).expect("XML");
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).expect("one is missed");
    let read = failure.attribute("message").expect("it has a message");
    assert_eq!(read, nasty.replace(['\u{0}', '\u{1b}', '\u{ffff}'], "\u{fffd}"), "XML has no word for three of them");
    let sarif = json(&sarif::render(&suite));
    assert_eq!(json_schema::problems(&sarif, &json(SARIF)), [""; 0]);
    assert_eq!(gitlab_problems(&json(&gitlab::render(&suite))), [""; 0]);
    let commands = github::render(&suite);
    assert_eq!(commands.lines().count(), 4, "a command a line: {commands}");
    for line in commands.lines() {
        let (properties, message) = line[2..].split_once("::").expect("a command");
        assert!(!message.contains('\r') && message.contains("50%25 a:b,c%0D%0A::error::x"), "{line}");
        let properties: Vec<&str> = properties.split_once(' ').expect("properties").1.split(',').collect();
        assert_eq!(properties.len(), 3, "{line}");
        assert!(properties[2].starts_with("title=") && properties[2].contains("a%3Ab%2Cc"), "{line}");
    }
    let step = step_summary::render(&suite);
    assert!(!step.contains("<b ") && !step.contains(['\u{0}', '\u{1b}']), "{step}");
    assert_eq!(step.lines().filter(|line| line.starts_with("| **missed**")).count(), 1);
}

#[test]
fn no_more_annotations_than_github_shows_and_the_last_one_counts_the_rest() {
    let of = |subjects: usize| {
        let mut suite = Suite::new(Doubt::Warns);
        for outcome in [Outcome::Missed, Outcome::Inconclusive, Outcome::Accepted] {
            suite.rows.extend((0..subjects).map(|number| row(number, outcome, "seen")));
        }
        let text = github::render(&suite);
        ["error", "warning", "notice"].map(|kind| {
            let lines = text.lines().filter(|line| line.starts_with(&format!("::{kind} ")));
            lines.map(str::to_owned).collect::<Vec<_>>()
        })
    };
    for lines in of(10) {
        assert!(lines.len() == 10 && !lines[9].contains("more:"), "{lines:?}");
    }
    for lines in of(37) {
        assert_eq!(lines.len(), 10);
        assert!(lines[9].contains("and 28 more: m9 seen, m10 seen"), "{lines:?}");
    }
    // One invariant that is violated everywhere is one annotation.
    let mut suite = Suite::new(Doubt::Fails);
    suite.rows = (0..40).map(|_| row(1, Outcome::Missed, "everywhere")).collect();
    let text = github::render(&suite);
    assert!(text.lines().count() == 1 && text.contains("and 39 more: everywhere:base"), "{text}");
}

#[test]
fn a_step_summary_stays_below_its_limit_and_is_cut_after_a_row() {
    let mut suite = Suite::new(Doubt::Fails);
    suite.rows = (0..8_000).map(|number| row(number, Outcome::Missed, "a long account of what was seen")).collect();
    let text = step_summary::render(&suite);
    assert!(text.len() < 900 * 1024 && text.len() > 880 * 1024, "{}", text.len());
    let (kept, said) = text.trim_end().rsplit_once("\n\n").expect("a sentence closes it");
    assert!(kept.ends_with('|'), "cut within a row");
    let shown = kept.lines().filter(|line| line.starts_with("| **missed**")).count();
    // Beside the missed rows, one row for each variant.
    assert!(said.starts_with(&format!("{} more rows are left out here", 16_000 - shown)), "{said}");
    let room = step_summary::render_within(&suite, 5_000);
    assert!(room.len() <= 5_000 && room.contains("more rows are left out"));
    assert_eq!(step_summary::render_within(&suite, 100), "", "no room is no summary");
}

#[test]
fn sarif_has_no_more_results_than_code_scanning_keeps_and_tells_of_the_rest() {
    let mut suite = Suite::new(Doubt::Fails);
    suite.rows = (0..5_100).map(|number| row(number, Outcome::Accepted, &"long ".repeat(400))).collect();
    suite.rows.push(row(1, Outcome::Missed, "the one that counts"));
    let document = json(&sarif::render(&suite));
    let driven = &document["runs"][0];
    let results = driven["results"].as_array().expect("a list");
    assert_eq!(results.len(), 5_000);
    assert_eq!(results[0]["level"], "error", "the heaviest first");
    let notice = &driven["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(notice, "101 more results are left out: code scanning keeps 5000");
    let rules = driven["tool"]["driver"]["rules"].as_array().expect("a list");
    let texts =
        rules.iter().map(|rule| &rule["fullDescription"]["text"]).chain(results.iter().map(|r| &r["message"]["text"]));
    assert!(texts.map(|text| text.as_str().expect("a text").chars().count()).all(|length| length <= 1_024));
}

#[test]
fn the_readers_of_schemas_see_what_is_wrong() {
    let whole = "<testsuites><testsuite name='a' tests='1' failures='0' errors='0'><testcase name='b'/></testsuite></testsuites>";
    assert_eq!(xsd::problems(whole, JUNIT), [""; 0]);
    for (from, to, told) in [
        ("name='b'", "", "testcase lacks name"),
        ("name='b'", "name='b' line='1'", "testcase has no attribute line"),
        ("<testcase name='b'/>", "<test/>", "testsuite has no test"),
        ("<testcase name='b'/>", "text", "testsuite has text"),
        ("</testsuites>", "", "root node"),
    ] {
        let found = xsd::problems(&whole.replace(from, to), JUNIT).join("; ");
        assert!(found.contains(told), "{found}");
    }
    let mut suite = Suite::new(Doubt::Fails);
    suite.rows = vec![row(0, Outcome::Missed, "seen")];
    let whole = json(&sarif::render(&suite));
    let schema = json(SARIF);
    let spoilt = |pointer: &str, value: Value| {
        let mut document = whole.clone();
        *document.pointer_mut(pointer).expect("a place") = value;
        json_schema::problems(&document, &schema).join("; ")
    };
    assert!(spoilt("/runs/0/results/0/level", "fatal".into()).contains("level is \"fatal\", none of"));
    assert!(spoilt("/runs/0/results/0/message", serde_json::json!({})).contains("message fits 0 of anyOf"));
    assert!(spoilt("/runs/0/results/0/ruleIndex", (-2).into()).contains("beyond the minimum"));
    assert!(spoilt("/runs/0/tool/driver", serde_json::json!({})).contains("has no name"));
    assert!(spoilt("/runs/0/columnKind", 1.into()).contains("columnKind"));
    assert!(
        spoilt("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", "a b".into()).contains("no URI")
    );
    assert!(spoilt("/version", "2.0".into()).contains("version"));
}
