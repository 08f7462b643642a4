"""What the provider asks, each a signed form; the answer is TwiML. Stored first, answered after the commit."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents.actions import phone_calls
from incidents.intake.monitoring.door import drain
from incidents.intake.voice import recordings, signature, twiml
from incidents.intake.voice.line import Line, out_of_service
from incidents.models import Integration, IntegrationKind, PhoneCall
from incidents.models.access import digest
from incidents.queries.portal import public_incidents

OVER = ("completed", "busy", "failed", "no-answer", "canceled")
MOST_BYTES = 64 * 1024
_Step = Callable[[HttpRequest, Line, PhoneCall], "twiml.Answer | None"]


def _spoken(answer: "twiml.Answer | None") -> HttpResponse:
    if answer is None:
        return HttpResponse(status=204)
    response = HttpResponse(bytes(answer), content_type=twiml.CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    return response


def _refused(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8")


def step(view: _Step) -> Callable[..., HttpResponse]:
    """Lets signed requests of a known key pass, and finds the call they are about."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def asked(request: HttpRequest, key: str) -> HttpResponse:
        integration = (
            Integration.objects.select_related("service", "team")
            .filter(kind=IntegrationKind.VOICE, key_sha256=digest(key))
            .first()
        )
        if integration is None:
            raise Http404("There is no such line.")
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not announced.isdecimal() or int(announced) > MOST_BYTES:  # before Django reads it, and gives up on it
            drain(request)
            return _refused("At most 64 KiB.", 413)
        given = request.headers.get("X-Twilio-Signature", "")
        url = settings.PUBLIC_URL + request.get_full_path()
        if not signature.is_signed(url, request.POST, given, integration.signing_secrets):
            return _refused("X-Twilio-Signature does not fit this address, this form and the token kept for it.", 403)
        call_sid = request.POST.get("CallSid", "")
        if not call_sid or len(call_sid) > 64:
            return _refused("CallSid is missing or too long: it names the call.", 400)
        if any("\x00" in value for values in request.POST.lists() for value in values[1]):
            return _refused("A field contains a NUL character, which cannot be stored.", 400)
        if not integration.is_active:
            return _spoken(out_of_service(integration.settings))
        now = timezone.now()
        call = phone_calls.ring(
            integration,
            call_sid=call_sid,
            number=_number(request.POST.get("From", "")),
            knows_outages=public_incidents().filter(resolved_at__isnull=True).exists(),
            at=now,
        )
        base = settings.PUBLIC_URL + reverse("voice_call", args=[key])
        return _spoken(view(request, Line(integration, call, base, now), call))

    return asked


def _number(text: str) -> str:
    """The caller's number; "" when it is withheld or no number (anonymous, restricted, a SIP address)."""
    digits = text.strip()
    return digits if digits.lstrip("+").isascii() and digits.lstrip("+").isdigit() and len(digits) <= 20 else ""


@step
def incoming(request: HttpRequest, line: Line, call: PhoneCall) -> "twiml.Answer | None":
    """Somebody calls."""
    return line.greet()


@step
def menu(request: HttpRequest, line: Line, call: PhoneCall) -> "twiml.Answer | None":
    """A key was pressed, or none in time."""
    return line.pressed(request.POST.get("Digits", ""))


@step
def dialled(request: HttpRequest, line: Line, call: PhoneCall) -> "twiml.Answer | None":
    """The manager's telephone rang."""
    return line.dialled(request.POST.get("DialCallStatus", ""))


@step
def recorded(request: HttpRequest, line: Line, call: PhoneCall) -> "twiml.Answer | None":
    """The caller has spoken."""
    answer = line.recorded(request.POST.dict())
    recordings.wake_up()
    return answer


@step
def transcribed(request: HttpRequest, line: Line, call: PhoneCall) -> "twiml.Answer | None":
    """The provider has written down what was said, or could not."""
    if request.POST.get("TranscriptionStatus", "completed") == "completed":
        phone_calls.transcribe(call.pk, text=request.POST.get("TranscriptionText", ""), at=timezone.now())
    return None


@step
def goodbye(request: HttpRequest, line: Line, call: PhoneCall) -> "twiml.Answer | None":
    """There is nothing more to say."""
    return line.goodbye()


@step
def status(request: HttpRequest, line: Line, call: PhoneCall) -> "twiml.Answer | None":
    """The state of the call: of interest when it is over."""
    if request.POST.get("CallStatus", "") in OVER:
        phone_calls.end(call.pk, at=timezone.now())
    return None
