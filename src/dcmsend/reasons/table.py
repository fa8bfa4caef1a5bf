"""The one table of reasons: code -> words, kind, hint, what is the same reason, may it pass.

Loaded where a reason is shown. A template names facts in braces, and ``{inner}`` for the reason behind it, or
``{behind}`` for that with a colon before it where there is one; hints name
settings by the keys of ``reasons.names``, since what these are called depends on where a hint is shown: the command
line has options, the library has parameters. ``test_reasons`` holds every code in the source against this table.
"""

from __future__ import annotations

from dcmsend.light import Enum, NamedTuple
from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons.names import LIBRARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from dcmsend.reasons import Reason


class Kind(Enum):
    """What stood between an instance and its being stored."""

    REFUSED = "refused"  # the peer answered with a status that says so
    NO_CONTEXT = "no_context"  # the peer accepted no presentation context for it
    NOT_ANSWERED = "not_answered"  # the association broke while it was under way
    FILE = "file"  # the file, or its conversion
    READ = "read"  # the system did not give the file, or ran out of something
    NO_DICOM = "no_dicom"  # it is no DICOM file
    NOT_TRIED = "not_tried"  # the run ended before its turn
    NETWORK = "network"  # the association could not be made, or broke
    RUN = "run"  # what the run itself needs: the journal, temporary files, settings
    OTHERS = "others"  # more reasons than there are groups


class Row(NamedTuple):
    """A reason. ``by``: facts by which reasons of this code are told apart when they are counted; the others show as
    ``...`` where there is more than one. ``passes``: another attempt may go well. Without a ``hint``, that of the
    reason behind it counts, else that of its kind.
    """

    kind: Kind
    words: str
    hint: str = ""
    by: tuple[str, ...] = ()
    passes: bool = False


_AGAIN_WHEN_FINISHED: Final = "Somebody was still writing these files: send them again when they are finished."
_COPY_AGAIN: Final = "The file is damaged or incomplete: copy it from its source again."
_NO_DICOM: Final = "These are no DICOM files. {no_halt} passes over them."
_WRONG_SYNTAX: Final = "The file is wrong, not the peer: it says another transfer syntax than it has. Ask who made it."
_RECORD: Final = "The DICOMDIR is wrong here: {scan_directories} sends the files of its folder without it."
_LEADS_OUT: Final = "If you trust this DICOMDIR, {external_references} follows it there."
_ARCHIVE_AGAIN: Final = "The archive is damaged: copy it again. What stands before the damage was taken."
_UNPACK: Final = "Unpack the archive first, and send what was in it."
_ENDED: Final = (
    "The peer, or something on the way, ended the connection: the peer's log may say why. {retries} tries again."
)
_TRUST: Final = "Name the CA, or the peer's own certificate, with {tls_ca}."
_SUITES: Final = "{bcp195} proposes older cipher suites too, {cipher} single ones."
_OURS: Final = "Our key and certificate are given with {tls_certificate}."
_OTHER_ANSWER: Final = (
    "The peer's answer was for something else, so nobody knows whether it has stored this: its maker has to mend that."
    " Sending it again does no harm."
)

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
_ANOTHER_JOURNAL: Final = (
    "Keep a copy of it, and begin another one under another name: what was stored is then sent again."
)

