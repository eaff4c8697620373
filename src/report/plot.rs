//! The plots of a run, as SVG whose colours are CSS custom properties, so that one drawing serves light and dark.
//!
//! Each plot is drawn only where there is something to see; where there is not, a sentence says so.

mod canvas;
mod front;
mod heat;
mod marks;
mod response;
mod svg;
mod time_axis;

use super::number;
use crate::run::summary::Series;
use crate::units::{SimDuration, SimTime};
use std::borrow::Cow;

pub use canvas::{Paint, STRING, WIDTH, ceiling, text};
pub use front::front;
pub use heat::heat_map;
pub use response::response;
pub use svg::{TEXT_STYLE, elements, escaped, palette};

/// Colours for groups or versions; the ninth is the first again.
const COLORS: usize = 8;

/// One plot, with what must stand beside it in words.
#[derive(Clone, Debug)]
pub struct Plot {
    /// As its file is named: `policy-versions`.
    pub name: Cow<'static, str>,
    pub title: Cow<'static, str>,
    /// What to look for, and what there is to see in this run.
    pub caption: String,
    /// The custom property of each colour and what it stands for.
    pub legend: Vec<(String, String)>,
    body: String,
    height: u32,
}

impl Plot {
    /// For a page that defines the palette; `id` makes the labels' ids unique on it.
    pub fn inline(&self, id: &str) -> String {
        svg::inline(self, id)
    }

    /// As a file of its own: with title, legend and palette.
    pub fn file(&self) -> String {
        svg::file(self)
    }
}

/// Steps, kills, faults and deploys in the order of their times: what the lines and bands of the plots stand for.
pub fn key(series: &Series) -> Vec<(SimTime, Option<SimTime>, &str)> {
    let lines = series.lines.iter().map(|(label, at)| (*at, None, label.as_str()));
    let bands = series.bands.iter().map(|(label, from, until)| (*from, Some(*until), label.as_str()));
    let mut key: Vec<_> = lines.chain(bands).collect();
    key.sort_by(|a, b| a.0.cmp(&b.0).then(a.2.cmp(b.2)));
    key
}

/// Every plot that has something to show, and a sentence for each that has not.
pub fn plots(series: &Series) -> (Vec<Plot>, Vec<&'static str>) {
    if series.buckets == 0 || series.bucket.is_zero() {
        return (Vec::new(), vec!["The run recorded nothing over time, so there is no plot of it."]);
    }
    let (mut drawn, mut absent) = (Vec::new(), Vec::new());
    let attempts = [
        (policy_versions(series), "No service has an SDK, so there is no policy version to plot."),
        (mixed(series), "No interaction was mixed in this run, so there is no plot of it."),
        (lag(series), "No consumer group lags in this run, so there is no plot of it."),
        (errors(series), "No request failed in this run, so there is no plot of it."),
    ];
    for (plot, sentence) in attempts {
        match plot {
            Some(plot) => drawn.push(plot),
            None => absent.push(sentence),
        }
    }
    (drawn, absent)
}

/// The share of replicas per policy version, stacked.
fn policy_versions(series: &Series) -> Option<Plot> {
    let held: Vec<_> = series.held.iter().filter(|(_, shares)| shares.iter().any(|share| *share > 0.0)).collect();
    if held.is_empty() {
        return None;
    }
    let color = |index: usize, version: Option<u32>| version.map_or(Paint::Nothing, |_| Paint::Series(index % COLORS));
    let body = canvas::draw(series, 1.0, number::percent, |chart| {
        let mut below = vec![0.0; series.buckets];
        for (index, (version, shares)) in held.iter().enumerate() {
            let above: Vec<f64> = below.iter().zip(shares).map(|(low, share)| (low + share).min(1.0)).collect();
            chart.layer(&below, &above, color(index, *version));
            below = above;
        }
    });
    let legend = held.iter().enumerate().map(|(index, (version, _))| {
        let text = version.map_or("no policy (lost, or down)".to_owned(), |version| format!("version {version}"));
        (color(index, *version).property(), text)
    });
    let legend = legend.collect();
    let holds_at = |bucket: usize| {
        held.iter()
            .filter(|(version, shares)| version.is_some() && shares.get(bucket).is_some_and(|share| *share > 0.0))
            .count()
    };
    let divided = (0..series.buckets).filter(|bucket| holds_at(*bucket) > 1).count();
    let divided = series.bucket.saturating_mul(divided as u64);
    let whole = series.bucket.saturating_mul(series.buckets as u64);
    let seen = match divided {
        SimDuration::ZERO => "At none of the moments shown do two replicas hold different versions.".to_owned(),
        divided => format!("In this run the fleet is divided for {divided} of {whole}."),
    };
    let caption = format!(
        "Each colour is a policy version; its height is the share of replicas that hold it. While two colours stand above \
         one another, two replicas can answer the same customer differently. {seen}"
    );
    let (name, title) = ("policy-versions".into(), "Which policy the replicas hold".into());
    Some(Plot { name, title, caption, legend, height: body.height, body: body.svg })
}

