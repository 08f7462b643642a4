"""Pages of incidents."""

from django.urls import URLPattern

# The desk: queue, tickets, problems, changes, services, people, settings.
desk_patterns: list[URLPattern] = []

# Major incidents: command, candidates, declaring, the war room and what follows it.
incident_patterns: list[URLPattern] = []

urlpatterns = [*desk_patterns, *incident_patterns]
