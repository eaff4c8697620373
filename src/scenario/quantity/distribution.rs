//! Random durations as scenario files write them.

use super::super::problem::{Problem, Problems};
use super::super::tree::{Entry, Kind, Node};
use super::{duration, of, shown};
use crate::units::SimDuration;

/// How long something takes each time it happens: the same time, or a draw from a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DistributionSpec {
    /// `20ms`
    Fixed(SimDuration),
    /// `{ mean: 20ms }`
    Exponential { mean: SimDuration },
    /// `{ p50: 20ms, p99: 120ms }`; the median is above zero and not above the 99th percentile.
    Lognormal { p50: SimDuration, p99: SimDuration },
    /// `{ between: [1s, 5s] }`, uniformly; `low` is not above `high`.
    Between { low: SimDuration, high: SimDuration },
    /// `{ empirical: file.csv }`, the path as written.
    Empirical { file: String },
}

const KEYS: [&str; 5] = ["p50", "p99", "mean", "between", "empirical"];
const FORMS: &str = "20ms, { p50: 20ms, p99: 120ms }, { mean: 20ms }, { between: [1s, 5s] } or { empirical: file.csv }";

/// Reads a duration that may be random, in any of its forms.
pub fn distribution(node: &Node, problems: &mut Problems) -> Option<DistributionSpec> {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.text.contains('(') => call(node, &scalar.text, problems),
        Kind::Scalar(_) if !node.is_null() => of(node, "a duration", duration, problems).map(DistributionSpec::Fixed),
        Kind::Map(entries) if !entries.is_empty() => map(node, entries, problems),
        Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => {
            let found = if node.as_map().is_some() { "an empty map" } else { node.describe() };
            let problem = Problem::error(node.span, format!("expected a duration, fixed or random, found {found}"));
            problems.push(problem.label("expected one of its forms").help(format!("write {FORMS}")));
            None
        }
    }
}

fn map(node: &Node, entries: &[Entry], problems: &mut Problems) -> Option<DistributionSpec> {
    let mut known = true;
    for entry in entries.iter().filter(|entry| !KEYS.contains(&entry.name())) {
        let message = format!("unknown key `{}` of a random duration", shown(entry.name()));
        let problem = Problem::error(entry.key.span, message).label(format!("expected one of {}", KEYS.join(", ")));
        problems.push(problem.did_you_mean(entry.name(), KEYS).help(format!("write {FORMS}")));
        known = false;
    }
    let form = |entry: &Entry| if matches!(entry.name(), "p50" | "p99") { "p50 and p99" } else { "another form" };
    let mut forms = entries.iter().filter(|entry| KEYS.contains(&entry.name()));
    let first = forms.next()?;
    if let Some(second) = forms.find(|other| form(first) != form(other) || form(first) == "another form") {
        let message = format!("`{}` together with `{}`", first.name(), second.name());
        let problem = Problem::error(second.key.span, message).label("a second form of the same duration");
        problems.push(problem.related(first.key.span, "the first").help(format!("keep one form: {FORMS}")));
        return None;
    }
    let spec = match first.name() {
        "mean" => {
            let mean = of(&first.value, "a duration", duration, problems);
            mean.map(|mean| DistributionSpec::Exponential { mean })
        }
        "between" => between(&first.value, problems),
        "empirical" => empirical(&first.value, problems),
        _ => lognormal(node, problems),
    };
    spec.filter(|_| known)
}

fn lognormal(node: &Node, problems: &mut Problems) -> Option<DistributionSpec> {
    let (p50, p99) = match (node.get("p50"), node.get("p99")) {
        (Some(p50), Some(p99)) => (p50, p99),
        (p50, _) => {
            let (has, lacks) = if p50.is_some() { ("p50", "p99") } else { ("p99", "p50") };
            let problem = Problem::error(node.span, format!("`{has}` without `{lacks}`"));
            problems.push(problem.label("expected both: { p50: 20ms, p99: 120ms }"));
            return None;
        }
    };
    let low = of(p50, "a duration", duration, problems);
    let high = of(p99, "a duration", duration, problems);
    let (low, high) = (low?, high?);
    if low.is_zero() {
        let problem = Problem::error(p50.span, "a median of zero");
        problems.push(problem.label("expected more than 0s").help("for no time at all write 0s in place of the map"));
        return None;
    }
    if high < low {
        let problem = Problem::error(p99.span, format!("p99 is below p50: {high} < {low}"));
        problems.push(problem.label(format!("expected at least {low}")).related(p50.span, "the median"));
        return None;
    }
    Some(DistributionSpec::Lognormal { p50: low, p99: high })
}

