"""Fragmenting and reassembling (PS3.8 Annex E): what DataFrames makes is read back with the PDU decoder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.wire import fragment, pdu
from dcmsend.wire.command import C_STORE_RSP, MAX_COMMAND_LENGTH, Response, encode_store_request
from dcmsend.wire.reader import MalformedPDU


def values(data: bytes, max_pdu: int) -> list[pdu.PDV]:
    found: list[pdu.PDV] = []
    for data_pdu in pdu.PDUBuffer(max_pdu).feed(data):
        assert isinstance(data_pdu, pdu.Data)
        found += data_pdu.values
    return found


def fill(frames: fragment.DataFrames, data: bytes) -> None:
    for gap in frames.gaps:
        piece, data = data[: len(gap)], data[len(gap) :]
        gap[: len(piece)] = piece


@pytest.mark.parametrize(("max_pdu", "length"), [(16384, 16378), (16382, 16376), (4097, 4090), (8, 2), (9, 2)])
def test_pdvs_are_even_and_fit_the_peers_limit(max_pdu: int, length: int) -> None:
    assert fragment.fragment_length(max_pdu) == length


@given(st.integers(8, 600), st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=4), st.booleans())
def test_frames_carry_the_data_set(max_pdu: int, chunks: list[bytes], with_command: bool) -> None:
    """Several data sets through one buffer, on different contexts: no header of one is left over in the next."""
    frames = fragment.DataFrames(max_pdu, 1000)
    request = encode_store_request(1, "1.2.3", "1.2.3.4")
    for context_id, data in enumerate(chunks, 1):
        data += b"\0" * (len(data) % 2)
        command = fragment.encode_command(context_id, request, max_pdu) if with_command else b""
        sent = bytearray()
        for start in range(0, len(data), frames.capacity):
            piece = data[start : start + frames.capacity]
            fill(frames, piece)
            is_last = start + frames.capacity >= len(data)
            sent += frames.seal(context_id, len(piece), is_last=is_last, command=command)
            command = b""
        found = values(bytes(sent), max_pdu)
        commands = [pdv for pdv in found if pdv.is_command]
        pieces = [pdv for pdv in found if not pdv.is_command]
        assert b"".join(pdv.data for pdv in commands) == (request if with_command else b"")
        assert b"".join(pdv.data for pdv in pieces) == data
        assert [pdv.is_last for pdv in pieces] == [False] * (len(pieces) - 1) + [True]
        assert [pdv.is_last for pdv in commands] == [False] * (len(commands) - 1) + [True] * bool(commands)
        assert {pdv.context_id for pdv in found} == {context_id}
        assert all(len(pdv.data) % 2 == 0 for pdv in found)


def test_gaps_are_reused_not_copied() -> None:
    frames = fragment.DataFrames(16384, 512 * 1024)
    assert len(frames.gaps) == 32
    frames.gaps[0][:4] = b"abcd"
    assert (
        bytes(frames.seal(1, 4, is_last=True))
        == bytes.fromhex("04000000000a 00000006 01 02".replace(" ", "")) + b"abcd"
    )


def test_a_peer_that_takes_tiny_pdus_gets_fewer_at_once() -> None:
    """Each gap costs far more than the two bytes in it."""
    frames = fragment.DataFrames(8, 1 << 20)
    assert (len(frames.gaps), frames.capacity) == (1024, 2048)


def response_values(response: Response, size: int = 10_000, context_id: int = 1) -> list[pdu.PDV]:
    data = response.encode()
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return [pdu.PDV(context_id, True, i == len(pieces), piece) for i, piece in enumerate(pieces, 1)]


SUCCESS = Response(C_STORE_RSP, 1, 0, context_id=1)
WITH_DATA = Response(C_STORE_RSP, 1, 0, has_data_set=True, context_id=1)


@pytest.mark.parametrize("size", [1, 7, 40, 10_000])
def test_responses_are_joined(size: int) -> None:
    assembler = fragment.MessageAssembler()
    assert [r for v in response_values(SUCCESS, size) for r in assembler.feed([v])] == [SUCCESS]


def test_two_responses_in_one_pdu() -> None:
    second = Response(C_STORE_RSP, 2, 0xA700, context_id=1)
    both = [*response_values(SUCCESS), *response_values(second)]
    assert list(fragment.MessageAssembler().feed(both)) == [SUCCESS, second]


def test_a_data_set_behind_a_response_is_dropped() -> None:
    data = [pdu.PDV(1, False, False, bytes(100)), pdu.PDV(1, False, True, b"")]
    assert list(fragment.MessageAssembler().feed([*response_values(WITH_DATA), *data])) == [WITH_DATA]


def test_a_response_is_there_before_its_data_set() -> None:
    """Which may never come: the status is known, and nothing is waited for but what has begun."""
    assembler = fragment.MessageAssembler()
    assert list(assembler.feed(response_values(WITH_DATA))) == [WITH_DATA]
    assert not assembler.partial
    assert list(assembler.feed([pdu.PDV(1, False, False, b"ab")])) == []
    assert assembler.partial
    assert list(assembler.feed([pdu.PDV(1, False, True, b"cd"), *response_values(SUCCESS)])) == [SUCCESS]
    assert not assembler.partial


def test_a_data_set_that_was_announced_and_does_not_come_is_no_fault() -> None:
    second = Response(C_STORE_RSP, 2, 0, has_data_set=True, context_id=1)
    both = [*response_values(WITH_DATA), *response_values(second)]
    assert list(fragment.MessageAssembler().feed(both)) == [WITH_DATA, second]


def test_a_command_set_of_which_more_is_to_come_is_partial() -> None:
    assembler = fragment.MessageAssembler()
    first, *rest = response_values(SUCCESS, 40)
    assert list(assembler.feed([first])) == []
    assert assembler.partial
    assert list(assembler.feed(rest)) == [SUCCESS]
    assert not assembler.partial


def test_each_message_has_its_own_number_of_pieces() -> None:
    assembler = fragment.MessageAssembler()
    with_data = [*response_values(WITH_DATA, 1), *[pdu.PDV(1, False, False, b"")] * 16000, pdu.PDV(1, False, True, b"")]
    for _ in range(2):
        assert list(assembler.feed(with_data)) == [WITH_DATA]
        assert list(assembler.feed(response_values(SUCCESS, 1))) == [SUCCESS]


@pytest.mark.parametrize(
    ("pdvs", "complaint"),
    [
        ([pdu.PDV(1, False, True, b"")], "a piece of a data set where a command was expected"),
        (
            [*response_values(WITH_DATA), pdu.PDV(1, False, False, b""), *response_values(SUCCESS)],
            "before the data set of the one before it had ended",
        ),
        ([pdu.PDV(1, True, False, b"ab"), pdu.PDV(3, True, False, b"ab")], "changes its presentation context"),
        ([pdu.PDV(1, True, False, bytes(MAX_COMMAND_LENGTH // 2 + 1))] * 2, "a command set of more than 16384 bytes"),
        ([pdu.PDV(1, True, True, b"")], "no usable Command Field"),
        ([], "without a value"),
        ([pdu.PDV(1, True, False, b""), pdu.PDV(3, True, False, b"")], "changes its presentation context"),
        ([pdu.PDV(1, True, False, b"")] * 16385, "in more than 16384 pieces"),
        ([*response_values(WITH_DATA), *[pdu.PDV(1, False, False, b"")] * 16385], "in more than 16384 pieces"),
        (
            [*response_values(WITH_DATA), *[pdu.PDV(1, False, False, bytes(16000))] * 66],
            "a data set of more than 1048576 bytes with a response",
        ),
    ],
)
def test_what_is_no_message_is_malformed(pdvs: list[pdu.PDV], complaint: str) -> None:
    with pytest.raises(MalformedPDU, match=complaint):
        list(fragment.MessageAssembler().feed(pdvs))


def test_a_peer_that_takes_next_to_nothing_costs_no_memory() -> None:
    frames = fragment.DataFrames(fragment.SMALLEST_PDU, 1 << 20)
    assert len(frames.gaps) == fragment.MOST_GAPS
    assert frames.capacity == 2 * fragment.MOST_GAPS
    assert len(fragment.DataFrames(4096, 1 << 20).gaps) == (1 << 20) // 4090
