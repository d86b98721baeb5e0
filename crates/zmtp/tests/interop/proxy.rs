//! Our sockets at the two ends of libzmq's own proxy.

use std::future::poll_fn;
use std::path::Path;
use std::task::Poll;

use bytes::Bytes;
use service_framework_zmtp::socket::{Options, Socket};
use service_framework_zmtp::{Message, SocketType};

use crate::libzmq::Libzmq;
use crate::meeting::{Meeting, admit, anywhere, dial, meetings};
use crate::patterns::{Binds, bodies, endpoint, enveloped};
use crate::support::{bound, ramp, run, send, socket, text, until};

/// One of the two sockets of a proxy.
struct End {
    name: String,
    meeting: Meeting,
    /// Where it listens, if it does.
    endpoint: Option<String>,
}

impl End {
    async fn open(
        libzmq: &mut Libzmq,
        (name, socket_type): (String, SocketType),
        meeting: Meeting,
        folder: &Path,
    ) -> Self {
        libzmq.ask(&format!("socket {name} {socket_type} {}", meeting.their_options())).await;
        let endpoint = match meeting.binds {
            Binds::We => None,
            Binds::They => {
                Some(libzmq.ask(&format!("bind {name} {}", anywhere(meeting.carrier, folder, &name))).await)
            }
        };
        Self { name, meeting, endpoint }
    }

    /// Sockets of ours that have met it, before the proxy runs: then nobody may touch its sockets any more.
    async fn meet_all<const N: usize>(&self, libzmq: &mut Libzmq, types: [SocketType; N]) -> [Socket; N] {
        let mut met = Vec::new();
        for socket_type in types {
            met.push(self.meet(libzmq, socket_type).await);
        }
        met.try_into().expect("as many as there are types")
    }

    async fn meet(&self, libzmq: &mut Libzmq, socket_type: SocketType) -> Socket {
        let options = |options: &mut Options| {
            self.meeting.set(options);
            // There may be several.
            options.connection.identity = Bytes::new();
        };
        match &self.endpoint {
            Some(endpoint) => {
                let ours = socket(socket_type, options);
                ours.connect(dial(endpoint).await).await.expect("a peer");
                ours
            }
            None => {
                let (ours, place) = bound(socket_type, self.meeting.carrier, options).await;
                libzmq.ask(&format!("connect {} {}", self.name, endpoint(&place))).await;
                until(|| ours.peers() == 1).await;
                ours
            }
        }
    }
}

/// Lets sockets of ours, at the front and at the back, talk through a proxy of libzmq, in all the ways in which they meet it.
fn everywhere<const F: usize, const B: usize>(
    (front, fronts): (SocketType, [SocketType; F]),
    (back, backs): (SocketType, [SocketType; B]),
    talk: &impl AsyncFn(&[Socket; F], [Socket; B]),
) {
    let mut libzmq = Libzmq::start();
    run(admit(&mut libzmq));
    // A proxy never ends, and nor do its sockets.
    for (number, meeting) in meetings().enumerate() {
        eprintln!("through {front} and {back}, {meeting:?}");
        let [to_front, to_back] = ["front", "back"].map(|name| format!("{name}{number}"));
        let proxy = format!("proxy {to_front} {to_back}");
        run(async {
            let folder = tempfile::tempdir().expect("a folder");
            let front = End::open(&mut libzmq, (to_front, front), meeting, folder.path()).await;
            let back = End::open(&mut libzmq, (to_back, back), meeting, folder.path()).await;
            let fronts = front.meet_all(&mut libzmq, fronts).await;
            let backs = back.meet_all(&mut libzmq, backs).await;
            libzmq.ask(&proxy).await;
            talk(&fronts, backs).await;
            for socket in &fronts {
                meeting.check_signs(socket).await;
            }
        });
    }
}

#[test]
fn publications_pass_through_the_proxy_of_libzmq() {
    let publishers = (SocketType::XSub, [SocketType::XPub, SocketType::XPub]);
    let subscribers = (SocketType::XPub, [SocketType::Sub, SocketType::XSub]);
    everywhere(publishers, subscribers, &async |publishers, [first, second]| {
        for (subscriber, topic) in [(&first, "a"), (&second, "b")] {
            subscriber.subscribe(topic);
            // Each publisher hears of it through the proxy.
            let wanted = Message::from([format!("\x01{topic}")]);
            for publisher in publishers {
                assert_eq!(publisher.recv().await, wanted);
            }
        }
        for publisher in publishers {
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
        second.unsubscribe("b");
        for publisher in publishers {
            assert_eq!(publisher.recv().await, text("\0b"));
        }
    });
}

#[test]
fn who_is_gone_is_unsubscribed_through_the_proxy_of_libzmq() {
    let mut libzmq = Libzmq::start();
    run(async {
        let [front, back] = proxied(&mut libzmq, SocketType::XSub, SocketType::XPub).await;
        let (publisher, subscriber) = (socket(SocketType::XPub, |_| ()), socket(SocketType::Sub, |_| ()));
        publisher.connect(dial(&front).await).await.expect("a peer");
        subscriber.subscribe("b");
        subscriber.connect(dial(&back).await).await.expect("a peer");
        assert_eq!(publisher.recv().await, text("\x01b"));
        drop(subscriber);
        assert_eq!(publisher.recv().await, text("\0b"));
    });
}

#[test]
fn questions_and_answers_pass_through_the_proxy_of_libzmq() {
    let askers = (SocketType::Router, [SocketType::Req, SocketType::Dealer]);
    let answerers = (SocketType::Dealer, [SocketType::Rep, SocketType::Router]);
    everywhere(askers, answerers, &async |[req, dealer], [rep, router]| {
        for body in bodies() {
            // The proxy gives each of those who answer every second question, and begins with whom it has met first or last.
            let asked = enveloped(SocketType::Dealer, SocketType::Rep, b"", &body);
            for _ in 0..2 {
                send(req, body.clone());
                answer_one(&rep, &router, &body).await;
                assert_eq!(req.recv().await, body);
                send(dealer, asked.clone());
                send(dealer, asked.clone());
                answer_one(&rep, &router, &body).await;
                answer_one(&rep, &router, &body).await;
                assert_eq!([dealer.recv().await, dealer.recv().await], [asked.clone(), asked.clone()]);
            }
        }
        // Each has had its part.
        assert!(rep.counts().sent > 0 && router.counts().sent > 0);
        assert_eq!(rep.counts().sent + router.counts().sent, req.counts().sent + dealer.counts().sent);
    });
}

/// Gives back what either of them is asked, which is this behind whatever envelope.
async fn answer_one(rep: &Socket, router: &Socket, body: &Message) {
    let (asked, question) = either(rep, router).await;
    assert!(question.ends_with(body), "{question:?}");
    send(asked, question);
}

/// The next message of either, and whose it is.
async fn either<'a>(first: &'a Socket, second: &'a Socket) -> (&'a Socket, Message) {
    poll_fn(|context| {
        let of = |socket: &'a Socket, context: &mut _| socket.poll_recv(context).map(|it| (socket, it));
        match of(first, context) {
            Poll::Pending => of(second, context),
            ready => ready,
        }
    })
    .await
}

