"""Calls to the telephone line. Each act may be repeated: the provider asks again when an answer was lost on its way,
and what it says of one call arrives in any order."""

from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.db import transaction

from incidents.actions import hotline, tickets
from incidents.errors import Invalid
from incidents.models import CallState, Channel, Integration, PhoneCall, RecordingState, Service, Ticket
from incidents.queries.callers import person_with_number
from incidents.sealed import seal

SETTLES_AFTER = timedelta(minutes=30)
"""A call whose end nobody told us is taken as ended then."""
RECORDING_COMES_WITHIN = timedelta(minutes=2)
"""After the end of a call that was being recorded."""
MOST_ATTEMPTS = 10
LONGEST_PAUSE = timedelta(hours=6)
_LEASE = timedelta(seconds=60)
_TITLE = 120


@transaction.atomic
def ring(integration: Integration, *, call_sid: str, number: str, knows_outages: bool, at: datetime) -> PhoneCall:
    """A call came in, or said something before we heard that it had come in. `number` "" when it is withheld."""
    call, _ = PhoneCall.objects.get_or_create(
        integration=integration,
        call_sid=call_sid,
        defaults={
            "caller_sealed": seal(number[:40]),
            "requester": person_with_number(number),
            "has_heard_outages": knows_outages,
            "started_at": at,
            "settle_at": at + SETTLES_AFTER,
        },
    )
    return call


def _locked(call_id: int) -> PhoneCall:
    return PhoneCall.objects.select_for_update(of=("self",)).select_related("integration__service").get(pk=call_id)


@transaction.atomic
def begin_report(call_id: int, *, at: datetime) -> PhoneCall:
    """The caller is asked to speak."""
    call = _locked(call_id)
    if call.state in (CallState.GREETED, CallState.INFORMED):
        call.state = CallState.REPORTING
        call.save(update_fields=["state"])
    return call


@transaction.atomic
def note_informed(call_id: int, *, at: datetime) -> PhoneCall:
    """The caller asked what is known, and heard it."""
    call = _locked(call_id)
    call.has_heard_outages = True
    call.save(update_fields=["has_heard_outages"])
    return call


@transaction.atomic
def suspect_major(call_id: int, *, at: datetime) -> PhoneCall:
    """The caller says that many cannot work: a ticket and a candidate at once, before anybody is rung."""
    call = _locked(call_id)
    if call.candidate_id is None:
        call.is_suspected_major = True
        ticket = _ticket(call, f"Suspected major: call {_by_whom(call)}", at, impact=2, urgency=2)
        call.candidate = hotline.suspect(ticket, reason="A caller pressed 3.", actor=None, at=at)
        call.state = CallState.PUT_THROUGH
        call.save()
    return call


@transaction.atomic
def report(call_id: int, *, recording_sid: str, recording_url: str, seconds: int | None, at: datetime) -> PhoneCall:
    """The caller has spoken: a ticket, and the recording is fetched by a worker. The first recording counts."""
    call = _locked(call_id)
    if call.recording_state == RecordingState.NONE and recording_url:
        call.recording_sid, call.recording_url, call.recording_seconds = recording_sid, recording_url, seconds
        call.recording_state, call.next_attempt_at = RecordingState.WAITING, at
    if call.ticket_id is None:
        _ticket(call, f"Call {_by_whom(call)}", at)
    elif call.state == CallState.HUNG_UP:
        _reword(call.ticket_id, {"title": f"Call {_by_whom(call)}", "description": ""}, at)
    if call.state != CallState.PUT_THROUGH:
        call.state = CallState.REPORTED
    call.settle_at = None
    call.save()
    _write_transcription(call, at)
    return call


@transaction.atomic
def transcribe(call_id: int, *, text: str, at: datetime) -> PhoneCall:
    """The words of the recording, before or after the ticket. The first ones count; "" says that there are none."""
    call = _locked(call_id)
    if not call.transcription and text.strip():
        call.transcription = text.strip().replace("\x00", "")[:20_000]
        call.save(update_fields=["transcription"])
        _write_transcription(call, at)
    return call


@transaction.atomic
def end(call_id: int, *, at: datetime) -> PhoneCall:
    """The call is over. Of who was speaking the recording may still come in; who said nothing is written down."""
    call = _locked(call_id)
    if call.ended_at is None:
        call.ended_at = at
        call.save(update_fields=["ended_at"])
    if call.settle_at is None:
        return call
    if call.state == CallState.REPORTING and at < call.ended_at + RECORDING_COMES_WITHIN:
        call.settle_at = call.ended_at + RECORDING_COMES_WITHIN
        call.save(update_fields=["settle_at"])
        return call
    return _settle(call, at)


def _settle(call: PhoneCall, at: datetime) -> PhoneCall:
    call.settle_at = None
    call.ended_at = call.ended_at or at
    if call.ticket_id is None and call.state == CallState.GREETED and call.has_heard_outages:
        call.state = CallState.INFORMED
    elif call.ticket_id is None:
        _ticket(call, f"Caller hung up: call {_by_whom(call)}", at, description=_HUNG_UP)
        call.state = CallState.HUNG_UP
    call.save()
    return call


_HUNG_UP = "The caller hung up before anything was reported. Please call back."


