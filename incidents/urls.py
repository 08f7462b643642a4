"""Pages of incidents."""

from django.urls import URLPattern, path

import incidents.api.urls  # noqa: F401 - registers what a reference in a path looks like
from incidents.views import (
    candidate,
    command,
    declare,
    desk,
    major_incidents,
    search,
    ticket,
    ticket_acts,
    ticket_list,
    war_room,
    war_room_act,
)

# The desk: queue, tickets, problems, changes, services, people, settings.
desk_patterns: list[URLPattern] = [
    path("search/", search.search_page, name="search"),
    path("palette/", search.palette, name="palette"),
    path("desk/", desk.desk, name="desk"),
    path("desk/now/", desk.desk_now, name="desk_now"),
    path("propose/", ticket_acts.propose, name="propose"),
    path("tickets/", ticket_list.ticket_list, name="ticket_list"),
    path("tickets/export.csv", ticket_list.ticket_export, name="ticket_export"),
    path("tickets/new/", ticket_acts.ticket_new, name="ticket_new"),
    path("tickets/take/", ticket_list.take_tickets, name="take_tickets"),
    path("tickets/assign/", ticket_acts.tickets_assign, name="tickets_assign"),
    path("tickets/link/", ticket_acts.tickets_link, name="tickets_link"),
    path("tickets/INC-<int:pk>/", ticket.ticket, name="ticket"),
    path("tickets/INC-<int:pk>/now/", ticket.ticket_now, name="ticket_now"),
    path("tickets/INC-<int:pk>/edit/", ticket_acts.ticket_edit, name="ticket_edit"),
    path("tickets/INC-<int:pk>/comment/", ticket_acts.ticket_comment, name="ticket_comment"),
    path("tickets/INC-<int:pk>/do/<slug:act>/", ticket_acts.ticket_do, name="ticket_do"),
    path("tickets/INC-<int:pk>/<slug:act>/", ticket_acts.ticket_form, name="ticket_form"),
    path("attachments/<uuid:key>/", ticket.attachment, name="attachment"),
]

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
    *[path(f"{_MI}{part}/", war_room.part, {"part": part}, name=f"war_room_{part}") for part in war_room.PARTS],
    path(f"{_MI}act/clocks/", war_room_act.clocks, name="clocks"),
    path(f"{_MI}act/wordings/<int:target>/", war_room_act.wordings, name="wordings"),
    path(f"{_MI}act/<slug:act>/", war_room_act.act, name="act"),
    path(f"{_MI}act/<slug:act>/<slug:target>/", war_room_act.act, name="act_on"),
]

urlpatterns = [*desk_patterns, *incident_patterns]
