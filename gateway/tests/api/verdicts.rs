//! Many questions, and proofs of the answers.
use super::*;
use medlock_api::{DecisionReply, SignedVerdict, Verdict};
use medlock_consent::StateProof;

impl World {
    fn decisions(&self, token: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, "/v1/decisions")
            .bearer_auth(token)
            .json(body)
    }

    async fn block_hash(&self, number: u64) -> B256 {
        let block = self
            .rpc("eth_getBlockByNumber", json!([format!("{number:#x}"), false]))
            .await;
        block["hash"].as_str().unwrap().parse().unwrap()
    }

    /// What the storage says of the verdict's question, by its proof alone.
    async fn proved(&self, verdict: &Verdict, proof: &StateProof) -> u8 {
        let hash = self.block_hash(verdict.block_number).await;
        let proved = proof
            .verify(hash, self.deployment.records, self.deployment.exceptions)
            .unwrap();
        assert_eq!(proved.block_number, verdict.block_number);
        proved.decide(&verdict.question(), verdict.at).unwrap()
    }
}

fn question(chart: B256, compartment: u8, purpose: &str) -> Value {
    json!({ "chart": chart, "compartment": compartment, "purpose": purpose, "action": "read" })
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_questions_are_one_request_and_one_more_is_not() {
    let world = World::with_chart().await;
    let clinic = world.sign_in(&world.clinic).await;
    let most = medlock_gateway::QUESTIONS_MOST;
    let mut questions: Vec<_> = (0..most)
        .map(|n| match n % 3 {
            0 => question(CHART, LABS, "TREAT"),
            1 => question(CHART, NOTES, "TREAT"),
            _ => question(B256::from(alloy::primitives::U256::from(n)), LABS, "TREAT"),
        })
        .collect();
    questions[most - 1]["at"] = (now() - 86_400).into();
    let reply: DecisionReply = ok(world.decisions(&clinic, &json!({ "questions": questions }))).await;
    assert_eq!(reply.verdicts.len(), most);
    for (n, verdict) in reply.verdicts[..most - 1].iter().enumerate() {
        let reasons = [reason::GRANT, reason::COMPARTMENT, reason::NO_GRANT];
        assert_eq!(verdict.reason_code, reasons[n % 3]);
    }
    let hash = reply.signing_hash(world.deployment.chain_id, world.deployment.records);
    let signature = Signature::from_raw(&reply.signature).unwrap();
    assert_eq!(
        signature.recover_address_from_prehash(&hash).unwrap(),
        world.gateway.address()
    );

    questions.push(question(CHART, LABS, "TREAT"));
    let problem = refused(
        world.decisions(&clinic, &json!({ "questions": questions })),
        Kind::BadRequest,
    )
    .await;
    assert_eq!(problem.field.as_deref(), Some("questions"));
    refused(world.decisions(&clinic, &json!({ "questions": [] })), Kind::BadRequest).await;
    let large = json!({ "questions": [], "padding": " ".repeat(4 * 1024 * 1024) });
    refused(world.decisions(&clinic, &large), Kind::PayloadTooLarge).await;
    let proved = json!({ "questions": vec![question(CHART, LABS, "TREAT"); 17], "prove": true });
    let problem = refused(world.decisions(&clinic, &proved), Kind::BadRequest).await;
    assert_eq!(problem.field.as_deref(), Some("prove"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_is_proved_from_the_hash_of_its_block_whatever_it_rests_on() {
    let world = World::with_chart().await;
    let exceptions = world.deployment.exceptions;
    let ask = async |token: &str, question: Value| -> SignedVerdict {
        let reply: DecisionReply = ok(world.decisions(token, &json!({ "questions": [question], "prove": true }))).await;
        world.signed(&reply);
        let signed = reply.signed(world.deployment.chain_id, world.deployment.records);
        // As a file, and back.
        let text = serde_json::to_string(&signed[0]).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let [patient, clinic, stranger] = [
        world.sign_in(&world.patient).await,
        world.sign_in(&world.clinic).await,
        world.sign_in(&world.stranger).await,
    ];
    // By the grant, on a chart that has no exceptions: nothing of the other contract is in the proof.
    let granted = ask(&clinic, question(CHART, LABS, "TREAT")).await;
    let proof = granted.proof.as_ref().unwrap();
    assert!(proof.exceptions.is_none());
    assert_eq!(world.proved(&granted.verdict, proof).await, reason::GRANT);
    // A no has none: nobody is told whether there is a chart.
    for (token, chart) in [(&stranger, CHART), (&stranger, UNKNOWN)] {
        let refused = ask(token, question(chart, LABS, "TREAT")).await;
        assert_eq!((refused.verdict.reason.as_str(), refused.proof), ("no-grant", None));
    }

    let labs = world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    let notes = world.write(&world.patient, B256::repeat_byte(2), NOTES, b"notes").await;
    let allow = rule(&world, &notes, world.clinic.address(), effect::ALLOW);
    world.send(&world.patient, exceptions, allow).await;
    let deny = rule(&world, &labs, Address::ZERO, effect::DENY);
    world.send(&world.patient, exceptions, deny).await;
    world.allow_emergency(true).await;
    world.break_glass(1 << NOTES).await;
    let delegates = [
        (&world.patient, &world.stranger),
        (&world.stranger, &world.chain.accounts()[7].signer),
    ];
    for (giver, delegate) in delegates {
        let delegate = IExceptions::setDelegateCall {
            actor: giver.address(),
            chart: CHART,
            directoryVersion: 1,
            delegate: delegate.address(),
            serial: 0,
            powers: power::READ | if *giver == world.patient { power::DELEGATE } else { 0 },
            expiry: 0,
        };
        world.send(giver, exceptions, delegate).await;
    }
    let deputy = world.sign_in(&world.chain.accounts()[7].signer).await;
    let of = |record: &Written, compartment: u8, purpose: &str| {
        let mut question = question(CHART, compartment, purpose);
        question["record_id"] = json!(record.record_id);
        question
    };
    for (token, question, wanted) in [
        (&patient, of(&labs, LABS, "TREAT"), reason::CONTROLLER),
        (&clinic, of(&notes, NOTES, "TREAT"), reason::RULE),
        (&clinic, of(&notes, NOTES, "ETREAT"), reason::EMERGENCY),
        (&stranger, of(&labs, LABS, "TREAT"), reason::DELEGATE),
        (&deputy, of(&notes, NOTES, "PATRQT"), reason::DELEGATE),
        (&clinic, self::question(CHART, LABS, "TREAT"), reason::GRANT),
    ] {
        let signed = ask(token, question).await;
        assert_eq!(signed.verdict.reason_code, wanted);
        assert_eq!(
            world.proved(&signed.verdict, signed.proof.as_ref().unwrap()).await,
            wanted
        );
    }
    let denied = ask(&clinic, of(&labs, LABS, "TREAT")).await;
    assert_eq!((denied.verdict.reason_code, denied.proof), (reason::DENIED, None));

    // The grant is over: the proof of that day still holds, and says so of that day alone.
    // In another second, or it would have been over then.
    world.rpc("evm_increaseTime", json!([60])).await;
    world.revoke().await;
    assert_eq!(world.proved(&granted.verdict, proof).await, reason::GRANT);
    let mut at = question(CHART, LABS, "TREAT");
    at["at"] = granted.verdict.at.into();
    let past = ask(&clinic, at).await;
    assert_eq!(past.verdict.reason_code, reason::GRANT);
    assert_eq!(
        world.proved(&past.verdict, past.proof.as_ref().unwrap()).await,
        reason::GRANT
    );
    assert_eq!(
        ask(&clinic, question(CHART, LABS, "TREAT")).await.verdict.reason_code,
        reason::NO_GRANT
    );
    world.stop().await;
}
