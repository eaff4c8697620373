//! The simulated world: typed pools of everything that moves, and the one dispatch of events to models.

use super::aggregate::{Aggregate, Return};
use super::alarm::Alarm;
use super::cache::Cache;
use super::client::Session;
use super::control_plane::ControlPlane;
use super::cx::Cx;
use super::estate::{Estate, RegionId};
use super::event::Event;
use super::flow::Waiting;
use super::gauge::Gauge;
use super::group::Group;
use super::interaction::{Ongoing, Spare};
use super::journey::Errand;
use super::keys::Keys;
use super::member::Member;
use super::network::Links;
use super::observation::{Kind, Observation, Publication};
use super::progress::Progress;
use super::reconciliation::Reconciliation;
use super::service::Replica;
use super::sweep::Sweep;
use super::task::Task;
use super::timeline::EntryState;
use super::topic::{Log, Record, Sent};
use crate::kernel::Deadlines;
use crate::rollout::policy::PolicyVersion;
use crate::rollout::{FeaturePolicy, Policy};
use crate::units::{Lookup, SimTime, Slab, Slot};
use std::sync::Arc;

/// When the steps of each rollout were published: what a run without rollouts hangs its timeline on.
pub type StepTimes = Vec<Vec<Option<SimTime>>>;

/// Which course a run takes.
#[derive(Clone, Debug)]
pub enum Course {
    /// As the scenario says.
    WithRollouts,
    /// The same estate, customers and faults without the rollouts and their kills; timeline entries that hang on
    /// steps stay at these times (rules.md, 29).
    Baseline(StepTimes),
}

/// Everything that moves. Cloning it is a checkpoint.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) cx: Cx,
    pub(super) keys: Arc<Keys>,
    pub(super) control_plane: ControlPlane,
    pub(super) links: Links,
    pub(super) caches: Vec<Cache>,
    pub(super) replicas: Vec<Replica>,
    pub(super) interactions: Slab<Ongoing>,
    pub(super) spare: Spare,
    pub(super) tasks: Slab<Task>,
    pub(super) lanes: Vec<Deadlines<Waiting>>,
    pub(super) logs: Vec<Log>,
    pub(super) sent: Slab<Sent>,
    /// Copies of records that were committed before their turn, in the hands of members.
    pub(super) kept: Slab<Record>,
    pub(super) groups: Vec<Group>,
    pub(super) members: Vec<Member>,
    /// Pieces of work held, per service.
    pub(super) held: Vec<u32>,
    /// Interactions begun, per journey.
    pub(super) arrived: Vec<u64>,
    /// Journeys begun by each closed-loop user.
    pub(super) rounds: Vec<Vec<u64>>,
    pub(super) aggregates: Slab<Aggregate>,
    /// The aggregates of which there is one per subject, by entity type and user.
    pub(super) of_subjects: Lookup<(u32, u64), Slot<Aggregate>>,
    /// Effects that happen once for each user or tenant and have happened.
    pub(super) once: Lookup<(u32, u64), ()>,
    /// Returns to aggregates that are planned.
    pub(super) returns: Slab<Return>,
    /// By user: the session that was last met.
    pub(super) sessions: Lookup<u64, Session>,
    /// Requests that wait for a connection.
    pub(super) unsent: Slab<Errand>,
    pub(super) reconciliations: Vec<Reconciliation>,
    pub(super) sweeps: Vec<Sweep>,
    pub(super) entries: Vec<EntryState>,
    pub(super) gauges: Vec<Gauge>,
    pub(super) alarms: Vec<Alarm>,
    /// Where the plan of each rollout stands.
    pub(super) plans: Vec<Progress>,
    pub(super) steps_published: StepTimes,
    pub(super) anchors: StepTimes,
    pub(super) without_rollouts: bool,
    /// Rollouts of which no further step is published; those beyond its end go on.
    pub(super) halted: Vec<bool>,
    /// Polls are events even where they can find nothing.
    pub(super) every_poll: bool,
    pub(super) decisions: u64,
    /// The reason `no_rule`.
    pub(super) no_rule: u16,
}

