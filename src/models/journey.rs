//! Journeys: customers arrive, their errand starts at the first service, and they get an answer.

use super::aggregate::Aggregate;
use super::client::Session;
use super::estate::{Arrivals, Estate, JourneyId, Quantity, UsersId};
use super::event::Event;
use super::gauge::Answered;
use super::interaction::{Customer, Ongoing, customer};
use super::observation::{Failure, Interaction, Observation, Outcome};
use super::task::Caller;
use super::topic::Record;
use super::world::World;
use crate::kernel::maths;
use crate::kernel::stream::{address, unit_interval};
use crate::rollout::FeatureId;
use crate::rollout::decide::decide;
use crate::units::{Id, SimDuration, SimTime, Slot};

/// A customer on an errand: the n-th interaction of a journey.
#[derive(Clone, Debug)]
pub struct Errand {
    pub journey: JourneyId,
    pub n: u64,
    pub who: Customer,
    /// The closed-loop user who runs it, if it is one.
    pub user: Option<(UsersId, u32)>,
    /// The session of the client in which it was begun.
    pub session: Option<Session>,
}

impl World {
    /// The time from the n-th arrival of a journey to the next, or from the start to the first.
    fn gap(&mut self, estate: &Estate, journey: JourneyId, n: u64) -> Option<SimDuration> {
        match estate.journeys[journey].arrivals {
            Arrivals::Poisson { per_second } => {
                let key = self.keys.journeys[journey.index()].arrivals;
                let u = unit_interval(self.cx.draws.word(key, n, 0));
                Some(SimDuration::from_secs_f64(-maths::ln(u) / per_second))
            }
            Arrivals::Every(gap) => Some(gap),
            Arrivals::Closed | Arrivals::Follows => None,
        }
    }

    /// Plans the next arrival of a journey, while customers still arrive.
    pub(super) fn plan_arrival(&mut self, estate: &Estate, journey: JourneyId) {
        let n = self.arrived[journey.index()];
        let Some(gap) = self.gap(estate, journey, n) else { return };
        let at = self.cx.now() + gap;
        if at < SimTime::from(estate.duration) {
            self.cx.at(at, Event::Arrive { journey });
        }
    }

    pub(super) fn on_arrive(&mut self, estate: &Estate, journey: JourneyId) {
        let n = self.arrived[journey.index()];
        self.arrived[journey.index()] += 1;
        self.plan_arrival(estate, journey);
        let now = self.cx.now();
        let who = customer(estate, &self.keys, &mut self.cx.draws, journey.index(), n, now);
        self.set_out(estate, Errand { journey, n, who, user: None, session: None });
    }

    fn open(&mut self, journey: JourneyId, n: u64, replay: u32, identity: u64, who: Customer) -> Slot<Ongoing> {
        let id = Interaction { journey, n, replay, place: 0 };
        let visits = self.spare.take();
        let slot = self.interactions.insert(Ongoing::new(id, identity, who, self.cx.now(), visits));
        let ongoing = self.interactions.get_mut(slot).expect("the interaction was just made");
        ongoing.id.place = slot.place();
        let id = ongoing.id;
        let Customer { tenant, user, tenant_region, means } = who;
        self.cx.cause = 0;
        let seen = self.cx.observe(Observation::Arrived { interaction: id, tenant, user, tenant_region, means });
        self.interactions.get_mut(slot).expect("the interaction was just made").cause = seen;
        slot
    }

    /// An interaction begins: about an aggregate of its own or its subject's, or about the one it comes back to.
    pub(super) fn start(&mut self, estate: &Estate, errand: Errand, about: Option<Slot<Aggregate>>) {
        let Errand { journey, n, who, user, session } = errand;
        let identity = self.keys.journeys[journey.index()].identity.wrapping_add(n);
        let slot = self.open(journey, n, 0, identity, who);
        let described = &estate.journeys[journey];
        let about = about.or_else(|| self.aggregate_of(estate, journey, who));
        let ongoing = self.interactions.get_mut(slot).expect("the interaction was just made");
        ongoing.user = user;
        ongoing.aggregate = about;
        let id = ongoing.id;
        if let Some(of) = about.filter(|_| !described.followed_by.is_empty()) {
            self.plan_returns(estate, id, who, of);
        }
        let context = session.map(|session| self.client_decides(estate, slot, session)).unwrap_or_default();
        let ongoing = self.interactions.get_mut(slot).expect("the interaction was just made");
        let visit = ongoing.visit(described.first);
        self.cx.cause = ongoing.cause;
        let service = estate.operations[described.first].service;
        let at = address(self.keys.call_sites[described.first.index()], visit, 1);
        match self.choose_replica(estate, service, who.tenant_region, identity, at) {
            Some(replica) => {
                let operation = described.first;
                self.cx.observe(Observation::Called { interaction: id, from: None, operation, replica, attempt: 1 });
                let task = self.new_task(slot, operation, replica, Caller::Customer);
                let made = self.tasks.get_mut(task).expect("the task was just made");
                (made.deed, made.context) = (identity, context);
                self.dispatch_task(estate, task, who.tenant_region);
            }
            None => {
                let (operation, why) = (described.first, Failure::NoReplica);
                self.cx.observe(Observation::Failed { interaction: id, operation, why, attempt: 1, path: None });
                self.hold(slot);
                let leg = estate.network.within.mean();
                self.cx.after(leg, Event::Answer { interaction: slot, outcome: Outcome::Failed(why) });
            }
        }
    }

