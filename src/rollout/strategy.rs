//! Rollout strategies by name: what each is, what it can be told, and the shares its ramps go through.
//!
//! A strategy is shorthand for steps and nothing else: whoever writes the steps out gets the same rollout.

use crate::units::Share;

/// A way to roll out that has a name.
#[derive(Debug)]
pub struct Strategy {
    /// What a file writes at `strategy:`.
    pub name: &'static str,
    /// The steps it comes to, in a sentence.
    pub sentence: &'static str,
    /// The keys it takes besides `name`, `to` and `every`.
    pub takes: &'static [&'static str],
}

pub static BIG_BANG: Strategy =
    Strategy { name: "big-bang", sentence: "everybody moves to the stage in one step", takes: &[] };
pub static LINEAR_RAMP: Strategy = Strategy {
    name: "linear-ramp",
    sentence: "the share grows by the same amount in each of `steps` steps",
    takes: &["steps"],
};
pub static EXPONENTIAL_RAMP: Strategy = Strategy {
    name: "exponential-ramp",
    sentence: "the share begins with `start` and is multiplied by `factor` in each step, up to everybody",
    takes: &["start", "factor"],
};
pub static CANARY: Strategy =
    Strategy { name: "canary", sentence: "the share `start` first, then everybody", takes: &["start"] };
pub static RING_BY_RING: Strategy = Strategy {
    name: "ring-by-ring",
    sentence: "one of `rings` after the other, then whoever is in none of them",
    takes: &["rings"],
};
pub static REGION_BY_REGION: Strategy = Strategy {
    name: "region-by-region",
    sentence: "one region's tenants after the other's, in `order`, by default the smallest share first",
    takes: &["order"],
};
pub static COHORT_BY_COHORT: Strategy = Strategy {
    name: "cohort-by-cohort",
    sentence: "one value of the tenants' attribute `by` after the other, in `order`, by default the smallest share first",
    takes: &["by", "order"],
};
pub static TENANT_BY_TENANT: Strategy = Strategy {
    name: "tenant-by-tenant",
    sentence: "`batch` more tenants in each step, in the order of their numbers",
    takes: &["batch"],
};
pub static BLUE_GREEN: Strategy = Strategy {
    name: "blue-green",
    sentence: "those of `preview` try the new one beside the old one, then everybody is switched at once; with `retire`, \
               the old one is retired in a third step, until when the way back is open",
    takes: &["preview", "retire"],
};
pub static DARK_LAUNCH: Strategy = Strategy {
    name: "dark-launch",
    sentence: "everybody runs the new one in the shadow of the old one, at the stage `via`, by default the lowest below \
               the goal that grants `shadow` or is named so; then it counts",
    takes: &["via"],
};

/// Every strategy.
pub static ALL: &[&Strategy] = &[
    &BIG_BANG,
    &LINEAR_RAMP,
    &EXPONENTIAL_RAMP,
    &CANARY,
    &RING_BY_RING,
    &REGION_BY_REGION,
    &COHORT_BY_COHORT,
    &TENANT_BY_TENANT,
    &BLUE_GREEN,
    &DARK_LAUNCH,
];

/// Their names, in the same order.
pub static NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        names[at] = ALL[at].name;
        at += 1;
    }
    names
};

pub fn named(name: &str) -> Option<&'static Strategy> {
    ALL.iter().copied().find(|strategy| strategy.name == name)
}

/// The shares of a ramp of so many equal steps; the last is everybody.
pub fn linear(steps: u32) -> Vec<Share> {
    let share = |k: u32| Share::new(f64::from(k) / f64::from(steps)).unwrap_or(Share::ALL);
    (1..=steps).map(share).collect()
}

/// The shares of a ramp that multiplies; the last is everybody. A share or a factor that does not grow ends at once.
pub fn exponential(start: Share, factor: f64) -> Vec<Share> {
    let mut shares = Vec::new();
    let mut share = start.fraction();
    while share < 1.0 && share > 0.0 && factor > 1.0 {
        shares.extend(Share::new(share));
        share *= factor;
    }
    shares.push(Share::ALL);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percents(shares: &[Share]) -> Vec<String> {
        shares.iter().map(Share::to_string).collect()
    }

    #[test]
    fn ramps_grow_with_each_step_and_end_with_everybody() {
        assert_eq!(percents(&linear(4)), ["25%", "50%", "75%", "100%"]);
        assert_eq!(percents(&linear(1)), ["100%"]);
        let one_percent = Share::new(0.01).expect("a share");
        let doubling = ["1%", "2%", "4%", "8%", "16%", "32%", "64%", "100%"];
        assert_eq!(percents(&exponential(one_percent, 2.0)), doubling);
        assert_eq!(percents(&exponential(Share::ALL, 2.0)), ["100%"]);
    }

    #[test]
    fn what_does_not_grow_ends_at_once() {
        assert_eq!(percents(&exponential(Share::NONE, 2.0)), ["100%"]);
        assert_eq!(percents(&exponential(Share::new(0.5).expect("a share"), 1.0)), ["100%"]);
    }
}