/// The share of interactions whose contexts used different stages.
fn mixed(series: &Series) -> Option<Plot> {
    let (mixed, judged): (u64, u64) = (series.mixed.iter().sum(), series.judged.iter().sum());
    if mixed == 0 {
        return None;
    }
    let (at, most) = peak(&shares(&series.mixed, &series.judged))?;
    let seen = format!(
        "In this run {} of {} are mixed ({}); at most {} of those that arrive within {}, at {}.",
        number::count(mixed),
        number::counted(judged, "interaction", "interactions"),
        number::percent(mixed as f64 / judged.max(1) as f64),
        number::percent(most),
        series.bucket,
        end_of(series, at),
    );
    let caption = format!(
        "The share of interactions, by arrival, in which two contexts used different stages of one feature. Look for \
         whether it begins with a step and how long it outlasts it. {seen}"
    );
    Some(bars(series, &series.mixed, &series.judged, 1, "mixed-interactions", "Mixed interactions", caption))
}

/// The share of answers that failed.
fn errors(series: &Series) -> Option<Plot> {
    if series.failed.iter().all(|failed| *failed == 0) {
        return None;
    }
    let (at, most) = peak(&shares(&series.failed, &series.finished))?;
    let caption = format!(
        "Failed answers as a share of all answers; a business reject is not a failure. Look for errors that come with a \
         fault and stay when it has gone. In this run at most {}, at {}.",
        number::percent(most),
        end_of(series, at),
    );
    Some(bars(series, &series.failed, &series.finished, 1, "errors", "Failed answers", caption))
}

/// The lag of each consumer group, the greatest first.
fn lag(series: &Series) -> Option<Plot> {
    let mut groups: Vec<(&String, &Vec<u64>)> = series.lag.iter().map(|(group, lag)| (group, lag)).collect();
    groups.sort_by_key(|(group, lag)| (std::cmp::Reverse(lag.iter().max().copied()), *group));
    let most = groups.first().and_then(|(_, lag)| lag.iter().max().copied()).filter(|most| *most > 0)?;
    let hidden = groups.split_off(groups.len().min(COLORS));
    let body = canvas::draw(series, canvas::ceiling(most as f64), number::plain, |chart| {
        for (index, (_, lag)) in groups.iter().enumerate() {
            chart.curve(lag, Paint::Series(index));
        }
    });
    let named =
        groups.iter().enumerate().map(|(index, (group, _))| (Paint::Series(index).property(), (*group).clone()));
    let legend = named.collect();
    let (greatest, values) = groups[0];
    let at = values.iter().position(|lag| *lag == most).unwrap_or(0);
    let mut caption = format!(
        "Records appended and not yet committed, per consumer group. Look for lag that does not come back down: events wait \
         there under the meaning they were produced with. In this run {greatest} lags most, by {} at {}.",
        number::counted(most, "record", "records"),
        end_of(series, at),
    );
    if let Some((_, lag)) = hidden.first() {
        let more = number::counted(hidden.len() as u64, "further group is", "further groups are");
        let below = number::count(lag.iter().max().copied().unwrap_or(0));
        caption.push_str(&format!(" {more} not drawn and never above {below}."));
    }
    let (name, title) = ("lag".into(), "Consumer lag".into());
    Some(Plot { name, title, caption, legend, height: body.height, body: body.svg })
}

fn bars(
    series: &Series,
    part: &[u64],
    whole: &[u64],
    color: usize,
    name: &'static str,
    title: &'static str,
    caption: String,
) -> Plot {
    let shares = shares(part, whole);
    let most = shares.iter().flatten().copied().fold(0.0, f64::max);
    let body = canvas::draw(series, canvas::ceiling(most).min(1.0), number::percent, |chart| {
        chart.bars(&shares, Paint::Series(color));
    });
    let legend = vec![(Paint::Series(color).property(), format!("share per {}", series.bucket))];
    Plot { name: name.into(), title: title.into(), caption, legend, height: body.height, body: body.svg }
}

/// Part by whole per bucket; none where there was no whole.
fn shares(part: &[u64], whole: &[u64]) -> Vec<Option<f64>> {
    let share = |(part, whole): (&u64, &u64)| (*whole > 0).then(|| *part as f64 / *whole as f64);
    part.iter().zip(whole).map(share).collect()
}

/// The bucket of the greatest share, and that share.
fn peak(shares: &[Option<f64>]) -> Option<(usize, f64)> {
    let known = shares.iter().enumerate().filter_map(|(bucket, share)| share.map(|share| (bucket, share)));
    known.fold(None, |best, (bucket, share)| match best {
        Some((_, most)) if most >= share => best,
        _ => Some((bucket, share)),
    })
}

/// When a bucket ends.
fn end_of(series: &Series, bucket: usize) -> SimTime {
    SimTime::from(series.bucket.saturating_mul(bucket as u64 + 1))
}

#[cfg(test)]
mod tests;
