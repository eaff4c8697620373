//! Every number a scenario gets without giving it, and where the number comes from.
//!
//! A default is written as a file would write it and read by the same reader. Those without a source say so:
//! they are assumptions, `explain assumptions` lists them first.

/// A value that is used where the file gives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Default {
    /// As a scenario file would write it.
    pub text: &'static str,
    /// Where the number is from, or `ASSUMPTION` and what it rests on.
    pub source: &'static str,
}

const fn default(text: &'static str, source: &'static str) -> Default {
    Default { text, source }
}

pub const DURATION: Default = default("10m", "assumption: long enough for a rollout step and its aftermath");
pub const REPLICAS: Default = default("1", "the smallest estate: Kubernetes' default of `replicas`");
/// Requests handled at once by a replica.
pub const WORKERS: Default = default("200", "Apache Tomcat 10, `maxThreads`");
/// Requests that wait for a worker.
pub const QUEUE: Default = default("100", "Apache Tomcat 10, `acceptCount`");
/// Time a worker is busy with a request, calls excluded.
pub const TAKES: Default = default(
    "lognormal(p50=4.3ms, p99=13.8ms)",
    "20 traces of DeathStarBench socialNetwork (@6ecb097): root p50 4.29 ms, slowest 13.8 ms",
);
pub const CALL_TIMEOUT: Default =
    default("1s", "assumption: no standard client agrees on one (gRPC: none, Envoy: 15 s)");
/// How long a release flag is expected to live once it is on for everybody.
pub const RELEASE_FLAG_LIFETIME: Default = default("40d", "Unleash: expected lifetime of a release flag");
pub const RETRIES: Default = default("0", "gRPC and HTTP clients do not retry unless told to");
pub const BACKOFF: Default =
    default("100ms", "assumption: only used with `retries`; gRPC's retry examples begin at 0.1 s");
pub const TIMES: Default = default("1", "a call is made once");
pub const NETWORK_WITHIN: Default =
    default("lognormal(p50=250us, p99=1ms)", "assumption: one way within a region; no vendor states it");
pub const NETWORK_BETWEEN: Default =
    default("lognormal(p50=20ms, p99=40ms)", "assumption: one way between regions of a continent");
pub const LOSS: Default = default("0%", "assumption: TCP hides loss unless a fault adds it");
pub const REPLICATION: Default =
    default("lognormal(p50=20ms, p99=40ms)", "assumption: as long as one message between regions");
pub const CONTROL_LATENCY: Default =
    default("lognormal(p50=250us, p99=1ms)", "assumption: the control plane of a region is as near as its services");
pub const CONTROL_ERRORS: Default = default("0%", "assumption: a control plane fails by a fault, not by itself");
pub const TENANTS: Default = default("1", "without tenants in the file, everybody belongs to one");
pub const USERS: Default = default("10000", "assumption: enough that percentages of users are exact to 1%");
pub const ZIPF: Default = default("0", "all tenants alike");
/// An SDK's request timeout.
pub const SDK_TIMEOUT: Default = default("10s", "Unleash Node SDK 6.12 and OFREP 0.3 clients: 10 s");
/// Of an sdk that a service has because of the stage of a migration alone.
pub const MIGRATION_POLL: Default =
    default("30s", "LaunchDarkly, server SDKs: the shortest polling interval they allow");
pub const SDK_JITTER: Default = default("0", "a fixed schedule; only some SDKs spread their polls");
pub const STREAM_DELAY: Default = default("lognormal(p50=250us, p99=1ms)", "assumption: one message within a region");
pub const BACKOFF_FIRST: Default = default("1s", "LaunchDarkly and flagd SDKs: first reconnect after 1 s");
pub const BACKOFF_MOST: Default = default("30s", "LaunchDarkly SDKs: at most 30 s between reconnects");
pub const FOLLOWS_SHARE: Default = default("100%", "every entity, unless the file says which share");
pub const VARIANCE: Default = default("0%", "a feature becomes authoritative when nothing is off");
pub const FORWARDS: Default = default("100%", "every hop carries the context on");
pub const ARRIVAL_COMPLETES: Default =
    default("30s", "assumption: what a customer of an interactive journey waits at most");
