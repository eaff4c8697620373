//! Requests that read one feature several times while a version spreads: how many get two answers.

use super::{head, publish, spread_of_count, spread_of_share};
use crate::theory::caches as theory;
use crate::validation::probes::Split;
use crate::validation::{Estimate, Family, Law};

/// The period of every cache here, in seconds.
const PERIOD: f64 = 10.0;
/// When the version is published, in seconds: after more than a period.
const PUBLISHED: f64 = 14.0;
/// Separate chains of one scenario.
const CHAINS: usize = 100;
/// Squared spread of the range of two uniform delays: (T²/18)/(T/3)².
const RANGE_OF_TWO: f64 = 0.5;

pub static FAMILY: Family = Family {
    name: "chains",
    title: "Requests with two answers",
    sentence: "A request that asks several caches while a version spreads can be decided in two ways. How many are, per \
               publish, follows from the range of the caches' delays; only a decision that is carried along cannot \
               disagree with itself.",
    laws: &[SERVICES, REPLICAS, OVER_A_TOPIC, CARRIED, ONE_CACHE_TWICE, ONE_SERVICE_TWICE, REGRESSIONS, ANY, RAMP],
};

const BASE: Law = Law {
    name: "",
    sentence: "split requests per publish",
    formula: "",
    assumptions: "Poisson requests at λ = 1/s that read at one moment; T = 10 s; uniform independent phases",
    scenario_in_short: "100 separate chains of services of one replica, each with a journey of its own; one publish",
    parameter: "",
    unit: "requests",
    at: &[],
    theory: |_| f64::NAN,
    spread: |_| f64::NAN,
    scenario: |_| String::new(),
    probe: |_| Split::contexts(),
    estimate: Estimate::Mean,
};

const SERVICES: Law = Law {
    name: "split-by-services",
    formula: "λ T (k - 1)/(k + 1)",
    parameter: "services k",
    at: &[2.0, 3.0, 5.0],
    theory: |k| theory::split_requests(1.0, PERIOD, k),
    // The range of k uniform numbers has mean (k-1)/(k+1) and variance 2(k-1)/((k+1)²(k+2)).
    spread: |k| spread_of_count(theory::split_requests(1.0, PERIOD, k), 2.0 / ((k - 1.0) * (k + 2.0))),
    scenario: |k| chains(k as usize, "", "", 1.0) + &publish(PUBLISHED),
    ..BASE
};

/// Services of a chain whose replicas vary.
const REPLICATED: f64 = 3.0;

const REPLICAS: Law = Law {
    name: "split-by-replicas",
    formula: "λ T (k - 1)/(k + 1), whatever N",
    assumptions: "Poisson requests at λ = 1/s that read at one moment, each from one of N replicas; T = 10 s; k = 3",
    scenario_in_short: "100 separate chains of three services of N replicas, each with a journey of its own; one publish",
    parameter: "replicas N",
    at: &[1.0, 4.0, 10.0],
    theory: |_| theory::split_requests(1.0, PERIOD, REPLICATED),
    // The window is an average over the choices of replicas: its variance falls at least as 1/N.
    spread: |n| {
        let window = 2.0 / ((REPLICATED - 1.0) * (REPLICATED + 2.0));
        spread_of_count(theory::split_requests(1.0, PERIOD, REPLICATED), window / n)
    },
    scenario: |n| {
        let replicas = format!(", replicas: {n}");
        chains(REPLICATED as usize, &replicas, &replicas, 1.0) + &publish(PUBLISHED)
    },
    ..BASE
};

const CARRIED: Law = Law {
    name: "split-with-carried-context",
    formula: "0, identically",
    assumptions: "the first service decides and the context carries the decision",
    parameter: "services k",
    at: &[2.0, 5.0],
    theory: |_| 0.0,
    spread: |_| 0.0,
    scenario: |k| chains(k as usize, ", edge: true", ", decides_from: [context]", 1.0) + &publish(PUBLISHED),
    estimate: Estimate::Exactly,
    ..BASE
};