impl World {
    /// The world as it is when the run begins: everything up, every cache on version 1, every consumer in its group.
    pub fn assemble(estate: &Estate, seed: u64, course: Course, wanted: [bool; Kind::COUNT]) -> World {
        let keys = Keys::derive(estate, seed);
        let (without_rollouts, anchors) = match course {
            Course::WithRollouts => (false, Vec::new()),
            Course::Baseline(anchors) => (true, anchors),
        };
        let mut world = World {
            cx: Cx::new(wanted),
            control_plane: ControlPlane::new(initial_policy(estate, &keys), estate.regions.len()),
            keys: Arc::new(keys),
            links: Links::new(estate.regions.len()),
            caches: vec![Cache::default(); estate.replicas.len()],
            replicas: estate
                .replicas
                .iter()
                .map(|spec| Replica::running(estate.services[spec.service].initial_code))
                .collect(),
            interactions: Slab::default(),
            spare: Spare::default(),
            tasks: Slab::default(),
            lanes: Vec::new(),
            logs: estate.topics.iter().map(|topic| Log::new(topic.partitions)).collect(),
            sent: Slab::default(),
            kept: Slab::default(),
            groups: estate.groups.iter().map(|group| Group::new(estate.topics[group.topic].partitions)).collect(),
            members: estate
                .members
                .iter()
                .map(|spec| Member::running(estate.services[estate.replicas[spec.replica].service].initial_code))
                .collect(),
            held: vec![0; estate.services.len()],
            arrived: vec![0; estate.journeys.len()],
            rounds: estate.users.iter().map(|users| vec![0; users.most as usize]).collect(),
            aggregates: Slab::default(),
            of_subjects: Lookup::default(),
            once: Lookup::default(),
            returns: Slab::default(),
            sessions: Lookup::default(),
            unsent: Slab::default(),
            reconciliations: vec![Reconciliation::default(); estate.reconciliations.len()],
            sweeps: vec![Sweep::default(); estate.sweeps.len()],
            entries: vec![EntryState::default(); estate.timeline.len()],
            gauges: estate.gauges.iter().map(Gauge::new).collect(),
            alarms: vec![Alarm::default(); estate.alerts.len()],
            plans: estate.rollouts.iter().map(|rollout| Progress::new(rollout.steps.len())).collect(),
            steps_published: estate.rollouts.iter().map(|rollout| vec![None; rollout.steps.len()]).collect(),
            anchors,
            without_rollouts,
            halted: Vec::new(),
            every_poll: false,
            decisions: 0,
            no_rule: estate.reasons.find(super::estate::NO_RULE).expect("every estate knows the reason no_rule"),
        };
        world.begin_run(estate);
        world
    }

    fn begin_run(&mut self, estate: &Estate) {
        let version = PolicyVersion(1);
        self.cx.observe(Observation::PolicyPublished { version, feature: None, publication: Publication::Initial });
        for replica in estate.replicas.ids() {
            self.warm_cache(estate, replica);
        }
        for group in estate.groups.ids() {
            self.warm_group(estate, group);
        }
        for journey in estate.journeys.ids() {
            self.plan_arrival(estate, journey);
        }
        for (users, described) in estate.users.enumerate() {
            for user in 0..described.most {
                self.think(estate, users, user);
            }
        }
        self.plan_timeline(estate);
        self.plan_reconciliations(estate);
        if !self.without_rollouts {
            self.plan_rollouts(estate);
            self.plan_alerts(estate);
        }
    }

    /// The same past and other luck from here on, one future for each salt: what is planned stays planned, every draw
    /// from now on is another. Customers stay who they are, and in their cohorts.
    /// What is due at `at` and later is drawn anew.
    pub fn fork(&mut self, estate: &Estate, at: SimTime, salt: u64) {
        self.wake_all(estate, at);
        self.keys = Arc::new(self.keys.forked(estate, salt));
    }

    /// Takes the next event up to `horizon` and handles it; `false` when there is none.
    pub fn step(&mut self, estate: &Estate, horizon: SimTime) -> bool {
        let Some(event) = self.take(horizon) else { return false };
        self.dispatch(estate, event);
        true
    }

    /// The next event up to `horizon`: the clock moves to it and the digest takes it in. It is to be handled next.
    pub fn take(&mut self, horizon: SimTime) -> Option<Event> {
        self.cx.clear_observations();
        let event = self.cx.next(horizon)?;
        let (kind, about) = self.words(&event);
        self.cx.enter(kind, about);
        Some(event)
    }

