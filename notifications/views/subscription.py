"""Updates of one incident, asked for in the portal: the fragment its page leaves a place for."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents import permissions
from notifications import subscriptions
from notifications.views.door import reader, signed_in


@require_http_methods(["GET", "POST"])
@signed_in
def subscription(request: HttpRequest, ref: int) -> HttpResponse:
    person = reader(request)
    permissions.require(person, "use_portal")
    incident = subscriptions.public_incident(ref)
    if incident is None:
        raise Http404("There is no such disruption.")
    if request.method == "POST":
        change = subscriptions.unsubscribe if request.POST.get("stop") else subscriptions.subscribe
        change(incident, person)
        if not request.headers.get("HX-Request"):
            return redirect("portal")
    context = {"incident": incident, "following": subscriptions.following(incident, person)}
    return render(request, "notifications/subscription.html", context)