def settle_due(*, at: datetime) -> int:
    """Ends the calls whose end nobody told us. Counts them; safe to run twice, or at once."""
    settled = 0
    for pk in list(PhoneCall.objects.filter(settle_at__lte=at).values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            call = PhoneCall.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
            if call is not None and call.settle_at is not None and call.settle_at <= at:
                _settle(call, at)
                settled += 1
    return settled


def _by_whom(call: PhoneCall) -> str:
    """Tells calls apart without the number, which stands sealed beside the ticket."""
    return f"from {call.requester}" if call.requester else f"of {call.started_at:%H:%M:%S} UTC"


def _ticket(call: PhoneCall, title: str, at: datetime, **fields: object) -> Ticket:
    """The call's ticket, made when there is none yet."""
    if call.ticket is None:
        call.ticket = tickets.open_ticket(
            title=title,
            channel=Channel.HOTLINE,
            requester=call.requester,
            callback_number=call.caller,
            service=_service(call.integration),
            reported_at=min(call.started_at, at),
            actor=None,
            at=at,
            **fields,  # type: ignore[arg-type]
        )
        if call.integration.team_id:
            tickets.assign(call.ticket.pk, team=call.integration.team, actor=None, at=at)
    return call.ticket


def _service(integration: Integration) -> Service | None:
    service = integration.service
    return service if service and service.is_active else None


def _write_transcription(call: PhoneCall, at: datetime) -> None:
    """Once, when both are there: the words become the description, their beginning the title while it is still ours."""
    if call.ticket_id is None or not call.transcription or call.transcribed_at is not None:
        return
    ticket = tickets.locked(call.ticket_id)
    changes: dict[str, object] = {}
    if not ticket.description:
        changes["description"] = call.transcription
    if ticket.title == f"Call {_by_whom(call)}":
        changes["title"] = _first_words(call.transcription)
    if changes:
        _reword(ticket.pk, changes, at)
    if "description" not in changes:
        text = f"Transcription of the call:\n\n{call.transcription}"
        tickets.comment(ticket.pk, text=text[:20_000], public=False, actor=None, at=at)
    call.transcribed_at = at
    call.save(update_fields=["transcribed_at"])


def _reword(ticket_id: int, changes: dict[str, object], at: datetime) -> None:
    """The line itself corrects what it wrote."""
    tickets.edit_ticket(ticket_id, changes=changes, actor=None, at=at)  # type: ignore[arg-type]


def _first_words(text: str) -> str:
    """The first sentence, cut between words."""
    line = " ".join(text.split())
    sentence = next((line[: place + 1] for place, char in enumerate(line) if char in ".!?" and place > 12), line)
    if len(sentence) <= _TITLE:
        return sentence
    return sentence[:_TITLE].rsplit(" ", 1)[0] + "…"


# --- The recording: claimed, fetched by a worker outside any transaction, then kept or put off
def claim_recording(*, at: datetime) -> PhoneCall | None:
    """The next recording to fetch, nobody else's for a minute; None when none is due."""
    with transaction.atomic():
        due = PhoneCall.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            recording_state=RecordingState.WAITING, next_attempt_at__lte=at
        )
        call = due.select_related("integration").order_by("next_attempt_at").first()
        if call is not None:
            call.attempts += 1
            call.next_attempt_at = at + _LEASE
            call.save(update_fields=["attempts", "next_attempt_at"])
        return call


@transaction.atomic
def keep_recording(call_id: int, *, content: bytes, at: datetime) -> PhoneCall:
    """The sound becomes a file of the ticket; fetched twice it is kept once."""
    call = _locked(call_id)
    if call.recording_state != RecordingState.WAITING or call.ticket_id is None:
        return call
    try:
        kind = "wav" if content[:4] == b"RIFF" else "mp3"
        file = ContentFile(content, name=f"call-{call.started_at:%Y%m%d-%H%M%S}.{kind}")
        call.attachment = tickets.attach(call.ticket_id, file=file, actor=None, at=at)
    except Invalid as refusal:
        return _give_up(call, refusal.message, at)
    call.recording_state, call.next_attempt_at, call.recording_problem = RecordingState.FETCHED, None, ""
    call.save(update_fields=["attachment", "recording_state", "next_attempt_at", "recording_problem"])
    return call


@transaction.atomic
def put_off_recording(call_id: int, *, why: str, is_final: bool = False, at: datetime) -> PhoneCall:
    """It could not be fetched: again later, a little later each time, and after ten times the ticket says so."""
    call = _locked(call_id)
    if call.recording_state != RecordingState.WAITING:
        return call
    if is_final or call.attempts >= MOST_ATTEMPTS:
        return _give_up(call, why, at)
    call.next_attempt_at = at + min(timedelta(seconds=15) * 4 ** (call.attempts - 1), LONGEST_PAUSE)
    call.recording_problem = why
    call.save(update_fields=["next_attempt_at", "recording_problem"])
    return call


def _give_up(call: PhoneCall, why: str, at: datetime) -> PhoneCall:
    call.recording_state, call.next_attempt_at, call.recording_problem = RecordingState.FAILED, None, why
    call.save(update_fields=["recording_state", "next_attempt_at", "recording_problem"])
    if call.ticket_id is not None:
        text = (
            f"The recording {call.recording_sid} could not be fetched: {why} It is still with the telephone provider."
        )
        tickets.comment(call.ticket_id, text=text, public=False, actor=None, at=at)
    return call
