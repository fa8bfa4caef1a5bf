"""Why a file is not converted: what the user reads, and whose fault it is."""

from __future__ import annotations

import pytest

from dcmsend.reasons import Reason, because
from dcmsend.reasons.row import Kind
from dcmsend.reasons.table import TABLE, group
from tests.files.encode import is_one_line


def framed(code: str, **facts: str | int) -> Reason:
    return because("in_frame", because(code, **facts), frame=3, frames=7)


@pytest.mark.parametrize(
    ("reason", "words", "advice"),
    [
        pytest.param(
            framed("no_codestream", kind="JPEG", start="FFD8"),
            "frame 3 of 7: not a JPEG codestream: it does not begin with FFD8",
            "the file is wrong, not the peer",
            id="something else in the fragments",
        ),
        pytest.param(
            because("at_element", because("not_encapsulated"), tag="(7fe0,0010)", offset=398),
            "(7fe0,0010) at byte 398: the pixel data is not encapsulated, but the transfer syntax is",
            "the file is wrong, not the peer",
            id="raw pixels",
        ),
        pytest.param(
            because("size_contradicts", found="9 x 7", stated="9 x 8"),
            "the codestream has 9 x 7 pixels, but Columns x Rows is 9 x 8",
            "it is wrong, not the peer",
            id="a contradiction",
        ),
        pytest.param(
            framed("process_not_decodable", kind="JPEG", marker="FFC9"),
            "frame 3 of 7: not a JPEG process that can be decoded: frame header FFC9",
            "have the peer accept its transfer syntax",
            id="no decoder for it",
        ),
        pytest.param(
            framed("frame_too_large", size=1 << 30, most=1 << 27),
            "frame 3 of 7: a decoded frame has 1073741824 bytes, more than 134217728",
            "have the peer accept its transfer syntax",
            id="too large",
        ),
        pytest.param(
            framed("codestream_cut_off", kind="JPEG"),
            "frame 3 of 7: the JPEG codestream is cut off",
            "copy the file from its source again",
            id="cut off",
        ),
        pytest.param(
            because("became_shorter"),
            "the file became shorter while it was being sent",
            "send them again when they are finished",
            id="shorter",
        ),
        pytest.param(
            because("at_element", because("no_sequence_in_dictionary", vr="LO"), tag="(0012,0064)", offset=398),
            "(0012,0064) at byte 398: its VR is LO, but in the data dictionary it is a sequence: in implicit VR nobody"
            " could read it",
            "accept explicit VR",
            id="no sequence",
        ),
    ],
)
def test_words_and_advice(reason: Reason, words: str, advice: str) -> None:
    assert str(reason) == words
    assert advice in reason.hint()
    assert is_one_line(reason.hint())
    assert reason.kind is Kind.FILE


def test_frames_are_one_group() -> None:
    """Whichever frame it was, and however many there are."""
    first, second = framed("rle_offsets"), because("in_frame", because("rle_offsets"), frame=1, frames=1)
    assert group(first) == group(second) == "frame ... of ...: the offsets of the RLE header are wrong"
    assert group(first) != group(framed("rle_header_cut_off"))


def test_a_file_that_changed_may_be_another_one_the_next_time() -> None:
    for code in ("changed_since_scan", "became_shorter"):
        assert TABLE[code].passes