    /// Handles an event just taken.
    pub fn dispatch(&mut self, estate: &Estate, event: Event) {
        match event {
            Event::Arrive { journey } => self.on_arrive(estate, journey),
            Event::Returns { planned } => self.on_returns(estate, planned),
            Event::UserActs { users, user } => self.on_user_acts(estate, users, user),
            Event::Deliver { task } => self.on_deliver(estate, task),
            Event::WorkDone { task } => self.on_work_done(estate, task),
            Event::Reply { task, call, outcome } => self.on_reply(estate, task, call, outcome),
            Event::Answer { interaction, outcome } => self.on_answer(estate, interaction, outcome),
            Event::Deadlines { lane } => self.on_deadlines(estate, lane),
            Event::Retry { task, call } => self.on_retry(estate, task, call),
            Event::Continue { task } => self.on_continue(estate, task),
            Event::Poll { replica, life } => self.on_poll(estate, replica, life),
            Event::PolicyRead { replica, life, fetch } => self.on_policy_read(estate, replica, life, fetch),
            Event::PolicyAnswer { replica, life, fetch, version } => {
                self.on_policy_answer(estate, replica, life, fetch, version);
            }
            Event::PolicyUnavailable { replica, life, fetch } => {
                self.on_policy_unavailable(estate, replica, life, fetch);
            }
            Event::PolicyPush { replica, life, version } => self.on_policy_push(replica, life, version),
            Event::Reconnect { replica, life } => self.on_reconnect(estate, replica, life),
            Event::StalenessCheck { replica, life } => self.on_staleness_check(estate, replica, life),
            Event::Replicate { region, version } => self.on_replicate(estate, region, version),
            Event::StepDue { rollout, step } => self.on_step_due(estate, rollout, step),
            Event::HoldEnds { rollout, course } => self.on_hold_ends(estate, rollout, course),
            Event::Analyse { rollout, course } => self.on_analyse(estate, rollout, course),
            Event::ApprovalDue { rollout, ask, who } => self.on_approval_due(estate, rollout, ask, who),
            Event::PlanRetries { rollout, course } => self.on_plan_retries(estate, rollout, course),
            Event::Scrape { alert } => self.on_scrape(estate, alert),
            Event::TeamActs { alert, nth } => self.on_team_acts(estate, alert, nth),
            Event::LiftKill { entry } => self.on_lift_kill(estate, entry),
            Event::EntryBegins { entry } => self.on_entry_begins(estate, entry),
            Event::EntryEnds { entry, strike: _ } => self.on_entry_ends(estate, entry),
            Event::DeployBatch { entry, batch } => self.on_deploy_batch(estate, entry, batch),
            Event::ReplicaUp { replica } => self.restart(estate, replica),
            Event::Append { record } => self.on_append(estate, record),
            Event::MemberPolls { member, epoch } => self.on_member_polls(estate, member, epoch),
            Event::PollDeadline { member, epoch } => self.on_poll_deadline(estate, member, epoch),
            Event::AutoCommit { member, epoch } => self.on_auto_commit(estate, member, epoch),
            Event::SessionExpires { member, epoch } => self.on_session_expires(estate, member, epoch),
            Event::JoinPhaseEnds { group, attempt } => self.on_join_phase_ends(estate, group, attempt),
            Event::Assign { group, attempt } => self.on_assign(estate, group, attempt),
            Event::SagaDue { interaction, service } => self.on_saga_due(estate, interaction, service),
            Event::Announced { replica, life } => self.on_announced(estate, replica, life),
            Event::Sends { message } => self.on_sends(estate, message),
            Event::Reconcile { job } => self.on_reconcile(estate, job),
            Event::Sweep { job } => self.on_sweep(estate, job),
            Event::ExceptionWorked { job } => self.on_exception_worked(estate, job),
        }
    }

    /// From now on it can be read what each event has drawn and planned. The course does not depend on it.
    pub fn keep_deeds(&mut self) {
        self.cx.keep_deeds();
    }

    /// The keys of its random streams.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What has just been observed, and the facilities' counters.
    pub fn cx(&self) -> &Cx {
        &self.cx
    }

    /// When each step was published.
    pub fn step_times(&self) -> &StepTimes {
        &self.steps_published
    }

    /// How often each entry of the timeline took place.
    pub fn strikes(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().map(|entry| entry.strikes)
    }

    /// Places ever needed at once for interactions, tasks and records on their way: what memory follows.
    pub fn places(&self) -> [usize; 3] {
        [self.interactions.capacity(), self.tasks.capacity(), self.sent.capacity()]
    }

    /// The version a region serves now.
    pub fn visible_version(&self, region: RegionId) -> u32 {
        self.control_plane.visible(region)
    }
}

fn initial_policy(estate: &Estate, keys: &Keys) -> Policy {
    Policy::initial(estate.features.enumerate().map(|(id, feature)| {
        let standing = estate.standing_rules.iter().find(|(of, _)| *of == id);
        FeaturePolicy {
            overrides: Vec::new(),
            rules: standing.map(|(_, rules)| rules.clone()).unwrap_or_default(),
            default_stage: feature.initial_stage,
            kills: Vec::new(),
            bucket_by: estate.bucket_by[id.index()],
            salt: keys.salts[id.index()],
        }
    }))
}