#[test]
fn work_passes_through_the_proxy_of_libzmq() {
    let givers = (SocketType::Pull, [SocketType::Push, SocketType::Push]);
    let takers = (SocketType::Push, [SocketType::Pull, SocketType::Pull]);
    everywhere(givers, takers, &async |givers, [first, second]| {
        for body in bodies() {
            for giver in givers {
                send(giver, body.clone());
                assert_eq!(either(&first, &second).await.1, body);
            }
        }
        let given = (0..100_u32).map(|number| Message::from([number.to_string()]));
        given.enumerate().for_each(|(at, number)| send(&givers[at % 2], number));
        let mut taken = Vec::new();
        for _ in 0..100 {
            let number = String::from_utf8(either(&first, &second).await.1[0].to_vec()).expect("a number");
            taken.push(number.parse::<u32>().expect("a number"));
        }
        taken.sort_unstable();
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
        assert!(first.counts().received > 50 && second.counts().received > 50);
    });
}

/// Meets the two ends of a proxy, over TCP and in the open.
pub(crate) async fn proxied(libzmq: &mut Libzmq, front: SocketType, back: SocketType) -> [String; 2] {
    libzmq.ask(&format!("socket front {front}")).await;
    libzmq.ask(&format!("socket back {back}")).await;
    let ends =
        [libzmq.ask("bind front tcp://127.0.0.1:*").await, libzmq.ask("bind back tcp://127.0.0.1:*").await];
    libzmq.ask("proxy front back").await;
    ends
}

#[test]
fn libzmq_asks_us_and_we_ask_it_through_its_proxy() {
    for (ours, theirs) in [(SocketType::Req, SocketType::Rep), (SocketType::Dealer, SocketType::Router)] {
        // With room for the names that it is put behind.
        let largest = Message::from([ramp((16 << 20) - 16)]);
        let mut libzmq = Libzmq::start();
        run(async {
            let [front, back] = proxied(&mut libzmq, SocketType::Router, SocketType::Dealer).await;
            libzmq.ask(&format!("socket it {theirs}")).await;
            libzmq.ask(&format!("connect it {back}")).await;
            let ours = socket(ours, |_| ());
            ours.connect(dial(&front).await).await.expect("a peer");
            for body in bodies().into_iter().chain([largest.clone()]) {
                send(&ours, body.clone());
                let question = libzmq.recv("it").await;
                assert!(question.ends_with(&body));
                libzmq.send("it", &question).await;
                assert!(ours.recv().await == body);
            }
        });
        let mut libzmq = Libzmq::start();
        run(async {
            let [front, back] = proxied(&mut libzmq, SocketType::Router, SocketType::Dealer).await;
            libzmq.ask(&format!("socket it {}", ours)).await;
            libzmq.ask(&format!("connect it {front}")).await;
            let ours = socket(theirs, |_| ());
            ours.connect(dial(&back).await).await.expect("a peer");
            for body in bodies().into_iter().chain([largest]) {
                libzmq.send("it", &body).await;
                let question = ours.recv().await;
                assert!(question.ends_with(&body));
                send(&ours, question);
                assert!(libzmq.recv("it").await == body);
            }
        });
    }
}

#[test]
fn work_goes_from_us_to_libzmq_and_back_through_its_proxy() {
    let mut libzmq = Libzmq::start();
    run(async {
        let [front, back] = proxied(&mut libzmq, SocketType::Pull, SocketType::Push).await;
        libzmq.ask("socket giver PUSH").await;
        libzmq.ask(&format!("connect giver {front}")).await;
        let giver = socket(SocketType::Push, |_| ());
        giver.connect(dial(&front).await).await.expect("a peer");
        let largest = Message::from([ramp(16 << 20)]);
        let taker = socket(SocketType::Pull, |_| ());
        taker.connect(dial(&back).await).await.expect("a peer");
        for body in bodies().into_iter().chain([largest.clone()]) {
            libzmq.send("giver", &body).await;
            assert!(taker.recv().await == body);
        }
        drop(taker);
        libzmq.ask("socket taker PULL").await;
        libzmq.ask(&format!("connect taker {back}")).await;
        for body in bodies().into_iter().chain([largest]) {
            send(&giver, body.clone());
            assert!(libzmq.recv("taker").await == body);
        }
    });
}
