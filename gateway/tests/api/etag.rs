//! Answers that the caller has already.
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_caller_has_is_not_sent_again_until_it_changes() {
    let world = World::with_chart().await;
    let token = world.sign_in(&world.clinic).await;
    let path = format!("/v1/charts/{CHART}/records");
    let fetch = async |known: Option<&str>| {
        let mut request = world.get(&token, &path);
        if let Some(known) = known {
            request = request.header("if-none-match", known);
        }
        let answer = eventually(async || {
            let answer = request.try_clone().unwrap().send().await.unwrap();
            (answer.status() != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
        })
        .await;
        let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), tag, answer.bytes().await.unwrap())
    };
    let (status, tag, body) = fetch(None).await;
    assert_eq!(status, 200);
    assert!(!body.is_empty());
    let (status, again, body) = fetch(Some(&format!("\"other\", W/{tag}"))).await;
    assert_eq!((status, &again, body.len()), (304, &tag, 0));
    world.write(&world.clinic, B256::repeat_byte(1), LABS, b"labs").await;
    let (status, changed, body) = fetch(Some(&tag)).await;
    assert_eq!(status, 200);
    assert!(changed != tag && !body.is_empty());
    // Not of others: a refusal, a stream, a resource of FHIR.
    let stranger = world.sign_in(&world.stranger).await;
    let untagged = [world.get(&stranger, &path), world.get(&token, "/fhir/metadata")];
    for request in untagged {
        let answer = request.header("if-none-match", "*").send().await.unwrap();
        assert!(answer.status() != StatusCode::NOT_MODIFIED && !answer.headers().contains_key("etag"));
    }
    world.stop().await;
}
