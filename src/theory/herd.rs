//! What an outage of the control plane does to the load on it: N replicas poll every `period` seconds with uniform
//! phases, the outage lasts `outage` seconds. Checked.

/// Expected replicas that have missed a poll when the outage ends: `N min(1, outage/T)`.
pub fn waiting_at_recovery(replicas: f64, period: f64, outage: f64) -> f64 {
    replicas * (outage / period).min(1.0)
}

/// Questions per second at `into` seconds of the outage, `into` below the period, where a replica repeats a failed
/// poll every `retry` seconds until it is answered: `N/T (⌊into/retry⌋ + 1)`.
pub fn offered_rate(replicas: f64, period: f64, retry: f64, into: f64) -> f64 {
    replicas / period * ((into / retry).floor() + 1.0)
}

/// The share of replicas that have an answer `into` seconds after the recovery, where a replica repeats a failed poll
/// every `retry` seconds: those that waited, uniform over one retry, and those whose poll comes only now,
/// `outage/T into/retry + into/T`. For `into` up to `retry`, an outage that is a multiple of it, and both together
/// within one period.
pub fn answered_after_recovery(into: f64, period: f64, outage: f64, retry: f64) -> f64 {
    outage / period * into / retry + into / period
}

/// Seconds until the backlog of an outage shorter than the period is gone, where the control plane answers
/// `capacity` a second and the rest of the fleet keeps coming: with `B = N outage/T`,
/// `B / (capacity - (N - B)/(T - outage))` if that is at most `T - outage`, else `N / capacity`.
///
/// Not compared with the engine: its control plane answers any number of questions at once and has no capacity.
pub fn drain(replicas: f64, period: f64, outage: f64, capacity: f64) -> f64 {
    let waiting = waiting_at_recovery(replicas, period, outage);
    let rest = period - outage;
    let within = waiting / (capacity - (replicas - waiting) / rest);
    if within > 0.0 && within <= rest { within } else { replicas / capacity }
}

/// Attempts per second and client under exponential backoff with full jitter that has reached its cap: waits are
/// uniform up to `cap` seconds, `2/cap`.
///
/// Not compared with the engine: the scenarios of the comparisons repeat after a fixed time, without jitter.
pub fn capped_backoff_rate(cap: f64) -> f64 {
    2.0 / cap
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    #[test]
    fn the_herd_has_the_known_values() {
        assert_near(waiting_at_recovery(2_000.0, 60.0, 45.0), 1_500.0, 1e-9);
        assert_near(waiting_at_recovery(2_000.0, 60.0, 90.0), 2_000.0, 1e-9);
        assert_near(offered_rate(2_000.0, 60.0, 2.0, 31.0), 533.3, 5e-2);
        // Half the fleet waits and is answered within the retry; of the other half, as many as poll in 2 s.
        assert_near(answered_after_recovery(2.0, 60.0, 30.0, 2.0), 0.5 + 2.0 / 60.0, 1e-12);
        assert_near(drain(2_000.0, 60.0, 45.0, 300.0), 5.625, 1e-9);
        assert_near(drain(2_000.0, 60.0, 45.0, 100.0), 20.0, 1e-9);
        assert_near(capped_backoff_rate(30.0), 0.0667, 5e-5);
    }
}
