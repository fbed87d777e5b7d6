//! Rules: who may have which credential, as people have set it.
//!
//! A rule has an effect, a match (whom it is about), a target (which credentials) and a priority.
//! [`RuleSet`] holds them compiled; [`RuleSet::guide`] says what they come to for one request, and
//! [`crate::allocation::decide`] follows it: deny before bind before prefer. A rule never breaks an
//! allocation that stands.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::account::ACCOUNT_KEY_BYTES;
use crate::credential::{Candidate, Shelf};
use crate::invalid::{SHORT_TEXT, check_text};
use crate::{AccountKey, ApiId, GroupId, Invalid, MemberLevel, Timestamp};

/// The most rules that a tenant may have: each is looked at by every allocation.
pub const MAX_RULES: usize = 1_000;

/// What a rule does for the callers that it matches.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Effect {
    /// Takes its target out of the choice; without a target, refuses the caller.
    Deny,
    /// Reserves its target: nobody gets it but callers that some live allow matches.
    Allow,
    /// The target, or a refusal.
    Bind,
    /// Ranks the target first.
    Prefer,
}

/// Which credentials a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The credential with this `api_id`.
    ApiId(ApiId),
    /// All of a group.
    Group(GroupId),
}

impl Target {
    /// Whether a credential of `group` is one of these. `api_id` is `None` for a whole shelf.
    fn covers(&self, group: Option<&GroupId>, api_id: Option<ApiId>) -> bool {
        match self {
            Self::ApiId(target) => api_id == Some(*target),
            Self::Group(target) => group == Some(target),
        }
    }
}

/// Whom a rule is about; what is absent matches everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// The account's key, where `*` stands for any text and `?` for one character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Who asks, `svc:chat` or `user:ann`, with the same wildcards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The client's address, or its network: `203.0.113.0/24`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// One of these levels, by comma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The id of the group that the request asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// What a person says of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleDraft {
    /// Unique in the tenant; `strategy_used` shows it.
    pub name: String,
    /// What it does.
    pub effect: Effect,
    /// Whom it is about.
    pub matcher: Match,
    /// Which credentials.
    pub target: Option<Target>,
    /// Higher goes first.
    pub priority: i64,
    /// Switched off, it does nothing.
    pub enabled: bool,
    /// It does nothing from then on.
    pub expires_at: Option<Timestamp>,
}

impl RuleDraft {
    /// Everything that is wrong with it. Whether the groups that it names exist is the store's to say.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        invalid.require(!self.name.trim().is_empty(), "name", "is required");
        check_text(&mut invalid, "name", &self.name, SHORT_TEXT);
        let within = (-1_000_000..=1_000_000).contains(&self.priority);
        invalid.require(within, "priority", "must be between -1000000 and 1000000");
        if self.target.is_none() && self.effect != Effect::Deny {
            invalid.add("target", format!("is required for {}", self.effect));
        }
        if let Some(Target::Group(group)) = &self.target {
            invalid.require(group.is_plausible(), "target.group_id", "is not one of the groups");
        }
        if let Err(more) = Matcher::compile(&self.matcher) {
            invalid.fields.extend(more.fields);
        }
        invalid.into_result()
    }
}

/// A [`Match`], compiled.
#[derive(Clone, Debug)]
struct Matcher {
    account: Option<WildMatch>,
    operator: Option<WildMatch>,
    ip: Option<IpNet>,
    levels: Vec<MemberLevel>,
    group: Option<GroupId>,
}

