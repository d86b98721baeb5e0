//! libzmq that ends and comes again, and questions that are numbered.

use service_framework_zmtp::{Message, SocketType};

use crate::home::{Home, connected, disconnected, named};
use crate::libzmq::Libzmq;
use crate::meeting::dial;
use crate::patterns::endpoint;
use crate::support::{Carrier, bound, run, send, socket, text, until};

#[test]
fn who_was_killed_is_met_again_under_our_name() {
    for carrier in [Carrier::Tcp, Carrier::Unix] {
        run(async move {
            let home = Home::new(carrier);
            let dealer = socket(SocketType::Dealer, named("ours"));
            home.dial(&dealer);
            for _ in 0..5 {
                let mut libzmq = Libzmq::start();
                libzmq.ask("socket it ROUTER").await;
                libzmq.ask(&format!("bind it {}", home.endpoint)).await;
                connected(&dealer, &home).await;
                send(&dealer, text("hello"));
                assert_eq!(libzmq.recv("it").await, Message::from(["ours", "hello"]));
                libzmq.send("it", &Message::from(["ours", "back"])).await;
                assert_eq!(dealer.recv().await, text("back"));
                drop(libzmq);
                disconnected(&dealer, &home).await;
            }
        });
    }
}

#[test]
fn who_was_killed_is_told_again_what_is_wanted() {
    for carrier in [Carrier::Tcp, Carrier::Unix] {
        run(async move {
            let home = Home::new(carrier);
            let subscriber = socket(SocketType::Sub, |_| ());
            subscriber.subscribe("b");
            home.dial(&subscriber);
            for _ in 0..3 {
                let mut libzmq = Libzmq::start();
                libzmq.ask("socket it XPUB").await;
                libzmq.ask(&format!("bind it {}", home.endpoint)).await;
                assert_eq!(libzmq.recv("it").await, text("\x01b"));
                libzmq.send("it", &text("a")).await;
                libzmq.send("it", &text("b")).await;
                assert_eq!(subscriber.recv().await, text("b"));
                drop(libzmq);
                until(|| subscriber.peers() == 0).await;
            }
        });
    }
}

#[test]
fn both_number_their_questions_and_answer_those_of_the_other() {
    let mut libzmq = Libzmq::start();
    run(async {
        libzmq.ask("socket rep REP").await;
        let theirs = libzmq.ask("bind rep tcp://127.0.0.1:*").await;
        let asker = socket(SocketType::Req, |options| options.correlate = true);
        asker.connect(dial(&theirs).await).await.expect("a peer");
        let (answerer, place) = bound(SocketType::Rep, Carrier::Tcp, |_| ()).await;
        libzmq.ask("socket req REQ REQ_CORRELATE=1").await;
        libzmq.ask(&format!("connect req {}", endpoint(&place))).await;
        for _ in 0..3 {
            send(&asker, text("question"));
            assert_eq!(libzmq.recv("rep").await, text("question"));
            libzmq.send("rep", &text("answer")).await;
            assert_eq!(asker.recv().await, text("answer"));

            libzmq.send("req", &text("question")).await;
            assert_eq!(answerer.recv().await, text("question"));
            send(&answerer, text("answer"));
            assert_eq!(libzmq.recv("req").await, text("answer"));
        }
    });
}
