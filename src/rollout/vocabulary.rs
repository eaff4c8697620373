//! Shipped vocabularies of stages: what `stages: standard` and `stages: migration` stand for.
//!
//! A stage grants capabilities, and adapters ask `can("…")` from the most to the least. On the ladder of `standard`
//! each stage grants all that the one below does, so that a kill to a stage of it never gives anybody more. `migration`
//! has no such order at its end: what the old store may no longer do is a capability of its own (`retire_reads`,
//! `retire_writes`).

use super::Feature;

/// A shipped list of stages.
#[derive(Debug)]
pub struct Vocabulary {
    /// What a file writes at `stages:`.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub sentence: &'static str,
    pub stages: &'static [ShippedStage],
    /// What each capability lets an adapter do.
    pub capabilities: &'static [(&'static str, &'static str)],
}

/// A stage of a shipped vocabulary.
#[derive(Debug)]
pub struct ShippedStage {
    pub name: &'static str,
    pub off_ladder: bool,
    pub grants: &'static [&'static str],
    /// What the business sees, in a sentence.
    pub sentence: &'static str,
}

const fn on(name: &'static str, grants: &'static [&'static str], sentence: &'static str) -> ShippedStage {
    ShippedStage { name, off_ladder: false, grants, sentence }
}

const fn off(name: &'static str, grants: &'static [&'static str], sentence: &'static str) -> ShippedStage {
    ShippedStage { name, off_ladder: true, grants, sentence }
}

static STANDARD: Vocabulary = Vocabulary {
    name: "standard",
    sentence: "the states of a mature business rollout",
    stages: &[
        on("HIDDEN", &[], "nobody sees it"),
        on("VISIBLE", &["see"], "it can be seen, not chosen"),
        on("SELECTABLE", &["see", "select"], "it can be chosen; what is chosen is handled as before"),
        on("CREATE_ONLY", &["see", "select", "create"], "new business begins on it; nothing that exists is touched"),
        on(
            "NEW_TENANTS_ONLY",
            &["see", "select", "create", "update"],
            "the whole life of what begins on it, for the tenants its step names",
        ),
        on(
            "SHADOWED",
            &["see", "select", "create", "update", "shadow"],
            "existing business runs through it besides, and its result is compared and discarded",
        ),
        on(
            "DUAL_WRITE",
            &["see", "select", "create", "update", "shadow", "dual_write"],
            "both are written, the old one counts",
        ),
        on(
            "AUTHORITATIVE",
            &["see", "select", "create", "update", "shadow", "dual_write", "decide"],
            "both are written, the new one counts and the old one is still reconciled",
        ),
        on(
            "ACTIVE",
            &["see", "select", "create", "update", "shadow", "dual_write", "decide", "retire_old"],
            "the new one alone",
        ),
        off("ROLLBACK_ONLY", &["see", "update", "roll_back"], "what exists is finished or undone; nothing begins"),
    ],
    capabilities: &[
        ("see", "show that it exists"),
        ("select", "let customers choose it"),
        ("create", "begin new business on it"),
        ("update", "change what began on it"),
        ("shadow", "run it besides and compare"),
        ("dual_write", "write both"),
        ("decide", "let its result count"),
        ("retire_old", "leave the old one out"),
        ("roll_back", "undo what began on it"),
    ],
};

/// LaunchDarkly's migration flags (`migrator.py` of its Python SDK 9.18.2, verified against the tables of
/// sdk-test-harness 2.41.0): reads, writes, whose answer counts and which write comes first.
static MIGRATION: Vocabulary = Vocabulary {
    name: "migration",
    sentence: "LaunchDarkly's six stages of a data migration, with its matrix of reads and writes",
    stages: &[
        on("off", &["read_old", "write_old"], "the old store alone"),
        on("dualwrite", &["read_old", "write_old", "write_new"], "both are written, old first; the old one is read"),
        on(
            "shadow",
            &["read_old", "read_new", "write_old", "write_new"],
            "both are read and compared, the old one answers; both are written, old first",
        ),
        on(
            "live",
            &["read_old", "read_new", "write_old", "write_new", "new_answers", "new_first"],
            "both are read and compared, the new one answers; both are written, new first",
        ),
        on(
            "rampdown",
            &["read_new", "write_old", "write_new", "new_answers", "new_first", "retire_reads"],
            "the new one is read; both are written, new first",
        ),
        on(
            "complete",
            &["read_new", "write_new", "new_answers", "new_first", "retire_reads", "retire_writes"],
            "the new store alone",
        ),
    ],
    capabilities: &[
        ("read_old", "read the old store; with `read_new` both are compared"),
        ("read_new", "read the new store"),
        ("write_old", "write the old store"),
        ("write_new", "write the new store; the second write is left out when the first failed"),
        ("new_answers", "the new store's answer counts; without it the old one's"),
        ("new_first", "the new store is written first; without it the old one"),
        ("retire_reads", "the old store is read no more"),
        ("retire_writes", "the old store is written no more"),
    ],
};

/// Every shipped vocabulary.
pub static ALL: &[&Vocabulary] = &[&STANDARD, &MIGRATION];

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

pub fn named(name: &str) -> Option<&'static Vocabulary> {
    ALL.iter().copied().find(|vocabulary| vocabulary.name == name)
}

/// Whether the stages of a feature are those of a shipped vocabulary.
pub fn ships(feature: &Feature) -> bool {
    let names = || feature.stages.iter().map(|stage| stage.name.as_str());
    ALL.iter().any(|shipped| shipped.stages.iter().map(|stage| stage.name).eq(names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn can(vocabulary: &Vocabulary, stage: &str, capability: &str) -> bool {
        let stage = vocabulary.stages.iter().find(|shipped| shipped.name == stage).expect("a stage of the vocabulary");
        stage.grants.contains(&capability)
    }

    #[test]
    fn every_grant_is_a_documented_capability_and_every_capability_is_granted() {
        for vocabulary in ALL {
            let known: Vec<&str> = vocabulary.capabilities.iter().map(|(name, _)| *name).collect();
            let granted: Vec<&str> = vocabulary.stages.iter().flat_map(|stage| stage.grants.iter().copied()).collect();
            assert!(granted.iter().all(|name| known.contains(name)), "{}", vocabulary.name);
            assert!(known.iter().all(|name| granted.contains(name)), "{}", vocabulary.name);
        }
    }

    #[test]
    fn each_stage_of_the_standard_ladder_grants_all_that_the_one_below_does() {
        let ladder: Vec<_> = STANDARD.stages.iter().filter(|stage| !stage.off_ladder).collect();
        for pair in ladder.windows(2) {
            assert!(pair[0].grants.iter().all(|grant| pair[1].grants.contains(grant)), "{}", pair[1].name);
            assert!(pair[0].grants.len() < pair[1].grants.len());
        }
    }

    /// Typed from LaunchDarkly's tables: stage, reads, whose answer counts, writes in their order.
    const MATRIX: [(&str, &[&str], &str, &[&str]); 6] = [
        ("off", &["old"], "old", &["old"]),
        ("dualwrite", &["old"], "old", &["old", "new"]),
        ("shadow", &["old", "new"], "old", &["old", "new"]),
        ("live", &["new", "old"], "new", &["new", "old"]),
        ("rampdown", &["new"], "new", &["new", "old"]),
        ("complete", &["new"], "new", &["new"]),
    ];

    #[test]
    fn the_migration_stages_have_launchdarklys_matrix_and_order_of_writes() {
        for (stage, reads, answers, writes) in MATRIX {
            let can = |capability: &str| can(&MIGRATION, stage, capability);
            let new_first = can("new_first");
            let order: [&str; 2] = if new_first { ["new", "old"] } else { ["old", "new"] };
            let of = |verb: &str| -> Vec<&str> {
                order.into_iter().filter(|store| can(&format!("{verb}_{store}"))).collect()
            };
            assert_eq!(of("write"), writes, "{stage}");
            assert_eq!(of("read"), reads, "{stage}");
            assert_eq!(if can("new_answers") { "new" } else { "old" }, answers, "{stage}");
        }
        assert_eq!(MIGRATION.stages.len(), MATRIX.len());
    }
}
