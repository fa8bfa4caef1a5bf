"""A storage SCP for the demo and the tests, made of pynetdicom: takes what it is offered and stores it as received.

Prints its port as the first line of its standard output and goes on until it gets SIGTERM or SIGINT. Each instance
becomes a Part 10 file in the folder, numbered in the order of arrival; the data set's bytes are those that came.
"""

from __future__ import annotations

import argparse
import signal
import sys
from itertools import chain, count, repeat
from pathlib import Path

from pydicom.uid import UID_dictionary
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, _config, evt
from pynetdicom.sop_class import Verification


def main() -> int:
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    entity = AE(ae_title=options.aetitle)
    entity.maximum_pdu_size = options.max_pdu
    entity.maximum_associations = 100
    syntaxes = options.syntax or [str(uid) for uid in ALL_TRANSFER_SYNTAXES]
    entity.add_supported_context(Verification, syntaxes)
    if options.sop_class:
        for sop_class in options.sop_class:
            entity.add_supported_context(sop_class, syntaxes)
    elif options.syntax:
        for sop_class in storage_classes():
            entity.add_supported_context(sop_class, syntaxes)
    else:
        _config.UNRESTRICTED_STORAGE_SERVICE = True  # any SOP class, private ones too, in any transfer syntax
    statuses = chain(options.status, repeat(options.status[-1] if options.status else 0))
    numbers = count(1)

    def store(event: evt.Event) -> int:
        status: int = next(statuses)
        name = f"{next(numbers):06d}-{event.request.AffectedSOPInstanceUID}.dcm"
        (options.folder / name).write_bytes(event.encoded_dataset())
        return status

    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    print(server.server_address[1], flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.server_close()
    return 0


def storage_classes() -> list[str]:
    """Every storage SOP class that pydicom knows."""
    return [
        uid
        for uid, entry in UID_dictionary.items()
        if entry[1] == "SOP Class" and "Storage" in entry[0].split(" - ")[0]
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A storage SCP on a free port of 127.0.0.1.")
    parser.add_argument("folder", type=Path, help="where received files go")
    parser.add_argument("--aetitle", default="RECEIVER")
    parser.add_argument("--max-pdu", type=int, default=16384, help="bytes; 0 for no limit")
    parser.add_argument("--sop-class", action="append", help="accept only these (repeat)")
    parser.add_argument("--syntax", action="append", help="accept only these, in this order (repeat)")
    parser.add_argument(
        "--status",
        action="append",
        type=lambda text: int(text, 0),
        default=[],
        help="answer these in turn (repeat); the last one for all that follow",
    )
    return parser.parse_args()


if __name__ == "__main__":
    # Blocked here, before any thread starts, so that every thread leaves them to sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    sys.exit(main())
