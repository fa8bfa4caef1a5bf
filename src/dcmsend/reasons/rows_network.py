"""Rows of the table of reasons. Associations and connections."""

from __future__ import annotations

from dcmsend.reasons.row import ENDED, Kind, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_OTHER_ANSWER: Final = (
    "The peer's answer was for something else, so nobody knows whether it has stored this: its maker has to mend that."
    " Sending it again does no harm."
)

ROWS: Final[dict[str, Row]] = {
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
    "closed": Row(Kind.NETWORK, "peer closed the connection", ENDED, passes=True),
    "closed_in_pdu": Row(Kind.NETWORK, "peer closed the connection in the middle of a PDU", ENDED, passes=True),
    "lost": Row(Kind.NETWORK, "connection lost: {words}", ENDED, ("words",), passes=True),
    "lost_while_sending": Row(Kind.NETWORK, "connection lost while sending: {words}", ENDED, ("words",), passes=True),
    "association_over": Row(Kind.NETWORK, "the association is over", ENDED, passes=True),
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
}
