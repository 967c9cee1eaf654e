//! Payment in a token: what was approved, once, from the insurer to the provider, whatever the token does.
use super::*;

fn pay() -> Step {
    Step::Pay(U256::from(AMOUNT), SALT)
}

/// The one call that pays what [`World::approve`] approves.
fn transfer_of(from: Address, to: Address, value: u64) -> Vec<u8> {
    let value = U256::from(value);
    transferFromCall { from, to, value }.abi_encode()
}

impl World {
    fn approved() -> (Self, B256) {
        let mut world = Self::new();
        let claim = world.received();
        world.approve(claim).unwrap();
        (world, claim)
    }

    /// What the token answers from now on, whatever it is asked.
    fn token_says(&self, answer: Result<Vec<u8>, Vec<u8>>) {
        let data = transfer_of(INSURER, CLINIC, VALUE);
        self.vm.mock_call(TOKEN, data, U256::ZERO, answer);
    }
}

#[test]
fn the_approved_amount_goes_from_the_insurer_to_the_provider() {
    for actor in [INSURER, ADJUSTER] {
        let (mut world, claim) = World::approved();
        // The call is exactly this one: where it fails, so does the payment; where another does, nothing happens.
        for other in [
            transfer_of(INSURER, CLINIC, VALUE - 1),
            transfer_of(INSURER, CLINIC, AMOUNT),
            transfer_of(ADJUSTER, CLINIC, VALUE),
            transfer_of(INSURER, NURSE, VALUE),
            transfer_of(INSURER, INSURER, VALUE),
        ] {
            world.vm.mock_call(TOKEN, other, U256::ZERO, Err(vec![]));
        }
        world.token_says(Err(vec![]));
        world.answer(YES);
        assert_eq!(
            world.step(actor, claim, pay()),
            refused(IClaims::TokenRefused { token: TOKEN })
        );
        world.token_says(Ok(vec![]));
        world.answer(YES);
        world.step(actor, claim, pay()).unwrap();
        assert_eq!(
            world.events(),
            [Event::PaidInToken(IClaims::PaidInToken {
                claim,
                serial: 3,
                by: actor,
                token: TOKEN,
                value: U256::from(VALUE)
            })]
        );
        assert_eq!((world.state(claim), world.deadline(claim)), (state::PAID, 0));
    }
}

/// What a re-entrant token would find: the first call is written before the token is called, so the second is refused. (On the chain the SDK refuses
/// to be entered a second time at all.)
#[test]
fn a_token_that_calls_back_finds_the_claim_paid() {
    let (mut world, claim) = World::approved();
    world.token_says(Err(vec![]));
    world.vm.set_sender(INSURER);
    // Not `World::step`, which takes back what is refused: this is the state in which the token is called.
    let outcome = pay().take(&mut world.claims, INSURER, claim, 2);
    assert_eq!(outcome, refused(IClaims::TokenRefused { token: TOKEN }));
    assert_eq!((world.state(claim), world.serial(claim)), (state::PAID, 3));
    for serial in [2, 3] {
        for step in Step::every(claim) {
            let outcome = step.take(&mut world.claims, INSURER, claim, serial);
            let is_reversal = step == Step::Reverse && serial == 3;
            assert_eq!(outcome.is_ok(), is_reversal, "{step:?}");
        }
    }
}

#[test]
fn a_token_says_yes_with_a_word_that_is_one_or_with_nothing() {
    let word = |number: u8| B256::with_last_byte(number).to_vec();
    for yes in [vec![], word(1), [word(1), word(7)].concat()] {
        let (mut world, claim) = World::approved();
        world.token_says(Ok(yes));
        world.step(INSURER, claim, pay()).unwrap();
    }
    for no in [
        Ok(word(0)),
        Ok(word(2)),
        Ok(vec![0xff; 32]),
        Ok(vec![1]),
        Ok(word(1)[1..].to_vec()),
        Ok([word(0), word(1)].concat()),
        Err(vec![]),
        Err(word(1)),
    ] {
        let (mut world, claim) = World::approved();
        world.token_says(no.clone());
        assert_eq!(
            world.step(INSURER, claim, pay()),
            refused(IClaims::TokenRefused { token: TOKEN }),
            "{no:?}"
        );
        assert_eq!(world.state(claim), state::APPROVED);
    }
    // The contract is gone, and a call to nobody succeeds and says nothing.
    let (mut world, claim) = World::approved();
    world.vm.set_code(TOKEN, vec![]);
    world.token_says(Ok(vec![]));
    assert_eq!(
        world.step(INSURER, claim, pay()),
        refused(IClaims::NotToken { token: TOKEN })
    );
}

