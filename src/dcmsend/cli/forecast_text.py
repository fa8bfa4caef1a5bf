"""A forecast as text of 80 columns. Names of files alone may be longer. Nothing here prints."""

from __future__ import annotations

from textwrap import wrap

from dcmsend.cli.names import OPTIONS
from dcmsend.model import MAX_PDU
from dcmsend.printable import MAX_HOST, MAX_PATH, MAX_REMARK, plain
from dcmsend.uids import TRANSFER_SYNTAXES, Family, sop_class_name, transfer_syntax_label, transfer_syntax_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from dcmsend.events import Context
    from dcmsend.forecast import Answer, Forecast, PlannedAssociation, Portion
    from dcmsend.model import Peer
    from dcmsend.reasons import Reason

_WIDTH: Final = 80

# PS3.8 Table 9-18, and what is wrong with an answer (plan)
_RESULTS: Final[dict[int | None, str]] = {
    -2: "the peer chose a transfer syntax that was not proposed",
    -1: "left out of the peer's answer",
    1: "refused (user rejection)",
    2: "refused, without a reason",
    3: "refused, SOP class not supported",
    4: "refused, transfer syntaxes not supported",
}
_MANNER: Final[dict[Family, str]] = {
    Family.NATIVE: "recoded, values unchanged",
    Family.DEFLATED: "inflated, values unchanged",
    Family.LOSSLESS: "decompressed, without loss",
    Family.LOSSY: "decompressed, was compressed with loss (--decompress-lossy)",
    Family.ENCAPSULATED_NATIVE: "unpacked, values unchanged",
}
_DATA_SETS: Final = (
    "What is wrong within a data set shows when it is sent: structure, pixel data and the values that a conversion"
    " needs are not looked at here."
)


def forecast_lines(forecast: Forecast, peer: Peer, *, asked: bool, associations: int = 1) -> Iterator[str]:
    """The text, line by line. ``asked``: the peer was to be asked; ``associations``: how many may be open at once."""
    yield "What the peer accepts; nothing was sent" if asked else "Dry run; nothing was sent, and nobody was asked"
    host = plain(peer.host, MAX_HOST)
    titles = f"{plain(peer.calling_ae, MAX_REMARK)} -> {plain(peer.called_ae, MAX_REMARK)}"
    yield from _wrapped(f"Peer: {host}:{peer.port}, AE titles {titles}", 0)
    if forecast.error is not None:
        yield ""
        yield from _wrapped(f"The run ends early: {forecast.error.message}", 0)
        if forecast.associations and not asked:
            yield from _wrapped("With --no-halt it goes on, as follows.", 0)
    if associations > 1 and forecast.associations:
        yield from _wrapped(f"Of each association, as many as {associations} may be open at once.", 0)
    for number, association in enumerate(forecast.associations, 1):
        yield ""
        yield from _association(number, association)
    yield from _hopeless(forecast.hopeless)
    if not asked:
        yield from _only_as_they_are(forecast)
    yield from _skipped(forecast)
    yield from _in_all(forecast, asked=asked)


# --- associations


def _association(number: int, association: PlannedAssociation) -> Iterator[str]:
    contexts = association.contexts
    yield f"Association {number}: {_count(len(contexts), 'presentation context')}, {_amount(association.portions)}"
    if association.answer is not None:
        yield from _answer(association.answer)
    for context in contexts:
        yield from _context(context, association)
    if association.answer is not None:
        yield "  Instances"
        for portion in association.portions:
            yield from _fate(portion)


def _answer(answer: Answer) -> Iterator[str]:
    names = " ".join(word for word in (answer.implementation, answer.implementation_uid) if word)
    yield from _wrapped(f"Peer's implementation: {names or 'not told'}", 2)
    yield f"  Longest PDU it takes: {f'{answer.max_pdu} bytes' if answer.max_pdu else f'no limit (we send {MAX_PDU})'}"
    window = f"{answer.window} outstanding" if answer.window > 1 else "one after the other"
    yield f"  Operations: {window}"
    if answer.security:
        yield from _wrapped(f"Secure transport: {answer.security}", 2)
    if answer.confirmed:
        yield "  User identity: confirmed"
    for uid in answer.roles:
        yield f"  Answers to a selection of roles for {uid}"


def _context(context: Context, association: PlannedAssociation) -> Iterator[str]:
    asked = association.answer is not None
    yield from _named(f"{context.context_id:3}  ", sop_class_name(context.abstract_syntax), context.abstract_syntax)
    own = {each.transfer_syntax: each for each in association.portions if each.sop_class == context.abstract_syntax}
    if own.keys().isdisjoint(context.transfer_syntaxes):
        names = ", ".join(map(_syntax, context.transfer_syntaxes))
        yield from _wrapped(f"for what is converted: {names}", 5)
    else:
        for uid in context.transfer_syntaxes:
            yield from _named("     ", transfer_syntax_name(uid), uid)
            if uid in own and not asked:
                yield f"     - {_amount((own[uid],))}"
    if not asked:
        return
    if context.accepted:
        yield from _wrapped(f"accepted: {transfer_syntax_label(context.accepted)}", 5)
    else:
        yield f"     {_RESULTS.get(context.result, f'refused, result {context.result}')}"