    /// The customer has the answer; a closed-loop user thinks and comes again.
    pub(super) fn on_answer(&mut self, estate: &Estate, slot: Slot<Ongoing>, outcome: Outcome) {
        let ongoing = self.interactions.get(slot).expect("an interaction is open until its customer is answered");
        let (id, latency, user) = (ongoing.id, self.cx.now().since(ongoing.arrived), ongoing.user);
        let answered = Answered { journey: id.journey, region: ongoing.customer.tenant_region, trail: ongoing.trail };
        self.cx.cause = ongoing.cause;
        self.cx.observe(Observation::Finished { interaction: id, outcome, latency });
        if !estate.sweeps.is_empty() {
            self.answered_for_sweeps(id, outcome);
        }
        if !estate.gauges.is_empty() {
            self.gauge_answer(estate, answered, outcome, latency);
        }
        self.release(estate, slot);
        if let Some((users, user)) = user {
            self.think(estate, users, user);
        }
    }

    /// A record handed out again after its group was set back: a new interaction, held once for the delivery.
    pub(super) fn open_replay(&mut self, estate: &Estate, record: &Record, replay: u32) -> Slot<Ongoing> {
        let Interaction { journey, n, .. } = record.id;
        let identity = record.identity ^ u64::from(replay).rotate_left(48);
        let slot = self.open(journey, n, replay, identity, record.customer);
        let about = self.aggregate_of_replay(estate, journey);
        let ongoing = self.interactions.get_mut(slot).expect("the interaction was just made");
        ongoing.open = 1;
        ongoing.aggregate = about;
        slot
    }

    /// A closed-loop user starts a journey, or waits while the flags switch them off.
    pub(super) fn on_user_acts(&mut self, estate: &Estate, users: UsersId, user: u32) {
        let described = &estate.users[users];
        if self.cx.now() >= SimTime::from(estate.duration) {
            return;
        }
        let wanted = match described.count {
            Quantity::Given(count) => count,
            Quantity::Flag { feature, times } => self.load_flag(estate, feature) * times,
        };
        let on = described.while_on.is_none_or(|feature| self.load_flag(estate, feature) > 0.0);
        if f64::from(user) >= wanted || !on {
            self.cx.after(described.looks_every, Event::UserActs { users, user });
            return;
        }
        let round = self.next_round(users, user);
        let key = self.keys.users[users.index()].nth(user.into());
        let total: f64 = described.journeys.iter().map(|(_, weight)| weight).sum();
        let mut at = self.cx.draws.unit(key, round, 0) * total;
        let mut chosen = described.journeys.last().expect("users have at least one journey").0;
        for (journey, weight) in &described.journeys {
            if at < *weight {
                chosen = *journey;
                break;
            }
            at -= weight;
        }
        let n = self.arrived[chosen.index()];
        self.arrived[chosen.index()] += 1;
        let now = self.cx.now();
        let who = customer(estate, &self.keys, &mut self.cx.draws, chosen.index(), n, now);
        self.set_out(estate, Errand { journey: chosen, n, who, user: Some((users, user)), session: None });
    }

    fn next_round(&mut self, users: UsersId, user: u32) -> u64 {
        let round = &mut self.rounds[users.index()][user as usize];
        *round += 1;
        *round
    }

    pub(super) fn think(&mut self, estate: &Estate, users: UsersId, user: u32) {
        let described = &estate.users[users];
        let round = self.rounds[users.index()][user as usize];
        let key = self.keys.users[users.index()].nth(user.into());
        let think = self.cx.sample(&described.think, key, round, 1);
        self.cx.after(think, Event::UserActs { users, user });
    }

    /// A flag that steers the load itself: asked at the control plane, by nobody in particular.
    fn load_flag(&mut self, estate: &Estate, feature: FeatureId) -> f64 {
        let policy = std::sync::Arc::clone(self.control_plane.newest());
        let now = self.cx.now();
        let mut subject = super::interaction::SubjectView {
            estate,
            keys: &self.keys,
            draws: &mut self.cx.draws,
            customer: Customer { tenant: 0, user: 0, tenant_region: Id::new(0), means: None },
            journey: 0,
            identity: 0,
            now,
            left_out: &[],
        };
        let described = &estate.features[feature];
        let decision = decide(&policy, feature, described, policy.feature(feature).salt, &mut subject);
        described.stages[decision.stage.index()].value.map_or(0.0, |value| value.number())
    }
}