fn between(node: &Node, problems: &mut Problems) -> Option<DistributionSpec> {
    let Some([low_node, high_node]) = node.as_list() else {
        let problem = Problem::error(node.span, format!("expected two durations, found {}", node.describe()));
        problems.push(problem.label("expected the shortest and the longest: [1s, 5s]"));
        return None;
    };
    let low = of(low_node, "a duration", duration, problems);
    let high = of(high_node, "a duration", duration, problems);
    let (low, high) = (low?, high?);
    if high < low {
        let problem = Problem::error(node.span, format!("the shortest is above the longest: {low} > {high}"));
        problems.push(problem.label(format!("expected [{high}, {low}]?")));
        return None;
    }
    Some(DistributionSpec::Between { low, high })
}

fn empirical(node: &Node, problems: &mut Problems) -> Option<DistributionSpec> {
    match node.as_text() {
        Some(file) if !file.trim().is_empty() && !node.is_null() => {
            Some(DistributionSpec::Empirical { file: file.to_owned() })
        }
        Some(_) | None => {
            let problem = Problem::error(node.span, format!("expected the name of a file, found {}", node.describe()));
            problems.push(problem.label("expected a file of durations: file.csv"));
            None
        }
    }
}

/// The call form, `lognormal(p50=20ms, p99=120ms)`, read as the map that means the same.
fn call(node: &Node, text: &str, problems: &mut Problems) -> Option<DistributionSpec> {
    const CALLS: [&str; 3] = ["lognormal", "exponential", "uniform"];
    let span = node.span;
    let fail = |problems: &mut Problems, message: String, label: &str| {
        problems.push(Problem::error(span, message).label(label).help(format!("or write {FORMS}")));
        None
    };
    let (name, arguments) = text.trim().split_once('(')?;
    let name = name.trim();
    let Some(arguments) = arguments.strip_suffix(')').filter(|arguments| !arguments.contains(['(', ')'])) else {
        return fail(problems, format!("the call `{}` does not end with its bracket", shown(text)), "expected `)`");
    };
    if !CALLS.contains(&name) {
        let problem = Problem::error(span, format!("unknown distribution `{}`", shown(name)));
        let problem = problem.label(format!("expected one of {}", CALLS.join(", ")));
        problems.push(problem.did_you_mean(name, CALLS).help(format!("or write {FORMS}")));
        return None;
    }
    let scalar = |text: &str| Node::scalar(span, text.trim(), true);
    let arguments = arguments.split(',').take(10).map(|argument| match argument.split_once('=') {
        Some((key, value)) => (Some(key.trim()), scalar(value)),
        None => (None, scalar(argument)),
    });
    let arguments: Vec<(Option<&str>, Node)> = arguments.collect();
    let keys: Vec<Option<&str>> = arguments.iter().map(|(key, _)| *key).collect();
    let expected = match (name, keys.as_slice()) {
        ("uniform", [None, None]) => {
            let list = arguments.into_iter().map(|(_, value)| value).collect();
            return between(&Node { span, kind: Kind::List(list) }, problems);
        }
        ("lognormal", [Some("p50"), Some("p99")] | [Some("p99"), Some("p50")]) | ("exponential", [Some("mean")]) => {
            let entry = |(key, value): (Option<&str>, Node)| Some(Entry { key: scalar(key?), value });
            let entries: Vec<Entry> = arguments.into_iter().filter_map(entry).collect();
            return map(&Node { span, kind: Kind::Map(entries.clone()) }, &entries, problems);
        }
        ("uniform", _) => "expected uniform(1s, 5s)",
        ("exponential", _) => "expected exponential(mean=20ms)",
        _ => "expected lognormal(p50=20ms, p99=120ms)",
    };
    fail(problems, format!("`{name}` with other arguments than it takes"), expected)
}

#[cfg(test)]
mod tests {
    use super::super::super::problem::{Sources, render};
    use super::super::super::tree::read;
    use super::*;

