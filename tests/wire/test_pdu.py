"""The seven PDUs against recorded ones, and encode against decode (PS3.8 9.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.wire import extensions, items, pdu
from dcmsend.wire.reader import MalformedPDU, Reader

from .vectors import PDUS, recorded

LIMIT = 131072
UIDS = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,9}){1,6}", fullmatch=True)
BYTE = st.integers(0, 255)
WORD = st.integers(0, 65535)
BLOB = st.binary(max_size=64)
TITLES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=16)

USER_ITEMS = st.one_of(
    st.builds(items.MaximumLength, st.integers(0, 2**32 - 1)),
    st.builds(items.ImplementationClass, UIDS),
    st.builds(items.AsynchronousOperationsWindow, WORD, WORD),
    st.builds(extensions.RoleSelection, UIDS, st.booleans(), st.booleans()),
    st.builds(items.ImplementationVersion, TITLES),
    st.builds(extensions.ExtendedNegotiation, UIDS, BLOB),
    st.builds(extensions.CommonExtendedNegotiation, UIDS, UIDS, st.lists(UIDS, max_size=3).map(tuple)),
    st.builds(extensions.UserIdentity, BYTE, st.booleans(), BLOB, BLOB),
    st.builds(extensions.UserIdentityResponse, BLOB),
)
USER = st.lists(USER_ITEMS, max_size=6).map(tuple)
PROPOSED = st.builds(pdu.ProposedContext, BYTE, UIDS, st.lists(UIDS, max_size=4).map(tuple))
RESULTS = st.one_of(
    st.builds(pdu.ContextResult, BYTE, st.just(0), UIDS), st.builds(pdu.ContextResult, BYTE, st.integers(1, 255))
)
ANY_PDU = st.one_of(
    st.builds(
        pdu.AssociateRequest,
        called_ae=TITLES,
        calling_ae=TITLES,
        contexts=st.lists(PROPOSED, max_size=5).map(tuple),
        user=USER,
    ),
    st.builds(pdu.AssociateAccept, contexts=st.lists(RESULTS, max_size=5).map(tuple), user=USER),
    st.builds(pdu.AssociateReject, BYTE, BYTE, BYTE),
    st.builds(
        pdu.Data,
        st.lists(st.builds(pdu.PDV, BYTE, st.booleans(), st.booleans(), BLOB), max_size=4).map(tuple),
    ),
    st.builds(pdu.ReleaseRequest),
    st.builds(pdu.ReleaseResponse),
    st.builds(pdu.Abort, BYTE, BYTE),
)


def read(data: bytes) -> list[pdu.PDU]:
    return list(pdu.PDUBuffer(LIMIT).feed(data))


@pytest.mark.parametrize("vector", [bytes_ for _, bytes_ in PDUS], ids=[name for name, _ in PDUS])
class TestRecorded:
    def test_encoded_again_it_is_the_same(self, vector: bytes) -> None:
        (decoded,) = read(vector)
        assert read(decoded.encode()) == [decoded]
        if not isinstance(decoded, pdu.AssociateRequest | pdu.AssociateAccept):
            assert decoded.encode() == vector  # the others differ in reserved bytes and in what is not significant

    def test_byte_by_byte(self, vector: bytes) -> None:
        buffer = pdu.PDUBuffer(LIMIT)
        decoded = [found for i in range(len(vector)) for found in buffer.feed(vector[i : i + 1])]
        assert decoded == read(vector)
        assert not buffer.partial

    def test_with_trailing_bytes(self, vector: bytes) -> None:
        buffer = pdu.PDUBuffer(LIMIT)
        assert list(buffer.feed(vector + vector[:5])) == read(vector)
        assert buffer.partial
        assert list(buffer.feed(vector[5:])) == read(vector)

    def test_every_truncation_of_its_items_is_malformed_or_shorter(self, vector: bytes) -> None:
        whole = read(vector)
        for end in range(6, len(vector)):
            shortened = vector[:2] + (end - 6).to_bytes(4, "big") + vector[6:end]
            try:
                decoded = read(shortened)
            except MalformedPDU:
                continue
            assert decoded != whole


def test_dcmtk_answer_is_understood() -> None:
    (answer,) = read(recorded("dcmtk-store", "acceptor")[0])
    assert isinstance(answer, pdu.AssociateAccept)
    assert answer.contexts == (pdu.ContextResult(1, 0, "1.2.840.10008.1.2.1"),)
    assert items.find_item(answer.user, items.MaximumLength) == items.MaximumLength(16384)
    assert items.find_item(answer.user, items.ImplementationVersion) == items.ImplementationVersion("OFFIS_DCMTK_367")


def test_pynetdicom_request_has_every_item() -> None:
    (request,) = read(recorded("pynetdicom-all-items", "requestor")[0])
    assert isinstance(request, pdu.AssociateRequest)
    assert (request.calling_ae, request.called_ae) == ("PYNET_SCU", "PYNETDICOM")
    assert items.find_item(request.user, items.AsynchronousOperationsWindow) == items.AsynchronousOperationsWindow(8, 1)
    assert items.find_item(request.user, extensions.RoleSelection) == extensions.RoleSelection(
        "1.2.840.10008.5.1.4.1.1.2", scu=True, scp=True
    )
    assert items.find_item(request.user, extensions.UserIdentity) == extensions.UserIdentity(
        2, response_requested=True, primary=b"someone", secondary=b"not a secret"
    )
    assert items.find_item(request.user, extensions.CommonExtendedNegotiation) == extensions.CommonExtendedNegotiation(
        "1.2.840.10008.5.1.4.1.1.88.22",
        "1.2.840.10008.4.2",
        ("1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.88.33"),
    )
    assert {context.context_id for context in request.contexts} == {1, 3, 5}


def test_pynetdicom_answer_has_a_window_and_an_extended_negotiation() -> None:
    (answer,) = read(recorded("pynetdicom-all-items", "acceptor")[0])
    assert isinstance(answer, pdu.AssociateAccept)
    assert items.find_item(answer.user, items.AsynchronousOperationsWindow) == items.AsynchronousOperationsWindow(1, 1)
    assert items.find_item(answer.user, extensions.ExtendedNegotiation) == extensions.ExtendedNegotiation(
        "1.2.840.10008.5.1.4.1.1.2", b"\x01\x02"
    )
    assert {context.context_id: context.result for context in answer.contexts} == {1: 0, 3: 3, 5: 0}


@given(ANY_PDU)
def test_decoding_what_was_encoded(value: pdu.PDU) -> None:
    assert read(value.encode()) == [value]
    assert read(value.encode())[0].encode() == value.encode()


@given(st.binary(max_size=200), st.sampled_from(PDUS), st.integers(0, 400))
def test_mutated_pdus_are_decoded_or_malformed(noise: bytes, recorded_pdu: tuple[str, bytes], offset: int) -> None:
    vector = recorded_pdu[1]
    body = vector[6:offset] + noise + vector[offset + len(noise) :]
    try:
        (decoded,) = read(vector[:2] + len(body).to_bytes(4, "big") + body)
    except MalformedPDU:
        return
    assert vector[0] == decoded.TYPE


def test_unknown_items_are_skipped() -> None:
    answer = pdu.AssociateAccept(contexts=(pdu.ContextResult(1, 0, "1.2.3"),), user=(items.MaximumLength(16384),))
    vector = answer.encode()
    unknown = items.encode_item(0x7F, b"whatever")
    body = vector[6:] + unknown
    assert read(vector[:2] + len(body).to_bytes(4, "big") + body) == [answer]


def test_an_identity_is_answered() -> None:
    """PS3.7 Table D.3-15."""
    vector = bytes.fromhex("59000009 0007") + b"granted"
    assert items.decode_user_items(Reader(vector)) == [extensions.UserIdentityResponse(b"granted")]
    assert items.encode_user_items([extensions.UserIdentityResponse(b"granted")]) == vector


def test_unknown_user_information_is_skipped() -> None:
    known = items.MaximumLength(16384)
    value = items.encode_user_items([known]) + items.encode_item(0x5F, b"new in some later edition")
    assert items.decode_user_items(Reader(value)) == [known]


def test_uids_in_items_have_no_padding() -> None:
    assert pdu.ProposedContext(1, "1.2.3", ("1.2",)).encode() == bytes.fromhex(
        "20000014 01000000 30000005 312e322e33 40000003 312e32".replace(" ", "")
    )


def test_padding_in_uids_from_peers_is_taken_off() -> None:
    padded = pdu.ContextResult(1, 0, "1.2.840.10008.1.2\0")
    answer = pdu.AssociateAccept(contexts=(padded,), user=())
    (decoded,) = read(answer.encode())
    assert isinstance(decoded, pdu.AssociateAccept)
    assert decoded.contexts[0].transfer_syntax == "1.2.840.10008.1.2"


def test_titles_are_cut_at_16_bytes_and_padded() -> None:
    request = pdu.AssociateRequest(called_ae="A" * 20, calling_ae="ME", contexts=(), user=())
    assert request.encode()[10:42] == b"A" * 16 + b"ME".ljust(16)


@pytest.mark.parametrize(
    ("announced", "complaint"),
    [
        ("02000010 0001", "AssociateAccept PDU of 1048577 bytes"),
        ("0300 00000005", "AssociateReject PDU of 5 bytes"),
        ("0400 00020001", "Data PDU of 131073 bytes"),
        ("0400 ffffffff", "Data PDU of 4294967295 bytes"),
        ("0700 00000100", "Abort PDU of 256 bytes"),
        ("0800 00000004", "unrecognised PDU type 0x08"),
        ("4854 54502f31", "unrecognised PDU type 0x48"),
    ],
)
def test_announced_lengths_are_bounded_before_anything_is_kept(announced: str, complaint: str) -> None:
    with pytest.raises(MalformedPDU, match=complaint):
        read(bytes.fromhex(announced.replace(" ", "")))


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("00000001 01", "too short for its own header"),
        ("00000100 0103", "254 bytes expected, 0 there"),
        ("0000", "4 bytes expected, 2 there"),
    ],
)
def test_malformed_pdvs(body: str, complaint: str) -> None:
    value = bytes.fromhex(body.replace(" ", ""))
    with pytest.raises(MalformedPDU, match=complaint):
        read(bytes((4, 0)) + len(value).to_bytes(4, "big") + value)


def test_an_accepted_context_needs_one_transfer_syntax() -> None:
    none = items.encode_item(0x21, bytes((1, 0, 0, 0)))
    two = items.encode_item(0x21, bytes((1, 0, 0, 0)) + items.encode_item(0x40, b"1.2") * 2)
    vector = pdu.AssociateAccept(contexts=(), user=()).encode()
    for context in (none, two):
        body = vector[6:] + context
        with pytest.raises(MalformedPDU, match="transfer syntaxes"):
            read(vector[:2] + len(body).to_bytes(4, "big") + body)


def test_passwords_are_not_shown() -> None:
    identity = extensions.UserIdentity(2, response_requested=False, primary=b"someone", secondary=b"secret")
    assert "secret" not in repr(identity)
    assert "someone" not in repr(identity)
