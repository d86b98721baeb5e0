//! REQ and REP: one question, one answer.

use bytes::Bytes;
use service_framework_zmtp::socket::{Refused, Socket};
use service_framework_zmtp::{Event, Message, SocketType};

use crate::support::{CARRIERS, Carrier, Hand, bound, connected, pair, ramp, run, send, text, until};

#[track_caller]
fn refused(socket: &Socket) -> Refused {
    let unsent = socket.send(text("now?")).expect_err("it is not its turn");
    assert_eq!(unsent.message, text("now?"));
    unsent.why
}

#[test]
fn each_question_has_its_answer() {
    for carrier in CARRIERS {
        run(async move {
            let (answerer, asker) = pair(SocketType::Rep, SocketType::Req, carrier).await;
            for length in [0, 1, 300, 1 << 20] {
                let question = Message::from([Bytes::new(), ramp(length), Bytes::new()]);
                send(&asker, question.clone());
                assert_eq!(answerer.recv().await, question);
                send(&answerer, Message::from(["yes"]));
                assert_eq!(asker.recv().await, text("yes"));
            }
        });
    }
}

#[test]
fn who_is_out_of_turn_is_refused() {
    run(async {
        let (answerer, asker) = pair(SocketType::Rep, SocketType::Req, Carrier::Tcp).await;
        assert_eq!(refused(&answerer), Refused::NotNow, "nobody has asked");
        send(&asker, text("first"));
        assert_eq!(refused(&asker), Refused::NotNow, "the answer is not there");
        answerer.recv().await;
        send(&answerer, text("answer"));
        assert_eq!(refused(&answerer), Refused::NotNow, "one answer is enough");
        until(|| asker.counts().received == 1).await;
        assert_eq!(refused(&asker), Refused::NotNow, "the answer was not taken");
        assert_eq!(asker.recv().await, text("answer"));
        send(&asker, text("second"));
        assert_eq!(answerer.recv().await, text("second"));
    });
}

#[test]
fn questions_go_to_each_in_turn() {
    run(async {
        let (asker, place) = bound(SocketType::Req, Carrier::Tcp, |_| ()).await;
        assert_eq!(refused(&asker), Refused::NoPeer);
        let mut answerers = Vec::new();
        for number in 0..2 {
            answerers.push(connected(SocketType::Rep, &place, |_| ()).await);
            until(|| asker.peers() == number + 1).await;
        }
        for round in 0..6 {
            send(&asker, text("question"));
            let answerer = &answerers[round % 2];
            assert_eq!(answerer.recv().await, text("question"));
            send(answerer, text("answer"));
            assert_eq!(asker.recv().await, text("answer"));
        }
    });
}

#[test]
fn the_one_who_asked_is_answered() {
    run(async {
        let (answerer, place) = bound(SocketType::Rep, Carrier::Tcp, |_| ()).await;
        // Names are nothing to a REP, not even those that are the same.
        let named = |options: &mut service_framework_zmtp::socket::Options| {
            options.connection.identity = Bytes::from_static(b"same");
        };
        let mut askers = Vec::new();
        for number in 0..3 {
            let asker = connected(SocketType::Req, &place, named).await;
            until(|| answerer.peers() == number + 1).await;
            send(&asker, text(&number.to_string()));
            askers.push(asker);
        }
        for _ in 0..3 {
            let question = answerer.recv().await;
            send(&answerer, question);
        }
        for (number, asker) in askers.iter().enumerate() {
            assert_eq!(asker.recv().await, text(&number.to_string()));
        }
    });
}

#[test]
fn answers_that_were_not_asked_for_are_passed_over() {
    run(async {
        let (asker, place) = bound(SocketType::Req, Carrier::Tcp, |_| ()).await;
        let mut asked = Hand::met(SocketType::Rep, &place).await;
        until(|| asker.peers() == 1).await;
        let mut other = Hand::met(SocketType::Rep, &place).await;
        until(|| asker.peers() == 2).await;
        let answer = |body: &'static str| Message::from(["", body]);

        asked.send(&answer("too early")).await;
        until(|| asker.counts().dropped_misfit == 1).await;
        send(&asker, text("question"));
        assert_eq!(asked.event().await, Ok(Some(Event::Message(answer("question")))));
        other.send(&answer("of another")).await;
        until(|| asker.counts().dropped_misfit == 2).await;
        for not_an_answer in
            [Message::from(["no envelope"]), Message::from([""]), Message::from(["a", "", "b"])]
        {
            asked.send(&not_an_answer).await;
        }
        asked.send(&answer("right")).await;
        asked.send(&answer("twice")).await;
        assert_eq!(asker.recv().await, text("right"));
        until(|| asker.counts().dropped_misfit == 6).await;
    });
}

#[test]
fn who_waits_for_a_peer_that_is_gone_may_ask_another() {
    run(async {
        let (asker, place) = bound(SocketType::Req, Carrier::Tcp, |_| ()).await;
        let asked = Hand::met(SocketType::Rep, &place).await;
        until(|| asker.peers() == 1).await;
        send(&asker, text("question"));
        drop(asked);
        until(|| asker.peers() == 0).await;
        let answerer = connected(SocketType::Rep, &place, |_| ()).await;
        until(|| asker.peers() == 1).await;
        send(&asker, text("question"));
        assert_eq!(answerer.recv().await, text("question"));
    });
}

#[test]
fn an_envelope_comes_back_as_it_was() {
    run(async {
        let (answerer, place) = bound(SocketType::Rep, Carrier::Tcp, |_| ()).await;
        let mut dealer = Hand::met(SocketType::Dealer, &place).await;
        for not_a_question in [Message::from(["no delimiter"]), Message::from([""]), Message::from(["a", ""])]
        {
            dealer.send(&not_a_question).await;
        }
        dealer.send(&Message::from(["one", "two", "", "question", "", "more"])).await;
        assert_eq!(answerer.recv().await, Message::from(["question", "", "more"]));
        assert_eq!(answerer.counts().dropped_misfit, 3);
        send(&answerer, text("answer"));
        let wanted = Message::from(["one", "two", "", "answer"]);
        assert_eq!(dealer.event().await, Ok(Some(Event::Message(wanted))));
    });
}

#[test]
fn an_answer_to_who_is_gone_is_said_to_be_lost() {
    run(async {
        let (answerer, asker) = pair(SocketType::Rep, SocketType::Req, Carrier::Tcp).await;
        send(&asker, text("question"));
        answerer.recv().await;
        drop(asker);
        until(|| answerer.peers() == 0).await;
        assert_eq!(refused(&answerer), Refused::NoPeer);
        assert_eq!(refused(&answerer), Refused::NotNow);
    });
}
