"""Stands between two links of a chain, passes everything on, and tells every payload.

usage: tap.py PORT    connects to that port, and tells the one that it listens on
"""

import sys

import zmq

from original import end_with_the_test, tell

context = zmq.Context()
front, back = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
back.connect(f'tcp://127.0.0.1:{sys.argv[1]}')
tell(front.bind_to_random_port('tcp://127.0.0.1'))
end_with_the_test()
poller = zmq.Poller()
poller.register(front, zmq.POLLIN)
poller.register(back, zmq.POLLIN)
while True:
    for socket, _ in poller.poll():
        frames = socket.recv_multipart()
        tell(frames[-1].hex())
        (back if socket is front else front).send_multipart(frames)
