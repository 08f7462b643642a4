"""Records of one sender as ServiceNow's table API finds them."""

import re

from django.db.models import Q, QuerySet

from incidents.models import OPEN_TICKET_STATUSES, Alert, Integration, TicketStatus

STATE_OF = {
    TicketStatus.NEW: 1,
    TicketStatus.ASSIGNED: 2,
    TicketStatus.IN_PROGRESS: 2,
    TicketStatus.ON_HOLD: 3,
    TicketStatus.RESOLVED: 6,
    TicketStatus.CLOSED: 7,
}
"""ServiceNow's number of a ticket's state."""
_TERM = re.compile(r"(?P<field>[a-z_.]+?)(?P<operator>NOT IN|!=|<=|>=|=|<|>|LIKE|IN)(?P<value>.*)", re.DOTALL)


def records(integration: Integration) -> QuerySet[Alert]:
    """Alerts of the sender that have a ticket, the newest first."""
    rows = Alert.objects.filter(integration=integration, ticket__isnull=False)
    return rows.select_related("ticket__service").order_by("-id")


def matching(integration: Integration, query: str) -> QuerySet[Alert]:
    """What an encoded query (`correlation_id=x^active=true`) asks for. A term that is not known finds nothing:
    answering with other records would have them closed."""
    rows = records(integration)
    for term in query.split("^"):
        if not term or term.startswith("ORDERBY"):
            continue
        found = _TERM.fullmatch(term)
        condition = _condition(found["field"], found["operator"], found["value"]) if found else None
        if condition is None:
            return rows.none()
        rows = rows.filter(condition)
    return rows


def _condition(field: str, operator: str, value: str) -> Q | None:
    if field in ("state", "incident_state"):
        return _by_state(operator, value)
    if operator == "LIKE" and field == "short_description":
        return Q(ticket__title__icontains=value)
    if operator != "=":
        return None
    match field:
        case "number":
            return Q(ticket=_number(value))
        case "correlation_id":
            return Q(dedup_key=value)
        case "sys_id":
            return Q(pk=record_id(value))
        case "short_description":
            return Q(ticket__title=value)
        case "active":
            is_open = Q(ticket__status__in=OPEN_TICKET_STATUSES)
            return is_open if value == "true" else ~is_open
    return None


def _by_state(operator: str, value: str) -> Q | None:
    wanted = {int(part) for part in value.split(",") if re.fullmatch("[0-9]{1,3}", part.strip())}
    if not wanted:
        return None
    edge = min(wanted)
    tests = {
        "=": lambda state: state in wanted,
        "IN": lambda state: state in wanted,
        "!=": lambda state: state not in wanted,
        "NOT IN": lambda state: state not in wanted,
        "<": lambda state: state < edge,
        "<=": lambda state: state <= edge,
        ">": lambda state: state > edge,
        ">=": lambda state: state >= edge,
    }
    if operator not in tests:
        return None
    return Q(ticket__status__in=[status for status, state in STATE_OF.items() if tests[operator](state)])


def _number(value: str) -> int:
    """INC-12, INC12 or INC0000012; 0, which no ticket has, for anything else."""
    found = re.fullmatch(r"(?i)INC-?0*([0-9]{1,15})", value.strip())
    return int(found[1]) if found else 0


def sys_id(alert_id: int) -> str:
    """32 hex digits that hold the number of the alert."""
    return f"{alert_id:032x}"


def record_id(value: str) -> int:
    """The alert a sys_id stands for; 0, which none has, for anything else."""
    if not re.fullmatch("[0-9a-f]{32}", value):
        return 0
    number = int(value, 16)
    return number if number < 2**63 else 0
