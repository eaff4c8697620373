//! The values of a swept parameter: `poll=5s,30s,2m`, `poll=5s..60s/8`, `percent=1%..50%/6:log`.

use super::unit::{Amount, Kind, significant};
use std::fmt;

/// One value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// As `--set` takes it and as reports print it.
    pub text: String,
    /// Where it stands on the axis: seconds, events per second, shares, numbers; the position where values are words.
    pub at: f64,
}

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Linear,
    Log,
    /// The values are words: they have no distances.
    Words,
}

/// A parameter and the values it takes, ascending unless they are words.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// A parameter of the scenario or a key path.
    pub key: String,
    pub values: Vec<Value>,
    pub scale: Scale,
    /// Of [`Value::at`]: `s`, `/s`, `share`, `1`.
    pub unit: &'static str,
    /// Whole numbers only: nothing lies between two neighbours.
    whole: bool,
}

/// Points of a sweep at most.
pub const MOST_POINTS: usize = 10_000;

impl Axis {
    /// Reads an argument of `--param`.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn read(argument: &str) -> Result<Axis, String> {
        let Some((key, written)) = argument.split_once('=') else {
            return Err(format!("expected KEY=VALUES as poll=5s..60s/8 or poll=5s,30s,2m, found `{argument}`"));
        };
        let (key, written) = (key.trim(), written.trim());
        if key.is_empty() {
            return Err(format!("which parameter takes these values? `{argument}` names none"));
        }
        let (values, log) = match written.strip_suffix(":log") {
            Some(values) => (values.trim_end(), true),
            None => (written, false),
        };
        match values.split_once("..") {
            Some((from, rest)) => range(key, from.trim(), rest.trim(), log),
            None => list(key, values, log),
        }
    }

    /// Where a value stands on the axis as it is drawn: its logarithm on a logarithmic one.
    pub fn place(&self, at: f64) -> f64 {
        match self.scale {
            Scale::Log => libm::log(at),
            Scale::Linear | Scale::Words => at,
        }
    }

    /// From [`Self::place`] back to a value.
    pub fn at_place(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Log => libm::exp(place),
            Scale::Linear | Scale::Words => place,
        }
    }

    /// The values as the axis is drawn.
    pub fn places(&self) -> Vec<f64> {
        self.values.iter().map(|value| self.place(value.at)).collect()
    }

    /// Further values between the first and the last, for curves that theory gives; none where the values are words
    /// or whole numbers.
    pub fn between(&self, steps: usize) -> Vec<Value> {
        let (Some(first), Some(last)) = (self.values.first(), self.values.last()) else { return Vec::new() };
        if self.scale == Scale::Words || self.whole {
            return Vec::new();
        }
        let (from, until) = (self.place(first.at), self.place(last.at));
        let value = |step: usize| {
            let at = self.at_place(from + (until - from) * step as f64 / steps as f64);
            Kind::of_unit(self.unit).written(at).map(|text| Value { text, at })
        };
        (1..steps).filter_map(value).collect()
    }
}

/// `poll from 5s to 60s, 8 values`.
impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.values.iter().map(|value| value.text.as_str()).collect();
        let (first, last) = (texts.first().copied().unwrap_or_default(), texts.last().copied().unwrap_or_default());
        let Axis { key, scale, .. } = self;
        match scale {
            Scale::Words => write!(f, "{key}: {}", texts.join(", ")),
            Scale::Linear => write!(f, "{key} from {first} to {last}, {} values", texts.len()),
            Scale::Log => write!(f, "{key} from {first} to {last}, {} values, logarithmic", texts.len()),
        }
    }
}

