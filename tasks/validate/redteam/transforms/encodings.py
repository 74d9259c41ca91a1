"""Whole texts in another encoding; each can be read back.

from_base64(base64("ignore", Random(0)))     # "ignore"
"""

import base64 as codec
import codecs
from random import Random


def base64(text: str, _random: Random) -> str:
    """RFC 4648 base64 of the UTF-8 bytes."""
    return codec.b64encode(text.encode()).decode()


def from_base64(text: str) -> str:
    """Undoes `base64`; raises ValueError."""
    return codec.b64decode(text, validate=True).decode()


def hexadecimal(text: str, _random: Random) -> str:
    """Hexadecimal digits of the UTF-8 bytes."""
    return text.encode().hex()


def from_hexadecimal(text: str) -> str:
    """Undoes `hexadecimal`; raises ValueError."""
    return bytes.fromhex(text).decode()


def rot13(text: str, _random: Random) -> str:
    """Latin letters moved by 13."""
    return codecs.encode(text, "rot13")


def from_rot13(text: str) -> str:
    """Undoes `rot13`."""
    return codecs.encode(text, "rot13")


def double(text: str, random: Random) -> str:
    """Base64 of the ROT13 of a text: one layer of decoding is not enough."""
    return base64(rot13(text, random), random)


def from_double(text: str) -> str:
    """Undoes `double`; raises ValueError."""
    return from_rot13(from_base64(text))