TABLE: Final[dict[str, Row]] = {
    # --- what is said by somebody else, in that one's words
    "said": Row(Kind.OTHERS, "{words}", "", ("words",)),
    # --- the system
    "not_found": Row(
        Kind.READ,
        "{words}",
        "Nothing of this name is there, or no longer: is it spelled right, is the folder mounted, did somebody clean"
        " up?",
        ("words",),
    ),
    "no_permission": Row(Kind.READ, "{words}", "Whoever runs this program may not read these files.", ("words",)),
    "read_error": Row(
        Kind.READ,
        "{words}",
        "The disk or the network share cannot be read here: look at the system's log, then send these again.",
        ("words",),
        passes=True,
    ),
    "too_many_open_files": Row(
        Kind.READ,
        "{words}",
        "The system allows this program too few open files: raise the limit (ulimit -n), or use fewer {associations}.",
        ("words",),
        passes=True,
    ),
    "no_room": Row(
        Kind.READ, "{words}", "A disk is full. For temporary files, TMPDIR may name another folder.", ("words",)
    ),
    "name_too_long": Row(Kind.READ, "{words}", "Give a shorter path, as from within one of the folders.", ("words",)),
    "link_loop": Row(Kind.READ, "{words}", "A link leads back to itself: remove it or name its target.", ("words",)),
    "no_memory": Row(
        Kind.READ, "{words}", "The system has no memory left for this program: use fewer {associations}.", ("words",)
    ),
    "system": Row(Kind.READ, "{words}", "The system cannot give these files: its words say why.", ("words",)),
    "stopped": Row(
        Kind.NOT_TRIED,
        "stopped by the user",
        "The run was stopped. The same command sends the rest; with {journal} it leaves out what is stored.",
    ),
    # --- what is given: scan, lists, sources
    "no_input": Row(Kind.RUN, "no input files to be processed"),
    "no_valid_input": Row(Kind.RUN, "no valid input files to be processed"),
    "too_short": Row(
        Kind.FILE,
        "it has only {size} bytes: too short for a DICOM file, though it is called like one",
        _COPY_AGAIN,
    ),
    "folder_not_searched": Row(
        Kind.FILE,
        "it is a directory, and directories are not searched",
        "Have folders searched: {scan_directories}, and {recurse} for those within them.",
    ),
    "folder_not_listed": Row(
        Kind.READ, "cannot read directory: {inner}", "What is in these folders is not known: see that they can be read."
    ),
    "not_a_regular_file": Row(
        Kind.READ, "not a regular file but a {kind}", "Only files can be sent: name those, or a folder.", ("kind",)
    ),
    "invalid_file_name": Row(
        Kind.READ, "Invalid filename", "No file can be called so: the name is empty, or has a NUL character in it."
    ),
    "changed_while_sent": Row(Kind.FILE, "the file changed while it was being sent", _AGAIN_WHEN_FINISHED),
    "touched_while_sent": Row(
        Kind.FILE,
        "the file was touched while it was being sent, and nobody knows whether it changed",
        _AGAIN_WHEN_FINISHED,
        passes=True,
    ),
    "source_not_read": Row(Kind.READ, "it cannot be read: {words}", "Give it open, in binary mode.", ("words",)),
    "source_not_ready": Row(
        Kind.READ, "there is nothing to be read yet", "Give a file object that waits: one that is blocking."
    ),
    "not_written": Row(
        Kind.FILE, "pydicom cannot write it: {words}", "The data set is not complete: its words say why.", ("words",)
    ),
    "implicit_big_endian": Row(
        Kind.FILE,
        "pydicom cannot write it: implicit VR is never big endian",
        "Give the data set a file_meta with its TransferSyntaxUID.",
    ),
    "text_not_in_character_set": Row(
        Kind.FILE,
        "it has text that its character set does not have ({character_set})",
        "Set SpecificCharacterSet to one that has all its characters, as ISO_IR 192 does.",
        ("character_set",),
    ),
    "bad_file": Row(Kind.FILE, "bad DICOM file: {path}: {inner}"),
    "list_not_opened": Row(
        Kind.RUN, "cannot read {list} ({option}): {inner}", "Name a list that is there and may be read."
    ),
    "list_closed": Row(Kind.RUN, "it is closed"),
    "list_is_a_folder": Row(Kind.RUN, "Is a directory"),
    "list_name_invalid": Row(Kind.RUN, "Invalid filename"),
    "list_broken": Row(
        Kind.RUN,
        "cannot read on in {list} ({option}): {inner}",
        "Nobody knows what else the list names: make it anew, and send what was not sent.",
    ),
    "list_in_utf16": Row(
        Kind.RUN,
        "{list} ({option}) is in UTF-16",
        "Names are taken byte by byte, as the file system has them: write the list in UTF-8.",
    ),
    "list_name_too_long": Row(
        Kind.RUN,
        "name {number} in {list} ({option}) has more than {most} bytes",
        "One name on each line, and nothing else: is this the list that was meant?",
    ),
    "list_name_has_nul": Row(
        Kind.RUN,
        "name {number} in {list} ({option}) has a NUL character in it",
        "{null_separated} is for lists that have NUL characters between the names.",
    ),
    # --- structure of files: Part 10, data sets, DICOMDIRs
    "empty_file": Row(Kind.FILE, "End of stream", "The file is empty: copy it from its source again."),
    "empty_no_dicom": Row(Kind.NO_DICOM, "End of stream", "These files are empty. {no_halt} passes over them."),
    "no_prefix": Row(
        Kind.NO_DICOM,
        "File meta information header missing",
        "These are no DICOM files; {no_halt} passes over them. If they are data sets without the head of a file,"
        " {read_dataset} takes them.",
    ),
    "archive_not_opened": Row(
        Kind.NO_DICOM,
        "File meta information header missing: it is a {kind}",
        "{scan_archives} sends what is in such an archive.",
        ("kind",),
    ),
    "packed_not_opened": Row(
        Kind.NO_DICOM,
        "File meta information header missing: it is a {kind}",
        "If it is a packed tar archive, {scan_archives} sends what is in it; else unpack it first.",
        ("kind",),
    ),
    "archive_unknown": Row(
        Kind.NO_DICOM,
        "File meta information header missing: it is a {kind}",
        "A {kind} is not opened here: unpack it first, and send what was in it.",
        ("kind",),
    ),
    "no_data_set": Row(Kind.NO_DICOM, "I/O suspension or premature end of stream: {inner}", _NO_DICOM),
    "no_identity": Row(
        Kind.NO_DICOM, "Invalid SOP Class UID: there is none, and no file meta information either", _NO_DICOM
    ),
    "not_bare": Row(
        Kind.FILE,
        "not a bare data set: it begins with file meta information",
        "These are files with a head, which were to be read without one: {read_dataset} takes both kinds.",
    ),
    "cut_short": Row(Kind.FILE, "I/O suspension or premature end of stream{behind}", _COPY_AGAIN),
    "meta_too_long": Row(
        Kind.FILE, "File meta information is longer than {most} bytes: {inner}", _COPY_AGAIN, ("most",)
    ),
    "at_element": Row(Kind.FILE, "{tag} at byte {offset}: {inner}", "", ("tag",)),
    "end_missing": Row(Kind.FILE, "its end is missing", _COPY_AGAIN),
    "past_the_end": Row(Kind.FILE, "its {length} bytes run past the end of the file", _COPY_AGAIN),
    "past_what_holds_it": Row(
        Kind.FILE, "its {length} bytes run past the end of the sequence or item that it is in", _COPY_AGAIN
    ),
    "value_cut_off": Row(Kind.FILE, "its value is cut off here", _COPY_AGAIN),
    "header_cut_off": Row(Kind.FILE, "the data ends in the header of the element behind it", _COPY_AGAIN),
    "not_a_vr": Row(Kind.FILE, "'{vr}' is not a VR", _COPY_AGAIN, ("vr",)),
    "out_of_place": Row(Kind.FILE, "an item, a delimiter or an element in the wrong place"),
    "open_fragment": Row(Kind.FILE, "a fragment of undefined length"),
    "nested_too_deep": Row(Kind.FILE, "sequences are nested more than {most} deep", "", ("most",)),
    "behind_padding": Row(Kind.FILE, "it stands behind the trailing padding"),
    "not_encapsulated": Row(
        Kind.FILE,
        "the pixel data is not encapsulated, but the transfer syntax is",
        "The pixel data is uncompressed, but the file calls it compressed: the file is wrong, not the peer. Ask who"
        " made it.",
    ),
    "encapsulated": Row(Kind.FILE, "the pixel data is encapsulated, but the transfer syntax not", _WRONG_SYNTAX),
    "too_many_to_sort": Row(
        Kind.FILE, "more than {most} elements that are not in order: too many to sort", "", ("most",)
    ),
    "too_many_elements": Row(Kind.FILE, "its UIDs are not among its first {most} elements", "", ("most",)),
    "stands_twice": Row(
        Kind.FILE,
        "{tag} stands in the data set twice, with different values",
        "Nobody can tell which of the two values is meant: ask who made these files for correct ones.",
        ("tag",),
    ),
    "deflate_cut_off": Row(Kind.FILE, "the deflated data set is cut off: its end is missing", _COPY_AGAIN),
    "deflate_damaged": Row(Kind.FILE, "the deflated data set is damaged: {words}", _COPY_AGAIN, ("words",)),
    "deflate_backwards": Row(Kind.FILE, "the deflated data set cannot be read backwards"),
    "deflate_surplus": Row(
        Kind.FILE, "{count} bytes that do not belong to it follow the deflated data set at byte {offset}", _COPY_AGAIN
    ),
    "deflate_unsorted": Row(Kind.FILE, "the elements of a deflated data set are not in order"),
    # UIDs
    "invalid_uid": Row(
        Kind.FILE,
        "Invalid {name}: {uid}",
        "A UID has digits and dots, 64 characters at most. {no_uid_checks} sends all that a peer can be told.",
        ("name",),
    ),
    "missing_uid": Row(
        Kind.FILE,
        "Invalid {name}: there is none",
        "The file has no {name}, and without it nothing can be stored: ask who made these files for correct ones.",
        ("name",),
    ),
    "is_dicomdir": Row(
        Kind.FILE,
        "Invalid SOP Class UID: {uid} (a DICOMDIR)",
        "A DICOMDIR is not sent itself: {read_dicomdir} sends the files that it lists.",
    ),
    "not_storage": Row(
        Kind.FILE,
        "Invalid SOP Class UID: {uid} ({name})",
        "Nobody stores objects of {name}: leave them out, or send the rest with {no_halt}.",
        ("uid", "name"),
    ),
    "unknown_sop_class": Row(
        Kind.FILE,
        "Unknown Storage SOP Class: {uid}",
        "It is private or newer than this program: {no_uid_checks} sends it all the same.",
        ("uid",),
    ),
    "unknown_transfer_syntax": Row(
        Kind.FILE,
        "Unknown Transfer Syntax: {uid}",
        "It is private or newer than this program: {no_uid_checks} sends it all the same.",
        ("uid",),
    ),
    # DICOMDIRs
    "invalid_file_id": Row(Kind.FILE, "Invalid filename", _RECORD),
    "file_id_not_found": Row(
        Kind.READ,
        "No such file or directory (file ID {id})",
        "The DICOMDIR lists it, but it is not there: is the medium whole? {scan_directories} sends what is there.",
    ),
    "file_id_leads_out": Row(Kind.FILE, "the file ID {id} leads out of the DICOMDIR's folder", _LEADS_OUT),
    "link_leads_out": Row(Kind.FILE, "the file ID leads out of the DICOMDIR's folder through a link", _LEADS_OUT),
    "file_id_too_deep": Row(Kind.FILE, "the file ID has more than {most} components", _RECORD, ("most",)),
    "file_id_too_long": Row(
        Kind.FILE, "the file ID has a component of more than {most} characters", _RECORD, ("most",)
    ),
    "folder_too_large": Row(
        Kind.FILE, "more than {most} names in a folder: too many to find one in another case", _RECORD, ("most",)
    ),
    "record_damaged": Row(Kind.FILE, "its record in the DICOMDIR is damaged: {inner}", _RECORD),
    "dicomdir_damaged": Row(
        Kind.FILE,
        "the DICOMDIR is damaged, and what it lists behind that is not known: {inner}",
        "What stands before the damage was taken. Copy the DICOMDIR again, or have its folder searched instead:"
        " {scan_directories}.",
    ),
    # --- archives
    "archive_cut": Row(Kind.FILE, "the archive is cut off or damaged{behind}", _ARCHIVE_AGAIN),
    "unpacking": Row(Kind.FILE, "{words}", _ARCHIVE_AGAIN, ("words",)),
    "archive_without_directory": Row(Kind.FILE, "the archive's directory is missing: it is cut off", _ARCHIVE_AGAIN),
    "archive_checksum": Row(
        Kind.FILE, "its checksum in the archive is another one: the archive is damaged", _ARCHIVE_AGAIN
    ),
    "archive_changed": Row(Kind.READ, "the archive changed since it was looked at", _AGAIN_WHEN_FINISHED),
    "archive_gone": Row(Kind.READ, "the archive is gone: {inner}"),
    "not_in_archive": Row(Kind.READ, "it is no longer in the archive", _AGAIN_WHEN_FINISHED),
    "archive_in_parts": Row(
        Kind.FILE, "the archive is one of several parts", "Put the parts together, or unpack them first."
    ),
    "archive_too_large": Row(
        Kind.FILE,
        "the archive's directory has more than {bytes} bytes or {entries} entries",
        _UNPACK,
        ("bytes", "entries"),
    ),
    "archive_too_many": Row(Kind.FILE, "the archive has more than {most} members", _UNPACK, ("most",)),
    "archive_long_name": Row(
        Kind.FILE, "the archive has a name or attributes of more than {most} bytes", _UNPACK, ("most",)
    ),
    "archive_bomb": Row(
        Kind.FILE,
        "the archive unpacks to {size} bytes, more than {most} times its size: it is not opened",
        "Such archives are made to fill disks. If you trust it, unpack it first.",
        ("most",),
    ),
    "archive_overlap": Row(
        Kind.FILE,
        "the archive's members overlap: it is not opened",
        "Such archives are made to fill disks. If you trust it, unpack it first.",
    ),
    "member_encrypted": Row(
        Kind.FILE, "it is encrypted in the archive", "Passwords of archives are not asked for: unpack it first."
    ),
    "member_method": Row(Kind.FILE, "it is packed by method {method}, which is not supported", _UNPACK, ("method",)),
    "member_two_sizes": Row(Kind.FILE, "the archive gives two sizes for it", _ARCHIVE_AGAIN),
    "member_too_long": Row(Kind.FILE, "it unpacks to more than the archive says", _ARCHIVE_AGAIN),
    "member_long_head": Row(
        Kind.FILE, "its head is longer than {most} bytes, too long for a file in an archive", _UNPACK, ("most",)
    ),
    "member_sparse": Row(Kind.FILE, "it is a sparse file in an archive, which is not supported", _UNPACK),
    "archive_in_archive": Row(
        Kind.FILE,  # nobody knows what is in there, though somebody wants what is in archives to be sent
        "it is an archive within an archive",
        "Archives within archives are not opened: unpack them first.",
    ),
    "no_temporary_room": Row(
        Kind.READ,
        "it does not fit into the folder for temporary files (TMPDIR): {inner}",
        "Name a folder with more room in the environment (TMPDIR), or unpack the archive first.",
    ),
    # --- conversion and pixel data
    "changed_since_scan": Row(
        Kind.FILE,
        "it changed since it was looked at: its transfer syntax is {found}, not {expected}",
        "Something replaced the file after it was looked at, or its DICOMDIR is wrong, and the peer does not take"
        " what is there now: send it again.",
        passes=True,
    ),
    "became_shorter": Row(
        Kind.FILE, "the file became shorter while it was being sent", _AGAIN_WHEN_FINISHED, passes=True
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
        Kind.FILE, "the pixel data is cut off at byte {offset}: its end is missing", _COPY_AGAIN
    ),
    "pixel_data_cut_off": Row(Kind.FILE, "the pixel data is cut off at byte {offset}", _COPY_AGAIN),
    "between_fragments": Row(
        Kind.FILE, "{tag} stands at byte {offset}, between the fragments of the pixel data", _DAMAGED_PIXELS, ("tag",)
    ),
    "fragment_too_long": Row(
        Kind.FILE, "the fragment at byte {offset} runs past the end of the data ({length} bytes)", _COPY_AGAIN
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
    # --- what may be proposed, and what the peer accepted
    "decompression_forbidden": Row(
        Kind.NO_CONTEXT,
        "decompression is not allowed",
        "Leave out {decompress_never} to have it converted for a peer that does not take this transfer syntax.",
    ),
    "lossy_decompression_forbidden": Row(
        Kind.NO_CONTEXT,
        "it was compressed with loss, and such data is not decompressed without being asked for",
        "Where the peer does not take this compression: allow it there, or have it decompressed by {decompress_lossy}.",
    ),
    "no_conversion": Row(Kind.NO_CONTEXT, "there is no way to do that"),
    "decoder_missing": Row(
        Kind.NO_CONTEXT, "its decoder is not installed ({install})", "Install the decoder: {install}.", ("install",)
    ),
    "decoder_unknown": Row(Kind.NO_CONTEXT, "no decoder for it is known"),
    "uid_too_long_to_propose": Row(
        Kind.NO_CONTEXT, "a UID of more than {most} characters cannot be proposed", "", ("most",)
    ),
    "no_legal_proposal": Row(
        Kind.NO_CONTEXT,
        "{syntax} alone is no legal proposal, and it is not converted to Little Endian Implicit: {inner}",
        "The options forbid to propose this transfer syntax: leave out {no_illegal_proposal}.",
        ("syntax",),
    ),
    "context_not_proposed": Row(
        Kind.NO_CONTEXT,
        "no presentation context with SOP class {sop_class} and {syntax} was proposed",
        "",
        ("sop_class", "syntax"),
    ),
    "sop_class_not_supported": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer does not support this SOP class",
        "The peer does not take objects of this kind: its administrator has to allow the SOP class.",
        ("syntax",),
    ),
    "no_acceptable_context": Row(Kind.NO_CONTEXT, "no acceptable presentation context"),
    "context_refused_by_user": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer refused it (user rejection), {inner}",
        "",
        ("syntax",),
    ),
    "context_refused_without_reason": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer refused it without a reason, {inner}",
        "",
        ("syntax",),
    ),
    "transfer_syntax_not_supported": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer does not support this transfer syntax for it,"
        " {inner}",
        "",
        ("syntax",),
    ),
    "context_not_answered": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer's answer leaves it out, {inner}",
        "",
        ("syntax",),
    ),
    "context_not_as_proposed": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer chose a transfer syntax that was not proposed,"
        " {inner}",
        "",
        ("syntax",),
    ),
    "context_refused": Row(
        Kind.NO_CONTEXT,
        "no acceptable presentation context for {syntax}: the peer refused it with result {result}, {inner}",
        "",
        ("syntax", "result"),
    ),
    "not_converted": Row(Kind.NO_CONTEXT, "and it is not converted: {inner}"),
    "nothing_uncompressed_accepted": Row(Kind.NO_CONTEXT, "and it accepted no uncompressed one either"),
    # --- under way
    "not_answered": Row(
        Kind.NOT_ANSWERED,
        "not answered: {inner}",
        "The association broke while these were under way; the peer may have stored them. Sending them again does"
        " no harm: {no_halt} goes on with the rest, {retries} tries again.",
    ),
    "not_answered_in_time": Row(
        Kind.NOT_ANSWERED,
        "not answered: {inner}",
        "The peer was silent for too long; it may have stored these. Look at its load, give it more time"
        " ({dimse_timeout}), or have it tried again ({retries}).",
    ),
    "aborted_under_way": Row(
        Kind.NOT_ANSWERED,
        "not answered: stopped by the user",
        "The run was aborted while these were under way; the peer may have stored them. The same command sends them"
        " again, which does no harm.",
    ),
    # --- not tried
    "never_tried": Row(Kind.NOT_TRIED, "never tried"),
    "failed": Row(Kind.FILE, "failed"),
    "contexts_do_not_fit": Row(
        Kind.NOT_TRIED,
        "not tried: of {needed} presentation contexts an association takes {most}, and no other association is allowed",
        "Leave out {single_association}: further associations take the rest.",
    ),
    "association_broke": Row(
        Kind.NOT_TRIED,
        "not tried: the association broke, and no other association is allowed",
        "Leave out {single_association}: further associations take the rest.",
    ),
    "run_ended": Row(Kind.NOT_TRIED, "not tried: the run ended before ({inner})"),
    # --- what the peer answered
    "remark": Row(Kind.REFUSED, "{words}", "", ("words",)),
    "refused_out_of_resources": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer is out of resources: look at its disk space and its log. {retries} tries such instances again.",
        ("status", "meaning"),
        passes=True,
    ),
    "refused_for_sop_class": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer says that the data set does not fit its SOP class: its log says why. Ask who made these files.",
        ("status", "meaning"),
    ),
    "refused_not_understood": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer cannot make sense of the data set: its log says which attribute. Files of one origin mostly share"
        " such a fault.",
        ("status", "meaning"),
    ),
    "refused_sop_class": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer does not store this SOP class: its administrator has to allow it.",
        ("status", "meaning"),
    ),
    "refused_not_authorized": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer does not allow this: check the AE titles ({aetitle}, {call}) and the user, and its list of who may"
        " store.",
        ("status", "meaning"),
    ),
    "refused_processing_failure": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "Something went wrong in the peer: its log says what. {retries} tries again.",
        ("status", "meaning"),
        passes=True,
    ),
    "refused_duplicate": Row(
        Kind.REFUSED,
        "{status} ({meaning}){behind}",
        "The peer has this instance already, and does not take it twice.",
        ("status", "meaning"),
    ),
    "refused": Row(Kind.REFUSED, "{status} ({meaning}){behind}", "", ("status", "meaning")),
    # --- network and associations
    "host_unknown": Row(
        Kind.NETWORK,
        "no {wanted} found for host '{host}': {words}",
        "Is the name of the host spelled right, and known to the name service of this computer?",
        ("host", "words"),
    ),
    "host_unknown_now": Row(
        Kind.NETWORK,
        "no {wanted} found for host '{host}': {words}",
        "The name service could not be asked just now: is there a network? {retries} tries again.",
        ("host", "words"),
        passes=True,
    ),
    "lookup_timeout": Row(
        Kind.NETWORK,
        "the name service did not tell the address of host '{host}' within {seconds} seconds",
        "Is there a network, and is the name service up? {connect_timeout} gives it more time; an address needs none.",
        ("host",),
        passes=True,
    ),
    "only_ipv6": Row(
        Kind.NETWORK,
        "no IPv4 address found for host '{host}': it has IPv6 addresses alone",
        "Allow IPv6: {ipv6}, or {ip_auto} for whatever there is.",
        ("host",),
    ),
    "only_ipv4": Row(
        Kind.NETWORK,
        "no IPv6 address found for host '{host}': it has IPv4 addresses alone",
        "Allow IPv4: {ipv4}, or {ip_auto} for whatever there is.",
        ("host",),
    ),
    "cannot_connect": Row(
        Kind.NETWORK, "cannot connect to {host}:{port} ({address}): {inner}", "", ("host", "port"), passes=True
    ),
    "server_gone": Row(
        Kind.NETWORK,
        "{inner}",
        "The server was reached before in this run, and takes no connection now: has it been stopped, or is it being"
        " restarted? {retries} tries again.",
        passes=True,
    ),
    "connection_refused": Row(
        Kind.NETWORK, "{words}", "Nobody listens there: is it the right port, and is the server up?", passes=True
    ),
    "unreachable": Row(
        Kind.NETWORK,
        "{words}",
        "There is no way from here to that address: is it right, and is the network (or the VPN) up?",
        ("words",),
        passes=True,
    ),
    "connect_timeout": Row(
        Kind.NETWORK,
        "no answer within {seconds} seconds",
        "Is the address right, and does a firewall drop what is sent there? {connect_timeout} gives it more time.",
        passes=True,
    ),
    "connection_forbidden": Row(
        Kind.NETWORK, "{words}", "This computer does not allow that connection: look at its firewall.", ("words",)
    ),
    "no_address_family": Row(
        Kind.NETWORK,
        "{words}",
        "This computer has no sockets for such an address: choose the other kind ({ipv4}, {ipv6}).",
        ("words",),
    ),
    "network_error": Row(
        Kind.NETWORK, "{words}", "This is what the system says of the network: look there.", ("words",), passes=True
    ),
    "closed": Row(Kind.NETWORK, "peer closed the connection", _ENDED, passes=True),
    "closed_in_pdu": Row(Kind.NETWORK, "peer closed the connection in the middle of a PDU", _ENDED, passes=True),
    "lost": Row(Kind.NETWORK, "connection lost: {words}", _ENDED, ("words",), passes=True),
    "lost_while_sending": Row(Kind.NETWORK, "connection lost while sending: {words}", _ENDED, ("words",), passes=True),
    "association_over": Row(Kind.NETWORK, "the association is over", _ENDED, passes=True),
    "lost_before_answer": Row(
        Kind.NETWORK,
        "{inner}",
        "The peer may expect TLS ({tls}), or another kind of server may listen on this port.",
        passes=True,
    ),
    "lost_again": Row(
        Kind.NETWORK,
        "{inner}",
        "The server was reached before in this run, and ends connections now: is it being restarted, or does it take"
        " no further association? {retries} tries again.",
        passes=True,
    ),
    "answered_by_tls": Row(Kind.NETWORK, "the peer answered with an alert of TLS", "The peer expects TLS: {tls}."),
    "other_protocol": Row(
        Kind.NETWORK,
        "the peer speaks {name}, not DICOM",
        "Another kind of server listens on this port: is it the right one?",
        ("name",),
    ),
    "association_aborted": Row(
        Kind.NETWORK,
        "peer aborted the association: {inner}",
        "The peer's log says why. {retries} tries again.",
        passes=True,
    ),
    "aborted_at_once": Row(
        Kind.NETWORK,
        "peer aborted the association: {inner}",
        "Some servers let everybody in and abort for those that they do not know (Orthanc does): the peer may have to"
        " be told our AE title ({aetitle}). Its log says more.",
        passes=True,
    ),
    "aborted_by_user": Row(Kind.NETWORK, "by the receiving application, without a reason"),
    "aborted_by_source": Row(Kind.NETWORK, "by source {source}", "", ("source",)),
    "aborted_without_reason": Row(Kind.NETWORK, "its service provider says: no reason given"),
    "aborted_unrecognised_pdu": Row(Kind.NETWORK, "its service provider says: it did not recognise a PDU"),
    "aborted_unexpected_pdu": Row(Kind.NETWORK, "its service provider says: it did not expect a PDU"),
    "aborted_unrecognised_parameter": Row(
        Kind.NETWORK, "its service provider says: it did not recognise a PDU parameter"
    ),
    "aborted_unexpected_parameter": Row(Kind.NETWORK, "its service provider says: it did not expect a PDU parameter"),
    "aborted_invalid_value": Row(
        Kind.NETWORK, "its service provider says: it found an invalid value in a PDU parameter"
    ),
    "aborted_for_reason": Row(Kind.NETWORK, "its service provider says: reason {number}", "", ("number",)),
    "rejected_permanently": Row(Kind.NETWORK, "association rejected: permanently: {inner}"),
    "rejected_for_now": Row(Kind.NETWORK, "association rejected: for now: {inner}", passes=True),
    "rejected_with_result": Row(Kind.NETWORK, "association rejected: with result {result}: {inner}", "", ("result",)),
    "reject_without_reason": Row(
        Kind.NETWORK,
        "no reason given by the peer",
        "Some receivers reject so when no presentation context suits them, others when they do not know the sender"
        " ({aetitle}).",
    ),
    "reject_identity": Row(
        Kind.NETWORK,
        "no reason given by the peer",
        "The peer may not accept the user identity, or may not know the sender ({aetitle}).",
    ),
    "reject_application_context": Row(
        Kind.NETWORK,
        "the peer does not support the DICOM application context",
        "The peer is no DICOM server of the usual kind: is it the right port?",
    ),
    "reject_calling_title": Row(
        Kind.NETWORK,
        "calling AE title not recognised by the peer",
        "The peer must know our AE title: enter it there, or say another one ({aetitle}).",
    ),
    "reject_called_title": Row(
        Kind.NETWORK,
        "called AE title not recognised by the peer",
        "The peer goes by another AE title: tell it with {call}.",
    ),
    "reject_by_provider": Row(
        Kind.NETWORK, "no reason given by the peer's ACSE service provider", "The peer's log says why."
    ),
    "reject_identity_by_provider": Row(
        Kind.NETWORK,
        "no reason given by the peer's ACSE service provider",
        "The peer may not accept the user identity, or may not know the sender ({aetitle}).",
    ),
    "reject_version": Row(
        Kind.NETWORK, "protocol version not supported by the peer", "The peer is not DICOM as of today: ask its maker."
    ),
    "reject_congestion": Row(
        Kind.NETWORK, "temporary congestion at the peer", "The peer is busy: try later, or have {retries} do so."
    ),
    "reject_limit": Row(
        Kind.NETWORK,
        "local limit of associations exceeded at the peer",
        "The peer has all the associations that it takes: use fewer {associations}, or try later ({retries}).",
    ),
    "reject_reason": Row(
        Kind.NETWORK,
        "reason {number} from source {source}",
        "That is no reason of the standard: the peer's log may say more.",
        ("number", "source"),
    ),
    "release_wanted": Row(
        Kind.NETWORK,
        "peer asked to release the association before everything was sent",
        "The peer wants no more on this association: look at its limits and its log. {retries} goes on with another.",
        passes=True,
    ),
    "not_released": Row(
        Kind.NETWORK,
        "the peer did not confirm the release: {inner}",
        "All that was sent had been answered by then: nothing is lost. The peer's log may say why.",
    ),
    "response_timeout": Row(
        Kind.NETWORK,
        "timeout: the peer's response took more than {seconds} seconds",
        "Look at the peer's load, or give it more time ({dimse_timeout}).",
        ("seconds",),
        passes=True,
    ),
    "request_timeout": Row(
        Kind.NETWORK,
        "timeout: the answer to the association request took more than {seconds} seconds",
        "Something is there, but no DICOM server that answers: is it the right port? {acse_timeout} gives it more"
        " time.",
        ("seconds",),
        passes=True,
    ),
    "release_timeout": Row(
        Kind.NETWORK,
        "timeout: the answer to the release request took more than {seconds} seconds",
        "All that was sent had been answered by then: nothing is lost.",
        ("seconds",),
        passes=True,
    ),
    "pdu_timeout": Row(
        Kind.NETWORK,
        "timeout: the rest of a PDU took more than {seconds} seconds",
        "The peer stopped in the middle of what it was saying: look at it, and at the network ({socket_timeout}).",
        ("seconds",),
        passes=True,
    ),
    "message_timeout": Row(
        Kind.NETWORK,
        "timeout: the rest of a message took more than {seconds} seconds",
        "The peer stopped in the middle of what it was saying: look at it, and at the network ({socket_timeout}).",
        ("seconds",),
        passes=True,
    ),
    "sending_timeout": Row(
        Kind.NETWORK,
        "timeout: sending to a peer that takes nothing took more than {seconds} seconds",
        "The peer has stopped reading: look at its disk and its load. {socket_timeout} gives it more time.",
        ("seconds",),
        passes=True,
    ),
    "file_failed_under_way": Row(
        Kind.NETWORK, "association aborted: a file failed while it was being sent", "", passes=True
    ),
    "no_thread": Row(
        Kind.RUN,
        "cannot open an association: the system allows no thread",
        "The system has no room for another thread: end other programs, or use fewer {associations}.",
    ),
    "sending_ended": Row(Kind.NETWORK, "cannot send SOP instance: {inner}"),
    "instance_not_sent": Row(Kind.RUN, "cannot send SOP instance from file: {path}: {inner}"),
    "nothing_accepted": Row(
        Kind.NO_CONTEXT,
        "cannot add presentation contexts: the peer accepted none of them",
        "The peer takes nothing of what these files are: its administrator has to allow their SOP classes.",
    ),
    "cannot_propose": Row(Kind.NO_CONTEXT, "cannot add presentation context for {what}: {inner}"),
    "pdu_limit_too_small": Row(
        Kind.NETWORK,
        "the peer takes PDUs of at most {most} bytes, too few for any message",
        "The peer is set up wrongly: mend its maximum PDU length.",
    ),
    "called_title_empty": Row(
        Kind.NETWORK, "AE titles must not be empty", "Tell the peer's AE title with {call}, of 1 to 16 characters."
    ),
    "calling_title_empty": Row(
        Kind.NETWORK, "AE titles must not be empty", "Tell our AE title with {aetitle}, of 1 to 16 characters."
    ),
    "called_title_invalid": Row(
        Kind.NETWORK,
        "AE title '{title}' has characters that DICOM does not allow",
        "An AE title has printable ASCII characters and no backslash: correct {call}.",
        ("title",),
    ),
    "calling_title_invalid": Row(
        Kind.NETWORK,
        "AE title '{title}' has characters that DICOM does not allow",
        "An AE title has printable ASCII characters and no backslash: correct {aetitle}.",
        ("title",),
    ),
    "verification_not_accepted": Row(
        Kind.NETWORK,
        "the peer does not accept the Verification SOP class",
        "It may take instances all the same: its administrator has to allow C-ECHO.",
    ),
    "echo_refused": Row(
        Kind.NETWORK,
        "the peer answered the C-ECHO request with status {status}",
        "The peer is there, but something is wrong with it: its log says more.",
        ("status",),
    ),
    "identity_not_confirmed": Row(
        Kind.NETWORK,
        "the peer accepted the association without confirming the user identity",
        "It may not look at identities at all; without {positive_response} it gets the instances all the same.",
    ),
    "early_success": Row(
        Kind.NETWORK, "it answered Message ID {message_id} with success before it could have the data set whole"
    ),
    "response_to_nothing": Row(Kind.NETWORK, "a response to nothing"),
    "answered_unasked": Row(Kind.NETWORK, "it answered Message ID {message_id}, which was not asked"),
    "answered_with_command": Row(Kind.NETWORK, "it answered with command 0x{command}", "", ("command",)),
    "answered_for_other_instance": Row(
        Kind.NOT_ANSWERED, "the peer answered for SOP Instance UID {answered}, not {sent}", _OTHER_ANSWER
    ),
    "answered_for_other_class": Row(
        Kind.NOT_ANSWERED,
        "the peer answered for SOP class {answered}, not {sent}",
        _OTHER_ANSWER,
        ("answered", "sent"),
    ),
    "answered_in_other_context": Row(
        Kind.NOT_ANSWERED, "the peer answered in presentation context {answered}, not {sent}", _OTHER_ANSWER
    ),
    "protocol_broken": Row(
        Kind.NETWORK,
        "peer broke the protocol: {inner}",
        "What the peer says is not as DICOM has it: is it a DICOM server, and does anything on the way change what is"
        " sent? Its maker may have to mend it.",
    ),
    "truncated_item": Row(Kind.NETWORK, "{wanted} bytes expected, {left} there"),
    "invalid_uid_bytes": Row(Kind.NETWORK, "not a UID: {words}"),
    "short_pdv": Row(Kind.NETWORK, "a PDV of {length} bytes is too short for its own header"),
    "unknown_pdu": Row(Kind.NETWORK, "unrecognised PDU type 0x{type}", "", ("type",)),
    "long_pdu": Row(Kind.NETWORK, "{name} PDU of {length} bytes, more than the {most} allowed", "", ("name", "most")),
    "wrong_version": Row(Kind.NETWORK, "protocol version {version} instead of 1", "", ("version",)),
    "unexpected_pdu": Row(Kind.NETWORK, "{name} while the association is {state}", "", ("name", "state")),
    "wrong_syntaxes": Row(
        Kind.NETWORK, "context {context_id} is accepted with {count} transfer syntaxes instead of one", "", ("count",)
    ),
    "empty_data": Row(Kind.NETWORK, "a P-DATA-TF PDU without a value"),
    "many_pieces": Row(Kind.NETWORK, "a command set or data set in more than {most} pieces"),
    "command_in_data_set": Row(Kind.NETWORK, "a command before the data set of the one before it had ended"),
    "context_changed": Row(Kind.NETWORK, "a command set that changes its presentation context"),
    "long_command": Row(Kind.NETWORK, "a command set of more than {most} bytes"),
    "unexpected_data_set": Row(Kind.NETWORK, "a piece of a data set where a command was expected"),
    "long_data_set": Row(Kind.NETWORK, "a data set of more than {most} bytes with a response"),
    "cut_command": Row(Kind.NETWORK, "the command set ends within an element"),
    "long_command_element": Row(Kind.NETWORK, "{tag} of the command set runs past its end", "", ("tag",)),
    "twice_in_command": Row(Kind.NETWORK, "{tag} stands twice in the command set", "", ("tag",)),
    "missing_in_response": Row(Kind.NETWORK, "the response has no usable {name} {tag}", "", ("name", "tag")),
    "request_by_peer": Row(Kind.NETWORK, "it sent a request of its own ({name})", "", ("name",)),
    # --- TLS
    "tls": Row(Kind.NETWORK, "TLS: {inner}"),
    "tls_refused": Row(Kind.NETWORK, "the peer refuses: {inner}"),
    "tls_failed": Row(Kind.NETWORK, "the handshake or a record failed: {inner}"),
    "tls_not_spoken": Row(
        Kind.NETWORK,
        "the peer does not speak TLS",
        "Is the port right? Without the TLS options the connection is a plain one.",
    ),
    "tls_handshake_ended": Row(
        Kind.NETWORK,
        "peer ended the connection in the TLS handshake{behind}",
        "It may not speak TLS on this port, or only versions before 1.2.",
        passes=True,
    ),
    "tls_handshake_ended_without_certificate": Row(
        Kind.NETWORK,
        "peer ended the connection in the TLS handshake{behind}",
        "It may not speak TLS on this port, or only versions before 1.2, or demand a certificate: our key and"
        " certificate are given with {tls_certificate}.",
        passes=True,
    ),
    "tls_cut_off": Row(
        Kind.NETWORK,
        "peer closed the connection without ending TLS: the rest may have been cut off",
        _ENDED,
        passes=True,
    ),
    "handshake_timeout": Row(
        Kind.NETWORK,
        "timeout: the TLS handshake took more than {seconds} seconds",
        "Something is there, but no server that answers in TLS: is it the right port? {connect_timeout} gives it more"
        " time.",
        ("seconds",),
        passes=True,
    ),
    "renegotiation_timeout": Row(
        Kind.NETWORK,
        "timeout: negotiating TLS anew took more than {seconds} seconds",
        "The peer wanted to negotiate anew, and then stopped: look at it, and at the network ({socket_timeout}).",
        ("seconds",),
        passes=True,
    ),
    "certificate_issuer_unknown": Row(
        Kind.NETWORK, "the peer's certificate is not trusted: its issuer is not known", _TRUST
    ),
    "certificate_self_signed": Row(
        Kind.NETWORK, "the peer's certificate is not trusted: it is signed by itself", _TRUST
    ),
    "certificate_root_unknown": Row(
        Kind.NETWORK, "the peer's certificate is not trusted: its root CA is not known", _TRUST
    ),
    "certificate_of_no_ca": Row(
        Kind.NETWORK,
        "the peer's certificate is not trusted: one that signed it is not that of a CA",
        "The peer shows a wrong chain of certificates: its administrator has to mend that.",
    ),
    "certificate_not_trusted": Row(Kind.NETWORK, "the peer's certificate is not trusted: {words}", _TRUST, ("words",)),
    "certificate_not_yet_valid": Row(
        Kind.NETWORK, "the peer's certificate is not valid yet", "Is the clock right, on both sides?"
    ),
    "certificate_expired": Row(Kind.NETWORK, "the peer's certificate has expired", "The peer needs a new one."),
    "certificate_revoked": Row(
        Kind.NETWORK,
        "the peer's certificate has been revoked, or one that signed it",
        "Nobody should trust it any more: the peer needs a new one.",
    ),
    "certificate_not_for_servers": Row(
        Kind.NETWORK,
        "the peer's certificate is not meant for servers",
        "The peer needs a certificate for servers: its administrator has to get one.",
    ),
    "certificate_key_too_short": Row(
        Kind.NETWORK, "the key of the peer's certificate is too short", "The peer needs a new certificate."
    ),
    "ca_key_too_short": Row(
        Kind.NETWORK, "the key of the peer's CA is too short", "The peer needs a certificate of another CA."
    ),
    "certificate_weak_hash": Row(
        Kind.NETWORK, "the peer's certificate is signed with a weak hash", "The peer needs a new certificate."
    ),
    "certificate_other_name": Row(
        Kind.NETWORK,
        "the peer's certificate is not for '{name}', but for {names}",
        "Where one of these is the peer's, tell it with {tls_server_name}.",
        ("name", "names"),
    ),
    "certificate_not_for_name": Row(
        Kind.NETWORK,
        "the peer's certificate is not for '{name}'",
        "Where it is another one of the peer's names, tell it with {tls_server_name}.",
        ("name",),
    ),
    "crl_missing": Row(
        Kind.NETWORK,
        "there is no revocation list of the peer's issuer",
        "Name one with {tls_crl}.",
    ),
    "crl_not_yet_valid": Row(Kind.NETWORK, "a revocation list is not valid yet", "Is the clock right?"),
    "crl_expired": Row(Kind.NETWORK, "a revocation list has expired", "Get a new one from the CA."),
    "nothing_in_common": Row(
        Kind.NETWORK, "it finds nothing in common with us, be it a cipher suite or a certificate", _SUITES
    ),
    "nothing_in_common_without_certificate": Row(
        Kind.NETWORK,
        "it finds nothing in common with us, be it a cipher suite or a certificate",
        "It may demand a certificate: our key and certificate are given with {tls_certificate}. {bcp195} proposes older"
        " cipher suites too, {cipher} single ones.",
    ),
    "not_secure_enough": Row(
        Kind.NETWORK,
        "what we propose is not secure enough for it",
        "Leave out older cipher suites: {bcp195}, {cipher}.",
    ),
    "versions_too_old": Row(
        Kind.NETWORK,
        "it has neither TLS 1.2 nor 1.3, the only versions that are safe",
        "The peer needs a newer TLS: its administrator has to see to that.",
    ),
    "our_certificate_demanded": Row(Kind.NETWORK, "it demands a certificate of ours", _OURS),
    "our_ca_unknown": Row(Kind.NETWORK, "it does not know the CA of our certificate", "The peer must trust that CA."),
    "our_certificate_refused": Row(
        Kind.NETWORK, "it does not accept our certificate", "The peer must trust it: its log says what it lacks."
    ),
    "our_certificate_refused_or_missing": Row(
        Kind.NETWORK,
        "it does not accept our certificate",
        "It may demand one: our key and certificate are given with {tls_certificate}.",
    ),
    "our_certificate_unsupported": Row(
        Kind.NETWORK, "our certificate is of a kind that it does not take", "Have one made with another kind of key."
    ),
    "our_certificate_revoked": Row(Kind.NETWORK, "our certificate has been revoked", "Get a new one from its CA."),
    "our_certificate_expired": Row(
        Kind.NETWORK, "our certificate has expired", "Get a new one; and is the clock right, on both sides?"
    ),
    "access_denied": Row(
        Kind.NETWORK, "it does not let us in", "The peer has to allow our certificate or our address."
    ),
    "signature_wrong": Row(
        Kind.NETWORK, "it finds a signature of ours wrong", "Do our key and certificate belong together?"
    ),
    "name_not_recognised": Row(
        Kind.NETWORK,
        "it does not go by the name that we asked for",
        "Where it is another one of the peer's names, tell it with {tls_server_name}.",
    ),
    "internal_error": Row(Kind.NETWORK, "it has an internal error", "The peer's log says more."),
    "alert": Row(Kind.NETWORK, "alert {words}", "The peer's log says why.", ("words",)),
    "short_diffie_hellman": Row(
        Kind.NETWORK,
        "its Diffie-Hellman key is too short",
        "The peer has to use a longer one, or elliptic curves.",
    ),
    "insecure_renegotiation": Row(
        Kind.NETWORK, "it cannot negotiate securely (RFC 5746)", "The peer needs a newer TLS."
    ),
    "damaged_record": Row(
        Kind.NETWORK,
        "what it sent was damaged or forged on its way",
        "Something on the way changes what is sent, or the peer's TLS has a fault.",
    ),
    "tls_words": Row(
        Kind.NETWORK, "{words}", "These are the words of the TLS library; the peer's log may have more.", ("words",)
    ),
    "file_unreadable": Row(
        Kind.RUN, "cannot read the {what} '{path}': {inner}", "See that this file is there and may be read.", ("what",)
    ),
    "not_a_file": Row(Kind.RUN, "it is no file"),
    "invalid_filename": Row(Kind.RUN, "Invalid filename"),
    "unusable_as_pem": Row(
        Kind.RUN,
        "cannot use the {what} '{path}': {inner}",
        "It was read as PEM; {der_keys} for files in DER.",
        ("what",),
    ),
    "unusable_as_der": Row(
        Kind.RUN,
        "cannot use the {what} '{path}': {inner}",
        "It was read as DER; {pem_keys} for files in PEM.",
        ("what",),
    ),
    "file_too_large": Row(
        Kind.RUN,
        "cannot use the {what} '{path}': it has more than {most} MiB",
        "That is no file of keys, certificates or revocation lists: name the right one.",
        ("what",),
    ),
    "no_certificate_in_it": Row(Kind.RUN, "there is no certificate in it"),
    "certificates_in_it": Row(Kind.RUN, "there are certificates in it"),
    "no_crl_in_it": Row(Kind.RUN, "there is no revocation list in it"),
    "no_key_in_it": Row(Kind.RUN, "there is no private key in it"),
    "many_files_in_it": Row(Kind.RUN, "there are more than {most} files in it"),
    "key_needs_password": Row(
        Kind.RUN,
        "the private key in '{path}' needs a password, and none was given",
        "Give it with {tls_password}.",
    ),
    "long_password": Row(
        Kind.RUN,
        "the password of the private key has more than {most} bytes",
        "Encrypt the key with a shorter one: no TLS library takes that.",
    ),
    "wrong_password": Row(
        Kind.RUN, "wrong password for the private key in '{path}'", "Give the right one with {tls_password}."
    ),
    "key_of_another_certificate": Row(
        Kind.RUN,
        "the private key in '{key}' does not belong to the certificate in '{certificate}'",
        "Name the two that belong together with {tls_certificate}.",
    ),
    "our_certificate_weak": Row(
        Kind.RUN,
        "the key or the signature of the certificate in '{certificate}' is too weak",
        "Have a certificate made with a longer key and a newer signature.",
    ),
    "our_certificate_broken": Row(
        Kind.RUN,
        "cannot use the certificate in '{certificate}' with the private key in '{key}': one of them is broken",
        "Copy both from their source again.",
    ),
    "cipher_unknown": Row(
        Kind.RUN,
        "cipher suite '{name}' is not known or not safe",
        "Those that may be used are listed by {list_ciphers}.",
        ("name",),
    ),
    "no_certificate_name": Row(
        Kind.RUN,
        "'{name}' is no name that a certificate could be for",
        "Tell the name in the peer's certificate with {tls_server_name}.",
        ("name",),
    ),
    # --- journal
    "stored_by_run": Row(Kind.RUN, "stored by run {run} of the journal, {finished} UTC"),
    "journal_unusable": Row(
        Kind.RUN,
        "journal '{path}' cannot be used: {words}",
        "Check its folder, its permissions and the room that is left.",
        ("path", "words"),
    ),
    "journal_broken": Row(Kind.RUN, "journal '{path}' cannot be used: {words}", _ANOTHER_JOURNAL, ("path", "words")),
    "journal_damaged": Row(Kind.RUN, "journal '{path}' is damaged", _ANOTHER_JOURNAL, ("path",)),
    "journal_tables": Row(Kind.RUN, "journal '{path}' has tables that are not dcmsend's", _ANOTHER_JOURNAL, ("path",)),
    "journal_of_others": Row(
        Kind.RUN, "'{path}' is no journal of dcmsend", "Name another file for {journal}.", ("path",)
    ),
    "journal_version": Row(
        Kind.RUN,
        "journal '{path}' has schema {found}, not {known}",
        "Use the version of dcmsend that made it, or begin another journal.",
        ("path", "found", "known"),
    ),
    "journal_in_use": Row(
        Kind.RUN,
        "journal '{path}' is in use by another run",
        "Wait for it, or name another file for {journal}.",
        ("path",),
    ),
    "journal_of_another_peer": Row(
        Kind.RUN,
        "journal '{path}' belongs to {title} at {name}, not {wanted_title} at {wanted_name}",
        "Name another file for {journal}, or use {any_peer} if both are the same archive.",
        ("path", "title", "name"),
    ),
    "gave_out": Row(Kind.RUN, "the system gave out: {inner}"),
    "list_cannot_be_kept": Row(
        Kind.RUN,
        "the list of instances cannot be kept: {words}",
        "It needs some 300 bytes an instance in the folder for temporary files (SQLITE_TMPDIR or TMPDIR).",
        ("words",),
    ),
    "rows_closed": Row(
        Kind.RUN, "the report is closed, and its list is gone", "Ask for rows() before close(), or within 'with'."
    ),
    # --- reports
    "report_not_written": Row(
        Kind.RUN, "cannot write report file '{path}': {inner}", "Check the folder of the report file, and the disk."
    ),
    "report_refused": Row(Kind.RUN, "{option} cannot write to '{path}': {inner}"),
    "report_cannot_be_made": Row(
        Kind.RUN, "{inner}", "Name a file in a folder that is there and may be written to; nothing was sent."
    ),
    "report_name_invalid": Row(Kind.RUN, "Invalid filename", "No file can have such a name: give another one."),
    "report_over_dicom": Row(
        Kind.RUN,
        "it is a DICOM file",
        "Give the report a name of its own: was it forgotten, and an input taken for it?",
    ),
    "report_over_journal": Row(
        Kind.RUN, "it belongs to a journal", "Give the report a name of its own: a journal is never written over."
    ),
    "report_over_input": Row(
        Kind.RUN, "it is to be sent", "Give the report a name of its own: was it forgotten, and an input taken for it?"
    ),
    "report_over_target": Row(
        Kind.RUN, "{other} writes to it, too", "Give each of the two a file of its own.", ("other",)
    ),
    "report_over_source": Row(
        Kind.RUN, "{other} reads it", "Give the report a name of its own: what is read must not be lost.", ("other",)
    ),
    "report_over_log": Row(Kind.RUN, "the log is written to it", "Give each of the two a file of its own."),
    "report_given_up": Row(
        Kind.RUN, "stopped by the user", "Nobody read what was written there: start a reader first, or name a file."
    ),
    "output_not_written": Row(
        Kind.RUN, "cannot write to standard output: {inner}", "Look at where the output goes: is the disk full?"
    ),
}

