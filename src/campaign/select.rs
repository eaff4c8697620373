//! Choosing the best variant with as few runs as its lead allows: all variants meet the same seeds, and what is clearly
//! worse, or breaks what no variant may break, is run no further.

use super::outcome::VariantOutcome;
use super::pool::{Orders, Unrecorded, run_variant};
use super::seeds::Seeds;
use crate::scenario::plan::Plan;
use crate::stats::selection::{FIRST, Selection};
use std::ops::Range;
use std::sync::atomic::Ordering;

/// Seeds between two looks.
const STAGE: u64 = 10;

/// What is asked for.
pub struct Choice<'a> {
    /// The metric that decides; the smaller the better.
    pub primary: &'a str,
    /// A difference that does not matter, in the metric's unit.
    pub indifference: f64,
    /// The probability of a wrong choice where the best leads by at least the indifference.
    pub alpha: f64,
    /// The most seeds, half-open.
    pub seeds: Range<u64>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub contenders: Vec<Contender>,
    /// The place of the best; `None`: the seeds did not suffice, or no variant may be chosen.
    pub best: Option<usize>,
    /// Seeds that those met which were left to the end.
    pub seeds: u64,
    /// It was stopped before it was decided.
    pub stopped: bool,
}

/// A variant in the contest.
#[derive(Clone, Debug)]
pub struct Contender {
    pub variant: String,
    pub runs: u64,
    /// The mean of the metric over its runs.
    pub mean: f64,
    pub unit: &'static str,
    pub fate: Fate,
}

/// How far a variant came.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    Best,
    /// Still in when the seeds were used up.
    Undecided,
    /// Worse than another by more than chance allows.
    Worse,
    /// No better and no worse than the one that was chosen.
    Level,
    /// It violates an invariant that the file names, with this seed.
    Infeasible {
        invariant: &'static str,
        seed: u64,
    },
}

/// Why nothing can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum NoChoice {
    /// The metric has no value in a run.
    NoValue { variant: String, seed: u64 },
    /// Fewer seeds than the first look needs.
    TooFewSeeds,
}

