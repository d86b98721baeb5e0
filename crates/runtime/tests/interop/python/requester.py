"""Sends what the test says, and tells what came of it."""

from original import sender, tell, told, wait_for_the_sockets
from values import ALL, OPTIONAL, SAMPLE, shown

connection_models = {
    'out': {
        'values': {
            'connection_type': 'requester',
            'required_arguments': ALL,
            'optional_arguments': OPTIONAL,
            'required_return_arguments': {'values': ALL},
        },
        'halve': {
            'connection_type': 'requester',
            'required_arguments': {'number': float},
            'required_return_arguments': {'number': float},
        },
    },
}


def main(to_send, config):
    wait_for_the_sockets()
    send = sender(to_send)
    tell('ready')
    for line in told():
        if line == 'values':
            values(send)
        else:
            halve(send, float(line))


def values(send):
    returned = send('values', SAMPLE)['values']
    for key in SAMPLE.keys() | returned.keys():
        # A tuple arrives as a list, which is shown alike.
        sent, came = shown(SAMPLE.get(key)), shown(returned.get(key))
        assert sent == came, f'{key}: sent {sent}, got {came}'
    tell('equal')


def halve(send, number):
    tell('asking')
    try:
        tell('half', send('halve', {'number': number})['number'])
    except ValueError as error:
        tell('ValueError', error)