# Where neither a row nor the reason behind it has a hint.
_HINTS: Final[dict[Kind, str]] = {
    Kind.REFUSED: "The peer refused these: its log says why.",
    Kind.NO_CONTEXT: (
        "The peer takes neither this transfer syntax nor one that it can be converted to: its administrator has to"
        " allow it."
    ),
    Kind.NOT_ANSWERED: (
        "The association broke while these were under way; the peer may have stored them. Sending them again does"
        " no harm: {no_halt} goes on with the rest, {retries} tries again."
    ),
    Kind.FILE: "The file is not as the standard has it, so it was not stored. Ask who made it for a correct one.",
    Kind.READ: "The system cannot give these files: its words say why.",
    Kind.NO_DICOM: _NO_DICOM,
    Kind.NOT_TRIED: (
        "Their turn never came. Mend what ended the run and start it again; {no_halt} goes on after failures, and"
        " with {journal} only what is missing is sent."
    ),
    Kind.NETWORK: "The peer's log, and what is on the way to the peer, are the next things to look at.",
    Kind.RUN: "",
    Kind.OTHERS: "The reports have the reason of each.",
}

VARIES: Final = "..."
_INNER: Final = ("inner", "behind")  # the reason behind, the second with a colon before it


def row_of(reason: Reason) -> Row:
    """The row of a reason; a code that is not there is shown as it is."""
    return TABLE.get(reason.code) or Row(Kind.OTHERS, plain(reason.code))