    fn take(text: &str) -> Result<DistributionSpec, String> {
        let mut sources = Sources::default();
        let root = read(&mut sources, "a.yaml", format!("takes: {text}\n").as_bytes()).expect("it is well-formed");
        let mut problems = Problems::default();
        let spec = distribution(root.get("takes").expect("the key"), &mut problems);
        assert_eq!(spec.is_none(), problems.has_errors(), "{text}");
        spec.ok_or_else(|| render(&problems.into_vec(), &sources, false))
    }

    #[test]
    fn every_form_is_read() {
        let ms = SimDuration::from_millis;
        let lognormal = DistributionSpec::Lognormal { p50: ms(20), p99: ms(120) };
        let between = DistributionSpec::Between { low: ms(1_000), high: ms(5_000) };
        for (text, spec) in [
            ("20ms", DistributionSpec::Fixed(ms(20))),
            ("0", DistributionSpec::Fixed(ms(0))),
            ("{ p50: 20ms, p99: 120ms }", lognormal.clone()),
            ("{ p99: 120ms, p50: 20ms }", lognormal.clone()),
            ("lognormal(p50=20ms, p99=120ms)", lognormal.clone()),
            ("'lognormal( p99 = 120ms, p50 = 20ms )'", lognormal),
            ("{ mean: 20ms }", DistributionSpec::Exponential { mean: ms(20) }),
            ("exponential(mean=20ms)", DistributionSpec::Exponential { mean: ms(20) }),
            ("{ between: [1s, 5s] }", between.clone()),
            ("uniform(1s, 5s)", between),
            ("{ empirical: file.csv }", DistributionSpec::Empirical { file: "file.csv".to_owned() }),
        ] {
            assert_eq!(take(text).as_ref(), Ok(&spec), "{text}");
        }
    }

    #[test]
    fn what_is_no_distribution_is_told_with_place_and_repair() {
        for (text, parts) in [
            ("{ p50: 120ms, p99: 20ms }", ["a.yaml:1:27", "p99 is below p50", "at least 120ms"]),
            ("{ p50: 0s, p99: 20ms }", ["a.yaml:1:15", "median of zero", "0s in place of the map"]),
            ("{ p50: 20ms }", ["`p50` without `p99`", "{ p50: 20ms, p99: 120ms }", "1:8"]),
            ("{ between: [5s, 1s] }", ["above the longest", "[1s, 5s]?", "1:19"]),
            ("{ between: 1s }", ["expected two durations", "[1s, 5s]", "1:19"]),
            ("{ between: [1s, 2s, 3s] }", ["expected two durations", "[1s, 5s]", "1:19"]),
            ("{ p50: 1s, p99: 2s, mean: 3s }", ["`p50` together with `mean`", "the first", "1:28"]),
            ("{ mean: 1s, empirical: x }", ["`mean` together with `empirical`", "keep one form", "1:20"]),
            ("{ median: 1s, p99: 2s }", ["unknown key `median`", "p50", "1:10"]),
            ("{ p90: 1s, p50: 2s, p99: 3s }", ["unknown key `p90`", "did you mean `p99`?", "1:10"]),
            ("{ mean: 5 }", ["`5` is not a duration", "needs a unit: 5s?", "1:16"]),
            ("{ empirical: [a] }", ["expected the name of a file", "found a list", "file.csv"]),
            ("{}", ["found an empty map", "{ mean: 20ms }", "1:8"]),
            ("", ["found nothing", "{ mean: 20ms }", "1:1"]),
            ("[1s, 2s]", ["found a list", "{ between: [1s, 5s] }", "1:8"]),
            ("normal(1s, 2s)", ["unknown distribution `normal`", "did you mean `lognormal`?", "1:8"]),
            ("lognormal(20ms, 120ms)", ["other arguments", "lognormal(p50=20ms, p99=120ms)", "1:8"]),
            ("lognormal(p50=2s, p99=1s)", ["p99 is below p50", "at least 2s", "1:8"]),
            ("uniform(1s)", ["other arguments", "uniform(1s, 5s)", "1:8"]),
            ("lognormal(p50=1s", ["does not end", "expected `)`", "1:8"]),
            ("lognormal(p50=1s, p99=-2s)", ["`-2s` is not a duration", "2s?", "1:8"]),
        ] {
            let told = take(text).expect_err(text);
            for part in parts {
                assert!(told.contains(part), "missing {part:?} for {text:?} in:\n{told}");
            }
        }
    }
}
