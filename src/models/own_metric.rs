//! Metrics that a file has of its own, beside the [catalogue](super::metric): of one reconciliation, of one entity, from a
//! step on.

use super::estate::{EntityId, Estate};
use super::metric::Metric;

/// A metric that a scenario has beside the catalogue: what it is of has a name of the file's own, or it counts from a
/// step on.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnMetric {
    /// As reports print it: `posting_variance`, `payment_success from pilot-live`.
    pub name: String,
    pub of: Own,
    /// Counts from the first publication of this step on: rollout and step.
    pub since: Option<(u16, u16)>,
}

/// What a metric of the file's own measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Own {
    /// One of the catalogue.
    Known(&'static Metric),
    /// The variance that a reconciliation job finds.
    Variance { job: u32 },
    /// The share of an entity that came to a good end.
    Success { entity: EntityId },
}

impl Own {
    /// Its name where it counts over the whole run.
    pub fn name(self, estate: &Estate) -> String {
        match self {
            Own::Known(metric) => metric.name.to_owned(),
            Own::Variance { job } => estate.reconciliations[job as usize].metric.clone().unwrap_or_default(),
            Own::Success { entity } => success_of(&estate.entities[entity].name),
        }
    }

    /// In what it is measured, as [`Metric::unit`].
    pub fn unit(self) -> &'static str {
        match self {
            Own::Known(metric) => metric.unit,
            Own::Variance { .. } | Own::Success { .. } => "share",
        }
    }
}

impl OwnMetric {
    /// The sentence that reports print.
    pub fn formula(&self, estate: &Estate) -> String {
        let of = match self.of {
            Own::Known(metric) => metric.formula.to_owned(),
            Own::Variance { job } => {
                let job = &estate.reconciliations[job as usize].name;
                format!("pairs that {job} found to be off / pairs that it compared")
            }
            Own::Success { entity } => {
                let entity = &estate.entities[entity].name;
                format!("interactions whose {entity} reached a final status that is not void / all that begin one")
            }
        };
        match self.since {
            Some((rollout, step)) => format!("{of}; from the step {} on", estate.step_label(rollout, step)),
            None => of,
        }
    }
}

/// `payment_success`
pub fn success_of(entity: &str) -> String {
    format!("{}_success", entity.replace('-', "_"))
}
