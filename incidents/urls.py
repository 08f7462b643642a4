"""Pages of incidents."""

from django.urls import URLPattern, path

import incidents.api.urls  # noqa: F401 - registers what a reference in a path looks like
from incidents.views import (
    api_keys,
    audiences,
    candidate,
    command,
    declare,
    desk,
    knowledge,
    major_incidents,
    my_settings,
    on_call,
    organisation,
    people,
    raci,
    service,
    ticket,
    ticket_acts,
    ticket_list,
    war_room,
    war_room_act,
)

# The desk: queue, tickets, problems, changes, services, people, settings.
desk_patterns: list[URLPattern] = [
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
    path("major-incidents/", major_incidents.major_incident_list, name="major_incident_list"),
    path(_MI, war_room.war_room, name="war_room"),
    path(f"{_MI}world/", war_room.world, name="war_room_world"),
    *[path(f"{_MI}{part}/", war_room.part, {"part": part}, name=f"war_room_{part}") for part in war_room.PARTS],
    path(f"{_MI}act/clocks/", war_room_act.clocks, name="clocks"),
    path(f"{_MI}act/wordings/<int:target>/", war_room_act.wordings, name="wordings"),
    path(f"{_MI}act/<slug:act>/", war_room_act.act, name="act"),
    path(f"{_MI}act/<slug:act>/<slug:target>/", war_room_act.act, name="act_on"),
]

# Services, knowledge, people, the matrix, keys, the organisation and one's own settings.
admin_patterns: list[URLPattern] = [
    path("services/", service.service_list, name="service_list"),
    path("services/new/", service.service_new, name="service_new"),
    path("services/<slug:slug>/", service.service, name="service"),
    path("services/<slug:slug>/edit/", service.service_edit, name="service_edit"),
    path("services/<slug:slug>/windows/new/", service.window_new, name="window_new"),
    path("services/<slug:slug>/windows/<int:pk>/remove/", service.window_remove, name="window_remove"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.person_invite, name="person_invite"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/<slug:act>/", people.person_access, name="person_access"),
    path("knowledge/", knowledge.document_list, name="document_list"),
    path("raci/", raci.raci, name="raci"),
    path("raci/edit/", raci.raci_edit, name="raci_edit"),
    path("api-keys/", api_keys.api_keys, name="api_keys"),
    path("api-keys/new/", api_keys.api_key_new, name="api_key_new"),
    path("api-keys/<int:pk>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("organisation/", organisation.organisation, name="organisation"),
    path("organisation/priorities/", organisation.priority_table, name="priority_table"),
    path("organisation/holidays/new/", organisation.holiday_new, name="holiday_new"),
    path("organisation/holidays/<int:pk>/remove/", organisation.holiday_remove, name="holiday_remove"),
    path("organisation/teams/new/", organisation.team_new, name="team_new"),
    path("organisation/teams/<int:pk>/", organisation.team_edit, name="team_edit"),
    path("audiences/", audiences.audiences, name="audiences"),
    path("audiences/<slug:audience>/", audiences.audience_edit, name="audience_edit"),
    path("on-call/", on_call.on_call, name="on_call"),
    path("on-call/new/", on_call.shift_new, name="shift_new"),
    path("on-call/<int:pk>/remove/", on_call.shift_remove, name="shift_remove"),
    path("me/", my_settings.my_settings, name="my_settings"),
]

urlpatterns = [*desk_patterns, *incident_patterns, *admin_patterns]
