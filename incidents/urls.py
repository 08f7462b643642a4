"""Pages of incidents."""

from django.urls import URLPattern, path

from incidents.views import desk, ticket, ticket_acts, ticket_list

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
incident_patterns: list[URLPattern] = []

urlpatterns = [*desk_patterns, *incident_patterns]
