"""One value of every kind: as models, as a sample, and as Python shows it."""

from decimal import Decimal
from uuid import UUID

import numpy

ALL = {
    'flag': bool,
    'whole': int,
    'big': int,
    'fraction': float,
    'round': float,
    'no_number': float,
    'endless': float,
    'text': str,
    'raw': bytes,
    'amount': Decimal,
    'no_amount': Decimal,
    'id': UUID,
    'tags': {str},
    'sizes': {int},
    'series': numpy.ndarray,
    'items': [int],
    'pair': (int, str),
    'by_name': {str: Decimal},
    'by_price': {str: float},
    'nested': {'deep': [{'amount': Decimal, 'ids': [UUID]}]},
    'at': str,
}
OPTIONAL = {'note': str, 'absent': str}

SAMPLE = {
    'flag': True,
    'whole': -2 ** 63,
    'big': 2 ** 64 - 1,
    'fraction': 0.1,
    'round': 2.0,
    'no_number': float('nan'),
    'endless': float('-inf'),
    'text': 'naïve \u2603 \U0001f600 "\\\n\x00',
    'raw': b'\x00\xff{',
    'amount': Decimal('-123.3210'),
    'no_amount': Decimal('NaN'),
    'id': UUID('12345678-1234-5678-1234-567812345678'),
    'tags': {'a', 'b', ''},
    'sizes': {-1, 0, 70000},
    'series': numpy.array([1.5, -0.0, numpy.inf]),
    'items': [0, 127, 128, -33, 65536],
    'pair': (7, 'seven'),
    'by_name': {'BTC': Decimal('1E+400'), '': Decimal('0.00')},
    'by_price': {'99.50': 1.0, '100': 2.5},
    'nested': {'deep': [{'amount': Decimal('Infinity'), 'ids': [UUID(int=0), UUID(int=1)]}]},
    'at': '2026-11-21T06:15:00.25+01:00',
    'note': 'given',
}


def shown(value):
    """A value as text, its type included, the same for equal ones."""
    if isinstance(value, dict):
        return '{' + ', '.join(f'{key!r}: {shown(value[key])}' for key in sorted(value)) + '}'
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(map(shown, value)) + ']'
    if isinstance(value, set):
        return 'set(' + ', '.join(sorted(map(shown, value))) + ')'
    if isinstance(value, numpy.ndarray):
        return f'{value.dtype}{list(value.shape)}{value.tolist()}'
    return repr(value)
