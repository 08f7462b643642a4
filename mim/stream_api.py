"""The live stream for programs: an address of the API that leads to the stream server."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from incidents.api.major_incidents import OnIncident
from mim import live_ticket


class IncidentStream(OnIncident):
    """Server-sent events `{topic, seq, kind}`: something changed, read it again.

    Answers 307 to the stream server with a short-lived ticket; a client that reconnects asks here again and
    sends `Last-Event-ID`, after which the first event says `sync`.
    """

    @extend_schema(responses={307: OpenApiResponse(description="Location: the stream, open for a minute.")})
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        topic = self.incident().ref
        location = f"{live_ticket.stream_address()}?ticket={live_ticket.issue(self.actor.pk, [topic])}"
        return Response(status=307, headers={"Location": location, "Cache-Control": "no-store"})
