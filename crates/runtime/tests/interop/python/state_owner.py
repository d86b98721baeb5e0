"""Owns a delta state and a full state, and publishes what the test says."""

import json

from original import tell, told

config_model = {'required': {}, 'optional': {'topic': str, 'is_x_pub': bool}}

state_models = {
    'out': {
        'book': {
            'state_type': 'delta_update_out',
            'required_state_arguments': {'current_num': int, 'is_snapshot': bool},
            'required_arguments': {'state': dict},
        },
        'summary': {
            'state_type': 'full_update_out',
            'required_arguments': {'levels': int},
        },
    },
}


def setup_state_models(models, config):
    models['out']['book']['optional_creation_arguments'] = config
    models['out']['summary']['optional_creation_arguments'] = config
    return models


def main(to_send, config):
    tell('ready')
    for line in told():
        name, args = json.loads(line)
        to_send('state', name, args)
        tell('published')