const OVER_A_TOPIC: Law = Law {
    name: "split-over-a-topic",
    formula: "λ T (u + (1 - u)³/3), u = δ/T up to 1; λ δ beyond",
    assumptions: "Poisson requests at λ = 1/s; T = 10 s; the consumer reads δ after the producer",
    scenario_in_short: "100 separate pairs of services joined by a topic whose outbox relays after δ; one publish",
    parameter: "delay δ (s)",
    at: &[2.0, 5.0, 10.0, 20.0],
    theory: |delay| theory::split_requests_over_hop(1.0, PERIOD, delay),
    spread: |delay| {
        let window = theory::split_requests_over_hop(1.0, PERIOD, delay);
        // The window is |X + δ|, X the difference of two uniform delays: mean square T²/6 + δ².
        let square = PERIOD * PERIOD / 6.0 + delay * delay;
        spread_of_count(window, square / (window * window) - 1.0)
    },
    scenario: over_a_topic,
    probe: |_| Split::contexts(),
    ..BASE
};

const ONE_CACHE_TWICE: Law = Law {
    name: "one-cache-read-twice",
    formula: "λ δ, for any law of adoption",
    assumptions: "Poisson requests at λ = 2/s; one cache, read twice, δ apart",
    scenario_in_short: "100 separate services that read, wait δ and call themselves; one publish",
    parameter: "delay δ (s)",
    at: &[2.0, 5.0],
    theory: |delay| theory::split_reads_of_one_cache(2.0, delay),
    spread: |delay| spread_of_count(theory::split_reads_of_one_cache(2.0, delay), 0.0),
    scenario: |delay| twice(1, 2.0, &format!("{{ wait: {delay}s }}, ")),
    probe: |_| Split::decisions(),
    ..BASE
};

const ONE_SERVICE_TWICE: Law = Law {
    name: "one-service-visited-twice",
    formula: "λ T/3 (1 - 1/N)",
    assumptions: "Poisson requests at λ = 1/s; T = 10 s; each visit goes to one of N replicas at random",
    scenario_in_short: "100 separate services of N replicas that call themselves; one publish",
    parameter: "replicas N",
    at: &[2.0, 4.0, 10.0],
    theory: |n| theory::split_visits_of_one_service(1.0, PERIOD, n),
    spread: |n| spread_of_count(theory::split_visits_of_one_service(1.0, PERIOD, n), RANGE_OF_TWO / (n - 1.0)),
    scenario: |n| twice(n as usize, 1.0, ""),
    probe: |_| Split::decisions(),
    ..BASE
};

const REGRESSIONS: Law = Law {
    name: "new-then-old",
    sentence: "requests per publish that are decided new and then old",
    formula: "λ T (1 - δ/T)³/6, here δ = 0",
    assumptions: "Poisson requests at λ; T = 10 s; uniform independent phases",
    parameter: "rate λ (1/s)",
    at: &[1.0, 2.0],
    theory: |rate| theory::regressions_over_hop(rate, PERIOD, 0.0),
    // The window is the positive part of the difference of two uniform delays: mean T/6, mean square T²/12.
    spread: |rate| spread_of_count(theory::regressions_over_hop(rate, PERIOD, 0.0), 2.0),
    scenario: |rate| chains(2, "", "", rate) + &publish(PUBLISHED),
    probe: |_| Split::regressions(),
    ..BASE
};

const ANY: Law = Law {
    name: "any-split",
    sentence: "probability that a publish splits at least one request",
    formula: "1 - 2/c + 2 (1 - e^-c)/c², c = λ T",
    assumptions: "Poisson requests; T = 10 s; two services of one replica",
    parameter: "rate λ (1/s)",
    unit: "probability",
    at: &[0.2, 0.5, 1.0],
    theory: |rate| theory::any_split_request(rate, PERIOD),
    spread: |rate| spread_of_share(theory::any_split_request(rate, PERIOD)),
    scenario: |rate| chains(2, "", "", rate) + &publish(PUBLISHED),
    probe: |_| Split::any(),
    ..BASE
};

/// Requests per second and chain while a ramp goes on, and the share before its second step.
const RAMP_RATE: f64 = 2.0;
const RAMP_FROM: f64 = 0.2;
/// When the second step is published: after every cache has the first.
const RAMP_SECOND: f64 = 24.0;

