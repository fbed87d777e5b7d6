//! The choice against a slow model that is written from the design's words, and each of the
//! design's rules by an example.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;
use proptest::strategy::Strategy as Random;
use strum::IntoEnumIterator;

use super::explain::{SHOWN, explain};
use super::*;
use crate::credential::Shelf;

const NOW: i64 = 1_700_000_000_000;

/// A pool that offers all it has.
struct Everything<'a>(&'a [Candidate]);

impl Pool for Everything<'_> {
    fn get(&self, id: &CredentialId) -> Option<&Candidate> {
        self.0.iter().find(|c| c.id == *id)
    }

    fn by_api_id(&self, api_id: ApiId) -> Option<&Candidate> {
        self.0.iter().find(|c| c.api_id == api_id)
    }

    fn candidates<'a>(&'a self, _: &Request) -> Box<dyn Iterator<Item = &'a Candidate> + 'a> {
        Box::new(self.0.iter())
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn api_id(number: i64) -> ApiId {
    ApiId::new(number).unwrap()
}

/// Something done to a credential.
type Change = fn(&mut Candidate);

/// An enabled credential with five slots, all free.
fn card(number: i64) -> Candidate {
    Candidate {
        id: CredentialId::from(format!("c{number:02}")),
        api_id: api_id(number + 1),
        standing: Standing::Enabled,
        shelf: Shelf { group: None, is_premium: false, min_level: MemberLevel::Free },
        priority: 0,
        max_accounts: 5,
        current_accounts: 0,
        cooldown_until: None,
        success_score: 950_000,
        recent_failures: 0,
        health_score: 100,
        last_allocated_at: None,
    }
}

fn cards<const N: usize>(change: impl Fn(i64, &mut Candidate)) -> [Candidate; N] {
    std::array::from_fn(|number| {
        let mut card = card(number as i64);
        change(number as i64, &mut card);
        card
    })
}

fn ask() -> Request {
    Request {
        account: AccountKey::stored("+86138".to_owned()),
        strategy: Strategy::Balanced,
        group: None,
        pinned: None,
        level: MemberLevel::Free,
        fresh: false,
        ttl_millis: None,
    }
}

fn holds(card: &Candidate) -> AccountView {
    let holding = Holding { credential: card.id.clone(), expires_at: None };
    AccountView { holding: Some(holding), ..AccountView::default() }
}

fn leases(card: &Candidate, ends: i64) -> AccountView {
    let holding = Holding { credential: card.id.clone(), expires_at: Some(at(ends)) };
    AccountView { holding: Some(holding), ..AccountView::default() }
}

fn held(card: &Candidate) -> AccountView {
    AccountView { former: Some(card.id.clone()), ..AccountView::default() }
}

fn choose(request: &Request, account: &AccountView, cards: &[Candidate]) -> Result<Decision, Refusal> {
    decide(request, account, &Everything(cards), at(NOW))
}

#[allow(clippy::unnecessary_wraps, reason = "it is compared with what `decide` answers")]
fn bind(card: &Candidate, via: Via) -> Result<Decision, Refusal> {
    Ok(Decision::Bind { credential: card.id.clone(), via })
}

fn ranked(card: &Candidate) -> Result<Decision, Refusal> {
    bind(card, Via::Strategy(Strategy::Balanced))
}

fn census(cards: &[Candidate], now: i64) -> Census {
    let line = |c: &Candidate| CensusLine {
        shelf: c.shelf.clone(),
        standing: c.standing,
        cooling: c.cooldown_until.is_some_and(|until| until.millis() > now),
        count: 1,
    };
    Census { lines: cards.iter().map(line).collect() }
}

// ---- the model -------------------------------------------------------------------------------

/// Who may not have it and why, in the order in which reasons count.
fn out_of_choice(card: &Candidate, request: &Request, now: i64) -> Option<Reason> {
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
    ]
    .into_iter()
    .find_map(|(holds, reason)| holds.then_some(reason))
}

/// The best by throwing out whoever is beaten, one rule after the other.
fn best_of<'a>(mut left: Vec<&'a Candidate>, request: &Request) -> Option<&'a Candidate> {
    let keep = |left: &mut Vec<&'a Candidate>, beaten: &dyn Fn(&Candidate, &Candidate) -> bool| {
        let all = left.clone();
        left.retain(|mine| !all.iter().any(|other| beaten(mine, other)));
    };
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
fn by_the_book(request: &Request, me: &AccountView, cards: &[Candidate], now: i64) -> Result<Decision, Refusal> {
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
    let best = best_of(cards.iter().filter(good).collect(), request).ok_or(Refusal::Exhausted)?;
    bind(best, Via::Strategy(request.strategy))
}

