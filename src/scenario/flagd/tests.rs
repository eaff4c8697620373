//! What becomes of the targeting of a flag file.

use super::super::problem::{Sources, render};
use super::super::tree;
use super::*;

fn lines(targeting: &str) -> Vec<(Option<String>, String)> {
    let (flags, problems, sources) = file(targeting);
    assert!(problems.is_empty(), "{}", render(&problems, &sources, false));
    flags[0].targeting.iter().map(|line| (line.condition.clone(), line.variant.clone())).collect()
}

fn file(targeting: &str) -> (Vec<Flag>, Vec<Problem>, Sources) {
    let text = format!(
        "{{\"flags\":{{\"f\":{{\"state\":\"ENABLED\",\"defaultVariant\":\"off\",\
         \"variants\":{{\"off\":false,\"on\":true}},\"targeting\":{targeting}}}}}}}"
    );
    let mut sources = Sources::default();
    let root = tree::read(&mut sources, "f.json", text.as_bytes()).expect("it is JSON");
    let known = |name: &str| (name == "country").then(|| "request.country".to_owned());
    let (flags, problems) = read(&root, &known);
    (flags, problems, sources)
}

#[test]
fn an_if_becomes_lines_of_which_the_first_match_wins() {
    let is = |text: &str| is_text("request.country", text);
    let got =
        lines(r#"{"if":[{"==":[{"var":"country"},"DE"]},"on",{"in":[{"var":"country"},["FR","NO"]]},"on","off"]}"#);
    let not_de = format!("!({})", is("DE"));
    let fr_no = format!("({} || {})", is("FR"), is("NO"));
    let expected = [
        (Some(is("DE")), "on".to_owned()),
        (Some(format!("({not_de} && {fr_no})")), "on".to_owned()),
        (Some(format!("({not_de} && !({fr_no}))")), "off".to_owned()),
    ];
    assert_eq!(got, expected);
}

#[test]
fn a_variable_that_the_scenario_does_not_know_is_null() {
    assert_eq!(lines(r#"{"if":[{"==":[{"var":"product_id"},"X"]},"on","off"]}"#), [(None, "off".to_owned())]);
    assert_eq!(lines(r#"{"if":[{"!":[{"var":"product_id"}]},"on"]}"#), [(None, "on".to_owned())]);
    assert_eq!(lines("{}"), [(None, "off".to_owned())]);
}

#[test]
fn an_operator_that_is_not_known_is_told_with_flag_and_place() {
    let (_, problems, sources) = file(r#"{"if":[{"fractional":[["on",10],["off",90]]},"on","off"]}"#);
    let told = render(&problems, &sources, false);
    assert!(told.contains("`fractional` in the targeting of the flag `f`") && told.contains("f.json:1:"), "{told}");
}

#[test]
fn a_result_that_is_no_variant_is_an_error() {
    let (_, problems, sources) = file(r#"{"if":[{"==":[{"var":"country"},"DE"]},"onn","off"]}"#);
    let told = render(&problems, &sources, false);
    assert!(told.contains("no variant `onn`") && told.contains("did you mean `on`?"), "{told}");
}
