"""Waivers: a person answers for one inconclusive gate of one candidate, by signature, until a day.

make_waiver(workspace, Waiver(…), key_file, today=today)
signed = waivers_of(workspace, today)
judge(…, waivers=signed.waivers, refused=signed.refused, today=today)
"""

from tasks.validate.waivers.make import make_waiver, waiver_directory, waivers_of
from tasks.validate.waivers.owners import own_key, owner_keys
from tasks.validate.waivers.read import SignedWaivers, read_waivers
from tasks.validate.waivers.sign import sign_waiver

__all__ = [
    "SignedWaivers",
    "make_waiver",
    "own_key",
    "owner_keys",
    "read_waivers",
    "sign_waiver",
    "waiver_directory",
    "waivers_of",
]
