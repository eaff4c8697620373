//! Clients: apps that fetch their decisions when they start, and go by them for as long as they run. What a client
//! decided travels with its requests, as any other carried decision does.
//!
//! A user's sessions follow one another without a gap, so that the session in which a request falls is longer than
//! sessions are on average ([`Distribution::under_way`]), and the request falls anywhere in it. They are drawn when
//! the user is first met: what nobody sees costs nothing.

use super::carried::{CarriedDecision, Context};
use super::estate::{Asked, Estate, JourneyId, RegionId, ReplicaId, ServiceId};
use super::event::Event;
use super::interaction::{Customer, Ongoing, SubjectView};
use super::journey::Errand;
use super::observation::{Decided, Observation, Source};
use super::world::World;
use crate::kernel::{Distribution, Draws, StreamKey, maths};
use crate::rollout::policy::PolicyVersion;
use crate::rollout::{Decision, FeatureId, Reason, WhenUnknown, decide};
use crate::units::{Id, Share, SimDuration, SimTime, Slot};
use std::sync::Arc;

pub type ClientId = Id<Client>;

/// When a client asks for decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refetch {
    /// Once, when it starts.
    OnAppStart,
    /// For each request.
    OnNavigation,
}

/// A kind of client, and the users that have it.
#[derive(Clone, Debug)]
pub struct Client {
    pub name: String,
    /// The share of users that have it.
    pub share: Share,
    pub refetch: Refetch,
    /// How long one runs from its start to its end.
    pub session: Distribution,
    /// Writes down what it last fetched, and goes by it when it starts and hears nothing.
    pub persist: bool,
    pub old_versions: Option<OldVersions>,
    pub offline: Option<Offline>,
    /// The context in which its decisions are made: a service without operations, and its one replica.
    pub service: ServiceId,
    pub replica: ReplicaId,
}

/// Users whose app is from before the features: it asks for no decision and carries none.
#[derive(Clone, Debug)]
pub struct OldVersions {
    /// Their share when the run begins.
    pub share: Share,
    /// After so long half of them have a new one; `None`: nobody updates.
    pub half_life: Option<SimDuration>,
}

/// Requests that are made without a connection, and sent when there is one again.
#[derive(Clone, Debug)]
pub struct Offline {
    pub share: Share,
    pub lasts: Distribution,
}

/// What a user comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    pub client: ClientId,
    /// Its version is from before the features.
    pub old: bool,
}

/// The session of one user that was last met, and what its app knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session {
    until: SimTime,
    held: Option<PolicyVersion>,
    /// When it was fetched.
    fetched: SimTime,
    /// When it last asked: a decision is as fresh as what it then had.
    asked: SimTime,
    /// Whether the app has started since without an answer.
    unanswered: bool,
    /// Counts the user's sessions.
    nth: u64,
}

/// What the draws about one user's session are counted by.
const LENGTH: u64 = 0;
const UNDER_WAY: u64 = 1;
/// Sessions gone through one by one from the last that is known, before the next one is met as if far from the start:
/// by then its law does not depend any more on where it began.
const MOST_WALKED: u32 = 32;
/// What the draws about one request are counted by.
const IS_OFFLINE: u64 = 2;
const OFFLINE_FOR: u64 = 3;

/// A moment so long ago, the start of the run at the earliest: the policy was the same before it.
fn before(moment: SimTime, age: SimDuration) -> SimTime {
    SimTime::from(moment.since_start() - age)
}

/// The client of a user at a time, if the user has one: a pure function of the keys.
pub fn means(estate: &Estate, keys: &super::keys::Keys, draws: &mut Draws, user: u64, now: SimTime) -> Option<Means> {
    let clients = &estate.population.clients;
    if clients.is_empty() {
        return None;
    }
    let u = draws.unit(keys.client_of, user, 0);
    let mut below = 0.0;
    let (id, client) = clients.enumerate().find(|(_, client)| {
        below += client.share.fraction();
        u < below
    })?;
    let old = client.old_versions.as_ref().is_some_and(|old| {
        let halvings = old.half_life.map_or(0.0, |half| now.as_secs_f64() / half.as_secs_f64());
        draws.unit(keys.client_of, user, 1) < old.share.fraction() * maths::exp(-std::f64::consts::LN_2 * halvings)
    });
    Some(Means { client: id, old })
}

impl Session {
    /// How old what it had was when it asked; zero where it was answered.
    fn freshness(&self) -> SimDuration {
        self.asked.since(self.fetched)
    }
}

