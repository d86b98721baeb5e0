"""Publishes when the test says so."""

from decimal import Decimal

from original import sender, tell, told, wait_for_the_sockets

config_model = {'required': {}, 'optional': {'topic': str, 'is_x_pub': bool}}

connection_models = {
    'out': {
        'prices': {
            'connection_type': 'publisher',
            'required_arguments': {'number': int, 'name': str, 'usd': Decimal},
        },
    },
}


def setup_connection_models(models, config):
    models['out']['prices']['optional_creation_arguments'] = config
    return models


def main(to_send, config):
    wait_for_the_sockets()
    send = sender(to_send)
    tell('ready')
    for line in told():
        send('prices', {'number': int(line), 'name': 'BTC', 'usd': Decimal(line) / 4})