def words(reason: Reason) -> str:
    """A reason on one line; nothing where there is none."""
    return row_of(reason).words.format_map(_Words(reason)) if reason.code else ""


def group(reason: Reason) -> str:
    """The words of all reasons that count as the same: ``...`` for what is another in each."""
    return row_of(reason).words.format_map(_GroupWords(reason)) if reason.code else ""


def hint(reason: Reason, names: Mapping[str, str] | None = None) -> str:
    """What the user can do; ``names``: what the settings are called, without it as in the library."""
    told: Reason | None = reason
    while told is not None and not row_of(told).hint:
        told = told.inner
    told = told or reason
    template = row_of(told).hint or _HINTS[kind_of(told)]
    return template.format_map(_HintWords(told, names or LIBRARY))


def kind_of(reason: Reason) -> Kind:
    """What stood between an instance and its being stored."""
    return row_of(reason).kind


def may_pass(reason: Reason) -> bool:
    """Return True if this reason, or the one behind it, may not hold another time."""
    return row_of(reason).passes or (reason.inner is not None and may_pass(reason.inner))


class _Words:
    """What stands for a name in braces: a fact, or the words of the reason behind."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason

    def __getitem__(self, name: str) -> str:
        inner = self.reason.inner
        if name in _INNER:
            return f"{': ' if name == 'behind' else ''}{self.of_inner(inner)}" if inner is not None else ""
        return plain(str(self.reason.fact(name)), MAX_PATH)

    def of_inner(self, inner: Reason) -> str:
        return words(inner)


class _GroupWords(_Words):
    """The same without what is another in each reason of the group."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name) if name in (*_INNER, *row_of(self.reason).by) else VARIES

    def of_inner(self, inner: Reason) -> str:
        return group(inner)


class _HintWords(_Words):
    """The same with the names of settings."""

    def __init__(self, reason: Reason, names: Mapping[str, str]) -> None:
        super().__init__(reason)
        self._names = names

    def __getitem__(self, name: str) -> str:
        return self._names.get(name) or super().__getitem__(name)
