"""What the services here need to run on 0.0.18 and on 0.0.20, and how they talk to the test that started them."""

import os
import sys
import threading
from importlib.metadata import version

IS_18 = version('service_framework') == '0.0.18'

WATCH = 'watch'


def tell(*words):
    """Says something to the test. Whatever else stands on stdout is the framework's."""
    sys.stdout.write('> ' + ' '.join(str(word) for word in words) + '\n')
    sys.stdout.flush()


def told():
    """What the test says, line by line, until it is gone."""
    for line in sys.stdin:
        yield line.strip()


def end_with_the_test():
    """Ends the process when the test is gone, however it went."""
    def watch():
        sys.stdin.read()
        os._exit(0)
    threading.Thread(target=watch, name=WATCH, daemon=True).start()


def wait_for_the_sockets():
    """To be called first in `main`, of services without incoming connections.

    The thread of the service loop gives each requester another socket while it starts. A `main` that has sent by the
    old one then receives by the new one: "Operation cannot be accomplished in current state".
    """
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.name != WATCH:
            thread.join()


def replyer(function):
    """The creation arguments of a replyer that answers with `function(args, send)`."""
    return handler('on_new_request', function)


def subscriber(function):
    """The creation arguments of a subscriber that calls `function(args, send)`."""
    return handler('on_new_message', function)


def handler(name, function):
    # The framework compares the names of the parameters, too.
    if IS_18:
        def old(args, to_send, states, config):
            return function(args, sender(to_send))
        return {name: old}

    def new(args, to_send, config):
        return function(args, to_send)
    return {'connection_function': new}


def sender(to_send):
    """`send(connection, args)`, from what the framework hands to a handler or to `main`."""
    if IS_18:
        return lambda name, args: to_send('connection', name, args)
    return to_send
