"""Answers with the values that it was sent, and with what it saw."""

import os

from original import end_with_the_test, replyer, tell
from values import ALL, OPTIONAL, shown


def values(args, send):
    return {'values': args, 'seen': {key: shown(value) for key, value in args.items()}}


def halve(args, send):
    return {'number': args['number'] / 2, 'process': os.getpid()}


connection_models = {
    'in': {
        'values': {
            'connection_type': 'replyer',
            'required_creation_arguments': replyer(values),
            'required_arguments': ALL,
            'optional_arguments': OPTIONAL,
            'required_return_arguments': {'values': ALL, 'seen': {str: str}},
        },
        'halve': {
            'connection_type': 'replyer',
            'required_creation_arguments': replyer(halve),
            'required_arguments': {'number': float},
            'required_return_arguments': {'number': float, 'process': int},
        },
    },
}


def init_function(*_):
    end_with_the_test()
    tell('ready')
