"""The same command lines given to DCMTK's dcmsend and to ours: what a script can notice is the same.

Compared are the exit code, the error of a wrong command line, which output is used, what the server has stored, and
every field of the report. Where the two differ on purpose, the case names the row of ``DIFFERENCES`` and says what
each of the two does; whatever it does not name must be equal there too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import pytest

from tests.support import parity, pdus, servers
from tests.support.parity import UNLIKE, Apart, Command, Peers, Run
from tests.support.scripted import (
    ScriptedPeer,
    Step,
    accept,
    close,
    drain,
    expect,
    expect_message,
    reject,
    release,
    respond,
    send,
    store,
)

LEAST_CASES: Final = 80
NO_REPORT: Final = (22, 23, 60, 61, 62, 65)  # exit codes with which DCMTK's dcmsend writes no report, and ours does

# What we do in another way on purpose. Most have a case that shows it.
DIFFERENCES: Final = {
    "exit code": "exit code 66, not 0, where something that was taken on is not stored, unless --dcmtk-exit-codes "
                 "asks; and each such instance is told as an error, not only with --verbose",
    "left out": "exit code 67, not 0, where something that was named could not be taken on, unless --dcmtk-exit-codes "
                "asks; the report has a section for it",
    "report's place": "a report that cannot be written to its place is told before anything is sent, with exit code 1",
    "goes on": "with --no-halt, what is left after a broken association goes over a new one",
    "report": "the report is written on every way out after input was read, not only at an orderly end",
    "own context": "each file's transfer syntax is proposed alone, so that no receiver can choose to have a file "
                   "converted; what it may be converted to has a further context, so an association has room for fewer "
                   "SOP classes",
    "any context": "an instance goes over any accepted context that can carry it, not over the one made for it",
    "private syntaxes": "with --no-uid-checks, files in a private transfer syntax are sent as they are",
    "message id": "a response belongs to the request that it names; a late one is never taken for the next instance's",
    "timeouts": "a DIMSE timeout that is unlimited or very long is kept; DCMTK fails after 60 s, or wraps around",
    "sorted": "directories are read in the natural order of names, not in that of the file system",
    "loops": "links that go in circles are left out with a warning; so are special files, which DCMTK opens",
    "containment": "entries of a DICOMDIR that lead out of its folder are refused, unless they are asked for",
    "media names": "file IDs of a DICOMDIR are found whatever the case of the names",
    "missing files": "files that a DICOMDIR lists and that are not there are bad input, told before anything is sent",
    "duplicates": "a file that is given twice is sent once, unless --send-duplicates asks",
    "decoders": "JPEG 2000, HTJ2K, JPEG XL and deflated image frames are decoded",
    "odd PDUs": "an odd --max-send-pdu works like any other",
    "options": "options that only one of the two has",
    "newer syntaxes": "transfer syntaxes that are younger than DCMTK 3.6.7 are known",
    "data set's UIDs": "the report names what was sent: the UIDs of the data set, not those of the meta information",
    "structure": "a data set with two different values of an attribute is not sent; DCMTK sends the first one",
    "long UIDs": "a UID of more than 64 characters is refused even without UID checks; DCMTK cuts it",
    "dataset size": "the size is that of the file's bytes, or 0 for a file that was never opened; "
                    "DCMTK counts all lengths as explicit, and opens the file first",
    "unsent rows": "the row of an instance that was not sent says on which association and in which syntax it failed",
    "warnings": "we warn of what we do to input, DCMTK of what it parses and proposes",
    "class names": "only storage classes are named; DCMTK names whatever its table of UIDs has",
    "empty titles": "an empty AE title is told in words",
}  # fmt: skip


class Case(NamedTuple):
    """A command line, run in the input folder by both tools, each against an empty server.

    ``code`` is the exit code of DCMTK's. ``short``: not all is stored, which ours tells with 66 unless it is asked for
    DCMTK's codes. ``bare``: nothing is put before the words, else ``+crf`` is. ``server`` is one of
    ``parity.SERVERS`` or ``SCRIPTS``, or nobody. ``apart`` says by aspect what DCMTK's does and what ours does.
    """

    line: str
    code: int = 0
    server: str = "storescp"
    short: bool = False
    bare: bool = False
    unordered: bool = False
    differences: tuple[str, ...] = ()
    apart: Apart = MappingProxyType({})


def wrong(line: str) -> Case:
    """A command line that is refused as such."""
    return Case(line, 1, bare=True)


def scan(line: str, code: int = 0) -> Case:
    """A search in directories, which the two do in different orders."""
    return Case(line, code, unordered=True)


def only_ours(line: str, error: str, code: int = 0) -> Case:
    """An option that DCMTK 3.6.7 does not have; with it, one instance is stored."""
    apart = {
        "exit code": (1, code), "error": (f"error: {error}", ""), "stored": UNLIKE if code == 0 else ({}, {}),
        "standard error": (True, code != 0),
    }  # fmt: skip
    return Case(line, 1, bare=True, differences=("options",), apart=apart)


def differ(
    line: str, differences: str, apart: Apart, code: int = 0, server: str = "storescp", *, short: bool = False,
    unordered: bool = False,
) -> Case:  # fmt: skip
    """A case that shows differences, named with commas between them."""
    return Case(line, code, server, short, unordered=unordered, differences=tuple(differences.split(", ")), apart=apart)


LEE: Final = "1.2.840.10008.1.2.1 = Little Endian Explicit"
LEI: Final = "1.2.840.10008.1.2 = Little Endian Implicit"
BEE: Final = "1.2.840.10008.1.2.2 = Big Endian Explicit"
RLE: Final = "1.2.840.10008.1.2.5 = RLE Lossless"
NATIVE: Final = tuple(name.split()[0] for name in (LEE, LEI, BEE))
SUCCESS: Final = "0x0000 (Success)"
UNSENT: Final = "<not sent>"
REFUSED: Final = "<no acceptable presentation context>"
TALKS: Final = {"standard error": (True, False)}  # DCMTK warns
WE_TALK: Final = {"standard error": (False, True)}
SIZES: Final = {"Dataset Size": UNLIKE}
J2K_INSTANCE: Final = "1.2.826.0.1.3680043.8.498.48839624056933092612726387696714904348"


# fmt: off
SAME: Final[tuple[Case, ...]] = (
    # --- general options, and which output they use
    Case("", bare=True),
    Case("--help", bare=True),
    Case("-h", bare=True),
    Case("--version", bare=True),
    Case("--list-decoders", bare=True),
    Case("--version --help", bare=True),
    Case("--help PEER", bare=True),
    Case("--arguments PEER a.dcm -v"),
    Case("--arguments -q PEER a.dcm -aet '' -aet ME"),
    *(Case(f"{option} PEER a.dcm")
      for option in ("-q", "-v", "-d", "--quiet", "--verbose", "--debug", "-q -v", "-v -q", "-d -q", "-v +v", "-d +v",
                     "-ll info +v", "-ll trace --verbose-pc")),
    *(Case(f"{option} PEER a.dcm")
      for option in ("-ll fatal", "-ll error", "-ll warn", "-ll info", "-ll debug", "-ll trace", "-ll ERROR",
                     "--log-level info", "-ll trace -ll error")),
    *(Case(f"{option} PEER 'not there.dcm'", 22) for option in ("-q", "-v", "-d", "-ll fatal", "-ll trace")),
    wrong("+v PEER a.dcm"),
    wrong("-q +v PEER a.dcm"),
    wrong("-ll warn +v PEER a.dcm"),
    wrong("-ll loud PEER a.dcm"),
    wrong("-ll '' PEER a.dcm"),
    wrong("-ll debug -v PEER a.dcm"),
    Case("-lc log.cfg PEER a.dcm"),
    Case("--log-config log.cfg PEER a.dcm"),
    wrong("-lc nothing PEER a.dcm"),
    wrong("-lc mixed PEER a.dcm"),
    wrong("-lc quoted.txt PEER a.dcm"),
    wrong("-lc log.cfg +v PEER a.dcm"),
    wrong("-lc log.cfg -d PEER a.dcm"),
    wrong("-q PEER a.dcm -ll debug"),
    wrong("-q -to 0 PEER a.dcm"),
    wrong("-to 0 -ll fatal PEER a.dcm"),
    # --- the grammar
    wrong("--wrong PEER a.dcm"),
    wrong("--help --wrong"),
    wrong("-x"),
    wrong("-- PEER a.dcm"),
    wrong("--timeout=5 PEER a.dcm"),
    wrong("--time 5 PEER a.dcm"),
    wrong("-vd PEER a.dcm"),
    wrong("PEER a.dcm -aet"),
    wrong("PEER a.dcm --create-report-file"),
    wrong("127.0.0.1"),
    wrong("-v"),
    wrong("PEER"),
    wrong("PEER +x.dcm"),
    wrong("127.0.0.1 0 a.dcm"),
    wrong("127.0.0.1 65536 a.dcm"),
    wrong("127.0.0.1 -5 a.dcm"),
    wrong("127.0.0.1 port a.dcm"),
    wrong("127.0.0.1 '' a.dcm"),
    Case("a.dcm PEER", 22),  # 127 is the port, and the port a file
    wrong("+cl 10 -pdu 1 PEER a.dcm"),
    wrong("-pdu 1 127.0.0.1 0 a.dcm"),
    Case("PEER a.dcm -v b.dcm -nh c.dcm"),
    Case("PEER a.dcm b.dcm mr.dcm c.dcm"),
    Case("PEER c.dcm b.dcm a.dcm"),
    Case("PEER -1.dcm"),
    Case("PEER ./+x.dcm"),
    Case("PEER -", 22),
    Case("PEER ''", 22),
    Case("--read-file --no-halt --no-uid-checks --no-illegal-proposal --aetitle ME --call YOU --timeout 9 "
         "--acse-timeout 9 --dimse-timeout 9 --max-pdu 8192 --max-send-pdu 8192 --no-recurse --single-association "
         "--decompress-never --compression-level 1 PEER a.dcm"),
    Case("--read-file-only --decompress-lossless --multi-associations --verbose PEER a.dcm b.dcm"),
    Case("--read-from-dicomdir --decompress-lossy PEER a.dcm"),
    # --- ranges
    *(wrong(f"{option} PEER a.dcm")
      for option in ("-to 0", "-to -5", "-to x", "-to ''", "-to 0x10", "-ta 0", "-ta -1", "-td 0", "-td y",
                     "-pdu 4095", "-pdu 131073", "--max-send-pdu 4095", "--max-send-pdu 131073",
                     "+cl -1", "+cl 10", "-to 5 -to 0")),
    *(Case(f"{option} PEER large.dcm")
      for option in ("-to 1", "-to 104x", "-to 3.7", "-to 0 -to 5", "-ta 1", "-td 1", "-pdu 4096", "-pdu 131072",
                     "--max-send-pdu 4096", "--max-send-pdu 131072", "-pdu 1 -pdu 4096", "+cl 0", "+cl 9",
                     "-to 2147483647", "-td 4294967295")),
    Case("--max-send-pdu 4097 PEER a.dcm"),  # odd, but the data set fits into one PDU
    # --- command files
    *(Case(f"PEER {file}")
      for file in ("@files.txt", "@quoted.txt", "@joined.txt", "'@open quote.txt'", "@options.txt a.dcm",
                   "d.dcm @files.txt mr.dcm", "a.dcm @nothing.txt", "-aet LATER @options.txt a.dcm",
                   "@options.txt a.dcm -aet LATER")),
    *(Case(f"PEER {file}", 22) for file in ("@nested.txt", "@comment.txt", "@backslash.txt", "@")),
    wrong("PEER @nothing.txt"),
    wrong("PEER '@not there.txt'"),
    wrong("'@not there.txt' --wrong"),
    wrong("-aet @files.txt PEER d.dcm"),
    # --- read modes
    *(Case(f"{option} PEER a.dcm") for option in ("+f", "+fo", "-f +fo", "-f +f")),
    *(Case(f"{option} PEER a.dcm", 22) for option in ("-f", "--read-dataset", "+fo -f")),
    Case("+f PEER odd/bare_explicit.dcm"),
    Case("-f PEER odd/bare_explicit.dcm"),
    Case("+fo PEER odd/bare_explicit.dcm", 22),
    Case("PEER odd/bare_implicit.dcm", 22),
    Case("+f PEER a.dcm odd/bare_explicit.dcm b.dcm"),
    Case("-nh PEER a.dcm odd/bare_explicit.dcm b.dcm"),
    *(Case(f"{option} PEER 'no preamble.dcm'", 22) for option in ("+f", "+fo", "-f")),
    Case("+f PEER odd/meta_without_transfer_syntax.dcm", 22),
    Case("PEER samples/ct_explicit.dcm"),
    Case("PEER samples/sc_jpeg_baseline.dcm samples/sc_jpeg_lossless_sv1.dcm"),
    Case("PEER odd/character_sets.dcm"),
    Case("PEER odd/new_sop_class.dcm"),
    # --- UIDs
    *(Case(f"PEER 'uids/{name}.dcm'", 22)
      for name in ("sop_class empty", "sop_class leading zero", "sop_class letters", "sop_class long",
                   "sop_class trailing dot", "sop_class double dot", "sop_class verification", "sop_class unknown",
                   "sop_instance empty", "sop_instance leading zero", "sop_instance letters", "sop_instance long",
                   "sop_instance trailing dot", "sop_instance double dot", "transfer_syntax empty",
                   "transfer_syntax leading zero", "transfer_syntax letters", "transfer_syntax unknown")),
    *(Case(f"PEER 'uids/{name}.dcm'")
      for name in ("sop_class future", "sop_class private", "sop_instance one component")),
    *(Case(f"-nuc PEER 'uids/{name}.dcm'", 22)
      for name in ("sop_class empty", "sop_instance empty", "transfer_syntax empty")),
    *(Case(f"-nuc PEER 'uids/{name}.dcm'")
      for name in ("sop_class leading zero", "sop_class letters", "sop_class trailing dot", "sop_class double dot",
                   "sop_class unknown", "sop_instance leading zero", "sop_instance letters",
                   "sop_instance trailing dot", "sop_instance double dot")),
    # --- directories
    Case("PEER tree", 21),
    Case("-nh PEER tree empty", 21),
    Case("+sd PEER empty", 21),
    Case("+sd +sp *.xyz PEER tree", 21),
    Case("+sd +sp *.xyz PEER tree a.dcm"),
    Case("-r PEER a.dcm"),
    Case("+r -r PEER a.dcm"),
    wrong("-r +r PEER a.dcm"),
    wrong("+r PEER a.dcm"),
    wrong("+sp *.dcm PEER a.dcm"),
    *(scan(f"{options} PEER tree")
      for options in ("+sd", "+sd +r", "+sd -r +r", "+sd +r -r", "--scan-directories --recurse", "+sd +sp *.dcm",
                      "+sd +r +sp *.dcm", "+sd +r +sp ?.dcm", "+sd +sp [12]*.dcm", "+sd --scan-pattern *.ima",
                      "+sd +sp 1.dcm", "+sd +sp *.xyz +sp *.dcm", "+sd +sp ''", "+sd +sp [!1]*", "+sd +sp .*")),
    scan("+sd +sp *.DCM PEER tree a.dcm"),
    scan("+sd PEER linked"),
    scan("+sd +r PEER linked"),
    scan("+sd PEER tree/ linked/"),
    scan("+sd PEER mixed", 22),
    scan("+sd -nh PEER mixed"),
    scan("+sd PEER broken", 22),
    Case("+sd PEER 'not there'", 22),
    # --- DICOMDIRs
    Case("PEER dicomdir/DICOMDIR", 22),
    Case("+rd -f PEER dicomdir/DICOMDIR", 22),
    Case("+rd PEER discs/good/DICOMDIR"),
    Case("+rd +f PEER b.dcm discs/good/DICOMDIR mr.dcm"),
    Case("+rd PEER 'discs/bad uid/DICOMDIR'", 22),
    Case("+rd -nh PEER 'discs/no records/DICOMDIR'", 23),
    Case("+rd PEER 'discs/no records/DICOMDIR'", 23),
    # --- bad files
    Case("PEER odd/not_dicom.txt", 22),
    Case("+f PEER odd/not_dicom.txt", 22),
    Case("PEER odd/empty.dcm", 22),
    Case("PEER 'not there.dcm'", 22),
    Case("PEER a.dcm 'not there.dcm' b.dcm", 22),
    Case("--no-halt PEER 'not there.dcm' odd/empty.dcm odd/not_dicom.txt", 23),
    Case("PEER odd/verification_class.dcm", 22),
    Case("PEER odd/invalid_instance_uid.dcm", 22),
    Case("PEER 'private syntax.dcm'", 22),
    Case("PEER a.dcm odd/truncated_pixel_data.dcm b.dcm", 62),
    # --- conversion options, where there is nothing to convert
    *(Case(f"{option} PEER a.dcm") for option in ("-dn", "+dls", "+dly", "+dly -dn", "-nip")),
    Case("-nip PEER samples/sc_jpeg_baseline.dcm"),
    Case("-nip -dn PEER samples/us_rle.dcm", 65),
    # --- titles
    *(Case(f"{option} PEER a.dcm")
      for option in ("-aet ME", "-aec YOU", "-aet -v -aec +sd", "-aet ABCDEFGHIJKLMNOP", "-aet ONE -aet TWO",
                     "-aet 'A B' -aec 'C D'")),
    # --- associations and contexts
    Case("-ma PEER a.dcm mr.dcm"),
    Case("+ma PEER a.dcm mr.dcm b.dcm"),
    Case("-ma PEER @128.txt"),
    Case("PEER a.dcm mr.dcm b.dcm", 62, "CT only"),
    Case("-ma PEER mr.dcm", 65, "CT only"),
    Case("-ma -nh PEER mr.dcm", 65, "CT only"),
    Case("PEER samples/mr_implicit.dcm", server="implicit only"),
    Case("PEER samples/sc_jpeg_baseline.dcm", server="baseline only"),
    # --- conversion: the same values, and pixels bit for bit
    *(Case(f"{option} PEER {file}", server="implicit only")
      for option in ("-dn", "+dls", "+dly", "-nip") for file in ("a.dcm", "large.dcm")),
    *(Case(f"PEER {file}", server="implicit only")
      for file in ("samples/ct_explicit.dcm", "samples/us_big_endian.dcm", "a.dcm samples/ct_explicit.dcm mr.dcm",
                   "unsorted.dcm", "odd/character_sets.dcm", "odd/big_endian_odd_size.dcm",
                   "odd/big_endian_tiff_preamble.dcm")),
    *(Case(f"PEER samples/{file}.dcm", server="explicit only") for file in ("mr_implicit", "us_big_endian")),
    *(Case(f"{option} PEER samples/{file}.dcm", server=f"{target} only")
      for option, file in (("", "sc_jpeg_lossless_sv1"), ("", "sm_jpeg_ls"), ("-nip", "ct_enhanced_jpeg_lossless"),
                           ("+dly", "sc_jpeg_baseline"), ("+dly", "sc_jpeg_lossless_sv1"),
                           ("+dly", "ct_enhanced_jpeg_ls_near_lossless"), ("", "rtstruct_implicit"))
      for target in ("implicit", "explicit")),
    Case("-f PEER odd/bare_explicit.dcm", server="implicit only"),
    Case("-f PEER odd/bare_big_endian.dcm", server="explicit only"),
    Case("PEER unsorted.dcm"),
    Case("PEER odd/odd_length.dcm"),
    # --- the peer's answers
    Case("PEER a.dcm b.dcm c.dcm d.dcm", server="warns"),
    Case("PEER a.dcm", 61, "rejecting"),
    Case("-nh PEER a.dcm", 61, "rejecting"),
    Case("-q PEER a.dcm", 61, "rejecting"),
    Case("PEER a.dcm", 61, "rejects for now"),
    Case("PEER a.dcm", 61, "nobody"),
    Case("-nh -to 1 PEER a.dcm", 61, "nobody"),
    Case("-ta 1 PEER a.dcm", 61, "does not answer"),
    Case("PEER a.dcm", 61, "aborts at once"),
    Case("-td 1 PEER a.dcm b.dcm", 62, "does not respond"),
    Case("PEER a.dcm b.dcm c.dcm", 62, "aborts"),
    Case("PEER a.dcm b.dcm c.dcm", 62, "closes"),
    Case("PEER a.dcm b.dcm c.dcm", 62, "asks for release"),
    # --- the report file
    Case("+crf '' PEER a.dcm"),
    Case("+crf 'old report' PEER a.dcm"),
)

# What is left out of the input, and where a report cannot go.
LEFT_OUT: Final = {"exit code": (0, 67), "left out": (0, 1)}
NO_PLACE: Final = {"exit code": (43, 1), "stored": ({"1.2.3.1": 1}, {})}

DIFFERENT: Final[dict[str, Case]] = {
    # --- exit codes and reports
    "an invalid UID, -nh": differ("-nh PEER 'uids/sop_class letters.dcm' a.dcm", "left out", LEFT_OUT),
    "a folder that is not searched": differ("PEER tree a.dcm", "left out", LEFT_OUT),
    "a broken link, -nh": differ("+sd -nh PEER broken a.dcm", "left out", LEFT_OUT, unordered=True),
    "a DICOMDIR, -nh": differ("-nh PEER a.dcm dicomdir/DICOMDIR", "left out", LEFT_OUT),
    "a bad UID in a DICOMDIR, -nh": differ("+rd -nh PEER 'discs/bad uid/DICOMDIR'", "left out", LEFT_OUT),
    "a missing file, -nh": differ("-nh PEER a.dcm 'not there.dcm' b.dcm", "left out", LEFT_OUT),
    "a report in no folder": differ("+crf 'no folder/report' PEER a.dcm", "report's place", NO_PLACE, 43),
    "a report that is a folder": differ("+crf tree PEER a.dcm", "report's place", NO_PLACE, 43),
    "a report that is a folder, -q": differ(
        "-q +crf tree PEER a.dcm", "report's place", {**NO_PLACE, **WE_TALK}, 43),
    "bad status": differ(
        "PEER a.dcm b.dcm c.dcm d.dcm -1.dcm large.dcm", "exit code", WE_TALK, server="refuses", short=True),
    "bad status, -nh": differ(
        "-nh PEER a.dcm b.dcm c.dcm d.dcm -1.dcm large.dcm", "exit code", WE_TALK, server="refuses", short=True),
    "bad status, -q": differ(
        "-q PEER a.dcm b.dcm c.dcm d.dcm -1.dcm large.dcm", "exit code", WE_TALK, server="refuses", short=True),
    "-nip, -nh": differ(
        "-nip -dn -nh PEER a.dcm samples/sc_jpeg_lossless_sv1.dcm b.dcm", "exit code", {}, short=True),
    "all contexts refused": differ(
        "PEER mr.dcm", "exit code, unsent rows",
        {"Association": (["0"], ["1"]), "Network Xfer": ([""], [LEE])}, server="CT only", short=True),
    "some contexts refused": differ(
        "-nh PEER a.dcm mr.dcm b.dcm", "exit code, dataset size",
        {"Dataset Size": (["2110 bytes"] * 3, ["2110 bytes", "0 bytes", "2110 bytes"])},
        server="CT only", short=True),
    "some contexts refused, -dn": differ(
        "-dn -nh PEER a.dcm mr.dcm b.dcm", "exit code, dataset size",
        {"Dataset Size": (["2110 bytes"] * 3, ["2110 bytes", "0 bytes", "2110 bytes"]),
         "DIMSE Status": ([SUCCESS, UNSENT, SUCCESS], [SUCCESS, REFUSED, SUCCESS])}, server="CT only", short=True),
    "a class that the peer does not take": differ(
        "PEER odd/color_palette.dcm", "exit code, unsent rows",
        {"Association": (["0"], ["1"]), "Network Xfer": ([""], [LEE])}, short=True),
    "bad file": differ(
        "PEER a.dcm 'not there.dcm' b.dcm", "report", {"DIMSE Status": (None, [UNSENT]), "stored": ({}, {})}, 22),
    "broken file": differ(
        "PEER a.dcm odd/truncated_pixel_data.dcm b.dcm", "report",
        {"DIMSE Status": (None, [SUCCESS, UNSENT, UNSENT])}, 62),
    "broken file, -nh": differ(
        "-nh PEER a.dcm odd/truncated_pixel_data.dcm b.dcm", "exit code, unsent rows",
        {"Association": (["1", "0", "1"], ["1", "1", "1"]), "Network Xfer": ([LEE, "", LEE], [LEE, LEE, LEE]),
         "Pres. Context": ([1, 1, 1], [1, 2, 1])},  # of the associations: DCMTK's row names none
        short=True),
    "rejected": differ("PEER a.dcm", "report", {"DIMSE Status": (None, [UNSENT])}, 61, "rejecting"),
    "aborted": differ(
        "PEER a.dcm b.dcm c.dcm", "report", {"DIMSE Status": (None, [SUCCESS, UNSENT, UNSENT])}, 62, "aborts"),
    "single association": differ(
        "-ma PEER @130.txt", "exit code, warnings", WE_TALK, short=True),
    # --- more classes than an association takes
    "128 classes": differ(
        "+ma PEER @128.txt", "own context",
        {"Association": (["1"] * 128, ["1"] * 64 + ["2"] * 64), "contexts": (128, 256), "summary": UNLIKE,
         "Pres. Context": ([*range(1, 129)], [*range(1, 65)] * 2),
         "context IDs": ([str(n) for n in range(1, 256, 2)], [str(n) for n in range(1, 256, 4)] * 2)}),
    "130 classes": differ(
        "-ma +ma PEER @130.txt", "own context",
        {"Association": (["1"] * 128 + ["2"] * 2, ["1"] * 64 + ["2"] * 64 + ["3"] * 2), "contexts": (130, 260),
         "Pres. Context": ([*range(1, 129), 1, 2], [*range(1, 65), *range(1, 65), 1, 2]), "summary": UNLIKE}),
    # --- broken associations
    "aborted, -nh": differ(
        "-nh PEER a.dcm b.dcm c.dcm", "exit code, goes on, dataset size, unsent rows",
        {"stored": ({}, {}),
         "DIMSE Status": ([SUCCESS, UNSENT, UNSENT], [SUCCESS, UNSENT, SUCCESS]),
         "Association": (["1", "1", "1"], ["1", "1", "2"])}, server="aborts, then takes one", short=True),
    "aborted, -nh, more classes than an association takes": differ(
        "-nh PEER @130.txt", "goes on",
        {"exit code": (60, 66), "DIMSE Status": (None, [UNSENT] + [SUCCESS] * 129)},
        60, "aborts, then takes 129"),
    "late response": differ(
        "-nh -td 1 PEER a.dcm b.dcm c.dcm", "exit code, message id",
        {"DIMSE Status": ([SUCCESS, UNSENT, "0xa700 (Refused: OutOfResources)"], [SUCCESS, UNSENT, SUCCESS]),
         "Association": (["1", "1", "1"], ["1", "1", "2"])}, server="is late", short=True),
    "response to something else": differ(
        "PEER a.dcm", "message id",
        {"exit code": (0, 62), "standard error": (False, True), "DIMSE Status": ([SUCCESS], [UNSENT])},
        server="answers wrongly"),
    "timeout of 2 ** 32 seconds": differ(
        "-td 4294967296 PEER a.dcm", "timeouts", {"exit code": (62, 0), **TALKS}, 62, "is waited for"),
    # --- transfer syntaxes
    "implicit little endian": differ("PEER samples/mr_implicit.dcm", "own context", {"Network Xfer": ([LEE], [LEI])}),
    "big endian": differ("PEER samples/us_big_endian.dcm", "own context", {"Network Xfer": ([LEE], [BEE])}),
    "two native syntaxes": differ(
        "PEER samples/mr_implicit.dcm samples/us_big_endian.dcm", "own context",
        {"Network Xfer": ([LEE, LEE], [LEI, BEE])}, server="anything"),
    "bare implicit": differ(
        "+f PEER odd/bare_implicit.dcm", "own context, dataset size",
        {"Network Xfer": ([LEE], [LEI]), "Dataset Size": (["2310 bytes"], ["2534 bytes"])}),
    "bare big endian": differ("-f PEER odd/bare_big_endian.dcm", "own context", {"Network Xfer": ([LEE], [BEE])}),
    "lossless JPEG to baseline": differ(
        "-nh PEER samples/sc_jpeg_baseline.dcm samples/sc_jpeg_lossless_sv1.dcm", "exit code, dataset size",
        {"Dataset Size": (["3078 bytes", "4820 bytes"], ["3078 bytes", "0 bytes"])},
        server="baseline only", short=True),
    "lossy JPEG to implicit": differ(
        "PEER samples/sc_jpeg_baseline.dcm", "exit code, unsent rows",
        {"Association": (["0"], ["1"]), "Network Xfer": UNLIKE}, server="implicit only", short=True),
    "lossless JPEG, -dn": differ(
        "-dn PEER samples/sc_jpeg_lossless_sv1.dcm", "exit code, unsent rows",
        {"Association": (["0"], ["1"]), "Network Xfer": UNLIKE}, server="implicit only", short=True),
    "RLE, -nip": differ("-nip PEER samples/us_rle.dcm", "dataset size", SIZES),
    "JPEG 2000, -nip": differ(
        "-nip PEER samples/seg_jpeg_2000_lossless.dcm", "decoders, report",
        {**TALKS, "exit code": (65, 0), "stored": ({}, {J2K_INSTANCE: 1}), "DIMSE Status": (None, [SUCCESS])}, 65),
    "JPEG 2000, -nip -dn": differ(
        "-nip -dn PEER samples/seg_jpeg_2000_lossless.dcm", "report", {"DIMSE Status": (None, [REFUSED])}, 65),
    "JPEG 2000 to implicit": differ(
        "PEER samples/seg_jpeg_2000_lossless.dcm", "decoders, dataset size",
        {**TALKS, **SIZES, "stored": ({}, {J2K_INSTANCE: 1}), "DIMSE Status": ([REFUSED], [SUCCESS]),
         "Association": (["0"], ["1"]), "Network Xfer": ([""], [LEI])}, server="implicit only"),
    **{f"{name} to {target}": differ(
        f"{option} PEER samples/{file}.dcm", "dataset size", SIZES, server=f"{target} only")
       for name, option, file in (("RLE", "", "us_rle"), ("JPEG extended", "+dly", "sc_jpeg_extended"),
                                  ("deflated", "", "ct_deflated"), ("waveforms", "", "ecg_waveform"))
       for target in ("implicit", "explicit")},
    "two that become explicit": differ(
        "-nh +dly PEER samples/sc_jpeg_baseline.dcm samples/sc_jpeg_lossless_sv1.dcm", "any context",
        {"Pres. Context": ([1, 2], [1, 1]), "context IDs": (["1", "3"], ["5", "5"])}, server="explicit only"),
    "receiver that would rather convert": differ(
        "PEER samples/us_rle.dcm", "own context, dataset size", {**SIZES, "Network Xfer": ([LEE], [RLE])},
        server="prefers uncompressed"),
    "context that was made for another file": differ(
        "-nh PEER samples/us_rle.dcm samples/us_big_endian.dcm", "any context, dataset size, unsent rows",
        {**TALKS, **SIZES, "DIMSE Status": ([REFUSED, SUCCESS], [SUCCESS, SUCCESS]),
         "Network Xfer": ([RLE, LEE], [BEE, BEE]), "Pres. Context": ([1, 2], [1, 1])},
        server="takes one context"),
    "-dn": differ("-dn PEER samples/sc_jpeg_lossless_sv1.dcm", "warnings", TALKS),
    "HTJ2K": differ(
        "PEER odd/htj2k.dcm", "newer syntaxes", {"exit code": (22, 0), "stored": UNLIKE, **TALKS}, 22, "anything"),
    "deflated image frame": differ(
        "PEER odd/deflated_image_frame.dcm", "newer syntaxes", {"exit code": (22, 0), "stored": UNLIKE, **TALKS}, 22,
        "anything"),
    "private syntax": differ(
        "-nuc PEER 'private syntax.dcm'", "private syntaxes",
        {"exit code": (62, 0), "stored": ({}, {"1.2.6.6": 1}), **TALKS}, 62, "anything"),
    "private syntax, +f": differ(
        "+f -nuc PEER 'private syntax.dcm'", "private syntaxes",
        {"exit code": (62, 0), "stored": ({}, {"1.2.6.6": 1}), **TALKS}, 62, "anything"),
    "private syntax that is refused": differ(
        "-nuc PEER 'private syntax.dcm'", "exit code, unsent rows",
        {"Association": (["0"], ["1"]), "Network Xfer": ([""], ["1.2.3.4.5 = Unknown Transfer Syntax"])}, short=True),
    # --- sizes
    "sequences": differ(
        "PEER samples/sr_basic_text.dcm samples/ecg_waveform.dcm", "dataset size",
        {"Dataset Size": (["2296 bytes", "287752 bytes"], ["2624 bytes", "290768 bytes"])}),
    "compressed, with sequences": differ(
        "PEER samples/us_rle.dcm", "dataset size", {"Dataset Size": (["48442 bytes"], ["48530 bytes"])}),
    "deflated": differ(
        "PEER samples/ct_deflated.dcm", "dataset size", {"Dataset Size": (["530958 bytes"], ["250631 bytes"])}),
    "JPEG 2000": differ(
        "PEER samples/ct_jpeg_2000.dcm samples/sm_jpeg_ls.dcm", "dataset size, warnings", {**SIZES, **TALKS}),
    # --- what files say of themselves
    "meta information disagrees": differ(
        "PEER odd/meta_without_group_length.dcm", "data set's UIDs", {"SOP Instance": (["1.2.3"], ["1.1"])}),
    "meta information disagrees, implicit": differ(
        "PEER odd/meta_disagrees.dcm", "data set's UIDs, own context",
        {"SOP Instance": UNLIKE, "Network Xfer": ([LEE], [LEI])}),
    "two values of an attribute": differ(
        "PEER twice.dcm", "structure, dataset size",
        {"exit code": (0, 62), "stored": ({"1.2.3.12": 1}, {}), "DIMSE Status": ([SUCCESS], [UNSENT]), **SIZES}),
    "class that is not for storage": differ(
        "-nuc PEER 'uids/sop_class verification.dcm'", "class names",
        {"SOP Class": (["1.2.840.10008.1.1 = VerificationSOPClass"], ["1.2.840.10008.1.1 = unknown"])}),
    "SOP class of 65 characters": differ(
        "-nuc PEER 'uids/sop_class long.dcm'", "long UIDs",
        {"exit code": (0, 22), "stored": ({"1.2.7.1": 1}, {}), "Filename": (["uids/sop_class long.dcm"], [])}),
    "SOP instance of 65 characters": differ(
        "-nuc PEER 'uids/sop_instance long.dcm'", "long UIDs",
        {**WE_TALK, "exit code": (0, 22), "stored": ({"1." + "2" * 62: 1}, {}),
         "Filename": (["uids/sop_instance long.dcm"], [])}),
    # --- directories
    "loop": differ(
        "+sd +r -nh PEER loop", "loops, duplicates",
        {"stored": ({"1.2.6.2": 41}, {"1.2.6.2": 1}), "Filename": UNLIKE}, unordered=True),
    "duplicates": differ(
        "PEER a.dcm b.dcm a.dcm", "duplicates, warnings",
        {**WE_TALK, "stored": ({"1.2.3.1": 2, "1.2.3.2": 1}, {"1.2.3.1": 1, "1.2.3.2": 1}),
         "Filename": (["a.dcm", "b.dcm", "a.dcm"], ["a.dcm", "b.dcm"])}),
    "same folder twice": differ(
        "+sd PEER loop loop", "duplicates, warnings",
        {**WE_TALK, "stored": ({"1.2.6.2": 2}, {"1.2.6.2": 1}),
         "Filename": (["loop/good.dcm"] * 2, ["loop/good.dcm"])}),
    # --- DICOMDIRs
    **{name: differ(f"+rd {option} PEER dicomdir/{name}", "dataset size", SIZES)
       for name, option in (("DICOMDIR", ""), ("DICOMDIR-implicit", "+fo"), ("DICOMDIR-bigEnd", "+f"))},
    "DICOMDIR among files": differ("+rd PEER a.dcm dicomdir/DICOMDIR b.dcm", "dataset size", SIZES),
    "DICOMDIRs in a scanned folder": differ(
        "+rd +sd +r PEER dicomdir", "duplicates, warnings, dataset size",
        {**WE_TALK, **SIZES, "stored": UNLIKE, "Filename": UNLIKE}, unordered=True),
    "file that is not there": differ(
        "+rd PEER discs/missing/DICOMDIR", "missing files",
        {"exit code": (62, 22), "stored": ({"1.2.3.1": 1}, {})}, 62),
    "file that is not there, -nh": differ(
        "+rd -nh PEER discs/missing/DICOMDIR", "missing files, left out",
        {**LEFT_OUT, "Filename": ([f"discs/missing/IMAGES/IM{n}" for n in (1, 2)], ["discs/missing/IMAGES/IM1"])}),
    "file that is outside": differ(
        "+rd PEER discs/outside/DICOMDIR", "containment, unsent rows, dataset size",
        {**WE_TALK, "exit code": (0, 22), "stored": ({"1.2.3.1": 1, "1.2.3.2": 1}, {}),
         "Filename": (["discs/outside/IMAGES/IM1", "discs/outside/../../b.dcm"], ["discs/outside/IMAGES/IM1"]),
         "DIMSE Status": ([SUCCESS] * 2, [UNSENT]), "Association": (["1"] * 2, ["0"]),
         "Network Xfer": ([LEE] * 2, [""]), "Dataset Size": (["2110 bytes"] * 2, ["0 bytes"])}),
    "file that is outside, -nh": differ(
        "+rd -nh PEER discs/outside/DICOMDIR", "containment, left out",
        {**WE_TALK, **LEFT_OUT, "stored": ({"1.2.3.1": 1, "1.2.3.2": 1}, {"1.2.3.1": 1}),
         "Filename": (["discs/outside/IMAGES/IM1", "discs/outside/../../b.dcm"], ["discs/outside/IMAGES/IM1"])}),
    "names in lower case": differ(
        "+rd PEER 'discs/lower case/DICOMDIR'", "media names",
        {**TALKS, "exit code": (62, 0), "stored": ({}, {"1.2.3.1": 1})}, 62),
    # --- options
    "IPv4": only_ours("-i4 PEER a.dcm", "Unknown option -i4"),
    "IPv4, long": only_ours("--ipv4 PEER a.dcm", "Unknown option --ipv4"),
    "IPv6": only_ours("-i6 PEER a.dcm", "Unknown option -i6", 61),
    "any address": only_ours("-i0 PEER a.dcm", "Unknown option -i0"),
    "window": only_ours("--async-window 4 PEER a.dcm", "Unknown option --async-window"),
    "socket timeout": only_ours("--socket-timeout 5 PEER a.dcm", "Unknown option --socket-timeout"),
    "DCMTK's exit codes": only_ours("--dcmtk-exit-codes PEER a.dcm", "Unknown option --dcmtk-exit-codes"),
    "sending duplicates": only_ours("--send-duplicates PEER a.dcm a.dcm", "Unknown option --send-duplicates"),
    "following external references": only_ours(
        "+rd --allow-external-references PEER discs/outside/DICOMDIR", "Unknown option --allow-external-references"),
    "odd PDU size": differ(
        "--max-send-pdu 4097 PEER large.dcm", "odd PDUs",
        {"exit code": (62, 0), "stored": ({}, {"1.2.3.6": 1}), **TALKS}, 62),
    "long calling title": differ("-aet ABCDEFGHIJKLMNOPQRST PEER a.dcm", "warnings", WE_TALK),
    "long called title": differ("-aec ABCDEFGHIJKLMNOPQRST PEER a.dcm", "warnings", WE_TALK),
    "empty calling title": differ("-aet '' PEER a.dcm", "report, empty titles", {"DIMSE Status": (None, [UNSENT])}, 61),
    "empty called title": differ("-aec '' PEER a.dcm", "report, empty titles", {"DIMSE Status": (None, [UNSENT])}, 61),
}
# fmt: on

Script = Sequence[Step]
Scripts = tuple[Script, ...]


def both(*script: Step) -> tuple[Scripts, Scripts]:
    """One connection, the same for both tools."""
    return (script,), (script,)


ABORT: Final = send(pdus.abort(0, 0))
FIRST: Final = (accept(), store())

# What a scripted peer plays for DCMTK's dcmsend and for ours. DCMTK's waits after an A-ABORT until the peer closes.
SCRIPTS: Final[dict[str, tuple[Scripts, Scripts]]] = {
    "warns": both(accept(), *map(store, (0xB000, 0xB006, 0xB007, 0x0107)), release()),
    "refuses": both(accept(), *map(store, (0xB000, 0xA700, 0xC001, 0x0110, 0xA900, 0x0122)), release()),
    "rejects for now": both(reject(2, 3, 1)),
    "does not answer": both(expect(pdus.A_ASSOCIATE_RQ), drain()),
    "aborts at once": both(expect(pdus.A_ASSOCIATE_RQ), ABORT, drain()),
    "does not respond": both(accept(), expect_message(), expect(pdus.A_ABORT)),
    "aborts": both(*FIRST, expect_message(), ABORT, drain()),
    "closes": both(*FIRST, expect_message(), close()),
    "asks for release": both(*FIRST, expect_message(), send(pdus.release_rq()), expect(pdus.A_ABORT)),
    "aborts, then takes one": (
        ((*FIRST, expect_message(), ABORT, drain()),),
        ((*FIRST, expect_message(), ABORT, drain()), (*FIRST, release())),
    ),
    "aborts, then takes 129": (
        ((accept(), expect_message(), ABORT, drain()),),
        (
            (accept(), expect_message(), ABORT, drain()),
            (accept(), *[store()] * 63, release()),
            (accept(), *[store()] * 64, release()),
            (accept(), *[store()] * 2, release()),
        ),
    ),
    "prefers uncompressed": (((accept(only=NATIVE), *FIRST[1:], release()),), ((*FIRST, release()),)),
    "takes one context": (
        ((accept(results={1: 4}), store(), release()),),
        ((accept(results={1: 4, 5: 4}), store(), store(), release()),),
    ),
    "is late": (
        ((*FIRST, expect_message(), expect_message(), respond(0xA700, message=-2), release()),),
        ((*FIRST, expect_message(), expect(pdus.A_ABORT), drain()), (*FIRST, release())),
    ),
    "is waited for": (
        ((accept(), expect_message(), expect(pdus.A_ABORT)),),
        ((*FIRST, release()),),
    ),
    "answers wrongly": (
        ((accept(), expect_message(), respond(message_id=4711), release()),),
        ((accept(), expect_message(), respond(message_id=4711), drain()),),
    ),
}


CASES: Final[dict[str, Case]] = {f"{case.server}: {case.line}": case for case in SAME} | DIFFERENT


@pytest.fixture(scope="module")
def peers(dcmtk: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    dcmtk("storescp")
    started = Peers(tmp_path_factory.mktemp("servers"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def input_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("input")
    parity.make_input(folder)
    return folder


class Bench(NamedTuple):
    """What the runs of one case need."""

    peers: Peers
    folder: Path
    report: Path

    def run(self, command: Command, case: Case, *options: str, ours: bool) -> Run:
        """Run a case with one tool, with these options before its words."""
        if case.server in SCRIPTS:
            peer = ScriptedPeer(*SCRIPTS[case.server][ours])
            try:
                return self._run(command, case, options, peer.port)
            finally:
                peer.stop()
        if case.server == "nobody":
            return self._run(command, case, options, servers.free_ports(1)[0])
        server = self.peers.get(case.server)
        return self._run(command, case, options, server.port, server)

    def _run(
        self,
        command: Command,
        case: Case,
        options: tuple[str, ...],
        port: int,
        server: servers.FolderServer | None = None,
    ) -> Run:
        report = () if case.bare else ("+crf", str(self.report))
        words = [*report, *options, *parity.words_of(case.line, port)]
        return parity.run(command, words, self.folder, report_path=self.report, port=port, server=server)


@pytest.fixture
def bench(peers: Peers, input_folder: Path, tmp_path: Path) -> Bench:
    return Bench(peers, input_folder, tmp_path / "report.txt")


def expected(case: Case) -> Apart:
    """What the two do differently, with the two differences that follow from DCMTK's exit code alone."""
    apart = dict(case.apart)
    if case.short:
        apart.setdefault("exit code", (case.code, 66))
    if case.code in NO_REPORT:
        apart.setdefault("report", (False, True))
    return apart


