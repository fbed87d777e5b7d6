//! The choice against a slow model that is written from the design's words, on random worlds and what
//! happens in them.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;
use proptest::strategy::Strategy as Random;
use strum::IntoEnumIterator;

use super::super::explain::explain;
use super::*;
use crate::rule::{Caller, Effect, Match, RuleDraft, RuleSet, Target};

/// Who may not have it and why, in the order in which reasons count.
fn out_of_choice(card: &Candidate, request: &Asked, now: i64) -> Option<Reason> {
    let cooling = match card.cooldown_until {
        Some(until) => until.millis() > now,
        None => false,
    };
    let too_low = (request.level as u8) < (card.shelf.min_level as u8);
    let other_group = match (&request.group, &card.shelf.group) {
        (None, _) => false,
        (Some(asked), Some(its)) => asked != its,
        (Some(_), None) => true,
    };
    [
        (other_group, Reason::Group),
        (card.standing == Standing::Banned, Reason::Banned),
        (card.standing == Standing::Disabled, Reason::Disabled),
        (cooling, Reason::Cooling),
        (too_low, Reason::Level),
        (forbidden(card, request, now), Reason::Rule),
    ]
    .into_iter()
    .find_map(|(holds, reason)| holds.then_some(reason))
}

/// A request, and the rules in the order in which they go.
#[derive(Clone, Debug)]
struct Asked {
    request: Request,
    rules: Vec<RuleDraft>,
}

impl std::ops::Deref for Asked {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}

const EVERYBODY: &str = "*";
const SOMEBODY_ELSE: &str = "chatx:*";

/// The live rules with this effect, and whether they match the caller.
fn live(asked: &Asked, effect: Effect, now: i64) -> Vec<(&RuleDraft, bool)> {
    let rules = asked.rules.iter().filter(|r| r.effect == effect && r.enabled);
    let live = rules.filter(|r| r.expires_at.is_none_or(|end| end.millis() > now));
    live.map(|r| (r, r.matcher.account.as_deref() != Some(SOMEBODY_ELSE))).collect()
}

fn matching(asked: &Asked, effect: Effect, now: i64) -> Vec<&RuleDraft> {
    live(asked, effect, now).into_iter().filter_map(|(rule, matched)| matched.then_some(rule)).collect()
}

fn is_about(rule: &RuleDraft, card: &Candidate) -> bool {
    match &rule.target {
        Some(Target::ApiId(id)) => card.api_id == *id,
        Some(Target::Group(group)) => card.shelf.group.as_ref() == Some(group),
        None => false,
    }
}

fn forbidden(card: &Candidate, asked: &Asked, now: i64) -> bool {
    let denied = matching(asked, Effect::Deny, now).iter().any(|r| is_about(r, card));
    let allows: Vec<_> = live(asked, Effect::Allow, now).into_iter().filter(|(r, _)| is_about(r, card)).collect();
    let reserved = !allows.is_empty() && allows.iter().all(|(_, matched)| !matched);
    let elsewhere = matching(asked, Effect::Bind, now).first().is_some_and(|r| !is_about(r, card));
    denied || reserved || elsewhere
}

/// The best by throwing out whoever is beaten, one rule after the other.
fn best_of<'a>(mut left: Vec<&'a Candidate>, request: &Asked, now: i64) -> Option<&'a Candidate> {
    let keep = |left: &mut Vec<&'a Candidate>, beaten: &dyn Fn(&Candidate, &Candidate) -> bool| {
        let all = left.clone();
        left.retain(|mine| !all.iter().any(|other| beaten(mine, other)));
    };
    for rule in matching(request, Effect::Prefer, now) {
        keep(&mut left, &|mine, other| !is_about(rule, mine) && is_about(rule, other));
    }
    if request.level as u8 >= MemberLevel::Gold as u8 {
        keep(&mut left, &|mine, other| !mine.shelf.is_premium && other.shelf.is_premium);
    }
    keep(&mut left, &|mine, other| other.priority > mine.priority);
    let never = |c: &Candidate| c.last_allocated_at.is_none();
    match request.strategy {
        Strategy::Balanced => {}
        Strategy::SuccessRate => keep(&mut left, &|mine, other| other.success_score > mine.success_score),
        Strategy::LeastFailures => keep(&mut left, &|mine, other| other.recent_failures < mine.recent_failures),
        Strategy::RoundRobin => keep(&mut left, &|mine, other| {
            (never(other) && !never(mine)) || (!never(other) && other.last_allocated_at < mine.last_allocated_at)
        }),
        Strategy::Health => keep(&mut left, &|mine, other| other.health_score > mine.health_score),
    }
    // a/b < c/d
    let fuller = |mine: &Candidate, other: &Candidate| {
        other.current_accounts * mine.max_accounts < mine.current_accounts * other.max_accounts
    };
    keep(&mut left, &fuller);
    keep(&mut left, &|mine, other| other.id.as_str() < mine.id.as_str());
    left.pop()
}

