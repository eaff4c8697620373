//! What was done, is to be undone, and is not: compensation debt, in number and in money.

use super::{Measure, Report};
use crate::invariants::debts::{self, Change, Debts};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observed};
use crate::units::SimTime;

#[derive(Debug)]
pub struct Debt {
    /// Whether the plan does anything that could have to be undone.
    active: bool,
    debts: Debts,
    compensated: u64,
    open: u64,
    most: u64,
    /// In minor units.
    amount: u64,
    most_amount: u64,
}

impl Debt {
    pub fn new(estate: &Estate) -> Debt {
        let (active, debts) = (debts::are_possible(estate), Debts::new(estate));
        Debt { active, debts, compensated: 0, open: 0, most: 0, amount: 0, most_amount: 0 }
    }
}

impl Measure for Debt {
    fn interests(&self) -> &'static [Kind] {
        if self.active { debts::INTERESTS } else { &[] }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        let Debt { debts, compensated, open, most, amount, most_amount, .. } = self;
        debts.observe(observed, estate, &mut |change| {
            if let Change::Undone(..) = change {
                *compensated += 1;
            }
            let of = |done: &debts::Done| done.made.amount.unwrap_or(0);
            match change {
                Change::Done => {}
                Change::Owed(done, _) => {
                    *open += 1;
                    *amount += of(done);
                }
                Change::Undone(_, done) | Change::Forgiven(done) => {
                    if done.owed.is_some() {
                        *open -= 1;
                        *amount -= of(done);
                    }
                }
            }
            (*most, *most_amount) = ((*most).max(*open), (*most_amount).max(*amount));
        });
    }

    fn finish(&mut self, _: SimTime, estate: &Estate, report: &mut Report) {
        if !self.active {
            return;
        }
        report.count("compensations.count", self.compensated);
        report.count("compensation_debt.max", self.most);
        report.count("compensation_debt.end", self.open);
        if estate.currency.is_some() {
            report.count("compensation_debt_amount.max", self.most_amount);
            report.count("compensation_debt_amount.end", self.amount);
        }
    }
}
