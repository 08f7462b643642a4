"""Pages of incidents."""

from django.urls import URLPattern, path

import incidents.api.urls  # noqa: F401 - registers what a reference in a path looks like
from incidents.views import candidate, command, declare, major_incidents, war_room, war_room_act

# The desk: queue, tickets, problems, changes, services, people, settings.
desk_patterns: list[URLPattern] = []

# Major incidents: command, candidates, declaring, the war room and what follows it.
_MI = "major-incidents/<incident:pk>/"
incident_patterns: list[URLPattern] = [
    path("command/", command.command, name="command"),
    path("command/board/", command.board, name="command_board"),
    path("candidates/<candidate:pk>/", candidate.candidate, name="candidate"),
    path("candidates/<candidate:pk>/now/", candidate.fragment, name="candidate_fragment"),
    path("candidates/<candidate:pk>/<slug:verdict>/", candidate.candidate_act, name="candidate_act"),
    path("declare/", declare.declare, name="declare"),
    path("declare/severity/", declare.preview, name="declare_severity"),
    path("declare/services/", declare.services, name="declare_services"),
    path("major-incidents/", major_incidents.major_incident_list, name="major_incident_list"),
    path(_MI, war_room.war_room, name="war_room"),
    path(f"{_MI}world/", war_room.world, name="war_room_world"),
    *[
        path(f"{_MI}{part}/", war_room.part, {"part": part}, name=f"war_room_{part}") for part in war_room.PARTS
    ],
    path(f"{_MI}act/clocks/", war_room_act.clocks, name="clocks"),
    path(f"{_MI}act/wordings/<int:target>/", war_room_act.wordings, name="wordings"),
    path(f"{_MI}act/<slug:act>/", war_room_act.act, name="act"),
    path(f"{_MI}act/<slug:act>/<slug:target>/", war_room_act.act, name="act_on"),
]

urlpatterns = [*desk_patterns, *incident_patterns]
