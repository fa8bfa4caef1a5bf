"""The recorded PDUs of ``vectors.json``."""

from __future__ import annotations

import json
from pathlib import Path

RECORDED: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("vectors.json").read_text())

PDUS: list[tuple[str, bytes]] = [
    (f"{conversation}:{side}:{index}", bytes.fromhex(pdu))
    for conversation, sides in RECORDED.items()
    for side, pdus in sides.items()
    for index, pdu in enumerate(pdus)
]


def recorded(conversation: str, side: str) -> list[bytes]:
    """The PDUs that one side of a conversation sent."""
    return [bytes.fromhex(pdu) for pdu in RECORDED[conversation][side]]