def _fate(portion: Portion) -> Iterator[str]:
    """What becomes of some instances, once the peer has answered."""
    yield from _portion(portion)
    if portion.reason:
        yield from _wrapped(f"not sent: {portion.reason}", 6)
        yield from _wrapped(portion.reason.hint(OPTIONS), 6)
    elif portion.network_syntax == portion.transfer_syntax:
        yield f"      sent as they are (context {portion.context_id})"
    else:
        known = TRANSFER_SYNTAXES.get(portion.transfer_syntax)
        manner = _MANNER.get(known.family, "") if known else ""
        names = f"{_syntax(portion.transfer_syntax)} -> {_syntax(portion.network_syntax)}"
        yield from _wrapped(f"converted (context {portion.context_id}): {names}; {manner}", 6)


# --- what is not sent


def _hopeless(portions: tuple[Portion, ...]) -> Iterator[str]:
    if portions:
        yield ""
        yield f"No chance: {_amount(portions)}"
    for portion in portions:
        yield from _portion(portion)
        yield from _wrapped(str(portion.reason), 6)
        yield from _wrapped(portion.reason.hint(OPTIONS), 6)


def _only_as_they_are(forecast: Forecast) -> Iterator[str]:
    """What is in the hands of the peer: a decoder that is missing matters to nobody whose peer takes the data as is."""
    reasons: dict[Reason, list[Portion]] = {}
    for association in forecast.associations:
        for portion in association.portions:
            if portion.against:
                reasons.setdefault(portion.against, []).append(portion)
    for reason, portions in reasons.items():
        yield ""
        yield from _wrapped(f"Sent only if the peer takes their own transfer syntax, because {reason}:", 0)
        for portion in portions:
            yield from _portion(portion)
        yield from _wrapped(reason.hint(OPTIONS), 2)


def _skipped(forecast: Forecast) -> Iterator[str]:
    yield from _refusals(forecast, "Left out", forecast.left_out, left_out=True)
    yield from _refusals(forecast, "No DICOM", forecast.no_dicom, left_out=False)
    if forecast.notice_count:
        yield ""
        yield f"Warnings: {forecast.notice_count}{_of_these(len(forecast.notices), forecast.notice_count)}"
    for text in forecast.notices:
        yield f"  {plain(text, MAX_PATH)}"


def _refusals(forecast: Forecast, title: str, count: int, *, left_out: bool) -> Iterator[str]:
    shown = [refusal for refusal in forecast.refusals if refusal.left_out is left_out]
    if count:
        yield ""
        yield f"{title}: {_count(count, 'input' if left_out else 'file')}{_of_these(len(shown), count)}"
    for refusal in shown:
        yield f"  {plain(refusal.path, MAX_PATH) or '<empty string>'}"
        yield from _wrapped(str(refusal.reason), 6)
    for hint in dict.fromkeys(refusal.reason.hint(OPTIONS) for refusal in shown):
        yield from _wrapped(hint, 2)


def _of_these(shown: int, count: int) -> str:
    return f" (the first {shown} are shown here, all with -v in the log)" if shown < count else ""


# --- in all


def _in_all(forecast: Forecast, *, asked: bool) -> Iterator[str]:
    hopeful = [portion for portion in forecast.portions if not portion.reason]
    refused = [portion for portion in forecast.portions if portion.reason]
    yield ""
    yield "In all"
    yield f"  to be sent:     {_amount(hopeful)}"
    if forecast.earlier:
        yield f"  stored already: {_sized(forecast.earlier, forecast.earlier_size)} (as the journal says)"
    if refused:
        yield f"  not sent:       {_amount(refused)}"
    if forecast.left_out:
        yield f"  left out:       {_count(forecast.left_out, 'input')}"
    if forecast.left_over:
        yield f"  left over:      {_count(forecast.left_over, 'instance')} of earlier runs in the journal, not stored"
    if forecast.no_dicom:
        yield f"  no DICOM:       {_count(forecast.no_dicom, 'file')}"
    if asked and any(association.answer is None for association in forecast.associations):
        yield "  The peer was not asked for all of these."
    if forecast.early:
        yield from _wrapped(
            "There is so much input that sending begins before all of it has been looked at: there may be more"
            " associations, with fewer contexts each. With --scan-first it is as shown.",
            2,
        )
    if hopeful:
        yield from _wrapped(_DATA_SETS, 2)


# --- words


def _portion(portion: Portion) -> Iterator[str]:
    yield f"  - {_sized(portion.instances, portion.size)}"
    yield from _named("    ", sop_class_name(portion.sop_class), portion.sop_class)
    yield from _named("    ", transfer_syntax_name(portion.transfer_syntax), portion.transfer_syntax)


def _named(beginning: str, name: str, uid: str) -> Iterator[str]:
    """A UID behind its name, if it has one, in one line or two."""
    shown = plain(uid, MAX_REMARK)
    if name in ("unknown", "Unknown Transfer Syntax"):
        yield f"{beginning}{shown}"
    elif len(beginning) + len(name) + len(shown) + 3 <= _WIDTH:
        yield f"{beginning}{name} ({shown})"
    else:
        yield from wrap(name, _WIDTH, initial_indent=beginning, subsequent_indent=" " * len(beginning))
        yield f"{' ' * len(beginning)}({shown})"


def _wrapped(text: str, indent: int) -> list[str]:
    margin = " " * indent
    words = plain(text, MAX_PATH)
    return wrap(words, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


def _syntax(uid: str) -> str:
    return plain(transfer_syntax_label(uid))


def _amount(portions: Iterable[Portion]) -> str:
    counted = [(portion.instances, portion.size) for portion in portions]
    return _sized(sum(count for count, _ in counted), sum(size for _, size in counted))


def _sized(instances: int, size: int) -> str:
    return f"{_count(instances, 'instance')}, {_count(size, 'byte')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
