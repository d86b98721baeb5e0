"""Tells what is published."""

from decimal import Decimal

from original import end_with_the_test, subscriber, tell

config_model = {'required': {}, 'optional': {'topic': str, 'is_binder': bool}}


def on_price(args, send):
    tell(args['number'], args['name'], repr(args['usd']))


connection_models = {
    'in': {
        'prices': {
            'connection_type': 'subscriber',
            'required_creation_arguments': subscriber(on_price),
            'required_arguments': {'number': int, 'name': str, 'usd': Decimal},
        },
    },
}


def setup_connection_models(models, config):
    models['in']['prices']['optional_creation_arguments'] = config
    return models


def init_function(*_):
    end_with_the_test()
    tell('ready')
