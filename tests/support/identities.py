"""Identities of each kind, the options that tell them, and what must never be seen of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from dcmsend import Identity, IdentityKind

USER: Final = "jürgenqx"
PASSWORD: Final = "vogelfreyqx"
TICKET: Final = b"ticket-qx\x00\xff\x1b[2J\n"
PAYLOAD: Final = b"answer-qx\x00\xff\n"  # of a peer's answer
# No other text in a run has any of these.
TRACES: Final = re.compile(r"qx|\x1b|vogelfrey|ticket-|answer-|rgen")

KINDS: Final = {
    "username": Identity.of_user(USER),
    "passcode": Identity.of_user(USER, PASSWORD),
    "empty passcode": Identity.of_user(USER, ""),
    "kerberos": Identity(kind=IdentityKind.KERBEROS, primary=TICKET),
    "saml": Identity(kind=IdentityKind.SAML, primary=TICKET),
    "jwt": Identity(kind=IdentityKind.JWT, primary=TICKET),
}
NAMES: Final = tuple(KINDS)
WITH_PAYLOAD: Final = ("kerberos", "saml", "jwt")
SHOWN_AS_STARS: Final = {"username": 1, "passcode": 2, "empty passcode": 1}  # values that --arguments has


def options(folder: Path) -> dict[str, list[str]]:
    """The command line for each of ``KINDS``; tickets and tokens come from a file in the folder."""
    ticket = folder / "ticket"
    ticket.write_bytes(TICKET)
    return {
        "username": ["-usr", USER],
        "passcode": ["-usr", USER, "-pwd", PASSWORD],
        "empty passcode": ["-usr", USER, "-epw"],
        "kerberos": ["-kt", str(ticket)],
        "saml": ["--saml", str(ticket)],
        "jwt": ["--jwt", str(ticket)],
    }
