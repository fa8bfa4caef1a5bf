"""Rows of the table of reasons. What is given to be sent: sources, the structure of files, DICOMDIRs and archives."""

from __future__ import annotations

from dcmsend.reasons.row import AGAIN_WHEN_FINISHED, COPY_AGAIN, NO_DICOM, Kind, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_WRONG_SYNTAX: Final = "The file is wrong, not the peer: it says another transfer syntax than it has. Ask who made it."
_RECORD: Final = "The DICOMDIR is wrong here: {scan_directories} sends the files of its folder without it."
_LEADS_OUT: Final = "If you trust this DICOMDIR, {external_references} follows it there."
_ARCHIVE_AGAIN: Final = "The archive is damaged: copy it again. What stands before the damage was taken."
_UNPACK: Final = "Unpack the archive first, and send what was in it."

ROWS: Final[dict[str, Row]] = {
    # --- what is given: scan, lists, sources
    "no_input": Row(Kind.RUN, "no input files to be processed"),
    "no_valid_input": Row(Kind.RUN, "no valid input files to be processed"),
    "too_short": Row(
        Kind.FILE,
        "it has only {size} bytes: too short for a DICOM file, though it is called like one",
        COPY_AGAIN,
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
    "changed_while_sent": Row(Kind.FILE, "the file changed while it was being sent", AGAIN_WHEN_FINISHED),
    "touched_while_sent": Row(
        Kind.FILE,
        "the file was touched while it was being sent, and nobody knows whether it changed",
        AGAIN_WHEN_FINISHED,
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
    "no_data_set": Row(Kind.NO_DICOM, "I/O suspension or premature end of stream: {inner}", NO_DICOM),
    "no_identity": Row(
        Kind.NO_DICOM, "Invalid SOP Class UID: there is none, and no file meta information either", NO_DICOM
    ),
    "not_bare": Row(
        Kind.FILE,
        "not a bare data set: it begins with file meta information",
        "These are files with a head, which were to be read without one: {read_dataset} takes both kinds.",
    ),
    "cut_short": Row(Kind.FILE, "I/O suspension or premature end of stream{behind}", COPY_AGAIN),
    "meta_too_long": Row(
        Kind.FILE, "File meta information is longer than {most} bytes: {inner}", COPY_AGAIN, ("most",)
    ),
    "at_element": Row(Kind.FILE, "{tag} at byte {offset}: {inner}", "", ("tag",)),
    "end_missing": Row(Kind.FILE, "its end is missing", COPY_AGAIN),
    "past_the_end": Row(Kind.FILE, "its {length} bytes run past the end of the file", COPY_AGAIN),
    "past_what_holds_it": Row(
        Kind.FILE, "its {length} bytes run past the end of the sequence or item that it is in", COPY_AGAIN
    ),
    "value_cut_off": Row(Kind.FILE, "its value is cut off here", COPY_AGAIN),
    "header_cut_off": Row(Kind.FILE, "the data ends in the header of the element behind it", COPY_AGAIN),
    "not_a_vr": Row(Kind.FILE, "'{vr}' is not a VR", COPY_AGAIN, ("vr",)),
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
    "deflate_cut_off": Row(Kind.FILE, "the deflated data set is cut off: its end is missing", COPY_AGAIN),
    "deflate_damaged": Row(Kind.FILE, "the deflated data set is damaged: {words}", COPY_AGAIN, ("words",)),
    "deflate_backwards": Row(Kind.FILE, "the deflated data set cannot be read backwards"),
    "deflate_surplus": Row(
        Kind.FILE, "{count} bytes that do not belong to it follow the deflated data set at byte {offset}", COPY_AGAIN
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
    "dicomdir_found": Row(
        Kind.NO_DICOM,  # there is no instance in it, and what it lists is found in its folder
        "Invalid SOP Class UID: {uid} (a DICOMDIR)",
        "A DICOMDIR is not sent itself; {no_halt} passes over it, and {read_dicomdir} sends the files that it lists.",
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
    "archive_changed": Row(Kind.READ, "the archive changed since it was looked at", AGAIN_WHEN_FINISHED),
    "archive_gone": Row(Kind.READ, "the archive is gone: {inner}"),
    "not_in_archive": Row(Kind.READ, "it is no longer in the archive", AGAIN_WHEN_FINISHED),
    "archive_in_parts": Row(
        Kind.FILE, "the archive is one of several parts", "Put the parts together, or unpack them first."
    ),
    "archive_joined": Row(
        Kind.FILE,
        "two archives are joined in one file, and only one of them can be read",
        "Take them apart, or unpack them first.",
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
}
