//! Bugs on purpose, for tests that show that a check can fail. Compiled in only with the feature `planted`, which
//! nothing but those tests turns on; without it every question here is answered *no* at compile time.

/// One bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Caches wait 5% longer between polls than the scenario says.
    PeriodTooLong,
    /// The first poll of a replica comes in the first half of its period only.
    PhaseNotUniform,
    /// A fetch reads the policy when its answer arrives and not when the control plane makes it.
    PolicyReadAtAnswer,
    /// A call is tried once less than its retries allow.
    RetryTooFew,
    /// What an on-demand cache fetched is good 5% longer than the scenario says.
    TtlTooLong,
    /// The delay of a pushed policy is 5% longer than the scenario says.
    PushTooSlow,
    /// A failed fetch is repeated 10% later than the backoff says.
    BackoffTooLong,
    /// An operation takes 5% longer than the scenario says.
    ServiceTooSlow,
    /// A consumer's record takes 5% longer than the scenario says.
    RecordTooSlow,
    /// All features are bucketed with one salt.
    SaltIgnored,
    /// Each version of the policy buckets with a salt of its own.
    SaltOfVersion,
    /// What fails a share of its requests fails 5% fewer.
    FailureTooRare,
    /// Something is gone through in the order of a randomly seeded hash map.
    IterationOrder,
}

impl Planted {
    pub const ALL: [(&str, Planted); 13] = [
        ("period-too-long", Planted::PeriodTooLong),
        ("phase-not-uniform", Planted::PhaseNotUniform),
        ("policy-read-at-answer", Planted::PolicyReadAtAnswer),
        ("retry-too-few", Planted::RetryTooFew),
        ("ttl-too-long", Planted::TtlTooLong),
        ("push-too-slow", Planted::PushTooSlow),
        ("backoff-too-long", Planted::BackoffTooLong),
        ("service-too-slow", Planted::ServiceTooSlow),
        ("record-too-slow", Planted::RecordTooSlow),
        ("salt-ignored", Planted::SaltIgnored),
        ("salt-of-version", Planted::SaltOfVersion),
        ("failure-too-rare", Planted::FailureTooRare),
        ("iteration-order", Planted::IterationOrder),
    ];

    /// Whether this process runs with the bug.
    #[cfg(feature = "planted")]
    pub fn is_active(self) -> bool {
        ACTIVE.load(std::sync::atomic::Ordering::Relaxed) == 1 + self as u8
    }

    #[cfg(not(feature = "planted"))]
    #[inline(always)]
    pub const fn is_active(self) -> bool {
        false
    }
}

#[cfg(feature = "planted")]
static ACTIVE: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Plants a bug in this process, instead of the one before it; `None` heals.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Planted>) {
    ACTIVE.store(bug.map_or(0, |bug| 1 + bug as u8), std::sync::atomic::Ordering::Relaxed);
}

/// The items in their own order; with [`Planted::IterationOrder`], in that of a randomly seeded hash map.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub fn ordered<T>(items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    items
}

/// The items in their own order; with [`Planted::IterationOrder`], in that of a randomly seeded hash map.
#[cfg(feature = "planted")]
#[expect(clippy::disallowed_types, reason = "the bug on purpose that the finder of nondeterminism must find")]
pub fn ordered<T>(items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let items: Vec<T> = items.collect();
    if !Planted::IterationOrder.is_active() {
        return items.into_iter();
    }
    let by_hash: std::collections::HashMap<usize, T> = items.into_iter().enumerate().collect();
    by_hash.into_values().collect::<Vec<T>>().into_iter()
}