@pytest.mark.parametrize("name", CASES)
def test_both_tools(name: str, dcmsend_oracle: Command, run_dcmsend: Command, bench: Bench) -> None:
    case = CASES[name]
    theirs = bench.run(dcmsend_oracle, case, ours=False)
    ours = bench.run(run_dcmsend, case, ours=True)
    assert theirs.seen["exit code"] == case.code, theirs.stderr
    found = parity.differences(theirs, ours, expected(case), unordered=case.unordered)
    found += parity.inconsistencies(ours.seen, bench.folder)
    assert not found, f"{found}\nDCMTK: {theirs.stderr}\nours: {ours.stderr}"
    if ours.seen["exit code"] in (66, 67) and case.code == 0:
        again = bench.run(run_dcmsend, case, "--dcmtk-exit-codes", ours=True)
        assert again.seen == ours.seen | {"exit code": case.code}


def test_with_our_options_duplicates_and_external_references_are_sent_as_by_dcmtk(
    dcmsend_oracle: Command, run_dcmsend: Command, bench: Bench
) -> None:
    for line, option in (
        ("PEER a.dcm b.dcm a.dcm", "--send-duplicates"),
        ("+sd PEER loop loop", "--send-duplicates"),
        ("+rd PEER discs/outside/DICOMDIR", "--allow-external-references"),
        ("+rd -nh PEER discs/outside/DICOMDIR discs/good/DICOMDIR", "--allow-external-references"),
    ):
        theirs = bench.run(dcmsend_oracle, Case(line), ours=False)
        ours = bench.run(run_dcmsend, Case(line), option, ours=True)
        assert parity.differences(theirs, ours, {}) == [], line


