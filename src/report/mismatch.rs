//! A run that came out differently the second time: both sides, and the first event in which they differ.

use super::number;
use serde::{Deserialize, Serialize};

/// What a run came to, as far as runs of equal specs must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    pub events: u64,
    pub draws: u64,
    /// An exact duration.
    pub end: String,
    pub digest: String,
}

/// One event as one process told it, with what its handling drew and planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTold {
    /// From 1.
    pub number: u64,
    /// An exact duration since the start.
    pub at: String,
    pub kind: String,
    pub about: String,
    pub draws: Vec<String>,
    pub planned: Vec<String>,
    /// Of everything up to it.
    pub digest: String,
    pub plans: String,
}

/// The first event in which two runs differ; a side is `None` where its run had ended before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstDifference {
    pub one: Option<EventTold>,
    pub other: Option<EventTold>,
}

/// What became of the search for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    Found(Box<FirstDifference>),
    /// So many further pairs of processes agreed with each other.
    NotAgain {
        pairs: u32,
    },
    /// It could not be made.
    Failed(String),
    /// Somebody ended it before it came to anything.
    Interrupted,
}

/// A run that came out differently.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// `scenario:variant`.
    pub of: String,
    pub seed: u64,
    /// What each side is: this process, a recorded result, another process.
    pub sides: [String; 2],
    /// `None` where that side has no such run.
    pub came: [Option<Came>; 2],
    /// Where events, draws, end and digest agree: what does not.
    pub also: Vec<String>,
    pub search: Option<Search>,
}

