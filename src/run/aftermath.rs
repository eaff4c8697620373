//! Errors after a retreat, against those of the run without the rollout: the same customers, the same window
//! (rules.md, 15).

use crate::invariants::aftermath::Window;
use crate::invariants::{Ledger, Violation, chance, rollback_safe};
use crate::models::estate::Estate;
use crate::units::SimTime;

/// Whether a window has so many errors that chance would have to be asked: more than it allows where there are none.
pub fn asks(window: &Window) -> bool {
    chance::is_greater_share(window.failed, window.finished, 0, window.finished)
}

/// Takes down each window that has more errors than the baseline's, and than chance allows.
pub fn compare(windows: &[Window], baseline: &[Window], end: SimTime, estate: &Estate, ledger: &mut Ledger) {
    for (window, before) in windows.iter().zip(baseline) {
        if !chance::is_greater_share(window.failed, window.finished, before.failed, before.finished) {
            continue;
        }
        let (clause, cause) = ("errors", rollback_safe::ERRORS);
        ledger.violate(clause, cause, None, window.ground, || Violation {
            at: window.until.unwrap_or(end),
            interaction: None,
            clause,
            cause,
            about: estate.features[window.feature].name.clone(),
            text: format!(
                "of {} customers who came more than the bound after {} went back, {} failed; without the rollout {} of {} did",
                window.finished, estate.features[window.feature].name, window.failed, before.failed, before.finished,
            ),
            witnesses: vec![window.ground],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::Scope;
    use crate::units::Id;

    fn window(failed: u64, finished: u64) -> Window {
        let (feature, scope, from) = (Id::from_u32(0), Scope::default(), SimTime::ZERO);
        Window { feature, scope, from, until: None, ground: 7, finished, failed }
    }

    fn violations(after: Window, without: Window) -> u64 {
        let estate = crate::invariants::fixtures::estate();
        let mut ledger = Ledger::default();
        compare(&[after], &[without], SimTime::ZERO, &estate, &mut ledger);
        ledger.violations
    }

    #[test]
    fn more_errors_than_the_baseline_and_chance_allow_are_a_violation_and_as_many_are_none() {
        assert_eq!(violations(window(80, 1_000), window(0, 1_000)), 1);
        assert_eq!(violations(window(80, 1_000), window(78, 1_000)), 0);
        assert_eq!(violations(window(20, 1_000), window(0, 1_000)), 0, "within chance");
    }

    #[test]
    fn a_window_without_errors_asks_for_no_baseline() {
        assert!(asks(&window(80, 1_000)));
        assert!(!asks(&window(3, 1_000)) && !asks(&window(0, 0)));
    }
}
