//! Accepted violations as a ratchet: what a file lists decides no verdict until its day, what it does not list decides
//! at once, and what it lists and nobody sees any more has to go. So the list can only become shorter.

use super::outcome::{CampaignOutcome, Totals, VariantOutcome};
use super::verdict::Judgement;
use crate::run::summary::Verdict;
use crate::scenario::plan::{Accepted, ComesOut, Expected, Plan};

/// How an accepted violation stands after a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It occurs and is accepted today.
    InForce,
    /// It occurs, and its day is past.
    Expired,
    /// Nobody saw it, in any variant or seed of the scenario's test: the entry is to be removed.
    Over,
    /// Nobody saw it here, where not every variant and seed is.
    NotSeen,
}

impl Standing {
    /// As `result.json` says it.
    pub fn name(self) -> &'static str {
        match self {
            Standing::InForce => "accepted",
            Standing::Expired => "expired",
            Standing::Over => "over",
            Standing::NotSeen => "not seen",
        }
    }
}

/// An entry of `accepted`, and what came of it.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub accepted: &'a Accepted,
    pub standing: Standing,
    /// The first variant whose plan has it.
    pub variant: &'a str,
    /// The variants in which it occurs where it must not.
    pub seen_in: Vec<&'a str>,
    pub violations: u64,
}

/// Every entry of the variants' plans, each once, in the order of the file.
pub fn standings(outcome: &CampaignOutcome) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for variant in &outcome.variants {
        for accepted in &variant.plan.accepted {
            if entries.iter().all(|known| known.accepted != accepted) {
                entries.push(entry_of(outcome, variant, accepted));
            }
        }
    }
    entries
}

fn entry_of<'a>(outcome: &'a CampaignOutcome, first: &'a VariantOutcome, accepted: &'a Accepted) -> Entry<'a> {
    let carrying = || outcome.variants.iter().filter(|variant| variant.plan.accepted.contains(accepted));
    let counted = carrying().map(|variant| (variant, occurrences(variant, accepted))).filter(|(_, times)| *times > 0);
    let counted: Vec<(&VariantOutcome, u64)> = counted.collect();
    let told =
        outcome.invocation.whole && outcome.incomplete.is_none() && carrying().all(|of| is_settled(of, accepted));
    let standing = match counted.is_empty() {
        false if is_in_force(&first.plan, accepted) => Standing::InForce,
        false => Standing::Expired,
        true if told => Standing::Over,
        true => Standing::NotSeen,
    };
    Entry {
        accepted,
        standing,
        variant: &first.plan.variant,
        seen_in: counted.iter().map(|(variant, _)| variant.plan.variant.as_str()).collect(),
        violations: counted.iter().map(|(_, times)| times).sum(),
    }
}

/// Violations in a variant that the entry stands for. Where the invariant is expected to be violated, or in a share of
/// runs, there is nothing to accept.
fn occurrences(variant: &VariantOutcome, accepted: &Accepted) -> u64 {
    let expected_otherwise = variant.plan.expectations.iter().any(|expectation| match &expectation.of {
        Expected::Invariant { name, comes_out: ComesOut::Violated { .. } | ComesOut::AtMost { .. } } => {
            *name == accepted.invariant
        }
        Expected::Invariant { comes_out: ComesOut::Holds, .. } | Expected::Metric { .. } | Expected::Reached { .. } => {
            false
        }
    });
    if expected_otherwise {
        return 0;
    }
    let totals = variant.totals(accepted.invariant);
    match &accepted.cause {
        Some(cause) => totals.causes.iter().filter(|(seen, _)| seen == cause).map(|(_, times)| times).sum(),
        None => totals.violations.max(totals.violated_runs),
    }
}

/// Whether the variant's runs say that there is no such violation, rather than nothing.
fn is_settled(variant: &VariantOutcome, accepted: &Accepted) -> bool {
    let totals = variant.totals(accepted.invariant);
    let whole = variant.made() > 0 && variant.tally.cut_short == 0;
    whole
        && match totals.verdict {
            Verdict::Holds | Verdict::Violated | Verdict::Vacuous => true,
            Verdict::Pending | Verdict::Undecided => false,
        }
}

/// What a violated invariant that should hold comes to: `why` it is missed, and whether the file accepts that.
pub(super) fn judged(plan: &Plan, totals: &Totals, why: String) -> Judgement {
    let listed: Vec<&Accepted> = plan.accepted.iter().filter(|entry| entry.invariant == totals.name).collect();
    if listed.is_empty() {
        return Judgement::Missed(why);
    }
    let stands_for = |cause: &str| {
        let fits = |entry: &&Accepted| entry.cause.as_ref().is_none_or(|named| named == cause);
        listed.iter().copied().find(fits)
    };
    let unlisted: Vec<&str> =
        totals.causes.iter().map(|(cause, _)| *cause).filter(|cause| stands_for(cause).is_none()).collect();
    if !unlisted.is_empty() {
        return Judgement::Missed(format!("{why}; not accepted: {}", unlisted.join(", ")));
    }
    let mut used: Vec<&Accepted> = totals.causes.iter().filter_map(|(cause, _)| stands_for(cause)).collect();
    if totals.causes.is_empty() {
        // A violation without a cause is accepted by what accepts every cause.
        used.extend(listed.iter().copied().find(|entry| entry.cause.is_none()));
    }
    used.dedup();
    if let Some(expired) = used.iter().find(|entry| !is_in_force(plan, entry)) {
        return Judgement::Missed(format!("{why}; {}: expired", terms(expired)));
    }
    if used.is_empty() {
        return Judgement::Missed(format!("{why}; not accepted: no cause is known"));
    }
    let told: Vec<String> = used.iter().map(|entry| terms(entry)).collect();
    Judgement::Accepted(format!("{why}; {}", told.join("; ")))
}

/// The entries that are accepted today.
pub(super) fn in_force(plan: &Plan) -> Vec<Accepted> {
    plan.accepted.iter().filter(|entry| is_in_force(plan, entry)).cloned().collect()
}

/// Whether everything that a run's violations are put down to is among what is accepted today.
pub(super) fn is_accepted(in_force: &[Accepted], invariant: &str, causes: &[(&'static str, u64)]) -> bool {
    let accepts = |cause: Option<&str>| {
        in_force.iter().any(|entry| {
            let fits = entry.cause.is_none() || entry.cause.as_deref() == cause;
            entry.invariant == invariant && fits
        })
    };
    if causes.is_empty() { accepts(None) } else { causes.iter().all(|(cause, _)| accepts(Some(cause))) }
}

fn is_in_force(plan: &Plan, accepted: &Accepted) -> bool {
    plan.judged_on.is_some_and(|today| today <= accepted.until)
}

/// `split-brain for stale cache`.
pub fn named(accepted: &Accepted) -> String {
    match &accepted.cause {
        Some(cause) => format!("{} for {cause}", accepted.invariant),
        None => accepted.invariant.to_owned(),
    }
}

/// `accepted until 2026-12-31 by payments, ticket SHOP-1`.
pub fn terms(accepted: &Accepted) -> String {
    format!("accepted until {} by {}, ticket {}", accepted.until, accepted.owner, accepted.ticket)
}

/// What is said of an entry that is over.
pub fn over(accepted: &Accepted) -> String {
    let at = &accepted.at;
    format!(
        "accepted and no longer needed: nothing violates it any more; remove the entry at {}:{}",
        at.file, at.number
    )
}

#[cfg(test)]
mod tests;
