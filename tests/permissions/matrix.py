"""The permission matrix: every route of the product, asked by everybody. The tables are in the files `*_table.py`."""

from collections.abc import Collection

from incidents.views import (
    alert_rules,
    alerts,
    candidate,
    change,
    document,
    mail_in,
    people,
    problem,
    room_acts,
    ticket_acts,
)
from metrics.views import imports
from tests.permissions import api_desk_table as api_desk
from tests.permissions import api_incident_table as api_incident
from tests.permissions import api_organisation_table as api_organisation
from tests.permissions import desk_table as desk
from tests.permissions import monitoring_table as monitoring
from tests.permissions import organisation_table as organisation
from tests.permissions import public_table as public
from tests.permissions import room_table as room
from tests.permissions.bodies import TARGETS
from tests.permissions.notation import Row

SECTIONS: dict[str, list[Row]] = {
    "Pages anybody may open": public.PUBLIC,
    "Signing in": public.SIGN_IN_PAGES,
    "One's own pages": desk.EVERYBODY,
    "The desk": desk.DESK,
    "Problems and changes": desk.PROBLEMS_AND_CHANGES,
    "Candidates and major incidents": room.INCIDENTS,
    "Acts of the war room": room.WAR_ROOM_ACTS,
    "Review and document": room.REVIEW_AND_DOCUMENT,
    "Organisation": organisation.ORGANISATION,
    "Alerts": monitoring.ALERTS,
    "Integrations and rules": monitoring.INTEGRATIONS,
    "Webhooks": monitoring.WEBHOOKS,
    "Figures and knowledge": organisation.FIGURES,
    "API: tickets and candidates": api_desk.API_DESK,
    "API: problems and changes": api_desk.API_PROBLEMS_AND_CHANGES,
    "API: major incidents": api_incident.API_INCIDENTS,
    "API: working on a major incident": api_incident.API_RESPONSE,
    "API: records of an incident by their id alone": api_incident.API_BY_ID,
    "API: organisation": api_organisation.API_CONFIGURATION,
    "API: integrations and rules": monitoring.API_MONITORING,
    "API: webhooks": monitoring.API_WEBHOOKS,
    "API: figures and search": api_organisation.API_FIGURES_AND_SEARCH,
}
ROWS: list[Row] = [row for rows in SECTIONS.values() for row in rows]


def acts_of() -> dict[str, Collection[str]]:
    """The acts of the routes that serve several, as their views know them."""
    return {
        "act": set(room_acts.ACTS) - set(TARGETS),
        "act_on": set(TARGETS),
        "ticket_do": ticket_acts._ONE_CLICK,
        "ticket_form": ticket_acts._WITH_WORDS,
        "candidate_act": candidate.VERDICTS,
        "alert_act": alerts.ACTS,
        "rule_do": alert_rules.ACTS,
        "problem_move": problem._MOVES,
        "change_move": change._MOVES,
        "change_form": change._WITH_WORDS,
        "document_do": document.ACTS,
        "person_do": people._ACTS,
        "inbound_mail_do": mail_in._ACTS,
        "history_import_do": imports.ACTS,
    }