/// The decision by the design's words. Shares of slots are read before anything is given back.
fn by_the_book(request: &Asked, me: &AccountView, cards: &[Candidate], now: i64) -> Result<Decision, Refusal> {
    let card_of = |id: &CredentialId| cards.iter().find(|c| c.id == *id);
    let expired = |h: &Holding| matches!(h.expires_at, Some(end) if end.millis() <= now);
    if let Some(mine) = me.holding.as_ref().filter(|h| !expired(h) && !request.fresh) {
        let card = card_of(&mine.credential).unwrap();
        return match request.pinned {
            Some(other) if other != card.api_id => Err(Refusal::PinnedUnavailable(PinnedProblem::HoldsAnother)),
            _ if card.standing == Standing::Banned => Err(Refusal::CredentialBanned),
            _ => Ok(Decision::Existing(mine.credential.clone())),
        };
    }
    if let Some(rule) = matching(request, Effect::Deny, now).into_iter().find(|r| r.target.is_none()) {
        return Err(Refusal::DeniedByRule(rule.name.clone()));
    }
    let refusal = |until| Err(Refusal::AccountUnavailable { state: me.state, until });
    if me.state != AccountState::Active {
        return refusal(None);
    }
    if let Some(until) = me.cooldown_until.filter(|until| until.millis() > now) {
        return refusal(Some(until));
    }
    // Whatever it still holds here has expired or is given back.
    let room = |c: &Candidate| {
        let others = c.current_accounts - i64::from(me.holding.as_ref().is_some_and(|h| h.credential == c.id));
        others < c.max_accounts
    };
    let good = |c: &&Candidate| out_of_choice(c, request, now).is_none() && room(c);
    if let Some(wanted) = request.pinned {
        let problem = match cards.iter().find(|c| c.api_id == wanted) {
            None => PinnedProblem::Unknown,
            Some(card) => match out_of_choice(card, request, now) {
                Some(reason) => PinnedProblem::Rejected(reason),
                None if !room(card) => PinnedProblem::Full,
                None => return bind(card, Via::Manual),
            },
        };
        return Err(Refusal::PinnedUnavailable(problem));
    }
    if !request.fresh {
        let before = me.holding.as_ref().map(|h| &h.credential).or(me.former.as_ref());
        if let Some(card) = before.and_then(card_of).filter(good) {
            return bind(card, Via::Affinity);
        }
    }
    let best = best_of(cards.iter().filter(good).collect(), request, now).ok_or(Refusal::Exhausted)?;
    let preferred = matching(request, Effect::Prefer, now).into_iter().find(|r| is_about(r, best));
    match matching(request, Effect::Bind, now).first().copied().or(preferred) {
        Some(rule) => bind(best, Via::Rule(rule.name.clone())),
        None => bind(best, Via::Strategy(request.strategy)),
    }
}

/// What an exhausted pool comes down to, by looking at every credential.
fn told(request: &Asked, cards: &[Candidate], now: i64) -> Exhausted {
    let reasons: Vec<_> = cards.iter().map(|c| out_of_choice(c, request, now)).collect();
    if reasons.contains(&None) {
        return Exhausted::Full;
    }
    let count = |reason| reasons.iter().filter(|r| **r == Some(reason)).count() as i64;
    Exhausted::NoneEligible(Reason::iter().map(|r| (r, count(r))).filter(|(_, n)| *n > 0).collect())
}

// ---- random worlds ---------------------------------------------------------------------------

#[derive(Clone, Debug)]
struct World {
    cards: Vec<Candidate>,
    accounts: Vec<AccountView>,
    now: i64,
}

#[derive(Clone, Debug)]
enum Step {
    Ask(usize, Box<Asked>),
    Release(usize),
    Wait(i64),
    Judge(usize, Standing),
    Cool(usize, i64),
    Resize(usize, i64),
    Account(usize, AccountState, i64),
    Lapse,
}

const ACCOUNTS: usize = 8;

