//! How a replica comes to know the policy, and where decisions come from.

use super::Asked;
use crate::kernel::Distribution;
use crate::units::SimDuration;

/// How a replica comes to know the policy.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// Asks every `every`, with its phase uniform in it. `jitter` spreads each interval over `every * (1 ± jitter)`;
    /// zero keeps a fixed schedule.
    Poll { every: SimDuration, jitter: f64 },
    /// Fetched when a decision needs it and what is held is older than `ttl`. The request waits, unless
    /// `stale_while_revalidate`.
    Ttl { ttl: SimDuration, stale_while_revalidate: bool },
    /// Pushed by the control plane, each message taking `delay`.
    Stream { delay: Distribution },
    /// Asked on every evaluation.
    Remote,
    /// Read when the replica starts, and never again.
    File,
    /// Read from a compacted topic to which the control plane writes every version: each record takes `takes` to be
    /// read and applied, one after the other, and a replica that starts reads the last record of each feature.
    Topic { takes: Distribution },
}

/// What to wait after failed fetches before the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backoff {
    /// The ordinary schedule goes on.
    None,
    /// `first`, doubled per failure, at most `most`; full jitter where asked.
    Exponential { first: SimDuration, most: SimDuration, jitter: bool },
    /// `(1 + failures)` ordinary intervals, failures counted up to `most` and down by one per success.
    Linear { most: u32 },
}

/// Between attempts to reopen a stream when no backoff is given: the flat delay before reopening of flagd's providers
/// since 2026-09, 5 s.
pub const RECONNECT_EVERY: SimDuration = SimDuration::from_secs(5);

/// A replica's SDK: how policy reaches it and what survives.
#[derive(Clone, Debug)]
pub struct Sdk {
    pub delivery: Delivery,
    pub timeout: SimDuration,
    pub backoff: Backoff,
    /// Keeps the last known good policy across restarts.
    pub persist: bool,
    /// Kills and their end are announced to it, each message taking this long, and it asks at once.
    pub invalidation: Option<Distribution>,
    /// Raises a staleness alert when it had no contact for this long.
    pub alert_after: Option<SimDuration>,
    /// Buckets with this salt instead of the policy's: the misconfiguration that splits cohorts.
    pub salt: Option<u64>,
    /// It asks another environment than production, by the hash of its name: policy is not rolled out there.
    pub environment: Option<u32>,
    /// What its evaluation context lacks: the misconfiguration that decides with other attributes.
    pub leaves_out: Vec<Asked>,
    /// Hash of the names of what it lacks; zero: nothing.
    pub left_out: u64,
}

/// A source of decisions, in the order in which a service asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidesFrom {
    Kill,
    Local,
    Entity,
    Context,
    Event,
    Sdk,
    SafeStage,
}