/// The whole account, as it is printed before exit code 5.
pub fn render(mismatch: &Mismatch) -> String {
    let mut text = format!("determinism mismatch: {}, seed {}\n\n", mismatch.of, mismatch.seed);
    let cell = |side: &Option<Came>, of: fn(&Came) -> String| side.as_ref().map_or("no such run".to_owned(), of);
    type Row = (&'static str, fn(&Came) -> String);
    let rows: [Row; 4] = [
        ("events", |came| number::count(came.events)),
        ("draws", |came| number::count(came.draws)),
        ("end", |came| came.end.clone()),
        ("digest", |came| came.digest.clone()),
    ];
    let width = mismatch.sides[0].chars().count().max(32);
    text.push_str(&format!("    {:8}{:width$}  {}\n", "", mismatch.sides[0], mismatch.sides[1]));
    for (name, of) in rows {
        let (one, other) = (cell(&mismatch.came[0], of), cell(&mismatch.came[1], of));
        let mark = if one == other { "" } else { "   <- differs" };
        text.push_str(&format!("    {name:8}{one:width$}  {other}{mark}\n"));
    }
    for difference in &mismatch.also {
        text.push_str(&format!("    {difference}\n"));
    }
    match &mismatch.search {
        None => {}
        Some(Search::Found(difference)) => first_difference(&mut text, difference),
        Some(Search::NotAgain { pairs }) => text.push_str(&format!(
            "\n  {} of processes with nothing beside them agreed on every event: the difference\n  depends on what else ran, on another build, or on chance\n",
            number::counted(u64::from(*pairs), "further pair", "further pairs"),
        )),
        Some(Search::Interrupted) => {
            text.push_str("\n  the search for the first differing event was interrupted\n");
        }
        Some(Search::Failed(why)) => text.push_str(&format!("\n  the first differing event could not be found: {why}\n")),
    }
    number::with_plain_spaces(&text)
}

fn first_difference(text: &mut String, difference: &FirstDifference) {
    let number = difference.one.as_ref().or(difference.other.as_ref()).map_or(0, |event| event.number);
    let equal = number::count(number.saturating_sub(1));
    text.push_str(&format!(
        "\n  first differing event: {}; the {equal} before it are the same on both sides\n",
        number::count(number)
    ));
    let sides = [("one side", &difference.one, &difference.other), ("other side", &difference.other, &difference.one)];
    for (name, event, against) in sides {
        text.push_str(&format!("\n  {name}\n"));
        match event {
            None => text.push_str("    the run is over\n"),
            Some(event) => event_told(text, event, against.as_ref()),
        }
    }
}

/// Lines of draws or plans at most, on either side of the first that differs.
const AROUND: usize = 6;

fn event_told(text: &mut String, event: &EventTold, against: Option<&EventTold>) {
    let differs = against
        .is_some_and(|against| (&event.at, &event.kind, &event.about) != (&against.at, &against.kind, &against.about));
    let mark = if differs { "   <- differs" } else { "" };
    text.push_str(&format!("    at {}  {}  {}{mark}\n", event.at, event.kind, event.about));
    listed(text, "drew", &event.draws, against.map(|against| against.draws.as_slice()));
    listed(text, "planned", &event.planned, against.map(|against| against.planned.as_slice()));
    text.push_str(&format!("    digest   {}\n", event.digest));
}

fn listed(text: &mut String, what: &str, items: &[String], against: Option<&[String]>) {
    if items.is_empty() {
        let differs = against.is_some_and(|against| !against.is_empty());
        text.push_str(&format!("    {what:9}nothing{}\n", if differs { "   <- differs" } else { "" }));
        return;
    }
    let first = against.and_then(|against| (0..items.len()).find(|index| against.get(*index) != items.get(*index)));
    let (from, to) = match first {
        Some(first) => (first.saturating_sub(AROUND), (first + AROUND).min(items.len())),
        None => (0, items.len().min(2 * AROUND)),
    };
    if from > 0 {
        text.push_str(&format!("    {what:9}{from} as on the other side, then\n"));
    }
    for (index, item) in items.iter().enumerate().take(to).skip(from) {
        let label = if index == 0 { what } else { "" };
        let mark = if first == Some(index) { "   <- differs" } else { "" };
        text.push_str(&format!("    {label:9}{}. {item}{mark}\n", index + 1));
    }
    if to < items.len() {
        text.push_str(&format!("    {:9}and {} more\n", "", items.len() - to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(draws: &[&str]) -> EventTold {
        EventTold {
            number: 5_123,
            at: "61s".to_owned(),
            kind: "Replicate".to_owned(),
            about: "version 2 to region home".to_owned(),
            draws: draws.iter().map(|draw| (*draw).to_owned()).collect(),
            planned: Vec::new(),
            digest: draws.concat(),
            plans: String::new(),
        }
    }

    #[test]
    fn both_sides_are_told_and_what_differs_is_marked() {
        let came = |digest: &str| Some(Came { events: 9, draws: 4, end: "600s".into(), digest: digest.into() });
        let mismatch = Mismatch {
            of: "small:base".to_owned(),
            seed: 7,
            sides: ["this process".to_owned(), "another".to_owned()],
            came: [came("aa"), came("bb")],
            also: Vec::new(),
            search: Some(Search::Found(Box::new(FirstDifference {
                one: Some(event(&["a", "b", "c"])),
                other: Some(event(&["a", "c", "b"])),
            }))),
        };
        let text = render(&mismatch);
        assert!(text.contains("small:base, seed 7"), "{text}");
        assert!(text.contains("first differing event: 5 123; the 5 122 before it"), "{text}");
        let differing: Vec<&str> = text.lines().filter(|line| line.contains("<- differs")).map(str::trim).collect();
        assert_eq!(differing.len(), 3, "{text}");
        assert!(differing[0].starts_with("digest"), "{text}");
        assert_eq!(&differing[1..], ["2. b   <- differs", "2. c   <- differs"]);
    }

    #[test]
    fn a_run_that_ended_early_is_told_as_over() {
        let mut text = String::new();
        first_difference(&mut text, &FirstDifference { one: None, other: Some(event(&[])) });
        assert!(text.contains("the run is over") && text.contains("Replicate"), "{text}");
    }
}