/// `a..b/steps`.
fn range(key: &str, from: &str, rest: &str, log: bool) -> Result<Axis, String> {
    let how = || format!("a range says how many values it has: {key}={from}..{rest}/8");
    let (until, steps) = rest.rsplit_once('/').ok_or_else(how)?;
    let (until, steps) = (until.trim(), steps.trim());
    // `1/s..5/s`: the slash is the rate's.
    let Ok(steps) = steps.parse::<usize>() else {
        let is_number = steps.parse::<f64>().is_ok();
        return Err(if is_number { format!("a number of values is whole, found `{steps}`") } else { how() });
    };
    let expected = |text: &str| format!("a range has numbers, durations, rates or shares at its ends, found `{text}`");
    let low = Amount::read(from).ok_or_else(|| expected(from))?;
    let high = Amount::read(until).ok_or_else(|| expected(until))?;
    if low.kind != high.kind {
        return Err(format!("the ends of a range are of one kind: {from} is {}, {until} is {}", low.kind, high.kind));
    }
    if steps < 2 {
        return Err(format!("a curve has at least two values, and `/{steps}` asks for {steps}"));
    }
    if steps > MOST_POINTS {
        return Err(format!("a sweep has at most {MOST_POINTS} points, and `/{steps}` asks for {steps}"));
    }
    if low.at() == high.at() {
        return Err(format!("a range from {from} to {until} holds one value"));
    }
    if low.at() > high.at() {
        return Err(format!("a range goes up: {key}={until}..{from}/{steps}"));
    }
    if log && low.at() <= 0.0 {
        return Err(format!("a logarithmic range begins above zero, and this one begins at {from}"));
    }
    let whole = low.is_whole() && high.is_whole();
    // Values between are written in the unit of the lower end; that of `1h30m` is none.
    let unit = if low.unit.contains(|c: char| c.is_ascii_digit()) { low.kind.plain_unit() } else { low.unit };
    let within = |step: usize| {
        let share = step as f64 / (steps - 1) as f64;
        let number = if log {
            libm::exp(libm::log(low.at()) * (1.0 - share) + libm::log(high.at()) * share)
        } else {
            low.at() * (1.0 - share) + high.at() * share
        };
        let number = number / low.kind.in_base(unit);
        let text = if whole { format!("{}", libm::round(number)) } else { significant(number) };
        format!("{text}{unit}")
    };
    let texts = (0..steps).map(|step| match step {
        0 => from.to_owned(),
        _ if step == steps - 1 => until.to_owned(),
        _ => within(step),
    });
    let amount = |text: String| {
        let at = Amount::read(&text).expect("it was written as amounts are").at();
        Value { text, at }
    };
    let mut values: Vec<Value> = texts.map(amount).collect();
    // Whole numbers between 1 and 4 are at most four.
    values.dedup_by(|later, earlier| later.at <= earlier.at);
    Ok(Axis {
        key: key.to_owned(),
        values,
        scale: if log { Scale::Log } else { Scale::Linear },
        unit: low.kind.unit(),
        whole,
    })
}

/// `v1,v2,…`; commas inside brackets and quotes belong to a value.
fn list(key: &str, written: &str, log: bool) -> Result<Axis, String> {
    let texts = apart(written);
    if let Some(empty) = texts.iter().position(|text| text.is_empty()) {
        return Err(format!("value {} of `{key}` is empty: {key}=5s,30s,2m", empty + 1));
    }
    if texts.len() < 2 {
        return Err(format!(
            "a curve has at least two values, and `{key}` has one: for one value there is --set {key}={written}"
        ));
    }
    if texts.len() > MOST_POINTS {
        return Err(format!("a sweep has at most {MOST_POINTS} points, and `{key}` has {} values", texts.len()));
    }
    if let Some(twice) = texts.iter().enumerate().find(|(at, text)| texts[..*at].contains(text)) {
        return Err(format!("`{key}` takes the value {} twice", twice.1));
    }
    let amounts = Amount::of_one_kind(&texts);
    let Some(amounts) = amounts else {
        if log {
            return Err(format!(
                "a logarithmic axis has numbers, durations, rates or shares, and `{key}` has {written}"
            ));
        }
        let value = |(position, text): (usize, &String)| Value { text: text.clone(), at: position as f64 };
        let values = texts.iter().enumerate().map(value).collect();
        return Ok(Axis { key: key.to_owned(), values, scale: Scale::Words, unit: "1", whole: true });
    };
    let mut values: Vec<Value> =
        texts.iter().zip(&amounts).map(|(text, amount)| Value { text: text.clone(), at: amount.at() }).collect();
    values.sort_by(|a, b| a.at.total_cmp(&b.at));
    if let Some(twice) = values.windows(2).find(|two| two[0].at == two[1].at) {
        return Err(format!("`{key}` takes one value twice: {} is {}", twice[0].text, twice[1].text));
    }
    if log && values[0].at <= 0.0 {
        return Err(format!("a logarithmic axis has values above zero, and `{key}` has {}", values[0].text));
    }
    Ok(Axis {
        key: key.to_owned(),
        values,
        scale: if log { Scale::Log } else { Scale::Linear },
        unit: amounts[0].kind.unit(),
        whole: amounts.iter().all(Amount::is_whole),
    })
}