/// What an exhausted pool comes down to, by looking at every credential.
fn told(request: &Request, cards: &[Candidate], now: i64) -> Exhausted {
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
    Ask(usize, Request),
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

fn steps() -> impl Random<Value = Vec<Step>> {
    let who = || 0..ACCOUNTS;
    let which = || 0..12_usize;
    let state = select(vec![AccountState::Active, AccountState::Active, AccountState::Frozen, AccountState::Retired]);
    let step = prop_oneof![
        12 => (who(), any_request()).prop_map(|(who, request)| Step::Ask(who, request)),
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
            let Step::Ask(who, request) = &step else {
                world.apply(&step);
                continue;
            };
            let me = world.accounts[*who].clone();
            let expected = by_the_book(request, &me, &world.cards, world.now);
            let decided = decide(request, &me, &Everything(&world.cards), at(world.now));
            prop_assert_eq!(&decided, &expected, "{:?} {:?}\n{:#?}", request, me, world);

            let census = census(&world.cards, world.now);
            let told_by_census = census.refusal(request);
            prop_assert_eq!(&told_by_census, &told(request, &world.cards, world.now));

            let preview = explain(request, &me, &Everything(&world.cards), &census, at(world.now));
            prop_assert_eq!(&preview.outcome, &decided);
            match &decided {
                Ok(Decision::Bind { credential, via: Via::Strategy(_) }) => {
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

// ---- sticky ----------------------------------------------------------------------------------

#[test]
fn an_account_keeps_its_credential_whatever_speaks_against_it() {
    let spoils: [Change; 6] = [
        |c| c.standing = Standing::Disabled,
        |c| c.cooldown_until = Some(at(NOW + 1)),
        |c| c.current_accounts = c.max_accounts,
        |c| (c.max_accounts, c.current_accounts) = (1, 4),
        |c| c.shelf.min_level = MemberLevel::King,
        |c| c.shelf.group = Some("elsewhere".into()),
    ];
    for spoil in spoils {
        let cards = cards::<2>(|number, c| {
            if number == 0 {
                spoil(c);
            }
        });
        let request = Request { strategy: Strategy::Health, group: Some("north".into()), ..ask() };
        let kept = choose(&request, &holds(&cards[0]), &cards);
        assert_eq!(kept, Ok(Decision::Existing(cards[0].id.clone())), "{:?}", cards[0]);
    }
}

#[test]
fn only_a_ban_takes_a_credential_away_and_fresh_is_the_way_out() {
    let cards = cards::<2>(|number, c| {
        if number == 0 {
            c.standing = Standing::Banned;
        }
    });
    assert_eq!(choose(&ask(), &holds(&cards[0]), &cards), Err(Refusal::CredentialBanned));
    let fresh = Request { fresh: true, ..ask() };
    assert_eq!(choose(&fresh, &holds(&cards[0]), &cards), ranked(&cards[1]));
}

#[test]
fn a_lease_ends_at_its_very_millisecond() {
    let cards = cards::<2>(|_, _| {});
    let kept = Ok(Decision::Existing(cards[1].id.clone()));
    assert_eq!(choose(&ask(), &leases(&cards[1], NOW + 1), &cards), kept);
    assert_eq!(choose(&ask(), &leases(&cards[1], NOW), &cards), bind(&cards[1], Via::Affinity));
}

#[test]
fn the_slot_of_an_ended_lease_is_free_for_its_own_account() {
    let cards = cards::<2>(|number, c| {
        if number == 0 {
            c.current_accounts = c.max_accounts;
        }
    });
    assert_eq!(choose(&ask(), &leases(&cards[0], NOW), &cards), bind(&cards[0], Via::Affinity));
    let pinned = Request { pinned: Some(cards[0].api_id), ..ask() };
    assert_eq!(choose(&pinned, &leases(&cards[0], NOW), &cards), bind(&cards[0], Via::Manual));
}

#[test]
fn fresh_may_come_back_to_a_full_credential_but_not_to_a_draining_one() {
    let full = cards::<1>(|_, c| c.current_accounts = c.max_accounts);
    let fresh = Request { fresh: true, ..ask() };
    assert_eq!(choose(&fresh, &holds(&full[0]), &full), ranked(&full[0]));
    let draining = cards::<1>(|_, c| (c.max_accounts, c.current_accounts) = (2, 3));
    assert_eq!(choose(&fresh, &holds(&draining[0]), &draining), Err(Refusal::Exhausted));
}

// ---- affinity --------------------------------------------------------------------------------

#[test]
fn affinity_goes_before_every_strategy() {
    let cards = cards::<3>(|number, c| {
        c.priority = -number;
        c.current_accounts = number;
        c.health_score = 100 - number;
    });
    for strategy in Strategy::iter() {
        let request = Request { strategy, level: MemberLevel::King, ..ask() };
        assert_eq!(choose(&request, &held(&cards[2]), &cards), bind(&cards[2], Via::Affinity), "{strategy}");
    }
}

#[test]
fn affinity_yields_to_everything_else() {
    let spoils: [Change; 5] = [
        |c| c.standing = Standing::Disabled,
        |c| c.cooldown_until = Some(at(NOW + 1)),
        |c| c.current_accounts = c.max_accounts,
        |c| c.shelf.min_level = MemberLevel::Bronze,
        |c| c.standing = Standing::Banned,
    ];
    for spoil in spoils {
        let cards = cards::<2>(|number, c| {
            if number == 1 {
                spoil(c);
            }
        });
        assert_eq!(choose(&ask(), &held(&cards[1]), &cards), ranked(&cards[0]), "{:?}", cards[1]);
    }
    let cards = cards::<2>(|_, _| {});
    let fresh = Request { fresh: true, ..ask() };
    assert_eq!(choose(&fresh, &held(&cards[1]), &cards), ranked(&cards[0]), "fresh is a new start");
    let pinned = Request { pinned: Some(cards[0].api_id), ..ask() };
    assert_eq!(choose(&pinned, &held(&cards[1]), &cards), bind(&cards[0], Via::Manual));
    let gone = AccountView { former: Some("deleted".into()), ..AccountView::default() };
    assert_eq!(choose(&ask(), &gone, &cards), ranked(&cards[0]));
}

// ---- pinned ----------------------------------------------------------------------------------

#[test]
fn a_pinned_credential_or_a_refusal_but_never_another() {
    use PinnedProblem::Rejected;

    let refused = |spoil: Change, change: fn(&mut Request)| {
        let cards = cards::<2>(|number, c| {
            if number == 0 {
                spoil(c);
            }
        });
        let mut request = Request { pinned: Some(cards[0].api_id), ..ask() };
        change(&mut request);
        match choose(&request, &AccountView::default(), &cards) {
            Err(Refusal::PinnedUnavailable(problem)) => problem,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|c| c.current_accounts = 5, |_| {}), PinnedProblem::Full);
    assert_eq!(refused(|c| c.standing = Standing::Banned, |_| {}), Rejected(Reason::Banned));
    assert_eq!(refused(|c| c.standing = Standing::Disabled, |_| {}), Rejected(Reason::Disabled));
    assert_eq!(refused(|c| c.cooldown_until = Some(at(NOW + 1)), |_| {}), Rejected(Reason::Cooling));
    assert_eq!(refused(|c| c.shelf.min_level = MemberLevel::Gold, |_| {}), Rejected(Reason::Level));
    assert_eq!(refused(|_| {}, |r| r.group = Some("north".into())), Rejected(Reason::Group));
    assert_eq!(refused(|_| {}, |r| r.pinned = ApiId::new(99)), PinnedProblem::Unknown);
}

#[test]
fn pinned_is_checked_against_what_the_account_holds() {
    let cards = cards::<2>(|_, _| {});
    let pinned = Request { pinned: Some(cards[0].api_id), ..ask() };
    assert_eq!(
        choose(&pinned, &holds(&cards[1]), &cards),
        Err(Refusal::PinnedUnavailable(PinnedProblem::HoldsAnother))
    );
    assert_eq!(choose(&pinned, &holds(&cards[0]), &cards), Ok(Decision::Existing(cards[0].id.clone())));
    let fresh = Request { fresh: true, ..pinned };
    assert_eq!(choose(&fresh, &holds(&cards[1]), &cards), bind(&cards[0], Via::Manual));
}

// ---- eligible --------------------------------------------------------------------------------

#[test]
fn the_first_reason_that_holds_is_the_one_that_counts() {
    let mut worst = card(0);
    worst.shelf = Shelf { group: Some("south".into()), is_premium: false, min_level: MemberLevel::King };
    worst.cooldown_until = Some(at(NOW + 1));
    worst.standing = Standing::Banned;
    let request = Request { group: Some("north".into()), ..ask() };
    let reason = |c: &Candidate| eligibility::rejection(c, &request, at(NOW));
    let cures: [(Change, Option<Reason>); 6] = [
        (|_| {}, Some(Reason::Group)),
        (|c| c.shelf.group = Some("north".into()), Some(Reason::Banned)),
        (|c| c.standing = Standing::Disabled, Some(Reason::Disabled)),
        (|c| c.standing = Standing::Enabled, Some(Reason::Cooling)),
        (|c| c.cooldown_until = Some(at(NOW)), Some(Reason::Level)),
        (|c| c.shelf.min_level = MemberLevel::Free, None),
    ];
    for (cure, expected) in cures {
        cure(&mut worst);
        assert_eq!(reason(&worst), expected);
    }
}

#[test]
fn no_group_asked_for_means_any_group() {
    let cards = cards::<1>(|_, c| c.shelf.group = Some("north".into()));
    assert_eq!(choose(&ask(), &AccountView::default(), &cards), ranked(&cards[0]));
}

#[test]
fn full_and_none_available_are_told_apart() {
    let cards = cards::<4>(|number, c| match number {
        0 => c.current_accounts = c.max_accounts,
        1 => c.standing = Standing::Banned,
        2 => c.cooldown_until = Some(at(NOW + 1)),
        _ => c.shelf.min_level = MemberLevel::Silver,
    });
    assert_eq!(choose(&ask(), &AccountView::default(), &cards), Err(Refusal::Exhausted));
    assert_eq!(census(&cards, NOW).refusal(&ask()), Exhausted::Full);
    assert_eq!(census(&cards, NOW).eligible(&ask()), 1);
    let without = &cards[1..];
    let counted = [(Reason::Banned, 1), (Reason::Cooling, 1), (Reason::Level, 1)];
    assert_eq!(census(without, NOW).refusal(&ask()), Exhausted::NoneEligible(counted.into_iter().collect()));
    assert_eq!(census(&[], NOW).refusal(&ask()), Exhausted::NoneEligible([].into_iter().collect()));
}

// ---- ranked ----------------------------------------------------------------------------------

#[test]
fn each_strategy_looks_at_its_own_merit() {
    let best: [(Strategy, Change); 5] = [
        (Strategy::Balanced, |c| c.current_accounts = 0),
        (Strategy::SuccessRate, |c| c.success_score = 999_999),
        (Strategy::LeastFailures, |c| c.recent_failures = 0),
        (Strategy::RoundRobin, |c| c.last_allocated_at = Some(at(NOW - 2))),
        (Strategy::Health, |c| c.health_score = 99),
    ];
    for (strategy, improve) in best {
        let cards = cards::<3>(|number, c| {
            c.current_accounts = 2;
            c.recent_failures = 3;
            c.last_allocated_at = Some(at(NOW - 1));
            c.health_score = 50;
            if number == 2 {
                improve(c);
            }
        });
        let request = Request { strategy, ..ask() };
        let chosen = choose(&request, &AccountView::default(), &cards);
        assert_eq!(chosen, bind(&cards[2], Via::Strategy(strategy)), "{strategy}");
    }
}

#[test]
fn one_that_was_never_allocated_goes_first_in_the_round() {
    let cards = cards::<2>(|number, c| c.last_allocated_at = (number == 0).then(|| at(1)));
    let request = Request { strategy: Strategy::RoundRobin, ..ask() };
    let chosen = choose(&request, &AccountView::default(), &cards);
    assert_eq!(chosen, bind(&cards[1], Via::Strategy(Strategy::RoundRobin)));
}

#[test]
fn premium_then_priority_then_strategy_then_utilisation_then_id() {
    let request = Request { strategy: Strategy::Health, level: MemberLevel::Gold, ..ask() };
    // Each is beaten by the next in exactly one part, and better in all that come after.
    let mut ladder = cards::<5>(|number, c| c.id = CredentialId::from(format!("c{}", 9 - number)));
    ladder[0].id = "c9".into();
    ladder[1].id = "c8".into();
    ladder[2] = Candidate { current_accounts: 0, id: "c99".into(), ..ladder[2].clone() };
    ladder[0].current_accounts = 1;
    ladder[1].current_accounts = 1;
    ladder[3] = Candidate { health_score: 101, current_accounts: 4, ..ladder[3].clone() };
    ladder[4] = Candidate { priority: 1, health_score: 0, current_accounts: 4, ..ladder[4].clone() };
    let mut premium = Candidate { priority: -1, health_score: 0, current_accounts: 4, ..card(50) };
    premium.shelf.is_premium = true;
    let mut all: Vec<Candidate> = ladder.to_vec();
    all.push(premium);
    for count in 1..=all.len() {
        let chosen = choose(&request, &AccountView::default(), &all[..count]);
        assert_eq!(chosen, bind(&all[count - 1], Via::Strategy(Strategy::Health)), "{count}");
    }
    // Below gold, premium counts for nothing.
    let silver = Request { level: MemberLevel::Silver, ..request };
    assert_eq!(choose(&silver, &AccountView::default(), &all), bind(&all[4], Via::Strategy(Strategy::Health)));
}

// ---- the account -----------------------------------------------------------------------------

#[test]
fn an_unavailable_account_keeps_what_it_has_and_gets_nothing_new() {
    let cards = cards::<1>(|_, _| {});
    let until = Some(at(NOW + 1));
    let sick = [
        (AccountState::Active, until, until),
        (AccountState::Frozen, None, None),
        (AccountState::Retired, until, None),
    ];
    for (state, cooldown_until, ends) in sick {
        let refused = Err(Refusal::AccountUnavailable { state, until: ends });
        let idle = AccountView { state, cooldown_until, ..AccountView::default() };
        assert_eq!(choose(&ask(), &idle, &cards), refused);
        let holding = AccountView { state, cooldown_until, ..holds(&cards[0]) };
        assert_eq!(choose(&ask(), &holding, &cards), Ok(Decision::Existing(cards[0].id.clone())));
        let fresh = Request { fresh: true, ..ask() };
        assert_eq!(choose(&fresh, &holding, &cards), refused);
        let pinned = Request { pinned: Some(cards[0].api_id), ..ask() };
        assert_eq!(choose(&pinned, &idle, &cards), refused);
    }
    let recovered = AccountView { cooldown_until: Some(at(NOW)), ..AccountView::default() };
    assert_eq!(choose(&ask(), &recovered, &cards), ranked(&cards[0]));
}

// ---- explained -------------------------------------------------------------------------------

#[test]
fn a_preview_shows_fifty_with_their_parts_and_counts_the_rest() {
    let cards = cards::<60>(|number, c| {
        c.current_accounts = number % 5;
        match number {
            0..5 => c.standing = Standing::Disabled,
            5 => c.current_accounts = c.max_accounts,
            _ => {}
        }
    });
    let preview = explain(&ask(), &AccountView::default(), &Everything(&cards), &census(&cards, NOW), at(NOW));
    assert_eq!(preview.candidates.len(), SHOWN);
    assert_eq!(preview.rejected, [(Reason::Disabled, 5)].into_iter().collect());
    assert!(preview.candidates.iter().all(|c| c.id != cards[5].id), "a full one is no candidate");
    let first = &preview.candidates[0];
    assert_eq!((first.id.as_str(), first.rank), ("c10", 1));
    assert_eq!((first.parts.strategy, first.parts.strategy_key), ("utilisation", 0));
    assert_eq!(first.why, "equal to the next; the older id goes first");
    let last_empty = &preview.candidates[9];
    assert_eq!((last_empty.utilisation, last_empty.why.as_str()), (0.0, "lower utilisation than the next"));
    for (place, ranked) in preview.candidates.iter().enumerate() {
        assert_eq!(ranked.rank, place + 1);
    }
}

#[test]
fn a_preview_says_what_decided_against_the_next() {
    let mut cards = cards::<4>(|number, c| c.priority = if number == 1 { 7 } else { 0 });
    cards[0].shelf.is_premium = true;
    cards[3].current_accounts = 1;
    let request = Request { strategy: Strategy::LeastFailures, level: MemberLevel::King, ..ask() };
    let why = |cards: &[Candidate]| -> Vec<String> {
        let preview = explain(&request, &AccountView::default(), &Everything(cards), &census(cards, NOW), at(NOW));
        preview.candidates.into_iter().map(|c| c.why).collect()
    };
    assert_eq!(
        why(&cards),
        [
            "premium goes first for this level",
            "priority 7 over 0",
            "lower utilisation than the next",
            "the last of those with a free slot"
        ]
    );
}
