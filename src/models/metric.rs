//! The catalogue of metrics: names, units and formulas. What measures them reads observations and lives above.

/// A metric that files may name and reports print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// With its statistic where it has one: `latency.p99`.
    pub name: &'static str,
    /// `1`, `s`, `share` or `/s`.
    pub unit: &'static str,
    /// The sentence that `explain` prints.
    pub formula: &'static str,
}

/// Every metric, in the order in which reports print them. What a `Metric` means is measured in `run::metrics`.
pub const ALL: &[Metric] = &[
    Metric { name: "interactions.count", unit: "1", formula: "interactions that arrived" },
    Metric {
        name: "mixed_interactions.count",
        unit: "1",
        formula: "interactions in which two contexts used different stages of one feature",
    },
    Metric {
        name: "mixed_interactions.share",
        unit: "share",
        formula: "mixed_interactions.count / interactions in which at least two contexts read one feature",
    },
    Metric {
        name: "success_rate",
        unit: "share",
        formula: "1 - failed / finished; a business reject is not a failure",
    },
    Metric { name: "error_rate", unit: "share", formula: "failed / finished; a business reject is not an error" },
    Metric { name: "reject_rate", unit: "share", formula: "rejected / finished" },
    Metric { name: "latency.p50", unit: "s", formula: "median time from arrival to answer" },
    Metric { name: "latency.p99", unit: "s", formula: "99th percentile of the time from arrival to answer" },
    Metric {
        name: "attempts_per_call",
        unit: "1",
        formula: "attempts / calls between services: how far retries multiply load",
    },
    Metric { name: "fallback_rate", unit: "share", formula: "decisions made without a usable policy / all decisions" },
    Metric {
        name: "staleness.p99",
        unit: "s",
        formula: "99th percentile, over decisions, of the age of the first newer policy version; 0 when current",
    },
    Metric { name: "staleness.max", unit: "s", formula: "the greatest staleness at which a decision was used" },
    Metric {
        name: "time_to_full",
        unit: "s",
        formula: "from the last publication until every live replica holds it; absent if that never happens",
    },
    Metric { name: "new_path_effects.count", unit: "1", formula: "effects on a path that is neither old nor neutral" },
    Metric {
        name: "time_to_kill",
        unit: "s",
        formula: "from the last kill until the last new-path effect in its scope; 0 if there is none after it",
    },
    Metric { name: "lag.max", unit: "1", formula: "greatest consumer lag, summed over a group's partitions" },
    Metric { name: "lag.end", unit: "1", formula: "consumer lag when the run ended, summed over all groups" },
    Metric { name: "deliveries.count", unit: "1", formula: "records handed to consumers, redeliveries included" },
    Metric {
        name: "redeliveries.count",
        unit: "1",
        formula: "records handed to a group that had been handed to it before",
    },
    Metric { name: "redelivery_rate", unit: "share", formula: "redeliveries.count / deliveries.count" },
    Metric { name: "evictions.count", unit: "1", formula: "members put out of their group against their will" },
    Metric {
        name: "first_eviction",
        unit: "s",
        formula: "when the first member was put out of its group; absent if none was",
    },
    Metric { name: "parked.count", unit: "1", formula: "records set aside for a person" },
    Metric {
        name: "misread_events.count",
        unit: "1",
        formula: "records handled under another domain version than they were produced with",
    },
    Metric { name: "held.count", unit: "1", formula: "pieces of work that were accepted and held (`queue_until`)" },
    Metric { name: "held.max", unit: "1", formula: "the most pieces of work held at once" },
    Metric { name: "held.end", unit: "1", formula: "pieces of work still held when the run ended" },
    Metric { name: "held_for.p50", unit: "s", formula: "median time for which work was held" },
    Metric { name: "held_for.max", unit: "s", formula: "the longest time for which work was held" },
    Metric {
        name: "given_up.count",
        unit: "1",
        formula: "pieces of held work that were given up: what they waited for did not come",
    },
    Metric {
        name: "plan_completed",
        unit: "share",
        formula: "plans that are watched over and reached the end of their last step / all such plans",
    },
    Metric {
        name: "time_to_detect",
        unit: "s",
        formula: "from the last step before it to the first failed judgement of a gate or the first alert; absent if there was none",
    },
    Metric { name: "gate_failures.count", unit: "1", formula: "judgements of gates that failed" },
    Metric { name: "gates_without_data.count", unit: "1", formula: "judgements of gates that had too little data" },
    Metric { name: "plan_rollbacks.count", unit: "1", formula: "times a plan went back" },
    Metric { name: "approval_wait", unit: "s", formula: "time that plans waited for approvals, summed" },
    Metric { name: "bypasses.count", unit: "1", formula: "approvals that were done without in an emergency" },
    Metric { name: "alerts_raised.count", unit: "1", formula: "times an alert rule began to fire" },
    Metric { name: "operator_actions.count", unit: "1", formula: "times somebody who was called acted" },
    Metric { name: "wrong_actions.count", unit: "1", formula: "of these, wrong actions" },
    Metric {
        name: "shadow_mismatch",
        unit: "share",
        formula: "comparisons with a shadow that came to another result or none / all; absent without a shadow",
    },
    Metric {
        name: "dual_write_gaps.share",
        unit: "share",
        formula: "dual writes that reached one store only / all; absent without a dual write",
    },
    Metric { name: "dual_write_gaps.count", unit: "1", formula: "dual writes that reached one store only" },
    Metric {
        name: "control_plane_questions.count",
        unit: "1",
        formula: "questions that replicas asked the control plane, those included that it did not answer",
    },
    Metric {
        name: "control_plane_load.mean",
        unit: "/s",
        formula: "control_plane_questions.count / length of the run",
    },
    Metric {
        name: "control_plane_load.peak",
        unit: "/s",
        formula: "the most questions in one second; idle polls, which are spread over their period, are not in it",
    },
    Metric {
        name: "control_plane_load.after_outage",
        unit: "/s",
        formula: "the most questions in one second within 60 s after the last fault of the control plane ended",
    },
    Metric { name: "herd_factor", unit: "1", formula: "control_plane_load.after_outage / control_plane_load.mean" },
    Metric {
        name: "exposed_interactions.count",
        unit: "1",
        formula: "interactions that made an effect on a new path, or in which a rule of one failed",
    },
    Metric {
        name: "harm.count",
        unit: "1",
        formula: "exposed interactions that failed, were decided both ways, or made a wrong effect; each weighs one",
    },
    Metric { name: "harm.share", unit: "share", formula: "harm.count / exposed_interactions.count" },
    Metric {
        name: "blast_radius.share",
        unit: "share",
        formula: "users of an interaction that came to harm / users that arrived",
    },
    Metric {
        name: "blast_radius.max_region",
        unit: "share",
        formula: "blast_radius.share of the region where it is greatest",
    },
    Metric {
        name: "exposure_at_detection.count",
        unit: "1",
        formula: "exposed interactions until the first alert rule fires, plan goes back or kill is issued; absent without one",
    },
    Metric {
        name: "exposure_at_containment.count",
        unit: "1",
        formula: "exposed interactions until the last effect that the last kill forbids; absent without a kill",
    },
    Metric {
        name: "divergence_window.max",
        unit: "s",
        formula: "from the first replica that holds a publication to the last, where all came to hold it: the longest",
    },
    Metric {
        name: "time_to_kill.decisions",
        unit: "s",
        formula: "from the last kill until the last decision in its scope that gives more than it leaves",
    },
    Metric {
        name: "irreversible_after_kill.count",
        unit: "1",
        formula: "irreversible effects without a compensator that a kill in force forbids",
    },
    Metric {
        name: "cold_decisions.count",
        unit: "1",
        formula: "decisions without any policy: after a start that found no control plane",
    },
    Metric {
        name: "staleness.p50",
        unit: "s",
        formula: "median, over decisions, of the age of the first newer policy version; 0 when current",
    },
    Metric {
        name: "flap_rate",
        unit: "1",
        formula: "per 1 000 first decisions of an interaction: those that give their user another stage than the last one, under an older policy",
    },
    Metric {
        name: "decision_lineage.share",
        unit: "share",
        formula: "new-path effects that name a decision and its policy version / new-path effects",
    },
    Metric {
        name: "lag_at_step.max",
        unit: "1",
        formula: "greatest consumer lag, summed over all groups, at the moment a step is published",
    },
    Metric {
        name: "opportunity_cost",
        unit: "s",
        formula: "time since the first step × (1 - exposed interactions / interactions answered since): a rollout that never ships pays all of it",
    },
    Metric {
        name: "version_tuples.count",
        unit: "1",
        formula: "different tuples of contexts and policy versions that one interaction used",
    },
    Metric { name: "compensations.count", unit: "1", formula: "effects that were compensated" },
    Metric {
        name: "compensation_debt.max",
        unit: "1",
        formula: "greatest number of effects that were to be undone and were not, as compensation-gap counts them",
    },
    Metric {
        name: "compensation_debt.end",
        unit: "1",
        formula: "effects to be undone and not undone when the run ended",
    },
    Metric {
        name: "compensation_debt_amount.max",
        unit: "1",
        formula: "greatest sum of the amounts of effects that were to be undone and were not, in minor units",
    },
    Metric {
        name: "compensation_debt_amount.end",
        unit: "1",
        formula: "amounts of the effects to be undone and not undone when the run ended, in minor units",
    },
    Metric { name: "reconciliations.count", unit: "1", formula: "runs of reconciliation jobs" },
    Metric { name: "reconciled.count", unit: "1", formula: "pairs of effects that reconciliations compared" },
    Metric {
        name: "reconciliation_missing.count",
        unit: "1",
        formula: "pairs of which one side was missing when its time to settle was over",
    },
    Metric {
        name: "reconciliation_differing.count",
        unit: "1",
        formula: "pairs whose sides had different amounts, or one of which was wrong",
    },
    Metric {
        name: "reconciliation_variance",
        unit: "share",
        formula: "(reconciliation_missing.count + reconciliation_differing.count) / reconciled.count",
    },
    Metric {
        name: "reconciliation_variance.max",
        unit: "share",
        formula: "the greatest variance that one run of a job found",
    },
    Metric {
        name: "exceptions.count",
        unit: "1",
        formula: "pairs found to be off that reconciliations put aside for people",
    },
    Metric {
        name: "exceptions_backlog.max",
        unit: "1",
        formula: "the most exceptions that waited for people at once, summed over all jobs",
    },
    Metric { name: "exceptions_backlog.end", unit: "1", formula: "exceptions that still waited when the run ended" },
];

/// Metrics that can be measured from a step on: of the interactions that arrive, and the jobs that run, since then.
pub const FROM_A_STEP: &[&str] = &[
    "interactions.count",
    "mixed_interactions.count",
    "mixed_interactions.share",
    "success_rate",
    "error_rate",
    "reject_rate",
    "latency.p50",
    "latency.p99",
    "attempts_per_call",
    "fallback_rate",
    "staleness.p50",
    "staleness.p99",
    "staleness.max",
    "shadow_mismatch",
    "reconciliation_variance",
];

pub fn named(name: &str) -> Option<&'static Metric> {
    ALL.iter().find(|metric| metric.name == name)
}