impl Matcher {
    fn compile(matcher: &Match) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let patterns = [("match.account", &matcher.account), ("match.operator", &matcher.operator)];
        for (field, pattern) in patterns.into_iter().filter_map(|(field, p)| Some((field, p.as_ref()?))) {
            invalid.require(!pattern.is_empty(), field, "must not be empty; leave it out to match everybody");
            invalid.require(pattern.len() <= ACCOUNT_KEY_BYTES, field, "must be at most 128 bytes");
            check_text(&mut invalid, field, pattern, SHORT_TEXT);
        }
        let ip = matcher.ip.as_deref().and_then(network);
        invalid.require(
            ip.is_some() || matcher.ip.is_none(),
            "match.ip",
            "must be an address or a network, like 203.0.113.0/24",
        );
        let words = || matcher.level.iter().flat_map(|levels| levels.split(','));
        let levels: Vec<MemberLevel> = words().filter_map(|level| level.trim().parse().ok()).collect();
        invalid.require(levels.len() == words().count(), "match.level", "must be levels by comma, like gold,diamond");
        let group = matcher.group.as_deref().map(GroupId::from);
        invalid.require(group.as_ref().is_none_or(GroupId::is_plausible), "match.group", "is not one of the groups");
        invalid.into_result()?;
        let pattern = |text: &Option<String>| text.as_deref().map(WildMatch::new);
        Ok(Self {
            account: pattern(&matcher.account),
            operator: pattern(&matcher.operator),
            // An address of the network stands for it: 10.0.0.7/8 means 10.0.0.0/8.
            ip: ip.map(|net| net.trunc()),
            levels,
            group,
        })
    }

    fn matches(&self, who: &Caller<'_>) -> bool {
        let fits = |pattern: &Option<WildMatch>, text: &str| pattern.as_ref().is_none_or(|p| p.matches(text));
        fits(&self.account, who.account.as_str())
            && fits(&self.operator, who.operator)
            && self.ip.as_ref().is_none_or(|net| who.ip.is_some_and(|ip| net.contains(&ip.to_canonical())))
            && (self.levels.is_empty() || self.levels.contains(&who.level))
            && (self.group.is_none() || self.group.as_ref() == who.group)
    }
}

/// An address or a network. IPv4 is written as such: callers' addresses are, too.
fn network(text: &str) -> Option<IpNet> {
    let is_mapped =
        |net: &IpNet| matches!(net, IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.addr().to_ipv4_mapped().is_some());
    match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address.to_canonical())),
        Err(_) => text.parse().ok().filter(|net| !is_mapped(net)),
    }
}

/// What rules look at.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The account's key.
    pub account: &'a AccountKey,
    /// Who asks: `svc:<product>`, `user:<name>`.
    pub operator: &'a str,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The level that counts.
    pub level: MemberLevel,
    /// The group that is asked for.
    pub group: Option<&'a GroupId>,
}

#[derive(Clone, Debug)]
struct Compiled {
    name: String,
    effect: Effect,
    matcher: Matcher,
    target: Option<Target>,
    expires_at: Option<Timestamp>,
}

/// A tenant's rules, compiled, in the order in which they go.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Compiled>,
}

impl RuleSet {
    /// Of enabled rules, given with their ids: higher priority first, then the older one. One that
    /// can't be read is left out; a draft that was checked can.
    pub fn new(drafts: impl IntoIterator<Item = (String, RuleDraft)>) -> Self {
        let mut drafts: Vec<_> = drafts.into_iter().filter(|(_, draft)| draft.enabled).collect();
        drafts.sort_by(|(a, x), (b, y)| y.priority.cmp(&x.priority).then_with(|| a.cmp(b)));
        let compile = |(_, draft): (String, RuleDraft)| {
            Some(Compiled {
                matcher: Matcher::compile(&draft.matcher).ok()?,
                name: draft.name,
                effect: draft.effect,
                target: draft.target,
                expires_at: draft.expires_at,
            })
        };
        Self { rules: drafts.into_iter().filter_map(compile).collect() }
    }

