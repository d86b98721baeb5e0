"""Makes the recordings beside this file: a handshake of CURVE and two messages, from fixed keys and nonces, by libsodium alone.

Usage: python make.py LIBSODIUM, where LIBSODIUM is a shared library, such as the one inside the wheel of pyzmq.
"""

import ctypes
import pathlib
import sys

sodium = ctypes.CDLL(sys.argv[1])
sodium.sodium_init()


def public(secret):
    key = ctypes.create_string_buffer(32)
    sodium.crypto_scalarmult_base(key, secret)
    return key.raw


def box(text, nonce, theirs, ours):
    sealed = ctypes.create_string_buffer(16 + len(text))
    sodium.crypto_box_easy(sealed, text, ctypes.c_ulonglong(len(text)), nonce, theirs, ours)
    return sealed.raw


def secretbox(text, nonce, key):
    sealed = ctypes.create_string_buffer(16 + len(text))
    sodium.crypto_secretbox_easy(sealed, text, ctypes.c_ulonglong(len(text)), nonce, key)
    return sealed.raw


def number(value):
    return value.to_bytes(8, 'big')


def prop(name, value):
    return bytes([len(name)]) + name + len(value).to_bytes(4, 'big') + value


client, server, client_once, server_once, cookie_key = (bytes([byte]) * 32 for byte in (1, 2, 3, 4, 5))
welcome_nonce, cookie_nonce, vouch_nonce = (bytes([byte]) * 16 for byte in (6, 7, 8))

hello = b'\x05HELLO\x01\x00' + bytes(72) + public(client_once) + number(1)
hello += box(bytes(64), b'CurveZMQHELLO---' + number(1), public(server), client_once)

cookie = cookie_nonce + secretbox(public(client_once) + server_once, b'COOKIE--' + cookie_nonce, cookie_key)
welcome = b'\x07WELCOME' + welcome_nonce
welcome += box(public(server_once) + cookie, b'WELCOME-' + welcome_nonce, public(client_once), server)

vouch = box(public(client_once) + public(server), b'VOUCH---' + vouch_nonce, public(server_once), client)
text = public(client) + vouch_nonce + vouch + prop(b'Socket-Type', b'REQ') + prop(b'Identity', b'')
initiate = b'\x08INITIATE' + cookie + number(2)
initiate += box(text, b'CurveZMQINITIATE' + number(2), public(server_once), client_once)

text = prop(b'Socket-Type', b'REP') + prop(b'Identity', b'')
ready = b'\x05READY' + number(1) + box(text, b'CurveZMQREADY---' + number(1), public(client_once), server_once)

question = b'\x07MESSAGE' + number(3)
question += box(b'\x01hello', b'CurveZMQMESSAGEC' + number(3), public(server_once), client_once)
ping = b'\x07MESSAGE' + number(2)
ping += box(b'\x02\x04PING\x00\x00', b'CurveZMQMESSAGES' + number(2), public(client_once), server_once)

folder = pathlib.Path(__file__).parent
for name in ('hello', 'welcome', 'initiate', 'ready', 'question', 'ping'):
    (folder / name).write_bytes(globals()[name])