pub const THINK: Default =
    default("exponential(mean=5s)", "assumption; the OpenTelemetry demo's users wait 1 s to 10 s");
pub const LOOKS_EVERY: Default = default("10s", "assumption: how often a load generator reads its own flag");
pub const HELD_LOOKS: Default = default("5s", "assumption: how often a worker looks at its table of held work");
pub const HELD_AT_MOST: Default =
    default("1h", "assumption: after that somebody has been told, and work that waits is of no use");
pub const HELD_ROOM: Default = default("10000", "assumption: a table that can be worked off within minutes");
pub const HOLD: Default = default("0s", "the next step follows at once unless it says `at`");
/// How long a step of a strategy holds.
pub const STRATEGY_EVERY: Default = default("10m", "AWS CodeDeploy, `LambdaLinear10PercentEvery10Minutes`");
pub const RAMP_STEPS: Default = default("10", "AWS CodeDeploy, `LambdaLinear10PercentEvery10Minutes`");
pub const RAMP_START: Default = default("1%", "assumption: an exponential ramp begins with one customer of a hundred");
pub const RAMP_FACTOR: Default = default("2", "assumption: twice as many in each step");
pub const CANARY_START: Default = default("10%", "AWS CodeDeploy, `LambdaCanary10Percent10Minutes`");
pub const TENANT_BATCH: Default = default("1", "tenant by tenant: one at a time");
pub const ANALYSIS_EVERY: Default = default("1m", "Flagger's examples, `analysis.interval`");
pub const ANALYSIS_WINDOW: Default = default("1m", "Flagger, `metrics[].interval`");
pub const ANALYSIS_FAILURES: Default = default("1", "Argo Rollouts, `failureLimit: 0`: the first failure fails");
pub const SCRAPE: Default = default("1m", "Prometheus, `global.scrape_interval`");
pub const ALERT_REPEAT: Default = default("4h", "Alertmanager, `repeat_interval`");
pub const OUTBOX_RELAY: Default = default("500ms", "Debezium, `poll.interval.ms`");
pub const DRAIN_LEAST: Default = default("10s", "assumption: requests in flight finish");
pub const DRAIN_LEAST_WITH_TOPICS: Default =
    default("1m", "assumption: longer than a rebalance after a session timeout");
pub const RANDOM_SHARE: Default =
    default("10%", "assumption: a random fault that strikes a share and does not say which");
pub const RANDOM_BY: Default = default("200ms", "assumption: a random fault that delays and does not say by how much");
pub const ROLL_EVERY: Default = default("10s", "assumption: a rolling update replaces one replica at a time");

/// Kafka, broker: `num.partitions` 1.
pub const PARTITIONS: Default = default("1", "Kafka 4.0, `num.partitions`");
/// Consumer, `max.poll.records`.
pub const MAX_POLL_RECORDS: Default = default("500", "Kafka 4.0, `max.poll.records` (KIP-41)");
pub const MAX_POLL_INTERVAL: Default = default("300s", "Kafka 4.0, `max.poll.interval.ms` (KIP-62)");
/// 45 s since Kafka 3.0.
pub const SESSION_TIMEOUT: Default = default("45s", "Kafka since 3.0, `session.timeout.ms` (KIP-735)");
pub const HEARTBEAT: Default = default("3s", "Kafka 4.0, `heartbeat.interval.ms`");
pub const AUTO_COMMIT: Default = default("5s", "Kafka 4.0, `auto.commit.interval.ms`; the same in librdkafka 2");
pub const INITIAL_REBALANCE_DELAY: Default = default("3s", "Kafka 4.0, `group.initial.rebalance.delay.ms` (KIP-134)");
pub const OFFSET_RESET: Default = default("latest", "Kafka 4.0, `auto.offset.reset`");
pub const CLIENT: Default = default("kafka-java-3", "the reference client, commits inside poll()");
pub const RECORD_TAKES: Default =
    default("lognormal(p50=4.3ms, p99=13.8ms)", "assumption: a record takes as long as a request (DeathStarBench)");
