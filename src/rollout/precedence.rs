//! Who has the last word on a subject's stage: the table that [`decide`](super::decide()) goes through and that
//! `explain precedence` prints.

/// What can have a say in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Kill,
    LocalSwitch,
    Override,
    Rule,
    Default,
}

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    pub level: Level,
    pub name: &'static str,
    /// Whether it may only take away from what the lines below say.
    pub restricts: bool,
    pub sentence: &'static str,
}

/// The whole table, the strongest first. Of the lines that do not only restrict, the first that speaks decides; the
/// others then take away from what it said, so that the result is the least that any of them leaves.
pub static TABLE: [Row; 5] = [
    Row {
        level: Level::Kill,
        name: "kills",
        restricts: true,
        sentence: "every active kill whose scope (global, region, tenant, journey) contains the subject; the most \
                   restrictive stage wins, and of several that cannot be compared the safe stage; never raises a stage \
                   of a ladder",
    },
    Row {
        level: Level::LocalSwitch,
        name: "local switches",
        restricts: true,
        sentence: "the most that the service's own configuration lets through (`local`)",
    },
    Row {
        level: Level::Override,
        name: "overrides",
        restricts: false,
        sentence: "a stage given to one user, else to the user's tenant (`overrides`)",
    },
    Row {
        level: Level::Rule,
        name: "targeting rules",
        restricts: false,
        sentence: "the moves of the rollout's steps in order, the newest step first; the first whose audience and \
                   percentage take in the subject",
    },
    Row { level: Level::Default, name: "default stage", restricts: false, sentence: "the feature's initial stage" },
];

/// The table as `explain precedence` prints it.
pub fn printed() -> String {
    let mut text = String::from("precedence, the strongest first\n");
    for (at, row) in TABLE.iter().enumerate() {
        let how = if row.restricts { "may only restrict" } else { "decides" };
        text.push_str(&format!("  {}. {:15}  {how:17}  {}\n", at + 1, row.name, row.sentence));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_restricts_stands_above_what_decides_and_something_always_decides() {
        assert!(TABLE.is_sorted_by_key(|row| !row.restricts));
        assert_eq!(TABLE[TABLE.len() - 1].level, Level::Default);
    }
}
