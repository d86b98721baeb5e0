"""Sockets of libzmq that do what the test says, line by line, and answer each line with one.

A frame is written as `x` and its bytes in hexadecimal, or as `r` and a length: that many bytes 0, 1, ... 255, 0, ...
"""

import os
import sys
import threading

import zmq
from zmq.utils import z85

PATIENCE_MS = 300_000

context = zmq.Context()
sockets = {}
# Who is let in, by the mechanism.
admitted = {}


def ramp(length):
    return (bytes(range(256)) * (length // 256 + 1))[:length]


def read(word):
    return bytes.fromhex(word[1:]) if word[0] == 'x' else ramp(int(word[1:]))


def shown(frame):
    if len(frame) > 64 and frame == ramp(len(frame)):
        return f'r{len(frame)}'
    return 'x' + frame.hex()


def open_socket(name, kind, *options):
    socket = sockets[name] = context.socket(getattr(zmq, kind))
    socket.linger = 0
    socket.rcvtimeo = socket.sndtimeo = PATIENCE_MS
    if kind == 'ROUTER':
        # One that does not know its peer yet says so, and is asked again.
        socket.router_mandatory = 1
    for option in options:
        key, value = option.split('=', 1)
        socket.setsockopt(getattr(zmq, key), int(value) if value.isdigit() else value.encode())


def bind(name, endpoint):
    sockets[name].bind(endpoint)
    return sockets[name].last_endpoint.decode()


def connect(name, endpoint):
    sockets[name].connect(endpoint)


def subscribe(name, topic):
    sockets[name].subscribe(read(topic))


def unsubscribe(name, topic):
    sockets[name].unsubscribe(read(topic))


def send(name, *frames):
    while True:
        try:
            return sockets[name].send_multipart([read(frame) for frame in frames])
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise


def recv(name):
    return ' '.join(shown(frame) for frame in sockets[name].recv_multipart())


def look(name):
    """Lets libzmq see to what has happened: a socket that nobody uses does not."""
    sockets[name].getsockopt(zmq.EVENTS)


def proxy(front, back):
    threading.Thread(target=zmq.proxy, args=(sockets[front], sockets[back]), daemon=True).start()


def admit(mechanism, *words):
    """Answers libzmq's questions about clients: RFC 27. For PLAIN a name and a password follow, for CURVE a key."""
    is_first = not admitted
    admitted[mechanism.encode()] = [z85.decode(word) if mechanism == 'CURVE' else word.encode() for word in words]
    if not is_first:
        return
    handler = context.socket(zmq.REP)
    handler.bind('inproc://zeromq.zap.01')

    def answer():
        while True:
            version, request, _, _, _, mechanism, *credentials = handler.recv_multipart()
            status = [b'200', b'OK'] if admitted.get(mechanism) == credentials else [b'400', b'who?']
            handler.send_multipart([version, request, *status, b'', b''])
    threading.Thread(target=answer, daemon=True).start()


def close(name):
    sockets.pop(name).close()


for line in sys.stdin:
    command, *words = line.split()
    function = {'socket': open_socket}.get(command) or globals()[command]
    print(function(*words) or 'done', flush=True)
os._exit(0)
