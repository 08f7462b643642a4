"""What the provider asks and reports about our SMS and calls: signed forms. The answer is TwiML, or nothing."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents.intake.voice import signature, twiml
from incidents.sealed import SealBroken
from notifications import phone_line, phone_reports
from notifications.channels.phone import about_of
from notifications.models import ChannelAccount, ChannelKey

MOST_BYTES = 64 * 1024
_View = Callable[..., HttpResponse]


def signed(view: _View) -> _View:
    """Lets requests pass that the account's token signed: for this very address, with these very fields."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def checked(request: HttpRequest, **given: str) -> HttpResponse:
        if len(request.body) > MOST_BYTES:
            return _refused("At most 64 KiB.", 413)
        url = settings.PUBLIC_URL + request.get_full_path()
        if not signature.fits(url, request.POST, request.headers.get("X-Twilio-Signature", ""), _tokens()):
            return _refused("X-Twilio-Signature does not fit this address, this form and the account’s token.", 403)
        if any("\x00" in value for _, values in request.POST.lists() for value in values):
            return _refused("A field contains a NUL character, which cannot be stored.", 400)
        return view(request, **given)

    return checked


def _tokens() -> list[str]:
    """Of the account for SMS and calls, also while it is switched off: what is under way is answered still."""
    account = ChannelAccount.objects.filter(channel=ChannelKey.SMS).first()
    try:
        return [str(account.secrets.get("auth_token") or "")] if account else []
    except SealBroken:
        return []


def _refused(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8")


def _spoken(answer: twiml.Answer) -> HttpResponse:
    response = HttpResponse(bytes(answer), content_type=twiml.CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    return response


@signed
def phone_call(request: HttpRequest, token: str) -> HttpResponse:
    """Somebody, or a mailbox, picked up: what to say."""
    subject = _subject(request, token)
    if subject is None:
        return _spoken(_over())
    return _spoken(phone_line.greet(subject, _key_url(token)))


@signed
def phone_key(request: HttpRequest, token: str) -> HttpResponse:
    """A key was pressed."""
    subject = _subject(request, token)
    if subject is None:
        return _spoken(_over())
    key = request.POST.get("Digits", "")[:1]
    return _spoken(phone_line.pressed(subject, key, _key_url(token), at=timezone.now()))


def _key_url(token: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('phone_key', args=[token])}"


def _over() -> twiml.Answer:
    return twiml.Answer(twiml.Speech()).say("This call is over. Goodbye.").hang_up()


def _subject(request: HttpRequest, token: str) -> phone_line.Subject | None:
    """What the call is about; None when that is over, or the request belongs to another call than ours."""
    about = about_of(token)
    subject = phone_line.Subject.of(about) if about else None
    if subject is None or not _is_our_call(subject, request.POST.get("CallSid", "")):
        return None
    return subject


def _is_our_call(subject: phone_line.Subject, call_sid: str) -> bool:
    """The key of one call answers nothing in another. The provider may ask before its answer to us is written down."""
    ours = subject.delivery.provider_id if subject.delivery else ""
    return not ours or ours == call_sid


@signed
def phone_status(request: HttpRequest, channel: str) -> HttpResponse:
    """What became of an SMS or a call."""
    given, now = request.POST, timezone.now()
    if channel == ChannelKey.SMS:
        code = given.get("ErrorCode", "")
        number = int(code) if code.isascii() and code.isdigit() and len(code) < 9 else None
        phone_reports.of_text(given.get("MessageSid", ""), given.get("MessageStatus", ""), number, at=now)
    elif channel == ChannelKey.VOICE:
        lasted = given.get("CallDuration", "")
        seconds = int(lasted) if lasted.isascii() and lasted.isdigit() and len(lasted) < 9 else None
        phone_reports.of_call(given.get("CallSid", ""), given.get("CallStatus", ""), seconds, at=now)
    return HttpResponse(status=204)


@signed
def phone_reply(request: HttpRequest) -> HttpResponse:
    """An SMS came back."""
    given = request.POST
    sid = given.get("MessageSid", "")
    if not sid or len(sid) > 64:
        return _refused("MessageSid is missing or too long: it names the message.", 400)
    said = phone_line.replied(sid, given.get("From", ""), given.get("Body", ""), at=timezone.now())
    answer = twiml.Answer(twiml.Speech())
    return _spoken(answer.message(said) if said else answer)
