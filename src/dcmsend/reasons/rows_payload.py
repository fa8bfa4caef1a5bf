"""Rows of the table of reasons. What is to go out: conversion and pixel data."""

from __future__ import annotations

from dcmsend.reasons.row import AGAIN_WHEN_FINISHED, COPY_AGAIN, Kind, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# What decoding needs and the file does not have, or has otherwise: nothing that a peer could help.
_FILE_IS_WRONG: Final = (
    "The file contradicts itself: it is wrong, not the peer. Ask who made it; a peer that accepts its transfer syntax"
    " gets it as it is."
)
_TAKE_AS_IT_IS: Final = "It cannot be decoded here: have the peer accept its transfer syntax, and it goes as it is."
_DAMAGED_PIXELS: Final = (
    "Its pixel data is damaged: copy the file from its source again. A peer that accepts its transfer syntax gets it"
    " as it is."
)
_BEYOND_BOUNDS: Final = (
    "It is larger than what is converted here: have the peer accept its transfer syntax, and it goes as it is."
)
_NO_MORE_EXPLICIT: Final = (
    "Have the peer accept explicit VR for this SOP class, then it goes as it is; or have who made the file correct it."
)
_DICTIONARY: Final = "Correct DCMDICTPATH, or unset it: the dictionary built in stays in use."

