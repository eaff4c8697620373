//! Ways back for whoever takes a checkpoint of a world: the rollout is stopped, an earlier policy is published again or
//! the feature is killed, and it can be asked what a policy would have a subject do.

use super::estate::{Delivery, Estate, Part, ReplicaId};
use super::interaction::{Customer, SubjectView};
use super::observation::{Interaction, Publication};
use super::world::World;
use crate::kernel::Draws;
use crate::rollout::policy::{FeaturePolicy, Kill, Policy, PolicyVersion, Scope};
use crate::rollout::{FeatureId, StageId, decide};

/// The entry of the timeline that a kill from outside names: none.
const NO_ENTRY: u32 = u32::MAX;

impl World {
    /// No further step of this rollout is published, and nothing watches over it any more.
    pub fn halt_rollout(&mut self, estate: &Estate, rollout: usize) {
        self.stop_plans(estate, estate.rollouts[rollout].feature);
        self.halted.resize(self.halted.len().max(rollout + 1), false);
        self.halted[rollout] = true;
    }

    /// Publishes an earlier policy of a feature again, now; `step` is the step it is the policy of, or none.
    pub fn put_back(
        &mut self,
        estate: &Estate,
        feature: FeatureId,
        step: Option<(u16, u16)>,
        to: FeaturePolicy,
    ) -> PolicyVersion {
        let why = step.map_or(Publication::Initial, |(rollout, step)| Publication::Step { rollout, step });
        let to = self.put_back_to(estate, feature, to);
        self.publish(estate, feature, to, why)
    }

    /// Kills a feature everywhere, now.
    pub fn kill_everywhere(&mut self, estate: &Estate, feature: FeatureId, to: StageId) -> PolicyVersion {
        self.kill(estate, NO_ENTRY, feature, Kill { scope: Scope::default(), to, issued_by: NO_ENTRY });
        self.policy().version
    }

    /// The newest policy.
    pub fn policy(&self) -> &Policy {
        self.control_plane.newest()
    }

    /// The stage a customer has in an interaction under a policy, whether or not it was ever published. The world takes
    /// no notice.
    pub fn stage_under(
        &self,
        estate: &Estate,
        of: &Interaction,
        customer: Customer,
        feature: FeatureId,
        policy: &Policy,
    ) -> StageId {
        let mut draws = Draws::default();
        let mut subject = SubjectView {
            estate,
            keys: &self.keys,
            draws: &mut draws,
            customer,
            journey: of.journey.index() as u16,
            identity: self.keys.journeys[of.journey.index()].identity.wrapping_add(of.n),
            now: self.cx.now(),
            left_out: &[],
        };
        let salt = policy.feature(feature).salt;
        decide(policy, feature, &estate.features[feature], salt, &mut subject).stage
    }

    /// How many live replicas go on with a policy older than this version.
    pub fn behind(&self, estate: &Estate, version: PolicyVersion) -> u64 {
        let behind = estate.replicas.ids().filter(|id| {
            let held = self.caches[id.index()].held;
            self.replicas[id.index()].up && waits_to_hear(estate, *id) && held.is_some_and(|held| held < version)
        });
        behind.count() as u64
    }
}

/// Whether a replica goes on with the policy it holds until it hears of another one. Those that ask on demand ask before
/// they decide.
pub fn waits_to_hear(estate: &Estate, replica: ReplicaId) -> bool {
    let service = &estate.services[estate.replicas[replica].service];
    let sdk = service.sdk.as_ref().filter(|_| service.part != Part::Switches);
    sdk.is_some_and(|sdk| match sdk.delivery {
        Delivery::Poll { .. } | Delivery::Stream { .. } | Delivery::File | Delivery::Topic { .. } => true,
        Delivery::Ttl { .. } | Delivery::Remote => false,
    })
}
