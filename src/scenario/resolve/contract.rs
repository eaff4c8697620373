//! Contracts: which paths belong together, which moments must coincide.

use super::Draft;
use super::place::Place;
use crate::models::estate::Names;
use crate::rollout::FeatureId;
use crate::rollout::feature::{Contract, ContractRow, MomentRule};
use crate::scenario::problem::Span;
use crate::units::SimDuration;

impl<'a> Draft<'a> {
    /// Reads what features say of contexts, effects, paths and moments, which are known by now.
    pub(super) fn contracts(&mut self, features: &Place<'a>) {
        for (entry, place) in features.named() {
            let Some(id) = self.estate.feature_named(entry.name()) else { continue };
            self.when_unknown(id, &place.key("when_unknown"));
            let contract = place.key("contract");
            let paths = contract.key("paths").items().iter().filter_map(|row| self.row(id, row)).collect();
            let moments = contract.key("moments").named();
            let moments =
                moments.iter().filter_map(|(entry, place)| self.moment(id, entry.name(), entry.key.span, place));
            let moments = moments.collect();
            self.estate.features[id].contract = Contract { paths, moments };
        }
    }

    fn row(&mut self, feature: FeatureId, place: &Place<'a>) -> Option<ContractRow> {
        let from_place = place.key("from");
        let from = from_place.text().and_then(|name| self.stage(feature, name, from_place.span));
        let mut paths = Vec::new();
        for (entry, value) in place.named() {
            if entry.name() == "from" {
                continue;
            }
            let effect = self.used(entry.name(), entry.key.span, "effect", |draft| &draft.estate.effects);
            let path = value.text().and_then(|path| self.used(path, value.span, "path", |draft| &draft.estate.paths));
            paths.extend(effect.zip(path));
        }
        if paths.is_empty() && place.node.and_then(crate::scenario::tree::Node::as_map).is_some_and(|map| map.len() < 2)
        {
            self.error(
                place.span,
                "a row of a contract without effects",
                "expected effects and their paths: { clear: new }",
            );
        }
        Some(ContractRow { from: from?, paths })
    }

    fn moment(&mut self, feature: FeatureId, name: &str, span: Span, place: &Place<'a>) -> Option<MomentRule> {
        let moment = self.used(name, span, "moment", |draft| &draft.estate.moments);
        let authority = place.key("authority");
        let named = authority.text();
        let authority =
            named.and_then(|name| self.used(name, authority.span, "context", |draft| &draft.estate.contexts));
        let tolerance = self.maybe_duration(&place.key("tolerance")).unwrap_or(SimDuration::ZERO);
        let since = place.key("since");
        let since = since.text().and_then(|name| self.stage(feature, name, since.span));
        Some(MomentRule { moment: moment?, authority, tolerance, since })
    }

    /// A name that is declared by being used somewhere in the estate, or a problem.
    fn used(&mut self, name: &str, span: Span, what: &str, names: fn(&Self) -> &Names) -> Option<u16> {
        let found = names(self).find(name);
        if found.is_none() {
            let valid: Vec<String> = names(self).iter().map(str::to_owned).collect();
            self.unknown(span, what, name, valid.iter().map(String::as_str));
        }
        found
    }
}
