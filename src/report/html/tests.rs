use super::*;
use crate::campaign::outcome::fixture::{SOURCE, campaign, expects, held, plan, run, split_brain, variant};
use crate::scenario::plan::ComesOut;

#[test]
fn one_file_loads_nothing_and_runs_nothing() {
    let page = render(&split_brain());
    assert!(page.contains("default-src 'none'"));
    for forbidden in ["<script", "<link", "<img", "@import", "url(", "javascript:", " onload", " src="] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let outside = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(!outside.contains("http://") && !outside.contains("https://"));
}

#[test]
fn what_files_and_stories_say_is_escaped() {
    let page = render(&split_brain());
    assert!(page.contains("&lt;script&gt;alert"), "the scenario file");
    assert!(page.contains("new one &lt;b&gt;&amp;"), "a story");
}

#[test]
fn the_page_opens_with_the_verdict_and_the_question() {
    let page = render(&split_brain());
    let verdict = page.find("✗ Fail").expect("the verdict is told in a word");
    assert!(page.find("disagree about the same order").expect("the question") < verdict);
    assert!(verdict < page.find("<h2>").expect("sections follow"));
    assert!(page.contains("windtunnel run scenarios/split-brain.yaml --variant edge-context --seed 4"));
}

#[test]
fn what_was_never_exercised_is_said_in_words() {
    let outcome = campaign(vec![variant(
        plan("base", vec![expects("split-brain", ComesOut::Holds)]),
        vec![run(0, vec![held("split-brain", 0)])],
    )]);
    let page = render(&outcome);
    assert!(page.contains("Inconclusive") && page.contains("never exercised: this result is worth nothing"));
}

#[test]
fn every_element_that_is_opened_is_closed_in_order() {
    const VOID: [&str; 1] = ["meta"];
    let page = render(&split_brain());
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(2).map(|rest| rest.split('>').next().unwrap_or("")) {
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or("");
        match () {
            () if tag.starts_with('/') => assert_eq!(open.pop(), Some(name)),
            () if tag.ends_with('/') || VOID.contains(&name) => {}
            () => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// `target/tmp/reports/latest/index.html` is there to be looked at after a run of the tests.
#[test]
fn a_sample_report_can_be_looked_at() {
    let reports = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp/reports");
    let meta = crate::report::folder::Meta::default();
    let folder = crate::report::folder::write(&split_brain(), &reports, SOURCE, &meta).expect("target is writable");
    assert!(folder.join("index.html").is_file());
}