    /// Every `api_id` that some rule names.
    pub fn named(&self) -> impl Iterator<Item = ApiId> + '_ {
        self.rules.iter().filter_map(|rule| match rule.target {
            Some(Target::ApiId(api_id)) => Some(api_id),
            _ => None,
        })
    }

    /// What the rules that live at `now` come to for one caller.
    pub fn guide(&self, who: &Caller<'_>, now: Timestamp) -> Guidance {
        let mut guidance = Guidance::default();
        for rule in self.rules.iter().filter(|rule| rule.expires_at.is_none_or(|end| end > now)) {
            let matched = rule.matcher.matches(who);
            match (rule.effect, &rule.target) {
                (Effect::Allow, Some(target)) => guidance.reserved.push((target.clone(), matched)),
                _ if !matched => {}
                (Effect::Deny, None) => _ = guidance.denied_by.get_or_insert_with(|| rule.name.clone()),
                (Effect::Deny, Some(target)) => guidance.barred.push(target.clone()),
                (Effect::Bind, Some(target)) => {
                    guidance.bound.get_or_insert_with(|| (rule.name.clone(), target.clone()));
                }
                (Effect::Prefer, Some(target)) => guidance.preferred.push((rule.name.clone(), target.clone())),
                // A draft without its target does not pass its check.
                (Effect::Allow | Effect::Bind | Effect::Prefer, None) => {}
            }
        }
        guidance
    }
}

/// What the rules come to for one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guidance {
    /// The rule that refuses the caller altogether.
    pub denied_by: Option<String>,
    barred: Vec<Target>,
    /// Targets of live allows, and whether the caller is one of those they are for.
    reserved: Vec<(Target, bool)>,
    bound: Option<(String, Target)>,
    preferred: Vec<(String, Target)>,
}

impl Guidance {
    /// Whether no rule says anything about which credential the caller gets.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the caller may have this credential.
    pub fn permits(&self, candidate: &Candidate) -> bool {
        self.open(candidate.shelf.group.as_ref(), Some(candidate.api_id))
    }

    /// Whether the caller may have what stands on this shelf, but for credentials that a rule names.
    pub fn permits_shelf(&self, place: &Shelf) -> bool {
        self.open(place.group.as_ref(), None)
    }

    /// Whether the caller may have a credential of this shelf with this `api_id`.
    pub fn permits_named(&self, place: &Shelf, api_id: ApiId) -> bool {
        self.open(place.group.as_ref(), Some(api_id))
    }

    fn open(&self, group: Option<&GroupId>, api_id: Option<ApiId>) -> bool {
        let covers = |target: &Target| target.covers(group, api_id);
        let mut allows = self.reserved.iter().filter(|(target, _)| covers(target)).peekable();
        let reserved_for_others = allows.peek().is_some() && !allows.any(|(_, for_me)| *for_me);
        !self.barred.iter().any(covers)
            && !reserved_for_others
            && self.bound.as_ref().is_none_or(|(_, target)| covers(target))
    }

    /// The place among the preferred; lower goes first.
    pub fn preference(&self, candidate: &Candidate) -> usize {
        let covers = |target: &Target| target.covers(candidate.shelf.group.as_ref(), Some(candidate.api_id));
        self.preferred.iter().position(|(_, target)| covers(target)).unwrap_or(self.preferred.len())
    }

    /// The rule that ranks a credential first.
    pub fn preferred_by(&self, candidate: &Candidate) -> Option<&str> {
        self.preferred.get(self.preference(candidate)).map(|(name, _)| name.as_str())
    }

    /// The rule by which a credential that was ranked first got there.
    pub fn chosen_by(&self, candidate: &Candidate) -> Option<&str> {
        let bound = self.bound.as_ref().map(|(name, _)| name.as_str());
        bound.or_else(|| self.preferred_by(candidate))
    }

    /// Credentials that may be chosen though nothing else of their shelf may, or that go first.
    pub fn named(&self) -> impl Iterator<Item = ApiId> + '_ {
        let admitted = self.reserved.iter().filter(|(_, for_me)| *for_me).map(|(target, _)| target);
        let led = self.bound.iter().chain(&self.preferred).map(|(_, target)| target);
        admitted.chain(led).filter_map(|target| match target {
            Target::ApiId(api_id) => Some(*api_id),
            Target::Group(_) => None,
        })
    }
}

#[cfg(test)]
mod tests;