/// The values of a list.
fn apart(written: &str) -> Vec<String> {
    let (mut texts, mut depth, mut quote) = (vec![String::new()], 0_usize, None);
    for c in written.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            ('{' | '[' | '(', None) => depth += 1,
            ('}' | ']' | ')', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                texts.push(String::new());
                continue;
            }
            _ => {}
        }
        texts.last_mut().expect("there is one from the start").push(c);
    }
    texts.into_iter().map(|text| text.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(argument: &str) -> String {
        let axis = Axis::read(argument).expect(argument);
        axis.values.iter().map(|value| value.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lists_ranges_and_logarithmic_ranges_have_values_that_the_scenario_reads() {
        for (argument, expected) in [
            ("poll=5s,30s,2m", "5s 30s 2m"),
            ("poll=2m,5s,30s", "5s 30s 2m"),
            ("poll=5s..60s/8", "5s 12.86s 20.71s 28.57s 36.43s 44.29s 52.14s 60s"),
            ("poll=500ms..5s/4", "500ms 2000ms 3500ms 5s"),
            ("percent=1%..50%/6:log", "1% 2.187% 4.782% 10.46% 22.87% 50%"),
            ("rate=10/s..100/s/4", "10/s 40/s 70/s 100/s"),
            ("poll=1h30m..3h/3", "1h30m 8100s 3h"),
            ("n=1..10/4", "1 4 7 10"),
            ("n=1..100/7:log", "1 2 5 10 22 46 100"),
            ("n=1..4/8", "1 2 3 4"),
            ("load=1.0..2.0/5", "1.0 1.25 1.5 1.75 2.0"),
            ("services.a.sdk.persist=true,false", "true false"),
            ("takes={ p50: 1ms, p99: 2ms },{ mean: 3ms }", "{ p50: 1ms, p99: 2ms } { mean: 3ms }"),
            ("n=1,10,100:log", "1 10 100"),
        ] {
            assert_eq!(texts(argument), expected, "{argument}");
        }
    }

    #[test]
    fn values_stand_where_they_belong() {
        let axis = Axis::read("poll=500ms,1m").expect("durations");
        assert_eq!((axis.values[0].at, axis.values[1].at, axis.unit), (0.5, 60.0, "s"));
        let axis = Axis::read("percent=1%,0.5").expect("shares");
        assert_eq!((axis.values[0].at, axis.values[1].at, axis.unit), (0.01, 0.5, "share"));
        let axis = Axis::read("rate=6/m,1/s").expect("rates");
        assert_eq!((axis.values[0].at, axis.values[1].at, axis.unit), (0.1, 1.0, "/s"));
        assert_eq!(Axis::read("d=poll,stream").expect("words").scale, Scale::Words);
        assert_eq!(Axis::read("n=1,100:log").expect("numbers").scale, Scale::Log);
    }

    #[test]
    fn what_is_no_axis_is_told_with_the_way_out() {
        for (argument, part) in [
            ("poll", "expected KEY=VALUES"),
            ("=1,2", "names none"),
            ("poll=5s", "--set poll=5s"),
            ("poll=5s,,6s", "value 2 of `poll` is empty"),
            ("poll=5s..60s", "how many values it has: poll=5s..60s/8"),
            ("rate=1/s..5/s", "how many values it has: rate=1/s..5/s/8"),
            ("poll=5s..60s/1", "at least two values"),
            ("poll=5s..60s/0", "at least two values"),
            ("poll=5s..60s/2.5", "is whole"),
            ("poll=60s..5s/8", "goes up: poll=5s..60s/8"),
            ("poll=60s..1m/8", "holds one value"),
            ("poll=0s..60s/8:log", "begins above zero"),
            ("x=-1..1/3:log", "begins above zero"),
            ("x=0,1:log", "values above zero"),
            ("x=a,b:log", "a logarithmic axis has numbers"),
            ("poll=5s..60/8", "of one kind: 5s is a duration, 60 is a number"),
            ("poll=a..b/8", "found `a`"),
            ("poll=1..2/20000", "at most 10000 points"),
            ("poll=60s,1m", "60s is 1m"),
            ("poll=60s,60s", "60s twice"),
        ] {
            let told = Axis::read(argument).expect_err(argument);
            assert!(told.contains(part), "{argument}: {told}");
        }
    }

    #[test]
    fn between_the_values_of_a_range_lie_others_that_the_scenario_reads() {
        let axis = Axis::read("poll=5s..60s/3").expect("a range");
        let between = axis.between(11);
        assert_eq!((between.len(), between[0].text.as_str()), (10, "10s"));
        assert!(Axis::read("n=1..10/4").expect("a range").between(10).is_empty());
        assert!(Axis::read("d=a,b").expect("words").between(10).is_empty());
        let axis = Axis::read("percent=1%..50%/6:log").expect("a range");
        assert!(axis.between(4).iter().all(|value| value.text.ends_with('%')), "{:?}", axis.between(4));
    }

    proptest::proptest! {
        #[test]
        fn no_text_harms_the_reader(text in "[-a-z0-9.=/,:%{}\"' ]{0,32}|.{0,32}") {
            let _ = Axis::read(&text);
        }
    }
}
