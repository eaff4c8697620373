//! Name, time and length of the run, the control plane, the network.

use super::place::Place;
use super::{Draft, unknown};
use crate::kernel::Distribution;
use crate::models::estate::{ControlPlane, Network, PATH_NEW, PATH_OLD};
use crate::scenario::defaults;
use crate::scenario::problem::Problem;
use crate::scenario::quantity;
use crate::units::{Day, Id, SimDuration};

/// The day on which a run begins whose file does not say.
pub(super) const FIRST_DAY: Day = Day::new(2026, 1, 1);

impl<'a> Draft<'a> {
    pub(super) fn settings(&mut self, root: &Place<'a>) {
        self.estate.name = root.key("name").text().unwrap_or("scenario").to_owned();
        let duration = root.key("duration");
        self.estate.duration = self.period(&duration, defaults::DURATION);
        let start = root.key("start").text().and_then(start_of);
        (self.estate.starts_on, self.estate.starts_at_second_of_day) = start.unwrap_or((FIRST_DAY, 0));
        let timezone = root.key("timezone");
        if let Some(zone) = timezone.text()
            && !matches!(zone, "UTC" | "Etc/UTC")
        {
            let problem = Problem::unsupported(timezone.span, "time zones other than UTC");
            self.problems.push(problem.label("expected UTC"));
        }
        assert_eq!((self.estate.paths.intern("old"), self.estate.paths.intern("new")), (PATH_OLD, PATH_NEW));
    }

    pub(super) fn control_plane(&mut self, root: &Place<'a>) {
        let place = root.key("control_plane");
        let home_place = place.key("home");
        let home = match home_place.text() {
            Some(name) => self.region(name, home_place.span),
            None => self.largest_region(),
        };
        let delays = place.key("replication");
        for (entry, _) in delays.named() {
            self.region(entry.name(), entry.key.span);
        }
        let home = home.unwrap_or(Id::new(0));
        let names: Vec<String> = self.estate.regions.iter().map(|region| region.name.clone()).collect();
        let replication = names.iter().enumerate().map(|(at, name)| {
            let given = delays.key(name);
            if at == home.index() && !given.is_given() {
                return Distribution::ZERO;
            }
            self.distribution(&given, defaults::REPLICATION)
        });
        let replication = replication.collect();
        let latency = self.distribution(&place.key("latency"), defaults::CONTROL_LATENCY);
        let errors = self.share(&place.key("errors"), defaults::CONTROL_ERRORS);
        self.estate.control_plane = ControlPlane { home, replication, latency, errors };
        let network = root.key("network");
        self.estate.network = Network {
            within: self.distribution(&network.key("within"), defaults::NETWORK_WITHIN),
            between: self.distribution(&network.key("between"), defaults::NETWORK_BETWEEN),
            loss: self.share(&network.key("loss"), defaults::LOSS),
        };
    }

    /// The region of a name, or a problem.
    pub(super) fn region(
        &mut self,
        name: &str,
        span: crate::scenario::problem::Span,
    ) -> Option<crate::models::estate::RegionId> {
        let found = self.estate.regions.enumerate().find(|(_, region)| region.name == name).map(|(id, _)| id);
        if found.is_none() {
            let names = self.estate.regions.iter().map(|region| region.name.as_str());
            let problem = unknown(span, "region", name, names);
            self.problems.push(problem);
        }
        found
    }

    fn largest_region(&self) -> Option<crate::models::estate::RegionId> {
        let mut largest = None;
        for (id, region) in self.estate.regions.enumerate() {
            if largest.is_none_or(|(_, share)| region.share > share) {
                largest = Some((id, region.share));
            }
        }
        largest.map(|(id, _)| id)
    }

    /// How much longer the run goes on: as given, or until what is bounded is due.
    pub(super) fn drain(&mut self, place: &Place<'a>) {
        const A_DAY_AND_SOME: SimDuration = SimDuration::from_secs(25 * 3_600);
        let bounds = self.settings.iter().filter_map(|(_, settings)| settings.bound);
        let journeys = self.estate.journeys.iter().map(|journey| journey.completes_within);
        let mut least = bounds.chain(journeys).max().unwrap_or_default();
        if self.waits_for_a_daily_time {
            least = least.max(A_DAY_AND_SOME);
        }
        let floor =
            if self.estate.topics.is_empty() { defaults::DRAIN_LEAST } else { defaults::DRAIN_LEAST_WITH_TOPICS };
        let floor = quantity::duration(floor.text).expect("a default can be read");
        let given = self.maybe_duration(place);
        self.estate.drain = given.unwrap_or(least.max(floor));
        if given.is_some() {
            self.check_deadlines(place.span);
        }
        let horizon = self.estate.duration.saturating_add(self.estate.drain);
        if horizon > quantity::LONGEST_DURATION {
            let message = "duration and drain together are longer than 100 years";
            self.error(place.span, message, "expected a shorter run");
        }
    }

    /// An obligation whose deadline no run reaches is told before the run (rules.md, 13).
    fn check_deadlines(&mut self, span: crate::scenario::problem::Span) {
        let horizon = self.estate.horizon();
        let first_publication = self.published.iter().flatten().min().copied();
        let first_kill = self.kills.iter().min().copied();
        let mut late = Vec::new();
        for (name, settings) in &self.settings {
            let Some(bound) = settings.bound else { continue };
            let begins = match *name {
                "kill-latency" => first_kill,
                "convergence" => first_publication,
                _ => Some(SimDuration::ZERO),
            };
            if let Some(begins) = begins.filter(|begins| begins.saturating_add(bound) > horizon) {
                late.push((*name, begins, bound));
            }
        }
        for (name, begins, bound) in late {
            let message = format!("every obligation of `{name}` is still open when the run ends");
            let label = format!("the run ends at {horizon}; the first deadline is {}", begins.saturating_add(bound));
            let need = begins.saturating_add(bound).saturating_sub(self.estate.duration);
            let problem = Problem::error(span, message).label(label);
            self.problems.push(problem.help(format!("drain for at least {need}, or leave `drain` out")));
        }
    }
}

/// The day and its second, in UTC, of a moment that was checked.
fn start_of(moment: &str) -> Option<(Day, u32)> {
    let (date, time) = moment.trim().split_once('T')?;
    let at = time.find(['Z', '+', '-'])?;
    let seconds = |text: &str| Some(i64::try_from(quantity::clock(text).ok()?.nanos() / 1_000_000_000).unwrap_or(0));
    let local = seconds(&time[..at])?;
    let zone = &time[at..];
    let offset = if zone == "Z" { 0 } else { seconds(zone.get(1..)?)? };
    let utc = if zone.starts_with('-') { local + offset } else { local - offset };
    let day = quantity::day(date)?.0 + i32::try_from(utc.div_euclid(86_400)).ok()?;
    Some((Day(day), u32::try_from(utc.rem_euclid(86_400)).ok()?))
}
