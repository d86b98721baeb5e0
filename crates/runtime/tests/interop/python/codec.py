"""Decodes and encodes with the original's own functions: each line in hexadecimal is answered with one.

A line `show HEX` is shown as Python sees it; a line `take HEX` is also checked as the arguments of a small model.
"""

from service_framework.utils.msgpack_utils import msg_pack, msg_unpack
from service_framework.utils.validation_utils import validate_args

from original import tell, told
from values import shown

REQUIRED = {'price': float}
OPTIONAL = {'size': int, 'at': str, 'sizes': [int], 'pair': (int, str)}

tell('ready')
for line in told():
    words = line.split()
    try:
        value = msg_unpack(bytes.fromhex(words[-1]))
        if words[0] == 'take':
            validate_args(value, REQUIRED, OPTIONAL)
        if len(words) > 1:
            tell('sees', ascii(shown(value)).strip('"'))
        else:
            tell('same', msg_pack(value).hex())
    except Exception as error:
        tell('refused', type(error).__name__ + ':', ascii(str(error)))
