"""A link of a chain: answers `step` by asking `next`, once or twice, unless it is the last; as `main`, it is the first."""

import logging

from original import end_with_the_test, replyer, sender, tell, wait_for_the_sockets

config_model = {'required': {}, 'optional': {'is_first': bool, 'is_last': bool, 'requests': int}}

STEP = {'number': int, 'is_twice': bool}
WALKED = {'number': int, 'seen': [str]}


def workflow_id():
    # A handler is not told, but its log lines are.
    return str(logging.getLogger('service_framework').handlers[0].filters[0].workflow_id)


def middle(args, send):
    number, seen = 0, [workflow_id()]
    for turn in range(2 if args['is_twice'] else 1):
        walked = send('next', {'number': args['number'] + turn, 'is_twice': args['is_twice']})
        number += walked['number']
        seen += walked['seen']
    return {'number': number, 'seen': seen}


def last(args, send):
    return {'number': args['number'] * 2, 'seen': [workflow_id()]}


def setup_connection_models(models, config):
    step = {
        'connection_type': 'replyer',
        'required_creation_arguments': replyer(last if config.get('is_last') else middle),
        'required_arguments': STEP,
        'required_return_arguments': WALKED,
    }
    following = {
        'connection_type': 'requester',
        'required_arguments': STEP,
        'required_return_arguments': WALKED,
    }
    return {
        'in': {} if config.get('is_first') else {'step': step},
        'out': {} if config.get('is_last') else {'next': following},
    }


connection_models = {}


def init_function(*_):
    end_with_the_test()
    tell('ready')


def main(to_send, config):
    wait_for_the_sockets()
    send = sender(to_send)
    for number in range(config['requests']):
        is_twice = number % 10 == 0
        walked = send('next', {'number': number, 'is_twice': is_twice})
        # Three hops, two of which ask twice: n, n + 1, n + 1, n + 2, each doubled by the last.
        assert walked['number'] == (8 * number + 8 if is_twice else 2 * number), walked
        assert len(walked['seen']) == (7 if is_twice else 3), walked
    tell('done')
