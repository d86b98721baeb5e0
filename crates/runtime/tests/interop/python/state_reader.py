"""Has copies of a delta state and of a full state, and answers with what is in them."""

import os

from original import end_with_the_test, tell

config_model = {'required': {}, 'optional': {'topic': str}}


def current(args, to_send, states, config):
    return {'book': states['book'], 'summary': states['summary'], 'process': os.getpid()}


def on_summary(args, to_send, states, config):
    tell('summary', args['levels'])


connection_models = {
    'in': {
        'current': {
            'connection_type': 'replyer',
            'required_creation_arguments': {'on_new_request': current},
            'required_return_arguments': {'book': dict, 'summary': dict, 'process': int},
        },
    },
}

state_models = {
    'in': {
        'book': {
            'state_type': 'delta_update_in',
            'required_state_arguments': {'current_num': int, 'is_snapshot': bool},
            'required_arguments': {'state': dict},
        },
        'summary': {
            'state_type': 'full_update_in',
            'required_arguments': {'levels': int},
        },
    },
}


def setup_state_models(models, config):
    models['in']['book']['optional_creation_arguments'] = config
    models['in']['summary']['optional_creation_arguments'] = {**config, 'model_function': on_summary}
    return models


def init_function(*_):
    end_with_the_test()
    tell('ready')