def test_directories_are_sorted(dcmsend_oracle: Command, run_dcmsend: Command, bench: Bench) -> None:
    """DCMTK takes what the file system gives, so only the names can be compared, and ours with what is expected."""
    case = Case("+sd +r +sp *.dcm PEER tree")
    theirs = bench.run(dcmsend_oracle, case, ours=False).seen["Filename"]
    ours = bench.run(run_dcmsend, case, ours=True).seen["Filename"]
    names = ["1.dcm", "2.dcm", "10.dcm", ".hidden.dcm", ".inner/4.dcm", "inner/3.dcm"]
    assert ours == [f"tree/{name}" for name in names]
    assert isinstance(theirs, list)
    assert sorted(theirs) == sorted(f"tree/{name}" for name in names)


# Files -> context IDs of the rows, and how many contexts there are: of DCMTK's, and of ours.
CONTEXTS: Final[dict[str, tuple[tuple[list[int], int], tuple[list[int], int]]]] = {
    "PEER a.dcm": (([1], 1), ([1], 2)),
    "PEER a.dcm b.dcm mr.dcm c.dcm": (([1, 1, 3, 1], 2), ([1, 1, 5, 1], 4)),
    "PEER samples/mr_implicit.dcm mr.dcm": (([1, 1], 1), ([1, 3], 2)),
    "PEER samples/us_big_endian.dcm": (([1], 1), ([1], 2)),
    "PEER samples/us_rle.dcm samples/us_big_endian.dcm": (([1, 3], 2), ([1, 3], 3)),
    "PEER samples/sc_jpeg_baseline.dcm": (([1], 1), ([1], 1)),
    "+dly PEER samples/sc_jpeg_baseline.dcm": (([1], 1), ([1], 2)),
    "-dn PEER samples/us_rle.dcm a.dcm": (([1, 3], 2), ([1, 3], 3)),
    "PEER samples/sc_jpeg_baseline.dcm samples/sc_jpeg_lossless_sv1.dcm": (([1, 3], 2), ([1, 3], 3)),
    "-nip PEER samples/ct_deflated.dcm a.dcm": (([1, 3], 2), ([1, 3], 3)),
}


