//! What becomes of a question whose peer was lost.

use service_framework_zmtp::socket::{Options, Refused};
use service_framework_zmtp::{Message, SocketType};

use crate::home::{Home, connected, disconnected, named};
use crate::support::{CARRIERS, Carrier, PATIENCE, run, send, socket, text, until};

#[test]
fn a_question_whose_peer_was_lost_is_forgotten_and_may_be_asked_again() {
    for carrier in CARRIERS {
        run(async move {
            let home = Home::new(carrier);
            let asker = socket(SocketType::Req, |_| ());
            home.dial(&asker);
            let first = home.open(SocketType::Rep);
            connected(&asker, &home).await;
            send(&asker, text("before"));
            assert_eq!(first.recv().await, text("before"));
            assert_eq!(asker.send(text("too soon")).expect_err("it waits").why, Refused::NotNow);
            drop(first);
            disconnected(&asker, &home).await;
            assert_eq!(asker.send(text("too soon")).expect_err("nobody is there").why, Refused::NoPeer);
            let second = home.open(SocketType::Rep);
            connected(&asker, &home).await;
            // It was not sent a second time by itself: this is the first that comes.
            send(&asker, text("after"));
            assert_eq!(second.recv().await, text("after"));
            send(&second, text("answer"));
            assert_eq!(asker.recv().await, text("answer"));
        });
    }
}

/// A ROUTER that outlives the connections to it: it is asked, loses who asked, is asked again, and answers the first
/// question before the second. Gives what the asker takes for the answer, and what became of the first one.
async fn late(carrier: Carrier, change: impl FnOnce(&mut Options)) -> (Message, Result<(), Refused>, u64) {
    let home = Home::new(carrier);
    let router = home.open(SocketType::Router);
    let asker = socket(SocketType::Req, change);
    let dial = home.dial(&asker);
    dial.met().await.expect("it is there");
    let mut answers = Vec::new();
    for question in ["before", "after"] {
        send(&asker, text(question));
        let mut answer = router.recv().await;
        assert_eq!(answer.pop().as_deref(), Some(question.as_bytes()));
        answer.push(format!("{question}, answered"));
        answers.push(answer);
        if question == "before" {
            dial.stop(PATIENCE);
            until(|| router.peers() == 0 && asker.peers() == 0).await;
            home.dial(&asker).met().await.expect("it is there");
        }
    }
    let [first, second] = answers.try_into().expect("two questions");
    let late = router.send(first).map_err(|unsent| unsent.why);
    send(&router, second);
    (asker.recv().await, late, asker.counts().dropped_misfit)
}

#[test]
fn an_answer_that_is_late_is_not_taken_for_another() {
    for carrier in CARRIERS {
        run(async move {
            let right = text("after, answered");
            // Without a name, nobody can say it to who has come again.
            assert_eq!(late(carrier, |_| ()).await, (right.clone(), Err(Refused::NoPeer), 0));
            // With one, the number tells them apart.
            let numbered = |options: &mut Options| {
                named("it")(options);
                options.correlate = true;
            };
            assert_eq!(late(carrier, numbered).await, (right, Ok(()), 1));
        });
    }
}

#[test]
fn a_numbered_question_is_answered_by_a_rep() {
    run(async {
        let home = Home::new(Carrier::Tcp);
        let answerer = home.open(SocketType::Rep);
        let asker = socket(SocketType::Req, |options| options.correlate = true);
        home.dial(&asker).met().await.expect("it is there");
        for _ in 0..3 {
            send(&asker, text("question"));
            assert_eq!(answerer.recv().await, text("question"));
            send(&answerer, text("answer"));
            assert_eq!(asker.recv().await, text("answer"));
        }
    });
}
