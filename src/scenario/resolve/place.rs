//! A place in the merged tree, and the quantities read there.

use super::Draft;
use crate::kernel::Distribution;
use crate::scenario::defaults::Default as Given;
use crate::scenario::problem::{Problem, Problems, Span};
use crate::scenario::quantity::{self, DistributionSpec, Zero};
use crate::scenario::tree::{Entry, Node};
use crate::units::{Share, SimDuration};

/// A place in the tree, where there may be nothing; with its path, as `--set` would name it.
#[derive(Clone, Debug)]
pub(super) struct Place<'n> {
    pub node: Option<&'n Node>,
    pub path: String,
    /// Where to point when nothing is here.
    pub span: Span,
}

impl<'n> Place<'n> {
    pub fn root(node: &'n Node) -> Self {
        Place { node: Some(node), path: String::new(), span: node.span }
    }

    pub fn key(&self, key: &str) -> Place<'n> {
        let node = self.node.and_then(|node| node.get(key)).filter(|node| !node.is_null());
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Place { node, path, span: node.map_or(self.span, |node| node.span) }
    }

    pub fn is_given(&self) -> bool {
        self.node.is_some()
    }

    pub fn text(&self) -> Option<&'n str> {
        self.node.filter(|node| !node.is_null())?.as_text()
    }

    /// The entries of a map with their places, sorted by name: the order of keys never matters.
    pub fn named(&self) -> Vec<(&'n Entry, Place<'n>)> {
        let mut entries: Vec<&'n Entry> = self.node.and_then(Node::as_map).unwrap_or_default().iter().collect();
        entries.sort_by(|a, b| a.name().cmp(b.name()));
        entries
            .into_iter()
            .map(|entry| {
                let path = if self.path.is_empty() {
                    entry.name().to_owned()
                } else {
                    format!("{}.{}", self.path, entry.name())
                };
                (entry, Place { node: Some(&entry.value), path, span: entry.value.span })
            })
            .collect()
    }

    /// The items of a list with their places, in order.
    pub fn items(&self) -> Vec<Place<'n>> {
        let items = self.node.and_then(Node::as_list).unwrap_or_default();
        let place = |(at, node): (usize, &'n Node)| {
            let named = node.get("name").and_then(Node::as_text).map(str::to_owned);
            let step = named.unwrap_or_else(|| at.to_string());
            Place { node: Some(node), path: format!("{}.{step}", self.path), span: node.span }
        };
        items.iter().enumerate().map(place).collect()
    }

    /// The texts of a list, with their places; what is no text was told by the shape.
    pub fn texts(&self) -> Vec<(&'n str, Span)> {
        let items = self.node.and_then(Node::as_list).unwrap_or_default();
        items.iter().filter(|node| !node.is_null()).filter_map(|node| Some((node.as_text()?, node.span))).collect()
    }
}

