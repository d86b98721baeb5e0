//! Our publishers and subscribers at the two ends of libzmq's own proxy.

use service_framework_zmtp::{Message, SocketType};

use crate::libzmq::Libzmq;
use crate::pairs::dial;
use crate::support::{run, send, socket, text};

#[test]
fn publications_pass_through_the_proxy_of_libzmq() {
    let mut libzmq = Libzmq::start();
    run(async {
        libzmq.ask("socket front XSUB").await;
        libzmq.ask("socket back XPUB").await;
        let front = libzmq.ask("bind front tcp://127.0.0.1:*").await;
        let back = libzmq.ask("bind back tcp://127.0.0.1:*").await;
        libzmq.ask("proxy front back").await;

        let publishers = [SocketType::XPub, SocketType::XPub].map(|publisher| socket(publisher, |_| ()));
        for publisher in &publishers {
            publisher.connect(dial(&front).await).await.expect("a peer");
        }
        let (first, second) = (socket(SocketType::Sub, |_| ()), socket(SocketType::XSub, |_| ()));
        for (subscriber, topic) in [(&first, "a"), (&second, "b")] {
            subscriber.subscribe(topic);
            subscriber.connect(dial(&back).await).await.expect("a peer");
            // Each publisher hears of it through the proxy.
            let wanted = Message::from([format!("\x01{topic}")]);
            for publisher in &publishers {
                assert_eq!(publisher.recv().await, wanted);
            }
        }
        for publisher in &publishers {
            for number in 0..100 {
                send(publisher, Message::from(["c".to_owned(), number.to_string()]));
                send(publisher, Message::from(["a".to_owned(), number.to_string()]));
                send(publisher, Message::from(["b".to_owned(), number.to_string()]));
            }
            for (subscriber, topic) in [(&first, "a"), (&second, "b")] {
                for number in 0..100 {
                    let wanted = Message::from([topic.to_owned(), number.to_string()]);
                    assert_eq!(subscriber.recv().await, wanted);
                }
            }
        }
        // Who is gone is unsubscribed, through the proxy.
        drop(second);
        for publisher in &publishers {
            assert_eq!(publisher.recv().await, text("\0b"));
        }
    });
}
