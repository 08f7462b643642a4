"""Where a page asks for the ticket to its live stream."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from incidents import permissions
from mim import live_ticket


@require_GET
@never_cache
def ticket(request: HttpRequest) -> JsonResponse:
    """`GET /live-ticket/?topics=MI-12,desk` → `{ticket, url, topics}`; topics not allowed are left out.

    401 without a session. 403 when none of the topics may be followed.
    """
    if not request.user.is_authenticated:
        return JsonResponse({"type": "not_signed_in", "title": "Sign in first", "status": 401}, status=401)
    topics = [
        topic
        for topic in live_ticket.asked_topics(request.GET.get("topics", ""))
        if permissions.may_follow(request.user, topic)
    ]
    if not topics:
        return JsonResponse({"type": "forbidden", "title": "None of these topics is yours", "status": 403}, status=403)
    return JsonResponse(
        {
            "ticket": live_ticket.issue(request.user.pk, topics),
            "url": live_ticket.stream_address(),
            "topics": topics,
        }
    )