fn group() -> impl Random<Value = Option<GroupId>> {
    prop_oneof![3 => Just(None), 1 => Just(Some("north".into())), 1 => Just(Some("south".into()))]
}

fn level() -> impl Random<Value = MemberLevel> {
    prop_oneof![
        3 => Just(MemberLevel::Free),
        1 => select(MemberLevel::iter().collect::<Vec<_>>()),
    ]
}

fn strategy() -> impl Random<Value = Strategy> {
    select(Strategy::iter().collect::<Vec<_>>())
}

fn standing() -> impl Random<Value = Standing> {
    prop_oneof![5 => Just(Standing::Enabled), 1 => Just(Standing::Disabled), 1 => Just(Standing::Banned)]
}

/// Few distinct values, so that ties are common.
fn any_card(number: i64) -> impl Random<Value = Candidate> {
    let place = (group(), prop::bool::weighted(0.3), level());
    let slots = (1..4_i64, 0..4_i64, 0..3_i64, prop::option::weighted(0.2, -5..5_i64));
    let merit = (0..3_i64, 0..3_i64, 0..3_i64, prop::option::of(0..3_i64));
    (standing(), place, slots, merit).prop_map(move |(standing, place, slots, merit)| Candidate {
        standing,
        shelf: Shelf { group: place.0, is_premium: place.1, min_level: place.2 },
        max_accounts: slots.0,
        current_accounts: slots.1,
        priority: slots.2,
        cooldown_until: slots.3.map(|after| at(NOW + after)),
        success_score: merit.0,
        recent_failures: merit.1,
        health_score: merit.2,
        last_allocated_at: merit.3.map(|before| at(NOW - 10 + before)),
        ..card(number)
    })
}

fn worlds() -> impl Random<Value = World> {
    (1..=12_i64).prop_flat_map(|count| (0..count).map(any_card).collect::<Vec<_>>()).prop_map(|cards| World {
        cards,
        accounts: vec![AccountView::default(); ACCOUNTS],
        now: NOW,
    })
}

fn any_request() -> impl Random<Value = Request> {
    let pinned = prop::option::weighted(0.15, (1..14_i64).prop_map(api_id));
    let fresh = prop::bool::weighted(0.2);
    let ttl = prop::option::weighted(0.3, 1..6_i64);
    (strategy(), group(), pinned, level(), fresh, ttl).prop_map(
        |(strategy, group, pinned, level, fresh, ttl_millis)| Request {
            strategy,
            group,
            pinned,
            level,
            fresh,
            ttl_millis,
            ..ask()
        },
    )
}

fn any_rule(number: usize) -> impl Random<Value = RuleDraft> {
    let target = prop_oneof![
        1 => Just(None),
        2 => (1..14_i64).prop_map(|id| Some(Target::ApiId(api_id(id)))),
        2 => group().prop_map(|group| group.map(Target::Group)),
    ];
    let effect = select(Effect::iter().collect::<Vec<_>>());
    let ends = prop::option::weighted(0.2, -3..20_i64);
    (effect, target, prop::bool::weighted(0.6), 0..3_i64, prop::bool::weighted(0.9), ends).prop_map(
        move |(effect, target, matches, priority, enabled, ends)| RuleDraft {
            // A deny without a target stops everything: now and then is enough.
            effect: if target.is_none() && (effect != Effect::Deny || priority > 0) { Effect::Prefer } else { effect },
            name: format!("rule {number}"),
            matcher: Match {
                account: Some(if matches { EVERYBODY } else { SOMEBODY_ELSE }.to_owned()),
                ..Match::default()
            },
            target,
            priority,
            enabled,
            expires_at: ends.map(|end| at(NOW + end)),
        },
    )
}

/// A request with up to four rules; many have none.
fn any_asked() -> impl Random<Value = Asked> {
    let rules = prop_oneof![
        2 => Just(Vec::new()),
        3 => (1..=4_usize).prop_flat_map(|count| (0..count).map(any_rule).collect::<Vec<_>>()),
    ];
    (any_request(), rules).prop_map(|(request, mut rules)| {
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
        Asked { request, rules }
    })
}

/// The request with what the rules come to.
fn guided(asked: &Asked, now: i64) -> Request {
    let numbered = asked.rules.iter().enumerate().map(|(number, rule)| (format!("{number:02}"), rule.clone()));
    let who = Caller {
        account: &asked.account,
        operator: "svc:chat",
        ip: None,
        level: asked.level,
        group: asked.group.as_ref(),
    };
    Request { guidance: RuleSet::new(numbered).guide(&who, at(now)), ..asked.request.clone() }
}

