"""Two live parts on one page, for the browser to follow: one with a kept composer, one with a plain field."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import Context, RequestContext, Template
from django.urls import path
from django.utils.safestring import mark_safe

from mim import live_ticket
from mim.urls import urlpatterns as product

fetched: list[str] = []

PAGE = Template(
    '{% extends "base.html" %}{% block overline %}{% include "_live_chip.html" %}{% endblock %}'
    "{% block content %}{{ parts }}{% endblock %}"
)
PART = Template(
    '<section id="{{ name }}" data-live="MI-12" hx-get="/part/{{ name }}/" hx-trigger="live" hx-swap="outerHTML">'
    "<p>{{ name }} {{ count }}</p>"
    "<textarea id='{{ name }}-text' aria-label='text' {% if name == 'kept' %}data-keep{% endif %}></textarea></section>"
)


def part(request: HttpRequest, name: str) -> HttpResponse:
    fetched.append(name)
    return HttpResponse(PART.render(Context({"name": name, "count": fetched.count(name)})))


def page(request: HttpRequest) -> HttpResponse:
    parts = "".join(PART.render(Context({"name": name, "count": 0})) for name in ("kept", "held"))
    return HttpResponse(PAGE.render(RequestContext(request, {"parts": mark_safe(parts)})))


def ticket(request: HttpRequest) -> JsonResponse:
    topics = live_ticket.asked_topics(request.GET["topics"])
    url = live_ticket.stream_address()
    return JsonResponse({"ticket": live_ticket.issue(1, topics), "url": url, "topics": topics})


urlpatterns = [
    path("page/", page),
    path("part/<str:name>/", part),
    path("live-ticket/", ticket, name="live_ticket"),
    *product,
]