ROWS: Final[dict[str, Row]] = {
    # --- conversion and pixel data
    "changed_since_scan": Row(
        Kind.FILE,
        "it changed since it was looked at: its transfer syntax is {found}, not {expected}",
        "Something replaced the file after it was looked at, or its DICOMDIR is wrong, and the peer does not take"
        " what is there now: send it again.",
        passes=True,
    ),
    "became_shorter": Row(
        Kind.FILE, "the file became shorter while it was being sent", AGAIN_WHEN_FINISHED, passes=True
    ),
    "dataset_uid_missing": Row(
        Kind.FILE,
        "missing {name} in data set",
        "The data set does not say what it is: ask who made it for a correct one.",
        ("name",),
    ),
    "dataset_uid_invalid": Row(
        Kind.FILE,
        "Invalid {name} in data set: {uid}",
        "A UID has digits and dots, 64 at most: ask who made the file for a correct one.",
        ("name",),
    ),
    "spool_full": Row(
        Kind.READ,
        "the converted data does not fit into the folder for temporary files (TMPDIR): {inner}",
        "Make room in the folder for temporary files, or name another one in TMPDIR.",
    ),
    "dictionary_missing": Row(
        Kind.RUN, "the data dictionary is not there ({install})", "Install the dictionary: {install}.", ("install",)
    ),
    "dictionary_unreadable": Row(Kind.RUN, "cannot read the data dictionary {path}: {inner}", _DICTIONARY, ("path",)),
    "dictionary_too_large": Row(Kind.RUN, "it has more than {most} bytes", _DICTIONARY, ("most",)),
    "dictionary_line": Row(
        Kind.RUN,
        "data dictionary {path}, line {line}: {inner}",
        "Correct the line, put a # before it, or take the file out of DCMDICTPATH.",
        ("path", "line"),
    ),
    "dictionary_line_too_long": Row(Kind.RUN, "it has more than {most} bytes", "", ("most",)),
    "dictionary_fields": Row(
        Kind.RUN, "{fields} fields, not 3 to 5 (single tabs separate tag, VR, name, VM and version)", "", ("fields",)
    ),
    "dictionary_tag": Row(Kind.RUN, "'{text}' is not a tag like (0010,0020) or (0019,\"CREATOR\",10)", "", ("text",)),
    "dictionary_vr": Row(Kind.RUN, "'{text}' is not a VR", "", ("text",)),
    "dictionary_multiplicity": Row(Kind.RUN, "'{text}' is not a value multiplicity like 1, 1-3 or 1-n", "", ("text",)),
    "dictionary_numbers": Row(Kind.RUN, "no number is meant by {text}", "", ("text",)),
    "element_outside_item": Row(Kind.FILE, "an element outside of an item"),
    "item_outside_sequence": Row(Kind.FILE, "an item outside of a sequence"),
    "out_of_order": Row(Kind.FILE, "it stands after {after}, out of order", "", ("after",)),
    "undefined_length": Row(Kind.FILE, "a value of undefined length with VR {vr}", "", ("vr",)),
    "length_no_multiple": Row(
        Kind.FILE,
        "its length of {length} bytes is no multiple of {unit}, so its byte order cannot be changed",
        "Have the peer accept the transfer syntax of the file, then it goes as it is; or ask who made it for a"
        " correct one.",
        ("unit",),
    ),
    "no_sequence_in_dictionary": Row(
        Kind.FILE,
        "its VR is {vr}, but in the data dictionary it is a sequence: in implicit VR nobody could read it",
        _NO_MORE_EXPLICIT,
        ("vr",),
    ),
    "sequence_not_in_dictionary": Row(
        Kind.FILE,
        "it is a sequence, but in the data dictionary its VR is {vr}: in implicit VR nobody could read it",
        _NO_MORE_EXPLICIT,
        ("vr",),
    ),
    "encapsulated_in_native": Row(Kind.FILE, "encapsulated data where the transfer syntax has none", _FILE_IS_WRONG),
    "encapsulated_without_vr": Row(Kind.FILE, "encapsulated pixel data without VR", _FILE_IS_WRONG),
    "behind_odd_fragment": Row(
        Kind.FILE, "behind a fragment of odd length, so the offset table would be wrong", _FILE_IS_WRONG
    ),
    "value_too_long": Row(
        Kind.FILE, "{tag} has a value of {length} bytes: too many for its length field", _BEYOND_BOUNDS, ("tag",)
    ),
    "container_too_long": Row(
        Kind.FILE, "a sequence, item or group of {length} bytes: too many for its length field", _BEYOND_BOUNDS
    ),
    "too_many_to_convert": Row(
        Kind.FILE,
        "more than {megabytes} MB of elements or {values} large values: too many to convert",
        _BEYOND_BOUNDS,
        ("megabytes", "values"),
    ),
    "too_many_images": Row(
        Kind.FILE, "more than {most} compressed images in one data set: too many to decode", _BEYOND_BOUNDS, ("most",)
    ),
    "in_frame": Row(Kind.FILE, "frame {frame} of {frames}: {inner}"),
    "pixel_data_without_end": Row(
        Kind.FILE, "the pixel data is cut off at byte {offset}: its end is missing", COPY_AGAIN
    ),
    "pixel_data_cut_off": Row(Kind.FILE, "the pixel data is cut off at byte {offset}", COPY_AGAIN),
    "between_fragments": Row(
        Kind.FILE, "{tag} stands at byte {offset}, between the fragments of the pixel data", _DAMAGED_PIXELS, ("tag",)
    ),
    "fragment_too_long": Row(
        Kind.FILE, "the fragment at byte {offset} runs past the end of the data ({length} bytes)", COPY_AGAIN
    ),
    "too_many_fragments": Row(Kind.FILE, "the pixel data has more than {most} fragments", _BEYOND_BOUNDS, ("most",)),
    "compressed_frame_too_large": Row(
        Kind.FILE, "frame {frame} has {size} bytes of compressed data, more than {most}", _BEYOND_BOUNDS, ("most",)
    ),
    "too_few_fragments": Row(
        Kind.FILE, "the pixel data holds {fragments} fragments, but Number of Frames says {frames}", _FILE_IS_WRONG
    ),
    "too_many_codestreams": Row(
        Kind.FILE, "the pixel data holds {images} images, but Number of Frames says {frames}", _FILE_IS_WRONG
    ),
    "frames_unknown": Row(
        Kind.FILE,
        "the pixel data holds {images} images or fragments, and Number of Frames is no number of frames",
        _FILE_IS_WRONG,
    ),
    "frames_not_told_apart": Row(
        Kind.FILE,
        "{fragments} fragments hold {frames} frames, but neither an offset table nor the fragments show where each"
        " frame begins: write the file anew with a basic offset table",
        "Write the file anew with a basic offset table, or have the peer accept its transfer syntax: then it goes as"
        " it is.",
    ),
    "coded_otherwise": Row(Kind.FILE, "it is coded otherwise than the frames before it", _TAKE_AS_IT_IS),
    "decoded_too_large": Row(
        Kind.FILE, "{size} bytes of decoded pixel data do not fit into one data element", _BEYOND_BOUNDS
    ),
    "attribute_missing": Row(
        Kind.FILE,
        "{name} {tag} is missing, without which pixel data cannot be decoded",
        _FILE_IS_WRONG,
        ("name", "tag"),
    ),
    "attribute_out_of_range": Row(
        Kind.FILE,
        "{name} {tag} is {value}, not from {least} to {most}",
        _FILE_IS_WRONG,
        ("name", "tag", "value", "least", "most"),
    ),
    "bits_allocated_odd": Row(
        Kind.FILE, "Bits Allocated {bits} is neither 1 nor a multiple of 8", _TAKE_AS_IT_IS, ("bits",)
    ),
    "bits_allocated_not_decodable": Row(
        Kind.FILE, "Bits Allocated {bits} cannot be decoded", _TAKE_AS_IT_IS, ("bits",)
    ),
    "samples_of_photometric": Row(
        Kind.FILE,
        "Samples per Pixel is {samples}, but {photometric} has {expected}",
        _FILE_IS_WRONG,
        ("samples", "photometric", "expected"),
    ),
    "photometric_of_syntax": Row(
        Kind.FILE,
        "Photometric Interpretation {photometric} does not fit the transfer syntax",
        _FILE_IS_WRONG,
        ("photometric",),
    ),
    "photometric_contradicts": Row(
        Kind.FILE,
        "Photometric Interpretation is {photometric}, but the codestream's colours are {found}",
        _FILE_IS_WRONG,
        ("photometric", "found"),
    ),
    "colours_contradict": Row(
        Kind.FILE, "the JPEG codestream calls its colours RGB in one place and YCbCr in another", _FILE_IS_WRONG
    ),
    "signed_colours": Row(Kind.FILE, "signed samples cannot be converted from YCbCr to RGB", _TAKE_AS_IT_IS),
    "size_contradicts": Row(
        Kind.FILE,
        "the codestream has {found} pixels, but Columns x Rows is {stated}",
        _FILE_IS_WRONG,
        ("found", "stated"),
    ),
    "samples_contradict": Row(
        Kind.FILE,
        "the codestream has {found} samples per pixel, Samples per Pixel is {stated}",
        _FILE_IS_WRONG,
        ("found", "stated"),
    ),
    "precision_contradicts": Row(
        Kind.FILE,
        "the codestream has {found} bits per sample, Bits Allocated is {stated}",
        _FILE_IS_WRONG,
        ("found", "stated"),
    ),
    "samples_not_decodable": Row(
        Kind.FILE, "{samples} samples per pixel cannot be decoded", _TAKE_AS_IT_IS, ("samples",)
    ),
    "precision_not_decodable": Row(Kind.FILE, "{bits} bits per sample cannot be decoded", _TAKE_AS_IT_IS, ("bits",)),
    "syntax_not_decodable": Row(
        Kind.NO_CONTEXT, "pixel data in {syntax} cannot be decoded", _TAKE_AS_IT_IS, ("syntax",)
    ),
    "decoder_unusable": Row(
        Kind.NO_CONTEXT,
        "pixel data in {syntax} cannot be decoded without a library ({install}): {words}",
        "Install the decoder ({install}), or have the peer accept this transfer syntax: then it goes as it is.",
        ("syntax", "install", "words"),
    ),
    "decoder_failed": Row(Kind.FILE, "it cannot be decoded: {words}", _DAMAGED_PIXELS),
    "frame_too_large": Row(Kind.FILE, "a decoded frame has {size} bytes, more than {most}", _BEYOND_BOUNDS, ("most",)),
    "decoding_too_large": Row(
        Kind.FILE, "decoding it takes {megabytes} MB of memory, more than {most}", _BEYOND_BOUNDS, ("most",)
    ),
    "compressed_is_larger": Row(Kind.FILE, "{size} compressed bytes are more than the frame has", _DAMAGED_PIXELS),
    "no_codestream": Row(
        Kind.FILE,
        "not a {kind} codestream: it does not begin with {start}",
        "What stands in the pixel data is not what the transfer syntax says: the file is wrong, not the peer. Ask"
        " who made it.",
        ("kind", "start"),
    ),
    "no_marker": Row(Kind.FILE, "not a {kind} codestream: no marker at byte {offset}", _DAMAGED_PIXELS, ("kind",)),
    "codestream_header_cut_off": Row(
        Kind.FILE, "the {kind} codestream is cut off in its header", _DAMAGED_PIXELS, ("kind",)
    ),
    "codestream_cut_off": Row(Kind.FILE, "the {kind} codestream is cut off", _DAMAGED_PIXELS, ("kind",)),
    "tile_parts_missing": Row(
        Kind.FILE, "the {kind} codestream is cut off: tile-parts are missing", _DAMAGED_PIXELS, ("kind",)
    ),
    "frame_header_damaged": Row(
        Kind.FILE, "the frame header of the {kind} codestream is damaged", _DAMAGED_PIXELS, ("kind",)
    ),
    "frame_header_missing": Row(Kind.FILE, "the {kind} codestream has no frame header", _DAMAGED_PIXELS, ("kind",)),
    "process_not_decodable": Row(
        Kind.FILE, "not a {kind} process that can be decoded: frame header {marker}", _TAKE_AS_IT_IS, ("kind", "marker")
    ),
    "components_differ": Row(
        Kind.FILE, "the {kind} codestream has components of different sizes or precisions", _TAKE_AS_IT_IS, ("kind",)
    ),
    "impossible_image_size": Row(
        Kind.FILE, "the {kind} codestream has no possible image size", _DAMAGED_PIXELS, ("kind",)
    ),
    "too_many_scans": Row(Kind.FILE, "the JPEG codestream has more than {most} scans", _BEYOND_BOUNDS, ("most",)),
    "too_many_tiles": Row(
        Kind.FILE, "the {kind} codestream has more than {most} tiles", _BEYOND_BOUNDS, ("kind", "most")
    ),
    "blocks_too_small": Row(
        Kind.FILE, "the {kind} codestream has too small code-blocks or precincts", _TAKE_AS_IT_IS, ("kind",)
    ),
    "jpeg_xl_with_extras": Row(
        Kind.FILE, "a JPEG XL codestream that is turned, animated or has a preview", _TAKE_AS_IT_IS
    ),
    "jpeg_xl_of_floats": Row(Kind.FILE, "a JPEG XL codestream with floating point samples", _TAKE_AS_IT_IS),
    "jpeg_xl_photometric": Row(
        Kind.FILE, "a JPEG XL codestream with {photometric} cannot be decoded", _TAKE_AS_IT_IS, ("photometric",)
    ),
    "rle_header_cut_off": Row(Kind.FILE, "the RLE header is cut off", _DAMAGED_PIXELS),
    "rle_segments": Row(
        Kind.FILE, "the RLE header has {found} segments, not {expected}", _FILE_IS_WRONG, ("found", "expected")
    ),
    "rle_offsets": Row(Kind.FILE, "the offsets of the RLE header are wrong", _DAMAGED_PIXELS),
    "rle_segment_too_long": Row(Kind.FILE, "an RLE segment holds more than {expected} bytes", _FILE_IS_WRONG),
    "rle_segment_too_short": Row(Kind.FILE, "an RLE segment holds {found} bytes, not {expected}", _DAMAGED_PIXELS),
    "frame_stream_damaged": Row(Kind.FILE, "the deflate stream is damaged: {words}", _DAMAGED_PIXELS),
    "frame_stream_size": Row(
        Kind.FILE, "the deflate stream does not hold the {expected} bytes of a frame", _DAMAGED_PIXELS
    ),
    "frame_size": Row(Kind.FILE, "{found} bytes, not {expected}", _FILE_IS_WRONG),
}
