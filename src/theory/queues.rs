//! Queues with Poisson arrivals: waits, and the share of customers who wait too long.
//!
//! In every formula `arrivals` is λ and `service` is μ of one server, both per second; times are seconds. All are
//! stationary laws of first come, first served queues without a bound: they hold for λ below the capacity only.

/// Mean wait before service in M/M/1, seconds: ρ/(μ-λ), ρ = λ/μ.
///
/// Poisson arrivals, exponential service, one server. Source: Erlang; Kleinrock, *Queueing Systems* I, 3.2.
pub fn mm1_mean_wait(arrivals: f64, service: f64) -> f64 {
    arrivals / service / (service - arrivals)
}

/// Share of customers of M/M/1 that wait longer than `t` seconds before service: ρ·exp(-(μ-λ)t).
///
/// Source: Kleinrock, *Queueing Systems* I, 5.7.
pub fn mm1_share_waiting_longer(arrivals: f64, service: f64, t: f64) -> f64 {
    arrivals / service * libm::exp(-(service - arrivals) * t)
}

/// Share of customers of M/M/1 that are not served `t` seconds after they arrived: exp(-(μ-λ)t).
///
/// The share of calls that a timeout of `t` cuts off, where the server serves those that were given up all the same
/// and nobody retries. Source: Kleinrock, *Queueing Systems* I, 5.7.
pub fn mm1_timeout_share(arrivals: f64, service: f64, t: f64) -> f64 {
    libm::exp(-(service - arrivals) * t)
}

/// Share of customers that find all servers of M/M/c/c busy: B(0) = 1, B(k) = aB(k-1)/(k + aB(k-1)).
///
/// `offered` is a = λ/μ, a pure number. Source: Erlang's B formula in its recursion (Jagerman 1974).
pub fn erlang_b(offered: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |blocked, k| offered * blocked / (f64::from(k) + offered * blocked))
}

/// Share of customers that have to wait in M/M/c: C = B/(1 - ρ(1-B)), ρ = a/c.
///
/// Source: Erlang's C formula by way of B.
pub fn erlang_c(offered: f64, servers: u32) -> f64 {
    let blocked = erlang_b(offered, servers);
    blocked / (1.0 - offered / f64::from(servers) * (1.0 - blocked))
}

/// Mean wait before service in M/M/c, seconds: C/(cμ-λ).
///
/// Source: Kleinrock, *Queueing Systems* I, 3.5.
pub fn mmc_mean_wait(arrivals: f64, service: f64, servers: u32) -> f64 {
    erlang_c(arrivals / service, servers) / (f64::from(servers) * service - arrivals)
}

/// Share of customers of M/M/c that wait longer than `t` seconds before service: C·exp(-(cμ-λ)t).
///
/// Source: Kleinrock, *Queueing Systems* I, 3.5.
pub fn mmc_share_waiting_longer(arrivals: f64, service: f64, servers: u32, t: f64) -> f64 {
    let spare = f64::from(servers) * service - arrivals;
    erlang_c(arrivals / service, servers) * libm::exp(-spare * t)
}

/// Mean wait before service in M/G/1, seconds: ρ/(1-ρ)·(1+c²)/2·E S.
///
/// `mean` is E S in seconds, `scv` is c² = Var S/(E S)²: 0 where service takes a fixed time, 1 where it is
/// exponential. Source: Pollaczek and Khinchine; Kleinrock, *Queueing Systems* I, 5.6.
pub fn mg1_mean_wait(arrivals: f64, mean: f64, scv: f64) -> f64 {
    let load = arrivals * mean;
    load / (1.0 - load) * (1.0 + scv) / 2.0 * mean
}

/// Mean of a lognormal duration from its median and its 99th percentile, in their unit: p50·exp(σ²/2).
pub fn lognormal_mean(p50: f64, p99: f64) -> f64 {
    let sigma = lognormal_sigma(p50, p99);
    p50 * libm::exp(sigma * sigma / 2.0)
}

/// Squared coefficient of variation of a lognormal duration: exp(σ²) - 1, a pure number.
pub fn lognormal_scv(p50: f64, p99: f64) -> f64 {
    let sigma = lognormal_sigma(p50, p99);
    libm::expm1(sigma * sigma)
}

/// σ = ln(p99/p50)/z, z = 2.326… the 99th percentile of the standard normal distribution.
fn lognormal_sigma(p50: f64, p99: f64) -> f64 {
    libm::log(p99 / p50) / 2.326_347_874_040_841
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 0.0005 * expected.abs().max(1.0), "{value} is not about {expected}");
    }

    #[test]
    fn one_exponential_server_at_seventy_percent() {
        about(mm1_mean_wait(0.7, 1.0), 2.3333);
        about(mm1_share_waiting_longer(0.7, 1.0, 0.0), 0.7);
        about(mm1_timeout_share(0.7, 1.0, 1.0), 0.7408);
    }

    #[test]
    fn four_servers_at_eighty_percent() {
        about(erlang_c(3.2, 4), 0.596);
        about(mmc_mean_wait(3.2, 1.0, 4), 0.7455);
        about(mmc_share_waiting_longer(3.2, 1.0, 4, 1.0), 0.268);
    }

    #[test]
    fn one_server_of_many_is_the_queue_of_one_server() {
        about(mmc_mean_wait(0.7, 1.0, 1), mm1_mean_wait(0.7, 1.0));
        about(mmc_share_waiting_longer(0.7, 1.0, 1, 2.0), mm1_share_waiting_longer(0.7, 1.0, 2.0));
    }

    #[test]
    fn a_server_of_any_distribution() {
        about(mg1_mean_wait(0.7, 1.0, 0.0), 1.1667);
        about(mg1_mean_wait(0.7, 1.0, 1.0), mm1_mean_wait(0.7, 1.0));
        about(mg1_mean_wait(0.7, 1.0, libm::expm1(1.0)), 3.171);
    }

    #[test]
    fn a_lognormal_of_sigma_one() {
        let p99 = libm::exp(2.326_347_874_040_841);
        about(lognormal_scv(1.0, p99), libm::expm1(1.0));
        about(lognormal_mean(1.0, p99), libm::exp(0.5));
    }
}