@pytest.mark.parametrize("line", CONTEXTS)
def test_each_transfer_syntax_has_a_context_of_its_own(
    line: str, dcmsend_oracle: Command, run_dcmsend: Command, bench: Bench
) -> None:
    """What the comparison of the cases leaves out; see "own context"."""
    for command, (ids, count) in zip((dcmsend_oracle, run_dcmsend), CONTEXTS[line], strict=True):
        seen = bench.run(command, Case(line, server="anything"), ours=command is run_dcmsend).seen
        assert (seen["context IDs"], seen["contexts"]) == ([str(number) for number in ids], count)


def test_the_table_is_long_enough() -> None:
    assert len({(case.server, case.line) for case in CASES.values()}) >= LEAST_CASES
    assert len(CASES) == len(SAME) + len(DIFFERENT)


def test_every_option_of_dcmtk_is_used_with_success(dcmsend_oracle: Command) -> None:
    """What ``--help`` lists, short and long, is in a case that ends with 0."""
    listed = re.findall(r"^ +(?:([+-][a-z]+) +)?(--[a-z-]+)", dcmsend_oracle("--help").stdout, re.MULTILINE)
    assert len(listed) > 30
    used = {word for case in CASES.values() if case.code == 0 for word in shlex.split(case.line)}
    assert [names for names in listed if used.isdisjoint(names)] == []


def test_every_difference_has_a_case() -> None:
    shown = {difference for case in CASES.values() for difference in case.differences}
    shown.add("sorted")  # by a test of its own
    assert shown == DIFFERENCES.keys()


def test_every_case_that_differs_names_the_difference() -> None:
    for name, case in CASES.items():
        assert case.differences or not (case.apart or case.short), name
    assert all(case.differences for case in DIFFERENT.values())