impl World {
    /// A customer acts: the request is sent, or, without a connection, later. Its client's session is that of now.
    pub(super) fn set_out(&mut self, estate: &Estate, errand: Errand) {
        let Some(means) = errand.who.means else { return self.start(estate, errand, None) };
        let errand = Errand { session: self.session_of(estate, errand.who), ..errand };
        if let Some(offline) = &estate.population.clients[means.client].offline {
            let subject = self.keys.journeys[errand.journey.index()].subject;
            if offline.share.admits(self.cx.draws.word(subject, errand.n, IS_OFFLINE)) {
                let lasts = self.cx.sample(&offline.lasts, subject, errand.n, OFFLINE_FOR);
                let message = self.unsent.insert(errand);
                self.cx.after(lasts, Event::Sends { message });
                return;
            }
        }
        self.start(estate, errand, None);
    }

    /// The customer with the client of today: an old version may have been replaced.
    pub(super) fn with_means(&mut self, estate: &Estate, who: Customer) -> Customer {
        let now = self.cx.now();
        Customer { means: means(estate, &self.keys, &mut self.cx.draws, who.user, now), ..who }
    }

    /// The session in which a customer acts now; nothing where there is no client, or one that asks for nothing.
    pub(super) fn session_of(&mut self, estate: &Estate, who: Customer) -> Option<Session> {
        let means = who.means.filter(|means| !means.old)?;
        let client = &estate.population.clients[means.client];
        Some(self.session(client, means.client, who))
    }

    /// The connection is there again.
    pub(super) fn on_sends(&mut self, estate: &Estate, message: Slot<Errand>) {
        let errand = self.unsent.remove(message).expect("a request is sent once");
        self.start(estate, errand, None);
    }

    /// The session a user is in now.
    fn session(&mut self, client: &Client, id: ClientId, who: Customer) -> Session {
        let now = self.cx.now();
        let known = self.sessions.get(&who.user).copied();
        let mut session = match known {
            Some(known) if now < known.until => known,
            _ => self.next_session(client, id, who, known),
        };
        if client.refetch == Refetch::OnNavigation {
            self.fetch_at(now, who.tenant_region, &mut session);
        }
        self.sessions.insert(who.user, session);
        session
    }

    /// The session that covers now: the one to which sessions lead from the last that is known, or, where that is long
    /// ago or none is known, one as a moment far from the start meets it.
    fn next_session(&mut self, client: &Client, id: ClientId, who: Customer, known: Option<Session>) -> Session {
        let now = self.cx.now();
        let key = self.keys.clients[id.index()].nth(who.user);
        let region = who.tenant_region;
        let mut session = known.unwrap_or_default();
        for _ in 0..known.map_or(0, |_| MOST_WALKED) {
            session.nth += 1;
            let began = session.until;
            session.until = began + self.cx.sample(&client.session, key, session.nth, LENGTH);
            self.open_app(client, region, began, &mut session);
            if session.until > now {
                return session;
            }
        }
        session.nth += 1;
        let (age, length) = self.under_way(client, key, session.nth, 0);
        let began = session.until.max(before(now, age));
        session.until = now + (length - age);
        self.open_app(client, region, began, &mut session);
        if session.held.is_none() && client.persist && known.is_none() {
            self.recall(client, key, region, began, &mut session);
        }
        session
    }

    /// The app starts.
    fn open_app(&self, client: &Client, region: RegionId, at: SimTime, session: &mut Session) {
        if !client.persist {
            session.held = None;
        }
        self.fetch_at(at, region, session);
    }

    /// Whoever is met for the first time in an outage had sessions before it, and the app wrote down what it heard: in
    /// the session under way when the outage began, if it began before that, or before an earlier outage.
    fn recall(&mut self, client: &Client, key: StreamKey, region: RegionId, mut at: SimTime, session: &mut Session) {
        let (mut which, asked) = (0, at);
        while session.held.is_none() {
            if at == SimTime::ZERO {
                // It heard of the policy from before the run, and the run begins in an outage.
                (session.held, session.fetched) = (Some(PolicyVersion(1)), SimTime::ZERO);
                break;
            }
            which += 1;
            let (age, _) = self.under_way(client, key, session.nth, which);
            at = before(self.control_plane.last_answer(region, at), age);
            self.fetch_at(at, region, session);
        }
        (session.unanswered, session.asked) = (true, asked);
    }