fn steps() -> impl Random<Value = Vec<Step>> {
    let who = || 0..ACCOUNTS;
    let which = || 0..12_usize;
    let state = select(vec![AccountState::Active, AccountState::Active, AccountState::Frozen, AccountState::Retired]);
    let step = prop_oneof![
        12 => (who(), any_asked()).prop_map(|(who, asked)| Step::Ask(who, Box::new(asked))),
        3 => who().prop_map(Step::Release),
        3 => (1..5_i64).prop_map(Step::Wait),
        1 => (which(), standing()).prop_map(|(card, standing)| Step::Judge(card, standing)),
        1 => (which(), 1..6_i64).prop_map(|(card, millis)| Step::Cool(card, millis)),
        1 => (which(), 1..5_i64).prop_map(|(card, slots)| Step::Resize(card, slots)),
        1 => (who(), state, -3..6_i64).prop_map(|(who, state, millis)| Step::Account(who, state, millis)),
        1 => Just(Step::Lapse),
    ];
    vec(step, 1..60)
}

impl World {
    fn card(&mut self, id: &CredentialId) -> &mut Candidate {
        self.cards.iter_mut().find(|c| c.id == *id).unwrap()
    }

    fn release(&mut self, who: usize) {
        if let Some(Holding { credential, .. }) = self.accounts[who].holding.take() {
            self.card(&credential).current_accounts -= 1;
            self.accounts[who].former = Some(credential);
        }
    }

    fn take(&mut self, who: usize, credential: CredentialId, ttl: Option<i64>) {
        self.release(who);
        let now = self.now;
        let card = self.card(&credential);
        card.current_accounts += 1;
        card.last_allocated_at = Some(at(now));
        assert!(card.current_accounts <= card.max_accounts, "over capacity: {card:?}");
        self.accounts[who].holding = Some(Holding { credential, expires_at: ttl.map(|ttl| at(now + ttl)) });
    }

    fn apply(&mut self, step: &Step) {
        let (now, count) = (self.now, self.cards.len());
        match *step {
            Step::Ask(..) => {}
            Step::Release(who) => self.release(who),
            Step::Wait(millis) => self.now += millis,
            Step::Judge(card, standing) => self.cards[card % count].standing = standing,
            Step::Cool(card, millis) => self.cards[card % count].cooldown_until = Some(at(now + millis)),
            Step::Resize(card, slots) => self.cards[card % count].max_accounts = slots,
            Step::Account(who, state, millis) => {
                self.accounts[who].state = state;
                self.accounts[who].cooldown_until = Some(at(now + millis));
            }
            Step::Lapse => {
                for who in 0..ACCOUNTS {
                    if self.accounts[who].holding.as_ref().is_some_and(|h| h.is_expired(at(now))) {
                        self.release(who);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_is_by_the_book(mut world in worlds(), steps in steps()) {
        for step in steps {
            let Step::Ask(who, asked) = &step else {
                world.apply(&step);
                continue;
            };
            let me = world.accounts[*who].clone();
            let request = &guided(asked, world.now);
            let expected = by_the_book(asked, &me, &world.cards, world.now);
            let decided = decide(request, &me, &Everything(&world.cards), at(world.now));
            prop_assert_eq!(&decided, &expected, "{:?} {:?}\n{:#?}", request, me, world);

            let census = census(&world.cards, world.now);
            let told_by_census = census.refusal(request);
            prop_assert_eq!(&told_by_census, &told(asked, &world.cards, world.now));

            let preview = explain(request, &me, &Everything(&world.cards), &census, at(world.now));
            prop_assert_eq!(&preview.outcome, &decided);
            let shown: HashSet<&CredentialId> = preview.candidates.iter().map(|c| &c.id).collect();
            prop_assert_eq!(shown.len(), preview.candidates.len());
            match &decided {
                Ok(Decision::Bind { credential, via: Via::Strategy(_) | Via::Rule(_) }) => {
                    prop_assert_eq!(&preview.candidates[0].id, credential);
                }
                Err(Refusal::Exhausted) => prop_assert!(preview.candidates.is_empty()),
                _ => {}
            }
            if let Ok(Decision::Bind { credential, .. }) = decided {
                world.take(*who, credential, request.ttl_millis);
            }
        }
    }
}