const RAMP: Law = Law {
    name: "split-by-ramp",
    sentence: "split requests per step of a ramp",
    formula: "|q - p| λ T/3",
    assumptions: "Poisson requests at λ = 2/s; T = 10 s; p = 20%; users are bucketed uniformly",
    scenario_in_short: "100 separate pairs of services; a ramp to 20% and then to q of ten million users",
    parameter: "share q after the step",
    at: &[0.5, 0.8],
    theory: |to| theory::ramp_disagreement(RAMP_FROM, to, 0.5) * 2.0 * theory::split_requests(RAMP_RATE, PERIOD, 2.0),
    spread: |to| spread_of_count((to - RAMP_FROM) * theory::split_requests(RAMP_RATE, PERIOD, 2.0), RANGE_OF_TWO),
    scenario: |to| {
        let step =
            |at: f64, share: f64| format!("{{ at: {at}s, move: [{{ to: \"on\", percent: {}% }}] }}", share * 100.0);
        chains(2, "", "", RAMP_RATE).replace("duration: 26s", "duration: 36s")
            + &format!(
                "population: {{ tenants: {{ users: 10000000 }} }}\nrollout:\n  f: {{ steps: [{}, {}] }}\n",
                step(1.0, RAMP_FROM),
                step(RAMP_SECOND, to)
            )
    },
    probe: |_| Split::contexts_from(RAMP_SECOND),
    ..BASE
};

/// Chains of `length` services that poll, the first and the others with more to say, and a journey through each.
fn chains(length: usize, first: &str, others: &str, rate: f64) -> String {
    let (mut services, mut journeys) = (String::new(), String::new());
    for chain in 0..CHAINS {
        let names: Vec<String> = (0..length).map(|at| format!("c{chain}-{at}")).collect();
        for (at, name) in names.iter().enumerate() {
            let more = if at == 0 { first } else { others };
            services.push_str(&format!("  {name}: {{ takes: 0s, sdk: {{ poll: 10s }}{more} }}\n"));
        }
        let calls = names.join(", ");
        journeys.push_str(&format!("  j{chain}: {{ arrivals: {rate}/s, calls: [{calls}], feature: f }}\n"));
    }
    // Ends a period and a bit after the publish.
    format!("{}services:\n{services}journeys:\n{journeys}", head(PUBLISHED + PERIOD + 2.0, ""))
}

/// Pairs of services of which the first emits an event that the second is handed `delay` later.
fn over_a_topic(delay: f64) -> String {
    let (mut services, mut topics, mut journeys) = (String::new(), String::new(), String::new());
    for pair in 0..CHAINS {
        let emit = format!("do: [{{ emit: t{pair}, type: Made, outbox: {delay}s }}]");
        services.push_str(&format!(
            "  a{pair}: {{ takes: 0s, sdk: {{ poll: 10s }}, operations: {{ go: [{{ when: 'stage == \"on\"', {emit} }}, {{ {emit} }}] }} }}\n  \
             b{pair}:\n    sdk: {{ poll: 10s }}\n    consumes: {{ t{pair}: {{ takes: 0s }} }}\n    \
             operations: {{ on Made: [{{ when: 'stage == \"on\"', do: [{{ effect: done }}] }}, {{ do: [{{ effect: done }}] }}] }}\n"
        ));
        topics.push_str(&format!("  t{pair}: {{ partitions: 1 }}\n"));
        journeys.push_str(&format!("  j{pair}: {{ arrivals: 1/s, first: a{pair}.go, feature: f }}\n"));
    }
    // The publish comes when the requests of before are on their way to the consumers.
    let published = PUBLISHED + delay;
    let text = head(published + PERIOD + 2.0, "").replace("drain: 1s", &format!("drain: {}s", delay + 2.0));
    format!("{text}services:\n{services}topics:\n{topics}journeys:\n{journeys}{}", publish(published))
}

/// Services of so many replicas that read the stage, do something and call themselves to read it again.
fn twice(replicas: usize, rate: f64, between: &str) -> String {
    let (mut services, mut journeys) = (String::new(), String::new());
    for one in 0..CHAINS {
        let go = format!("do: [{between}{{ call: s{one}.again }}]");
        services.push_str(&format!(
            "  s{one}:\n    replicas: {replicas}\n    takes: 0s\n    sdk: {{ poll: 10s }}\n    operations:\n      \
             go: [{{ when: 'stage == \"on\"', {go} }}, {{ {go} }}]\n      \
             again: [{{ when: 'stage == \"on\"', do: [{{ effect: done }}] }}, {{ do: [{{ effect: done }}] }}]\n"
        ));
        journeys.push_str(&format!("  j{one}: {{ arrivals: {rate}/s, first: s{one}.go, feature: f }}\n"));
    }
    let text = head(PUBLISHED + PERIOD + 2.0, "").replace("drain: 1s", "drain: 6s");
    format!("{text}services:\n{services}journeys:\n{journeys}{}", publish(PUBLISHED))
}
