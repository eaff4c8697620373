//! The keys of all random streams of a run, derived once from names (rules.md, 21), and the tables that go with them.

use super::estate::Estate;
use super::identity::{Identities, nth_of_label};
use crate::kernel::StreamKey;
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
    /// The key all others descend from.
    root: StreamKey,
    pub identities: Identities,
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
    /// Whom a defect of the code strikes, per operation.
    pub defects: Vec<StreamKey>,
    /// Whether a message carries its context on, per service.
    pub forward: Vec<StreamKey>,
    /// Latency to the broker and the partition of keyless records, per topic.
    pub topics: Vec<StreamKey>,
    /// The hash that gives a record's key its partition, per topic.
    pub partitioners: Vec<StreamKey>,
    /// Record processing, per group.
    pub groups: Vec<StreamKey>,
    pub tenants: StreamKey,
    /// Which client a user has, and whether it is old.
    pub client_of: StreamKey,
    /// Per client: the sessions of its users.
    pub clients: Vec<StreamKey>,
    pub request_attributes: Vec<StreamKey>,
    pub tenant_attributes: Vec<StreamKey>,
    pub users: Vec<StreamKey>,
    /// Per entry of the timeline.
    pub entries: Vec<StreamKey>,
    pub replication: Vec<StreamKey>,
    /// Per rollout: what approvals take and whether they are given.
    pub approvals: Vec<StreamKey>,
    /// Per alert rule: how long who is called takes and what they do.
    pub alerts: Vec<StreamKey>,
    /// Per sweep: how long those who are called take to begin.
    pub sweeps: Vec<StreamKey>,
    /// The bucketing salt of each feature.
    pub salts: Vec<u64>,
    /// Cumulative weights of tenants under the population's Zipf law; empty where all weigh the same.
    pub tenant_weights: Vec<f64>,
}

impl Keys {
    pub fn derive(estate: &Estate, seed: u64) -> Keys {
        Keys::below(StreamKey::of_seed(seed), estate)
    }

    /// The keys of other luck from now on, one for each salt. What is no luck stays: who a customer is, with tenant,
    /// attributes and cohort; the partition of a key; the addresses of call sites. Interactions that have begun keep
    /// their identity, with the attributes of their request; later ones get another.
    pub fn forked(&self, estate: &Estate, salt: u64) -> Keys {
        let root = self.root.child("fork").nth(salt);
        let mut forked = Keys::below(root, estate);
        for journey in &mut forked.journeys {
            journey.identity ^= root.to_word();
        }
        Keys {
            call_sites: self.call_sites.clone(),
            defects: self.defects.clone(),
            partitioners: self.partitioners.clone(),
            tenants: self.tenants,
            client_of: self.client_of,
            request_attributes: self.request_attributes.clone(),
            tenant_attributes: self.tenant_attributes.clone(),
            salts: self.salts.clone(),
            ..forked
        }
    }

    fn below(root: StreamKey, estate: &Estate) -> Keys {
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
        let identities = Identities::of(estate);
        let topics = || estate.topics.iter().map(|topic| root.child("topic").child(&topic.name)).collect();
        Keys {
            root,
            journeys: journey_keys(root, estate, &identities),
            replicas: replica_keys(root, estate, &identities),
            identities,
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
            defects: operation("defect"),
            forward: service("forward"),
            topics: topics(),
            partitioners: topics(),
            groups: estate
                .groups
                .iter()
                .map(|group| root.child("group").child(&group.name).child(&estate.topics[group.topic].name))
                .collect(),
            tenants: root.child("tenant-region"),
            client_of: root.child("client-of"),
            clients: named(root.child("client"), estate.population.clients.iter().map(|client| client.name.as_str())),
            request_attributes: named(root.child("request-attribute"), estate.request_attributes.iter()),
            tenant_attributes: named(
                root.child("tenant-attribute"),
                estate.population.attributes.iter().map(|attribute| attribute.name.as_str()),
            ),
            users: named(root.child("users"), estate.users.iter().map(|users| users.name.as_str())),
            entries: entry_keys(root, estate),
            replication: named(root.child("replication"), estate.regions.iter().map(|region| region.name.as_str())),
            approvals: named(
                root.child("approval"),
                estate.rollouts.iter().map(|rollout| estate.features[rollout.feature].name.as_str()),
            ),
            alerts: named(root.child("alert"), estate.alerts.iter().map(|alert| alert.name.as_str())),
            sweeps: named(root.child("sweep"), estate.sweeps.iter().map(|job| job.name.as_str())),
            salts: salts.collect(),
            tenant_weights: zipf_weights(estate.population.tenants, estate.population.zipf),
        }
    }
}

fn named<'a>(under: StreamKey, names: impl Iterator<Item = &'a str>) -> Vec<StreamKey> {
    names.map(|name| under.child(name)).collect()
}

fn journey_keys(root: StreamKey, estate: &Estate, identities: &Identities) -> Vec<JourneyKeys> {
    let keys = |(journey, identity): (&super::estate::Journey, &u64)| {
        let key = root.child("journey").child(&journey.name);
        JourneyKeys { arrivals: key.child("arrivals"), subject: key.child("subject"), identity: *identity }
    };
    estate.journeys.iter().zip(&identities.journeys).map(keys).collect()
}

fn replica_keys(root: StreamKey, estate: &Estate, identities: &Identities) -> Vec<ReplicaKeys> {
    let keys = |(replica, identity): (&super::estate::ReplicaSpec, &u64)| {
        let key = root.child("replica").child(&replica.name);
        let [poll, policy_latency, backoff] = ["poll", "policy-latency", "backoff"].map(|purpose| key.child(purpose));
        ReplicaKeys { poll, policy_latency, backoff, identity: *identity }
    };
    estate.replicas.iter().zip(&identities.replicas).map(keys).collect()
}

/// Entries are keyed by their label and by the how-manieth of that label they are.
fn entry_keys(root: StreamKey, estate: &Estate) -> Vec<StreamKey> {
    let under = root.child("timeline");
    let key =
        |(index, entry): (usize, &super::estate::Entry)| under.child(&entry.label).nth(nth_of_label(estate, index));
    estate.timeline.iter().enumerate().map(key).collect()
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
