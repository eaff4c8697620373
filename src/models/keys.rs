//! The keys of all random streams of a run, derived once from names (rules.md, 21), and the tables that go with them.

use super::estate::Estate;
use crate::kernel::StreamKey;
use crate::kernel::digest::hash_bytes;
use crate::kernel::maths;
use crate::rollout::Symbol;
use crate::units::Share;

/// Keys of one journey.
#[derive(Clone, Debug)]
pub struct JourneyKeys {
    pub arrivals: StreamKey,
    pub subject: StreamKey,
    /// What tells this journey's interactions from others', by name.
    pub identity: u64,
}

/// Keys of one replica.
#[derive(Clone, Debug)]
pub struct ReplicaKeys {
    pub poll: StreamKey,
    pub policy_latency: StreamKey,
    pub backoff: StreamKey,
    /// For choosing replicas: the hash of its name.
    pub identity: u64,
}

/// Keys of one consumer group's member.
#[derive(Clone, Debug)]
pub struct MemberKeys {
    pub heartbeat: StreamKey,
}

/// All keys of a run.
#[derive(Clone, Debug)]
pub struct Keys {
    pub journeys: Vec<JourneyKeys>,
    pub replicas: Vec<ReplicaKeys>,
    pub members: Vec<MemberKeys>,
    /// Service time, per operation.
    pub service_time: Vec<StreamKey>,
    /// What tells a called operation from others, by name, in the address of a choice: 32 bits.
    pub call_sites: Vec<u64>,
    /// Latency of calls, per called operation.
    pub latency: Vec<StreamKey>,
    /// Choice among replicas, per service.
    pub choice: Vec<StreamKey>,
    /// Chance outcomes of programs, per operation.
    pub chance: Vec<StreamKey>,
    /// Whether a message carries its context on, per service.
    pub forward: Vec<StreamKey>,
    /// Latency to the broker and the partition of keyless records, per topic.
    pub topics: Vec<StreamKey>,
    /// Record processing, per group.
    pub groups: Vec<StreamKey>,
    pub tenants: StreamKey,
    pub request_attributes: Vec<StreamKey>,
    pub tenant_attributes: Vec<StreamKey>,
    pub users: Vec<StreamKey>,
    /// Per entry of the timeline.
    pub entries: Vec<StreamKey>,
    pub replication: Vec<StreamKey>,
    /// The bucketing salt of each feature.
    pub salts: Vec<u64>,
    /// Cumulative weights of tenants under the population's Zipf law; empty where all weigh the same.
    pub tenant_weights: Vec<f64>,
}

impl Keys {
    pub fn derive(estate: &Estate, seed: u64) -> Keys {
        let root = StreamKey::of_seed(seed);
        let service_name = |id: super::estate::ServiceId| estate.services[id].name.as_str();
        let operation = |purpose: &str| -> Vec<StreamKey> {
            let under = root.child(purpose);
            let key = |op: &super::program::Operation| under.child(service_name(op.service)).child(&op.name);
            estate.operations.iter().map(key).collect()
        };
        let service = |purpose: &str| -> Vec<StreamKey> {
            estate.services.iter().map(|service| root.child(purpose).child(&service.name)).collect()
        };
        let salts = estate.features.enumerate().map(|(id, feature)| {
            estate.salts[id.index()].unwrap_or_else(|| root.child("salt").child(&feature.name).to_word())
        });
        Keys {
            journeys: estate.journeys.iter().map(|journey| journey_keys(root, &journey.name)).collect(),
            replicas: estate.replicas.iter().map(|replica| replica_keys(root, &replica.name)).collect(),
            members: estate
                .members
                .iter()
                .map(|member| MemberKeys { heartbeat: root.child("member").child(&member.name).child("heartbeat") })
                .collect(),
            service_time: operation("service-time"),
            latency: operation("latency"),
            call_sites: operation("call-site").iter().map(|key| key.to_word() >> 32).collect(),
            choice: service("replica-choice"),
            chance: operation("chance"),
            forward: service("forward"),
            topics: estate.topics.iter().map(|topic| root.child("topic").child(&topic.name)).collect(),
            groups: estate
                .groups
                .iter()
                .map(|group| root.child("group").child(&group.name).child(&estate.topics[group.topic].name))
                .collect(),
            tenants: root.child("tenant-region"),
            request_attributes: named(root.child("request-attribute"), estate.request_attributes.iter()),
            tenant_attributes: named(
                root.child("tenant-attribute"),
                estate.population.attributes.iter().map(|attribute| attribute.name.as_str()),
            ),
            users: named(root.child("users"), estate.users.iter().map(|users| users.name.as_str())),
            entries: entry_keys(root, estate),
            replication: named(root.child("replication"), estate.regions.iter().map(|region| region.name.as_str())),
            salts: salts.collect(),
            tenant_weights: zipf_weights(estate.population.tenants, estate.population.zipf),
        }
    }
}

fn named<'a>(under: StreamKey, names: impl Iterator<Item = &'a str>) -> Vec<StreamKey> {
    names.map(|name| under.child(name)).collect()
}

fn journey_keys(root: StreamKey, name: &str) -> JourneyKeys {
    let key = root.child("journey").child(name);
    JourneyKeys {
        arrivals: key.child("arrivals"),
        subject: key.child("subject"),
        identity: hash_bytes(name.as_bytes()),
    }
}

fn replica_keys(root: StreamKey, name: &str) -> ReplicaKeys {
    let key = root.child("replica").child(name);
    ReplicaKeys {
        poll: key.child("poll"),
        policy_latency: key.child("policy-latency"),
        backoff: key.child("backoff"),
        identity: hash_bytes(name.as_bytes()),
    }
}

/// Entries are keyed by their label and by the how-manieth of that label they are.
fn entry_keys(root: StreamKey, estate: &Estate) -> Vec<StreamKey> {
    let labels: Vec<&str> = estate.timeline.iter().map(|entry| entry.label.as_str()).collect();
    let nth = |index: usize| labels[..index].iter().filter(|label| **label == labels[index]).count();
    let key = |(index, label): (usize, &&str)| root.child("timeline").child(label).nth(nth(index) as u64);
    labels.iter().enumerate().map(key).collect()
}

fn zipf_weights(tenants: u32, exponent: f64) -> Vec<f64> {
    if exponent == 0.0 || tenants < 2 {
        return Vec::new();
    }
    let mut sum = 0.0;
    let weight = |rank: u32| maths::exp(-exponent * maths::ln(f64::from(rank)));
    let mut cumulative: Vec<f64> = (1..=tenants)
        .map(|rank| {
            sum += weight(rank);
            sum
        })
        .collect();
    cumulative.iter_mut().for_each(|weight| *weight /= sum);
    cumulative
}

/// The value at `u` in (0, 1) of a discrete distribution of shares; the last value takes what rounding leaves.
pub fn pick(values: &[(Symbol, Share)], u: f64) -> Option<Symbol> {
    let mut below = 0.0;
    for (symbol, share) in values {
        below += share.fraction();
        if u < below {
            return Some(*symbol);
        }
    }
    values.last().map(|(symbol, _)| *symbol)
}
