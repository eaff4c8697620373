//! Whom a rollout names one by one, by what it puts the others into buckets, and whether it draws them anew.

use super::place::Place;
use super::schedules::Scheduled;
use super::{Draft, unknown};
use crate::models::estate::{Asked, Part};
use crate::rollout::{BucketBy, FeatureId, Override, Step, Who};
use crate::scenario::problem::Problem;
use crate::scenario::quantity;

impl<'a> Draft<'a> {
    pub(super) fn bucket_by(&mut self, place: &Place<'a>) -> BucketBy {
        let text = match place.text() {
            None | Some("user") => return BucketBy::User,
            Some("tenant") => return BucketBy::Tenant,
            Some("session") => return BucketBy::Session,
            Some(text) => text,
        };
        match self.attribute_asked(text) {
            Some(asked) => BucketBy::Attribute(self.vocabulary.slot(asked)),
            None => {
                let attributes = self.attribute_names();
                let known = ["user", "tenant", "session"].into_iter().chain(attributes.iter().map(String::as_str));
                let problem = unknown(place.span, "unit to bucket by", text, known);
                self.problems.push(problem);
                BucketBy::User
            }
        }
    }

    /// Every attribute as a file names it: of tenants, then of requests.
    fn attribute_names(&self) -> Vec<String> {
        let tenant = self.vocabulary.tenant_attributes.iter().map(|(name, _)| format!("tenant.{name}"));
        tenant.chain(self.vocabulary.request_attributes.iter().map(|(name, _)| format!("request.{name}"))).collect()
    }

    fn attribute_asked(&self, text: &str) -> Option<Asked> {
        let at = self.attribute_names().iter().position(|name| name == text)?;
        let tenants = self.vocabulary.tenant_attributes.len();
        let index = |at: usize| u16::try_from(at).ok();
        if at < tenants {
            index(at).map(Asked::TenantAttribute)
        } else {
            index(at - tenants).map(Asked::RequestAttribute)
        }
    }

    pub(super) fn leaves_out(&mut self, place: &Place<'a>) -> Vec<Asked> {
        let mut asked = Vec::new();
        for (text, span) in place.texts() {
            match self.attribute_asked(text) {
                Some(attribute) if asked.contains(&attribute) => {
                    self.error(span, format!("`{text}` is left out twice"), "once is enough");
                }
                Some(attribute) => asked.push(attribute),
                None => {
                    let known = self.attribute_names();
                    let problem = unknown(span, "attribute", text, known.iter().map(String::as_str));
                    self.problems.push(problem);
                }
            }
        }
        asked
    }

    /// Whose carried decisions each service goes by, once all services are known.
    pub(super) fn trust(&mut self) {
        for at in 0..self.services.len() {
            let id = crate::models::estate::ServiceId::new(at);
            let named = self.services[at].place.key("trusts").texts();
            let known = |draft: &mut Self, name: &str, span| {
                let client =
                    draft.estate.service_named(name).filter(|id| draft.estate.services[*id].part == Part::Client);
                client.or_else(|| draft.service_named(name, span))
            };
            let trusts = named.into_iter().filter_map(|(name, span)| known(self, name, span)).collect();
            self.estate.services[id].trusts = trusts;
        }
    }

    /// The overrides of a step, or of a whole rollout, which are those of its first. Those with a schedule are put aside.
    pub(super) fn overrides(&mut self, feature: FeatureId, step: usize, place: &Place<'a>) -> Vec<Override> {
        let mut given: Vec<Override> = Vec::new();
        let mut spans = Vec::new();
        for item in &place.items() {
            let to = item.key("to");
            let stage = to.text().and_then(|name| self.stage(feature, name, to.span));
            let (Some(who), Some(to)) = (self.who(item), stage) else { continue };
            if item.key("from").is_given() || item.key("until").is_given() {
                self.can_set(feature, to, "an override can set it");
                self.scheduled.push(Scheduled { feature, step, given: Override { who, to }, place: item.clone() });
                continue;
            }
            if let Some(first) = given.iter().position(|earlier| earlier.who == who) {
                let problem = Problem::error(item.span, "the same subject is given a stage twice");
                self.problems.push(problem.label("again here").related(spans[first], "first here"));
                continue;
            }
            self.can_set(feature, to, "an override can set it");
            given.push(Override { who, to });
            spans.push(item.span);
        }
        given
    }

    fn who(&mut self, item: &Place<'a>) -> Option<Who> {
        let population = &self.estate.population;
        let tenants = u64::from(population.tenants);
        let users = tenants * u64::from(population.users_per_tenant);
        let (place, what, count) = match item.key("tenant").is_given() {
            true => (item.key("tenant"), "tenant", tenants),
            false => (item.key("user"), "user", users),
        };
        let number = quantity::integer(place.text()?, 0..=u64::MAX).ok()?;
        if number >= count {
            let message = format!("there is no {what} {number}");
            self.error(place.span, message, format!("expected 0 to {}", count - 1));
            return None;
        }
        match what {
            "tenant" => u32::try_from(number).ok().map(Who::Tenant),
            _ => Some(Who::User(number)),
        }
    }

    /// What a rollout says once for all its steps.
    pub(super) fn assignment(&mut self, feature: FeatureId, place: &Place<'a>, steps: &mut [Step]) {
        let redraws = place.key("assignment").key("on_restart").text() == Some("redraw");
        for step in &mut *steps {
            step.redraws = redraws;
        }
        let standing = self.overrides(feature, 0, &place.key("overrides"));
        if let Some(first) = steps.first_mut() {
            let named = |of: &Override| first.overrides.iter().any(|given| given.who == of.who);
            let more: Vec<Override> = standing.into_iter().filter(|given| !named(given)).collect();
            first.overrides.extend(more);
        }
    }
}
