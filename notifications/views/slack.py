"""What Slack sends when somebody presses a button: signed, answered at once, shown by a worker afterwards."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents.errands import after_commit
from incidents.sealed import SealBroken
from notifications import slack_presses, tasks

MOST_BYTES = 256 * 1024


@csrf_exempt
@require_POST
def slack_interactions(request: HttpRequest) -> HttpResponse:
    """The Request URL of the app's interactivity. Repeating a request changes nothing."""
    try:
        secret = slack_presses.signing_secret()
    except SealBroken:
        return _said("The signing secret cannot be opened any more: enter it again.", 503)
    if not secret:
        raise Http404("Slack is not set up here.")
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return _said("At most 256 KiB.", 413)
    stamp, signature = (request.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature"))
    now = timezone.now()
    if not slack_presses.is_signed(request.body, stamp, signature, secret=secret, now=now):
        return _said("The signature does not fit this body, this time and the signing secret kept here.", 403)
    payload = slack_presses.payload_of(request.POST.get("payload"))
    if payload is None:
        return _said("The field payload is missing or no JSON.", 400)
    answer = slack_presses.press(payload, at=now)
    if answer.sentence:
        told = (answer.sentence, answer.reply_to, answer.thread)
        after_commit(told, lambda: tasks.answer_slack_press.apply_async(told, retry=False, expires=600))
    return HttpResponse(status=200)


def _said(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8")