    fn under_way(&mut self, client: &Client, key: StreamKey, nth: u64, which: u64) -> (SimDuration, SimDuration) {
        let words = [UNDER_WAY, UNDER_WAY + 1].map(|word| self.cx.draws.word(key, nth, word + 2 * which));
        client.session.under_way(words)
    }

    /// What an app hears that asks at a moment that may have passed.
    fn fetch_at(&self, at: SimTime, region: RegionId, session: &mut Session) {
        let answer = self.control_plane.answered(region, at);
        (session.unanswered, session.asked) = (answer.is_none(), at);
        if let Some(version) = answer {
            session.held = Some(PolicyVersion(version));
            session.fetched = at;
        }
    }

    /// The client decides on the feature of its journey: what goes with the request.
    pub(super) fn client_decides(&mut self, estate: &Estate, slot: Slot<Ongoing>, session: Session) -> Context {
        let mut context = Context::default();
        let ongoing = self.interactions.get(slot).expect("the interaction has just begun");
        let (id, customer) = (ongoing.id, ongoing.customer);
        let (Some(feature), Some(means)) = (estate.journeys[id.journey].feature, customer.means) else {
            return context;
        };
        let client = &estate.population.clients[means.client];
        let identity = ongoing.identity;
        let (source, decision) = self.at_the_client(estate, client, feature, customer, (id.journey, identity), session);
        self.decisions += 1;
        let now = self.cx.now();
        let carried = CarriedDecision { decision_id: self.decisions, origin: client.service, ..decision };
        let staleness =
            carried.policy_version.map_or(SimDuration::ZERO, |version| self.control_plane.staleness(version, now));
        let decided = Decided {
            interaction: id,
            context: estate.services[client.service].context,
            service: client.service,
            replica: client.replica,
            feature,
            stage: carried.stage,
            source,
            reason: carried.reason,
            rule: carried.rule,
            policy_version: carried.policy_version,
            decision_id: carried.decision_id,
            decided_at: carried.decided_at,
            freshness: Some(session.freshness()),
            staleness,
            code: 1,
            salt: carried.salt,
            attributes: customer.attributes(0),
            context_missing: false,
            refused: None,
            environment: 0,
            attempt: 1,
            tenant: customer.tenant,
            tenant_region: customer.tenant_region,
        };
        self.cx.draws.decision(self.keys.identities.decision(&decided));
        let ongoing = self.interactions.get_mut(slot).expect("the interaction has just begun");
        self.cx.cause = ongoing.cause;
        ongoing.cause = self.cx.observe(Observation::Decided(decided));
        if !estate.gauges.is_empty() {
            World::leave_trail(estate, &mut ongoing.trail, feature, carried.stage);
        }
        context.set(feature, carried);
        context
    }

    fn at_the_client(
        &mut self,
        estate: &Estate,
        client: &Client,
        feature: FeatureId,
        customer: Customer,
        (journey, identity): (JourneyId, u64),
        session: Session,
    ) -> (Source, CarriedDecision) {
        let described = &estate.features[feature];
        // Freshness is judged where a decision is made: when the app asked.
        let too_old = described.stale_after.is_some_and(|bound| session.freshness() > bound);
        let context = estate.services[client.service].context;
        let known_good = matches!(described.when_unknown_for(context), WhenUnknown::LastKnownGood);
        let Some(version) = session.held.filter(|_| !too_old || known_good) else {
            let stage = match described.when_unknown_for(context) {
                WhenUnknown::LastKnownGood | WhenUnknown::FailClosed => described.safe_stage,
                WhenUnknown::FailOpen(stage) | WhenUnknown::CodeDefault(stage) => stage,
            };
            let decided_at = session.asked;
            return (
                Source::Fallback,
                CarriedDecision { policy_version: session.held, decided_at, ..self.unfounded(stage) },
            );
        };
        let policy = Arc::clone(self.control_plane.policy(version));
        let salt = policy.feature(feature).salt;
        let mut subject = SubjectView {
            estate,
            keys: &self.keys,
            draws: &mut self.cx.draws,
            customer,
            journey: journey.index() as u16,
            identity,
            now: session.asked,
            left_out: &[] as &[Asked],
        };
        let Decision { stage, reason, rule } = decide(&policy, feature, described, salt, &mut subject);
        let reason = if session.unanswered { Reason::Stale } else { reason };
        let decided_at = session.asked;
        let policy_version = Some(version);
        (
            Source::Sdk,
            CarriedDecision { stage, reason, rule, policy_version, decided_at, salt, ..self.unfounded(stage) },
        )
    }
}
