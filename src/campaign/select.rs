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
        if orders.stop.load(Ordering::Relaxed) {
            break;
        }
        selection = Some(advanced(selection, &entrants, made, next, choice));
        made = next;
    }
    Ok(chosen(entrants, selection, made, orders))
}

/// Nobody is left to be compared.
fn is_over(entrants: &[Entrant], selection: Option<&Selection>) -> bool {
    let left = |place: &usize| entrants[*place].infeasible.is_none() && selection.is_none_or(|of| of.is_in(*place));
    selection.is_some() && (0..entrants.len()).filter(left).count() < 2
}

/// The selection after the seeds up to `next`.
fn advanced(
    selection: Option<Selection>,
    entrants: &[Entrant],
    made: u64,
    next: u64,
    choice: &Choice<'_>,
) -> Selection {
    let feasible: Vec<bool> = entrants.iter().map(|entrant| entrant.infeasible.is_none()).collect();
    let Some(mut selection) = selection else {
        let first: Vec<Vec<f64>> = entrants.iter().map(|entrant| entrant.values.clone()).collect();
        return Selection::new(&first, &feasible, choice.indifference, choice.alpha);
    };
    for place in (0..entrants.len()).filter(|place| !feasible[*place]) {
        selection.exclude(place);
    }
    for at in made as usize..next as usize {
        // Who is out has no value there, and is not looked at.
        let values = entrants.iter().map(|entrant| entrant.values.get(at).copied().unwrap_or_default());
        selection.add(&values.collect::<Vec<_>>());
    }
    selection
}

fn chosen(entrants: Vec<Entrant>, selection: Option<Selection>, made: u64, orders: &Orders<'_>) -> Chosen {
    let best = selection.as_ref().and_then(Selection::best);
    let contenders = entrants.into_iter().enumerate().map(|(place, entrant)| {
        let fate = match entrant.infeasible {
            Some((invariant, seed)) => Fate::Infeasible { invariant, seed },
            None if best == Some(place) => Fate::Best,
            None if selection.as_ref().is_some_and(|selection| !selection.is_in(place)) => Fate::Worse,
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