#[test]
fn a_replayed_payment_is_refused() {
    let (mut world, claim) = World::approved();
    world.step(INSURER, claim, pay()).unwrap();
    let again = |world: &mut World, serial| world.by(INSURER, |claims, actor| pay().take(claims, actor, claim, serial));
    assert_eq!(
        again(&mut world, 2),
        refused(IClaims::ClaimSerial { given: 2, current: 3 })
    );
    assert_eq!(again(&mut world, 3), wrong_state(claim, state::PAID));
    assert_eq!(
        world.step(INSURER, claim, Step::RecordPayment),
        wrong_state(claim, state::PAID)
    );
}

#[test]
fn only_what_was_approved_on_this_claim_is_paid() {
    let (mut world, claim) = World::approved();
    let other = NewClaim {
        fingerprint: OTHER_FINGERPRINT,
        ..new_claim(2)
    };
    let other = world.submit(CLINIC, other).unwrap();
    // A commitment that was copied from another claim opens on neither.
    let copied = Step::Adjudicate(state::APPROVED, commitment(claim, AMOUNT), 0);
    world.step(INSURER, other, copied).unwrap();
    for (claim, amount, salt) in [
        (claim, AMOUNT + 1, SALT),
        (claim, AMOUNT - 1, SALT),
        (claim, 0, SALT),
        (claim, AMOUNT, B256::ZERO),
        (other, AMOUNT, SALT),
    ] {
        assert_eq!(
            world.step(INSURER, claim, Step::Pay(U256::from(amount), salt)),
            refused(IClaims::OtherAmount {})
        );
    }
}

#[test]
fn amounts_that_overflow_are_refused_and_the_largest_does_not() {
    let commit = |claim: B256, amount: U256| keccak256((claim, amount, SALT).abi_encode());
    let most = U256::from(claim::AMOUNT_MOST);
    let paying = |amount: U256| {
        let mut world = World::bare();
        world
            .set_currency(INSURER, EURO, 1, true, TOKEN, claim::SCALE_MOST)
            .unwrap();
        let claim = world.received();
        let approve = Step::Adjudicate(state::APPROVED, commit(claim, amount), 0);
        world.step(INSURER, claim, approve).unwrap();
        let outcome = world.step(INSURER, claim, Step::Pay(amount, SALT));
        (world, outcome)
    };
    for amount in [most + U256::ONE, U256::MAX >> 1, U256::MAX] {
        assert_eq!(paying(amount).1, refused(IClaims::AmountTooLarge { amount, most }));
    }
    assert_eq!(paying(U256::ZERO).1, refused(IClaims::ZeroAmount {}));
    let (world, outcome) = paying(most);
    outcome.unwrap();
    let [Event::PaidInToken(paid)] = &world.events()[..] else {
        panic!("{:?}", world.events())
    };
    let scale = U256::from(10).pow(U256::from(claim::SCALE_MOST));
    assert_eq!(paid.value.checked_div(scale), Some(most));
    assert_eq!(most.checked_mul(scale), Some(paid.value));
}

/// Whatever the insurer makes of the currency afterwards: it cannot pay in a token of its own making.
#[test]
fn a_claim_is_paid_in_the_token_of_its_submission() {
    let (mut world, claim) = World::approved();
    world.set_currency(INSURER, EURO, 2, true, OTHER_TOKEN, 0).unwrap();
    let later = NewClaim {
        fingerprint: OTHER_FINGERPRINT,
        ..new_claim(2)
    };
    let later = world.submit(CLINIC, later).unwrap();
    world.set_currency(INSURER, EURO, 3, false, NOBODY, 0).unwrap();
    world.approve(later).unwrap();
    for (claim, token, value) in [(claim, TOKEN, VALUE), (later, OTHER_TOKEN, AMOUNT)] {
        world.step(INSURER, claim, pay()).unwrap();
        let [Event::PaidInToken(paid)] = &world.events()[..] else {
            panic!("{:?}", world.events())
        };
        assert_eq!((paid.token, paid.value), (token, U256::from(value)));
    }
}

#[test]
fn where_there_is_no_token_payment_is_stated() {
    let mut world = World::new();
    let new = NewClaim {
        currency: DOLLAR,
        ..new_claim(1)
    };
    let claim = world.submit(CLINIC, new).unwrap();
    world.approve(claim).unwrap();
    // A token that comes later was not promised.
    world.set_currency(INSURER, DOLLAR, 2, true, TOKEN, SCALE).unwrap();
    assert_eq!(
        world.step(INSURER, claim, pay()),
        refused(IClaims::NoToken {
            insurer: INSURER,
            currency: DOLLAR
        })
    );
    world.step(INSURER, claim, Step::RecordPayment).unwrap();
    assert_eq!(world.state(claim), state::PAID);
}
