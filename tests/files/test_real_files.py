"""The sample files that the repository ships: what is sent of each, and why some cannot go."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import pytest

from dcmsend.errors import FileError
from dcmsend.files.scan import scan
from dcmsend.model import Conversion, Instance, ReadMode, Refusal, ScanOptions
from dcmsend.payload.opening import PayloadOpener
from tests.support import part10

DATA: Final = Path(__file__).parent.parent / "data"
ODD: Final = DATA / "odd"
DICOMDIRS: Final = ("DICOMDIR", "DICOMDIR-implicit", "DICOMDIR-bigEnd")


def instances(path: Path, options: ScanOptions) -> list[Instance]:
    values = list(scan([str(path)], options))
    assert [value for value in values if isinstance(value, Refusal)] == []
    return [value for value in values if isinstance(value, Instance)]


def sent(instance: Instance, options: ScanOptions) -> bytes:
    with PayloadOpener(options, Conversion()).open(instance, instance.transfer_syntax) as payload:
        buffer = bytearray(payload.length + 1)
        assert payload.fill([memoryview(buffer)]) == payload.length
        assert payload.fill([memoryview(buffer)]) == 0
        return bytes(buffer[: payload.length])


@pytest.mark.parametrize("path", sorted((DATA / "samples").iterdir()), ids=lambda path: path.name)
def test_samples_go_as_they_are(path: Path) -> None:
    (instance,) = instances(path, ScanOptions())
    meta, data = part10.split(path.read_bytes())
    assert instance.transfer_syntax == part10.uid(meta[part10.TRANSFER_SYNTAX])
    assert instance.sop_class == part10.uid(meta[part10.SOP_CLASS])
    assert instance.size == path.stat().st_size
    expected = part10.dataset(path)
    if path.name == "sr_enhanced_deflated.dcm":
        expected = data[:-8]  # gzip's trailer
    assert sent(instance, ScanOptions()) == expected


@pytest.mark.parametrize(
    ("name", "refused", "failed"),
    [
        ("jpeg_spectral_selection.dcm", "", ""),
        ("htj2k.dcm", "", ""),
        ("deflated_image_frame.dcm", "", ""),
        ("big_endian_tiff_preamble.dcm", "", ""),
        ("big_endian_odd_size.dcm", "", ""),
        ("rle_trailing_padding.dcm", "", ""),
        ("j2k_trailing_padding.dcm", "", ""),
        ("explicit_padded.dcm", "", ""),
        ("delimiter_in_fragment.dcm", "", ""),
        ("meta_disagrees.dcm", "", ""),
        ("meta_disagrees_big_endian.dcm", "", ""),
        ("meta_disagrees_deflated.dcm", "", ""),
        ("meta_without_group_length.dcm", "", ""),
        ("odd_length_deflated.dcm", "", ""),
        ("new_sop_class.dcm", "", ""),
        ("color_palette.dcm", "", ""),
        ("private_sop_class.dcm", "", ""),
        ("meta_without_preamble.dcm", "File meta information header missing", ""),
        ("bare_implicit.dcm", "File meta information header missing", ""),
        ("not_dicom.txt", "File meta information header missing", ""),
        ("empty.dcm", "End of stream", ""),
        ("meta_without_transfer_syntax.dcm", "Invalid SOP Class UID", ""),
        ("private_transfer_syntax.dcm", "Unknown Transfer Syntax: ", ""),
        ("invalid_instance_uid.dcm", "Invalid SOP Instance UID: ", ""),
        ("verification_class.dcm", "Invalid SOP Class UID: 1.2.840.10008.1.1", ""),
        ("meta_without_group_length_no_uids.dcm", "", "missing SOP Class UID in data set"),
        ("unknown_vr_sequence.dcm", "", "missing SOP Class UID in data set"),
        ("truncated_pixel_data.dcm", "", "(7fe0,0010) at byte 1488: its 8192 bytes run past the end of the file"),
        ("truncated_sequence.dcm", "", "(300a,00b0) at byte 1410: its 976 bytes run past the end of the file"),
        ("truncated_offset.dcm", "", "(7fe0,0010) at byte 2340: its end is missing"),
        ("bad_vr.dcm", "", "(4544,4952) at byte 364: its 1329808723 bytes run past the end of the file"),
    ],
)
def test_odd_files(name: str, refused: str, failed: str) -> None:
    *_, value = scan([str(ODD / name)], ScanOptions())
    if isinstance(value, Refusal):
        assert refused
        assert str(value.reason).startswith(refused)
        return
    assert isinstance(value, Instance)
    assert not refused
    if failed:
        with pytest.raises(FileError) as caught:
            sent(value, ScanOptions())
        assert str(caught.value.reason).startswith(failed)
    else:
        data = sent(value, ScanOptions())
        assert part10.split((ODD / name).read_bytes())[1].startswith(data.rstrip(b"\0"))


def test_a_file_of_odd_length_is_padded() -> None:
    """Its last value, the pixel data, gets a NUL and a length that is one more (PS3.5 7.1.1)."""
    (instance,) = instances(ODD / "odd_length.dcm", ScanOptions())
    _, data = part10.split((ODD / "odd_length.dcm").read_bytes())
    header = b"\xe0\x7f\x10\x00OB\0\0"
    at = data.rindex(header) + len(header)
    (length,) = struct.unpack_from("<L", data, at)
    assert at + 4 + length == len(data)
    expected = data[:at] + struct.pack("<L", length + 1) + data[at + 4 :] + b"\0"
    assert sent(instance, ScanOptions()) == expected


@pytest.mark.parametrize(
    ("name", "syntax"),
    [("bare_explicit", ".1"), ("bare_big_endian", ".2"), ("bare_implicit", "")],
)
@pytest.mark.parametrize("mode", [ReadMode.DATASET_ONLY, ReadMode.FILE_OR_DATASET])
def test_bare_data_sets(name: str, syntax: str, mode: ReadMode) -> None:
    options = ScanOptions(read_mode=mode)
    (instance,) = instances(ODD / f"{name}.dcm", options)
    assert instance.transfer_syntax == "1.2.840.10008.1.2" + syntax
    assert sent(instance, options) == (ODD / f"{name}.dcm").read_bytes()


@pytest.mark.parametrize("name", DICOMDIRS)
def test_dicomdirs_refer_to_all_their_files(name: str) -> None:
    options = ScanOptions(dicomdir=True)
    found = instances(DATA / "dicomdir" / name, options)
    on_disc = {str(path) for path in (DATA / "dicomdir").rglob("*") if path.is_file() and path.name not in DICOMDIRS}
    assert {instance.path for instance in found} == on_disc
    for instance in found:
        assert sent(instance, options) == part10.dataset(Path(instance.path))