impl Draft<'_> {
    /// What is given at a place, or the default, as `read` reads it. Mistakes of shape have been told before and are
    /// dropped as doubles.
    fn read<T>(&mut self, place: &Place<'_>, default: Given, read: impl Fn(&Node, &mut Problems) -> Option<T>) -> T {
        let written = place.node.and_then(|node| read(node, &mut self.problems));
        self.assume(place, Some(default));
        written.unwrap_or_else(|| {
            let node = Node::scalar(place.span, default.text, true);
            read(&node, &mut Problems::default()).expect("a default can be read")
        })
    }

    fn maybe<T>(&mut self, place: &Place<'_>, read: impl Fn(&Node, &mut Problems) -> Option<T>) -> Option<T> {
        let written = place.node.and_then(|node| read(node, &mut self.problems));
        if written.is_some() {
            self.assume(place, None);
        }
        written
    }

    pub(super) fn duration(&mut self, place: &Place<'_>, default: Given) -> SimDuration {
        self.read(place, default, read_duration)
    }

    pub(super) fn maybe_duration(&mut self, place: &Place<'_>) -> Option<SimDuration> {
        self.maybe(place, read_duration)
    }

    /// A duration of at least a nanosecond: what repeats at no distance never ends.
    pub(super) fn period(&mut self, place: &Place<'_>, default: Given) -> SimDuration {
        let duration = self.duration(place, default);
        if duration.is_zero() {
            let problem = Problem::error(place.span, format!("`{}` of 0s never ends", last(&place.path)));
            self.problems.push(problem.label("expected more than 0s"));
            return SimDuration::from_secs(1);
        }
        duration
    }

    pub(super) fn share(&mut self, place: &Place<'_>, default: Given) -> Share {
        self.read(place, default, |node, problems| quantity::of(node, "a share", quantity::share, problems))
    }

    pub(super) fn maybe_share(&mut self, place: &Place<'_>) -> Option<Share> {
        self.maybe(place, |node, problems| quantity::of(node, "a share", quantity::share, problems))
    }

    pub(super) fn maybe_rate(&mut self, place: &Place<'_>) -> Option<f64> {
        let read = |text: &str| quantity::rate(text, Zero::Refused);
        self.maybe(place, |node, problems| quantity::of(node, "a rate", read, problems))
    }

    pub(super) fn number(&mut self, place: &Place<'_>, least: f64, most: f64, default: Given) -> f64 {
        let read = |text: &str| quantity::float(text, least..=most);
        self.read(place, default, |node, problems| quantity::of(node, "a number", read, problems))
    }

    /// A whole number that fits 32 bits.
    pub(super) fn count(&mut self, place: &Place<'_>, most: u32, default: Given) -> u32 {
        self.read(place, default, |node, problems| read_count(node, most, problems))
    }

    pub(super) fn maybe_count(&mut self, place: &Place<'_>, most: u32) -> Option<u32> {
        self.maybe(place, |node, problems| read_count(node, most, problems))
    }

    pub(super) fn boolean(&mut self, place: &Place<'_>) -> bool {
        let read =
            |node: &Node, problems: &mut Problems| quantity::of(node, "true or false", quantity::boolean, problems);
        self.maybe(place, read).unwrap_or(false)
    }

    pub(super) fn distribution(&mut self, place: &Place<'_>, default: Given) -> Distribution {
        let spec = self.read(place, default, quantity::distribution);
        self.sampled(spec, place.span)
    }

    pub(super) fn maybe_distribution(&mut self, place: &Place<'_>) -> Option<Distribution> {
        let spec = self.maybe(place, quantity::distribution)?;
        Some(self.sampled(spec, place.span))
    }

    fn sampled(&mut self, spec: DistributionSpec, span: Span) -> Distribution {
        match spec {
            DistributionSpec::Fixed(duration) => Distribution::Fixed(duration),
            DistributionSpec::Exponential { mean } => Distribution::Exponential { mean },
            DistributionSpec::Lognormal { p50, p99 } => Distribution::lognormal(p50, p99),
            DistributionSpec::Between { low, high } => Distribution::Uniform { low, high },
            DistributionSpec::Empirical { file } => match self.files.samples(&file) {
                Some(Ok(samples)) => Distribution::Empirical(samples),
                Some(Err(problem)) => {
                    let problem = match problem.span {
                        None => Problem { span: Some(span), ..problem.clone() },
                        Some(_) => problem.clone().related(span, "asked for here"),
                    };
                    self.problems.push(problem);
                    Distribution::ZERO
                }
                None => {
                    self.problems.push(super::super::files::was_not_read(&file, span));
                    Distribution::ZERO
                }
            },
        }
    }

    /// Notes a value for `explain assumptions`.
    fn assume(&mut self, place: &Place<'_>, default: Option<Given>) {
        use crate::scenario::{Assumption, Origin};
        let (value, origin) = match (place.node, default) {
            (Some(node), _) => (super::one_line(node), Origin::Given),
            (None, Some(default)) => (default.text.to_owned(), Origin::Default { source: default.source }),
            (None, None) => return,
        };
        self.assumptions.push(Assumption { path: place.path.clone(), value, origin });
    }
}

fn read_duration(node: &Node, problems: &mut Problems) -> Option<SimDuration> {
    quantity::of(node, "a duration", quantity::duration, problems)
}

fn read_count(node: &Node, most: u32, problems: &mut Problems) -> Option<u32> {
    let read = |text: &str| quantity::integer(text, 0..=u64::from(most));
    u32::try_from(quantity::of(node, "a whole number", read, problems)?).ok()
}

/// The last key of a path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
