//! Each of the design's rules by an example, and all of them against a [`model`].

mod model;

use strum::IntoEnumIterator;

use super::explain::{SHOWN, explain};
use super::*;
use crate::credential::Shelf;

const NOW: i64 = 1_700_000_000_000;

/// A pool that offers all it has, and twice.
struct Everything<'a>(&'a [Candidate]);

impl Pool for Everything<'_> {
    fn get(&self, id: &CredentialId) -> Option<&Candidate> {
        self.0.iter().find(|c| c.id == *id)
    }

    fn by_api_id(&self, api_id: ApiId) -> Option<&Candidate> {
        self.0.iter().find(|c| c.api_id == api_id)
    }

    fn candidates<'a>(&'a self, _: &Request) -> Box<dyn Iterator<Item = &'a Candidate> + 'a> {
        Box::new(self.0.iter().chain(self.0))
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
        guidance: Guidance::default(),
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
    let named = |c: &Candidate| NamedLine {
        api_id: c.api_id,
        shelf: c.shelf.clone(),
        standing: c.standing,
        cooling: c.is_cooling(at(now)),
    };
    Census { lines: cards.iter().map(line).collect(), named: cards.iter().map(named).collect() }
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
        assert_ne!(ranked.why, "the last of those with a free slot", "there are more than are shown");
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
