//! Effects on the new path, and how long a kill takes to end them.

use super::{Measure, Report};
use crate::invariants::{Kills, is_new};
use crate::models::estate::Estate;
use crate::models::observation::{EffectMade, Kind, Observation, Observed};
use crate::units::SimTime;

#[derive(Debug, Default)]
pub struct Effects {
    on_new_path: u64,
    kills: Kills,
    killed: Option<LastKill>,
}

#[derive(Debug)]
struct LastKill {
    entry: u32,
    issued: SimTime,
    last_effect: Option<SimTime>,
}

impl Measure for Effects {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Effect, Kind::Killed, Kind::Lifted]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if let Observation::Effect(made) = &observed.what {
            self.effect(observed.at, made, estate);
        } else if let Some(kill) = self.kills.observe(observed) {
            self.killed = Some(LastKill { entry: kill.entry, issued: kill.issued, last_effect: None });
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        report.count("new_path_effects.count", self.on_new_path);
        let lasted = self.killed.as_ref().map(|kill| kill.last_effect.unwrap_or(kill.issued).since(kill.issued));
        report.secs("time_to_kill", lasted);
    }
}

impl Effects {
    fn effect(&mut self, at: SimTime, made: &EffectMade, estate: &Estate) {
        self.on_new_path += u64::from(is_new(made));
        if let Some(killed) = &mut self.killed {
            let kill = self.kills.iter().find(|kill| kill.entry == killed.entry && kill.issued == killed.issued);
            if kill.is_some_and(|kill| kill.forbids(made, estate)) {
                killed.last_effect = Some(at);
            }
        }
    }
}
