//! Alert rules and the people behind them: a rule is looked at every scrape, fires when what is wrong has been wrong
//! for long enough, and calls a team that acts in its own time, sometimes wrongly.

use super::estate::Estate;
use super::event::Event;
use super::guard::{AlertRule, Team};
use super::observation::Observation;
use super::world::World;
use crate::units::{SimDuration, SimTime};

/// A rule's state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alarm {
    /// Since when it has been wrong.
    since: Option<SimTime>,
    firing: bool,
    called: SimTime,
    /// Calls so far.
    calls: u32,
}

impl World {
    pub(super) fn plan_alerts(&mut self, estate: &Estate) {
        for (index, rule) in estate.alerts.iter().enumerate() {
            self.cx.after(rule.scrape, Event::Scrape { alert: index as u16 });
        }
    }

    pub(super) fn on_scrape(&mut self, estate: &Estate, alert: u16) {
        let rule = &estate.alerts[usize::from(alert)];
        self.cx.after(rule.scrape, Event::Scrape { alert });
        let bound = &estate.bounds[usize::from(rule.when)];
        let value = self.value_of(estate, bound, None);
        let wrong = value.is_some_and(|value| bound.comparison.holds(value, bound.limit));
        let now = self.cx.now();
        let alarm = &mut self.alarms[usize::from(alert)];
        if !wrong {
            (alarm.since, alarm.firing) = (None, false);
            return;
        }
        let since = *alarm.since.get_or_insert(now);
        if now.since(since) < rule.over {
            return;
        }
        let fires = !std::mem::replace(&mut alarm.firing, true);
        if !fires && now.since(alarm.called) < rule.repeat {
            return;
        }
        alarm.called = now;
        alarm.calls += 1;
        let nth = alarm.calls;
        if fires {
            self.cx.observe(Observation::AlertRaised { alert, value: value.unwrap_or(f64::NAN) });
        }
        if rule.does.is_some() || rule.wrong.is_some() {
            let wait = self.reaction(estate, rule, alert, nth);
            self.cx.after(wait, Event::TeamActs { alert, nth });
        }
    }

    /// From the call to the action; a machine takes no time.
    fn reaction(&mut self, estate: &Estate, rule: &AlertRule, alert: u16, nth: u32) -> SimDuration {
        let Some(team) = rule.pages.map(|team| &estate.teams[usize::from(team)]) else { return SimDuration::ZERO };
        let asleep = asleep(team, estate.starts_at_second_of_day, self.cx.now());
        let key = self.keys.alerts[usize::from(alert)];
        asleep + self.cx.sample(&team.acts_in, key, nth.into(), 0)
    }

    pub(super) fn on_team_acts(&mut self, estate: &Estate, alert: u16, nth: u32) {
        let rule = &estate.alerts[usize::from(alert)];
        let alarm = &self.alarms[usize::from(alert)];
        if !alarm.firing || alarm.calls != nth {
            // It is over, or somebody was called after them.
            return;
        }
        let team = rule.pages.map(|team| &estate.teams[usize::from(team)]);
        let key = self.keys.alerts[usize::from(alert)];
        let wrong = team.is_some_and(|team| team.wrong_action.admits(self.cx.draws.word(key, nth.into(), 1)));
        let act = if wrong { rule.wrong } else { rule.does };
        self.cx.cause = self.cx.observe(Observation::OperatorActed { alert, act, wrong });
        if let Some(act) = act {
            self.act(estate, act.rollout, act.deed);
        }
    }
}

/// How long it is until somebody of the team is on call.
fn asleep(team: &Team, starts_at_second_of_day: u32, now: SimTime) -> SimDuration {
    const NANOS: u64 = 1_000_000_000;
    const DAY: u64 = 86_400 * NANOS;
    let Some((from, until)) = team.on_call else { return SimDuration::ZERO };
    let (from, until) = (u64::from(from) * NANOS, u64::from(until) * NANOS);
    let time = (u64::from(starts_at_second_of_day) * NANOS + now.nanos()) % DAY;
    let awake = if from <= until { (from..until).contains(&time) } else { time >= from || time < until };
    SimDuration::from_nanos(if awake { 0 } else { (from + DAY - time) % DAY })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Distribution;
    use crate::units::Share;

    #[test]
    fn who_is_not_on_call_answers_when_they_are_again() {
        let hour = |hour: u32| hour * 3_600;
        let wait = |from, until, now: u64| {
            let on_call = Some((hour(from), hour(until)));
            let team = Team { name: String::new(), on_call, acts_in: Distribution::ZERO, wrong_action: Share::NONE };
            asleep(&team, 0, SimTime::from(SimDuration::from_secs(now * 3_600))).as_secs_f64() / 3_600.0
        };
        assert_eq!((wait(8, 18, 9), wait(8, 18, 20), wait(8, 18, 3), wait(8, 18, 18)), (0.0, 12.0, 5.0, 14.0));
        assert_eq!((wait(22, 6, 23), wait(22, 6, 1), wait(22, 6, 12), wait(22, 6, 47)), (0.0, 0.0, 10.0, 0.0));
    }
}