/// One variant with its values so far.
struct Entrant {
    plan: Plan,
    values: Vec<f64>,
    unit: &'static str,
    infeasible: Option<(&'static str, u64)>,
}

/// Runs the contest. `named` are the invariants that no variant may violate.
pub fn select(
    plans: Vec<Plan>,
    named: &[&'static str],
    choice: &Choice<'_>,
    orders: &Orders<'_>,
) -> Result<Chosen, NoChoice> {
    let first = FIRST as u64;
    let all = choice.seeds.end - choice.seeds.start;
    if all < first {
        return Err(NoChoice::TooFewSeeds);
    }
    let mut entrants: Vec<Entrant> =
        plans.into_iter().map(|plan| Entrant { plan, values: Vec::new(), unit: "1", infeasible: None }).collect();
    let mut made = 0;
    let mut selection: Option<Selection> = None;
    while !is_over(&entrants, selection.as_ref()) && made < all && !orders.stop.load(Ordering::Relaxed) {
        let next = (made + if made == 0 { first } else { STAGE }).min(all);
        let range = choice.seeds.start + made..choice.seeds.start + next;
        for (place, entrant) in entrants.iter_mut().enumerate() {
            if entrant.infeasible.is_none() && selection.as_ref().is_none_or(|selection| selection.is_in(place)) {
                entrant.run(range.clone(), named, choice.primary, orders)?;
            }
        }
        selection = advanced(&mut entrants, next, named, choice, orders)?.or(selection);
        if orders.stop.load(Ordering::Relaxed) {
            break;
        }
        made = next;
    }
    Ok(chosen(entrants, selection, made, orders))
}

/// Nobody is left to be compared.
fn is_over(entrants: &[Entrant], selection: Option<&Selection>) -> bool {
    selection.is_some_and(|of| of.best().is_some() || (0..entrants.len()).all(|place| !of.is_in(place)))
}

/// The selection after the seeds up to `next`, from the beginning among those that may be chosen: a variant that turns
/// out to break what none may break must not have beaten another one before. Who was beaten by it alone makes up for the
/// runs that it missed. `None`: it was stopped.
fn advanced(
    entrants: &mut [Entrant],
    next: u64,
    named: &[&'static str],
    choice: &Choice<'_>,
    orders: &Orders<'_>,
) -> Result<Option<Selection>, NoChoice> {
    loop {
        if orders.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match replayed(entrants, next, choice) {
            Ok(selection) => return Ok(Some(selection)),
            Err(behind) => {
                let from = choice.seeds.start + entrants[behind].values.len() as u64;
                let until = (from + STAGE).min(choice.seeds.start + next);
                entrants[behind].run(from..until, named, choice.primary, orders)?;
            }
        }
    }
}

/// The selection over the runs that are there; `Err`: the place of a variant that is in and lacks some.
fn replayed(entrants: &[Entrant], next: u64, choice: &Choice<'_>) -> Result<Selection, usize> {
    let feasible: Vec<bool> = entrants.iter().map(|entrant| entrant.infeasible.is_none()).collect();
    let first: Vec<Vec<f64>> = entrants.iter().map(|entrant| entrant.values[..FIRST].to_vec()).collect();
    let mut selection = Selection::new(&first, &feasible, choice.indifference, choice.alpha);
    for at in FIRST..next as usize {
        if selection.best().is_some() {
            break;
        }
        // Who is out may have no value there, and is not looked at.
        let behind = |(place, entrant): &(usize, &Entrant)| selection.is_in(*place) && entrant.values.len() <= at;
        if let Some((place, _)) = entrants.iter().enumerate().find(behind) {
            return Err(place);
        }
        let values = entrants.iter().map(|entrant| entrant.values.get(at).copied().unwrap_or_default());
        selection.add(&values.collect::<Vec<_>>());
    }
    Ok(selection)
}

fn chosen(entrants: Vec<Entrant>, selection: Option<Selection>, made: u64, orders: &Orders<'_>) -> Chosen {
    let best = selection.as_ref().and_then(Selection::best);
    let contenders = entrants.into_iter().enumerate().map(|(place, entrant)| {
        let fate = match entrant.infeasible {
            Some((invariant, seed)) => Fate::Infeasible { invariant, seed },
            None if best == Some(place) => Fate::Best,
            None if selection.as_ref().is_some_and(|selection| !selection.is_in(place)) => Fate::Worse,
            None if best.is_some() => Fate::Level,
            None => Fate::Undecided,
        };
        let runs = entrant.values.len() as u64;
        let mean = entrant.values.iter().sum::<f64>() / (runs.max(1)) as f64;
        Contender { variant: entrant.plan.variant, runs, mean, unit: entrant.unit, fate }
    });
    let stopped = orders.stop.load(Ordering::Relaxed);
    Chosen { contenders: contenders.collect(), best, seeds: made, stopped }
}

impl Entrant {
    fn run(
        &mut self,
        range: Range<u64>,
        named: &[&'static str],
        primary: &str,
        orders: &Orders<'_>,
    ) -> Result<(), NoChoice> {
        let outcome: VariantOutcome = run_variant(self.plan.clone(), &Seeds::all(range), orders, &mut Unrecorded);
        for run in &outcome.runs {
            match run.metric(primary) {
                Some(value) => self.values.push(value),
                None => return Err(NoChoice::NoValue { variant: self.plan.variant.clone(), seed: run.seed }),
            }
        }
        self.unit = outcome.estimate(primary).map_or(self.unit, |estimate| estimate.unit);
        let broken = named.iter().filter_map(|invariant| {
            outcome.tally.invariant(invariant).and_then(|tally| tally.first_violated).map(|seed| (*invariant, seed))
        });
        self.infeasible = self.infeasible.or(broken.min_by_key(|(_, seed)| *seed));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::fixture::plan;

    #[test]
    fn who_was_beaten_by_a_variant_that_may_not_be_chosen_makes_up_for_the_runs_it_missed() {
        let noisy =
            |mean: f64, by: usize| -> Vec<f64> { (0..200_usize).map(|n| mean + ((n * by) % 7) as f64 - 3.0).collect() };
        let entrant =
            |values: Vec<f64>| Entrant { plan: plan("base", Vec::new()), values, unit: "1", infeasible: None };
        let (all, choice) = (
            [noisy(0.0, 1), noisy(9.0, 2), noisy(9.3, 3)],
            Choice { primary: "harm.count", indifference: 1.0, alpha: 0.05, seeds: 0..200 },
        );
        let mut entrants: Vec<Entrant> = all.iter().map(|values| entrant(values[..20].to_vec())).collect();
        let beaten = replayed(&entrants, 20, &choice).expect("all have their first runs");
        assert_eq!(beaten.best(), Some(0));
        // Its first violation comes later: the other two were never compared with each other.
        entrants[0].infeasible = Some(("split-brain", 25));
        assert_eq!(replayed(&entrants, 200, &choice).map(|of| of.best()).expect_err("it lacks runs"), 1);
        for (entrant, values) in entrants.iter_mut().zip(&all).skip(1) {
            entrant.values = values.clone();
        }
        assert_eq!(replayed(&entrants, 200, &choice).map(|of| of.best()), Ok(Some(1)));
    }
}
