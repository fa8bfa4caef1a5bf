"""Command sets against recorded ones (PS3.7 9.3, E.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.light import replace
from dcmsend.reasons import because
from dcmsend.wire import command, pdu
from dcmsend.wire.reader import MalformedPDU

from .vectors import recorded


def command_set(vector: bytes) -> bytes:
    (data,) = pdu.PDUBuffer(131072).feed(vector)
    assert isinstance(data, pdu.Data)
    assert data.values[0].is_command
    return data.values[0].data


def test_store_request_is_byte_for_byte_dcmtks() -> None:
    recorded_request = command_set(recorded("dcmtk-store", "requestor")[1])
    ours = command.encode_store_request(1, "1.2.840.10008.5.1.4.1.1.2", "1.2.3.106")
    instance = recorded_request[-10:].rstrip(b"\0").decode()
    assert command.encode_store_request(1, "1.2.840.10008.5.1.4.1.1.2", instance) == recorded_request
    assert len(ours) % 2 == 0


def test_echo_request_is_byte_for_byte_dcmtks() -> None:
    assert command.encode_echo_request(1) == command_set(recorded("dcmtk-echo", "requestor")[1])


@pytest.mark.parametrize(
    ("conversation", "index", "field", "status"),
    [
        ("dcmtk-store", 1, command.C_STORE_RSP, 0x0000),
        ("dcmtk-echo", 1, command.C_ECHO_RSP, 0x0000),
        ("pynetdicom-all-items", 1, command.C_STORE_RSP, 0xB007),
        ("pynetdicom-all-items", 2, command.C_ECHO_RSP, 0x0000),
    ],
)
def test_recorded_responses(conversation: str, index: int, field: int, status: int) -> None:
    response = command.decode_response(command_set(recorded(conversation, "acceptor")[index]))
    assert (response.command_field, response.status, response.has_data_set) == (field, status, False)
    assert response.message_id in (1, 2)


def test_uids_are_padded_with_nul_to_even_length() -> None:
    request = command.encode_store_request(7, "1.2.3", "1.2.34")
    assert b"\x02\x00\x06\x00\x00\x001.2.3\0" in request
    assert request.endswith(b"\x00\x10\x06\x00\x00\x001.2.34")


RESPONSES = st.builds(
    command.Response,
    command_field=st.integers(0, 65535),
    message_id=st.integers(0, 65535),
    status=st.integers(0, 65535),
    has_data_set=st.booleans(),
    comment=st.text(st.characters(min_codepoint=33, max_codepoint=0x7E), max_size=64),
    offending=st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple),
    sop_instance=st.from_regex(r"([0-9]+(\.[0-9]+){0,9})?", fullmatch=True),
)


@given(RESPONSES)
def test_decoding_what_was_encoded(response: command.Response) -> None:
    encoded = response.encode()
    if response.command_field in command._REQUESTS and not command._decode_ordinary(encoded, 0):
        with pytest.raises(MalformedPDU, match="a request of its own"):
            command.decode_response(encoded)
    else:
        assert command.decode_response(encoded) == response


@given(st.binary(max_size=120))
def test_noise_is_malformed(noise: bytes) -> None:
    with pytest.raises(MalformedPDU):
        command.decode_response(noise)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0x0100, "Command Field"),
        (0x0120, "Message ID Being Responded To"),
        (0x0800, "Command Data Set Type"),
        (0x0900, "Status"),
    ],
)
def test_a_response_without_what_it_must_have(number: int, name: str) -> None:
    whole = command.Response(command.C_STORE_RSP, 1, 0).encode()
    element = number.to_bytes(2, "little") + b"\x02\x00\x00\x00"
    at = whole.index(element) - 2
    with pytest.raises(MalformedPDU, match=name):
        command.decode_response(whole[:at] + whole[at + 10 :])


def test_a_comment_in_another_character_set_does_not_break() -> None:
    whole = command.Response(command.C_STORE_RSP, 1, 0xA700, comment="xx").encode().replace(b"xx", b"\xfc\xe9")
    assert command.decode_response(whole).comment == "��"


def long_way(command_set: bytes) -> object:
    try:
        return command._decode_any(command_set, 0)
    except MalformedPDU as error:
        return str(error)


def either_way(command_set: bytes) -> object:
    try:
        return command.decode_response(command_set)
    except MalformedPDU as error:
        return str(error)


@given(
    response=RESPONSES,
    sop_class=st.sampled_from(["", "1.2.840.10008.5.1.4.1.1.2"]),
    place=st.integers(0, 400),
    byte=st.integers(0, 255),
    cut=st.integers(0, 400),
)
def test_the_short_way_says_what_the_long_way_says(
    response: command.Response, sop_class: str, place: int, byte: int, cut: int
) -> None:
    """Of whatever comes: as it should be, with one byte changed, cut off, or with something behind it."""
    whole = replace(response, sop_class=sop_class).encode()
    changed = bytearray(whole)
    changed[place % len(whole)] = byte
    for command_set in (whole, bytes(changed), whole[:cut], whole + whole[12 : 12 + cut]):
        assert either_way(command_set) == long_way(command_set)


def test_the_usual_response_goes_the_short_way() -> None:
    usual = command.Response(command.C_STORE_RSP, 7, 0, sop_instance="1.2.3", sop_class="1.2", context_id=5)
    assert command._decode_ordinary(usual.encode(), 5) == usual


@pytest.mark.parametrize("element", ["000000010200000001800000", "000000090200000000000000"])
@pytest.mark.parametrize("number", [0x0100, 0x0110, 0x0120, 0x0800, 0x0900, 0x0002, 0x1000])
def test_what_stands_twice_is_malformed(number: int, element: str) -> None:
    """Whichever of two statuses were taken, the other one might be meant."""
    whole = command.Response(command.C_STORE_RSP, 1, 0xA700, sop_class="1.2", sop_instance="1.2.3").encode()
    twice = command._us(number, 0)
    for command_set in (whole + twice + twice, twice + whole + twice):
        with pytest.raises(MalformedPDU, match=rf"\(0000,{number:04x}\) stands twice in the command set"):
            command.decode_response(command_set)


@pytest.mark.parametrize(
    ("field", "name"),
    [(0x0030, "C-ECHO-RQ"), (0x0001, "C-STORE-RQ"), (0x0100, "N-EVENT-REPORT-RQ"), (0x0FFF, "C-CANCEL-RQ")],
)
def test_a_request_of_the_peer_is_called_that(field: int, name: str) -> None:
    request = command._command_set(
        command._us(0x0100, field) + command._us(0x0110, 1) + command._us(0x0800, command.NO_DATA_SET)
    )
    with pytest.raises(MalformedPDU) as caught:
        command.decode_response(request)
    assert caught.value.why == because("request_by_peer", name=name)
