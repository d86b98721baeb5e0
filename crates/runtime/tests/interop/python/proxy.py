"""The proxy between publishers and subscribers; tells its two ports."""

import zmq

from original import end_with_the_test, tell

context = zmq.Context()
publishers, subscribers = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
ports = [socket.bind_to_random_port('tcp://127.0.0.1') for socket in (publishers, subscribers)]
tell(*ports)
end_with_the_test()
zmq.proxy(publishers, subscribers)
