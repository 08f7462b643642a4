"""Which screens there are to look at, each with the eyes of somebody whose work it is.

The newest record of a kind, and beside it the one with the longest title or the most in it where the installation has
them. What this installation lacks is left out. `tests.browser.staged` fills one so that nothing is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Model, Q
from django.db.models.functions import Length
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from incidents import seat_links
from incidents.models import (
    Alert,
    Approval,
    BridgeProvider,
    Candidate,
    CascadeJob,
    Change,
    ChangeTemplate,
    Checklist,
    CommandHandover,
    DecisionRound,
    FreezeWindow,
    GuestPass,
    InboundMail,
    Integration,
    MajorIncident,
    Payload,
    Problem,
    Rota,
    Service,
    Task,
    Ticket,
    User,
    people_with_role,
)
from incidents.process import OPEN_STAGES, AccountRole, Stage
from metrics.models import HistoryUpload
from mim.frame import NAVIGATION
from notifications.models import Delivery, Webhook, WebhookMessage
from notifications.status import public

A = AccountRole
NOBODY, GUEST = "", "guest"
"""Not signed in; and who came in by the link of an invitation."""
NOTHING = "qxyzzq"


@dataclass(frozen=True)
class Screen:
    """`role` is whose eyes it is seen with; `dialog` is fetched into the dialog of the page at `path`."""

    name: str
    role: str
    path: str
    dialog: str = ""
    status: int = 200

    @property
    def is_document(self) -> bool:
        """A file to print; no page."""
        return self.path.split("?")[0].endswith(".pdf")


def screens() -> Iterator[Screen]:
    """Every screen, those in the navigation first."""
    for _, places in NAVIGATION:
        for place in places:
            role = next(one for one in _EYES if one in place.roles)
            yield from _screen(place.name.replace("_", "-"), role, place.name)
    yield from _landings()
    yield from _outside()
    yield from _lists()
    yield from _desk_records()
    yield from _changes()
    yield from _rooms()
    yield from _past()
    yield from _figures()
    yield from _messages()
    yield from _administration()


_EYES = (
    A.MAJOR_INCIDENT_MANAGER,
    A.SERVICE_DESK_TECHNICIAN,
    A.ADMINISTRATOR,
    A.SERVICE_DESK_MANAGER,
    A.MANAGEMENT,
    A.REQUESTER,
)
_MANAGER, _TECHNICIAN, _ADMINISTRATOR = A.MAJOR_INCIDENT_MANAGER, A.SERVICE_DESK_TECHNICIAN, A.ADMINISTRATOR


def _screen(
    name: str, role: str, url_name: str, *arguments: object, query: str = "", over: str = ""
) -> Iterator[Screen]:
    """One screen; none where the address is not there or its record is missing. `over`: a dialog on that page."""
    if None in arguments:
        return
    try:
        path = reverse(url_name, args=arguments) + query
    except NoReverseMatch:
        return
    yield Screen(name, role, over, path) if over else Screen(name, role, path)


def _newest(kind: type[Model], **like: Any) -> Any:
    return kind._default_manager.filter(**like).order_by("-pk").first()


def _key(kind: type[Model], **like: Any) -> Any:
    row = _newest(kind, **like)
    return row.pk if row is not None else None


def _longest(kind: type[Model], field: str = "title", **like: Any) -> Any:
    row = kind._default_manager.filter(**like).order_by(Length(field).desc(), "-pk").first()
    return row.pk if row is not None else None


def _landings() -> Iterator[Screen]:
    yield from _screen("desk-technician", _TECHNICIAN, "desk")
    yield from _screen("portal-requester", A.REQUESTER, "portal")
    yield from _screen("overview-management", A.MANAGEMENT, "overview")
    yield from _screen("my-work-engineer", A.TECHNICAL_STAFF, "my_work")
    yield from _screen("my-messages", _MANAGER, "message_settings")
    yield from _screen("my-settings", _MANAGER, "my_settings")
    yield from _screen("my-reports", A.REQUESTER, "my_reports")
    yield from _screen("inbox", _MANAGER, "inbox")
    yield from _screen("declare", _MANAGER, "declare")
    yield from _screen("declare-dialog", _MANAGER, "declare", over=reverse("command"))
    yield from _screen("propose-dialog", _TECHNICIAN, "propose", over=reverse("desk"))


def _outside() -> Iterator[Screen]:
    """What somebody sees who is not signed in, or came by a link."""
    yield from _screen("sign-in", NOBODY, "account_login")
    yield from _screen("password-reset", NOBODY, "account_reset_password")
    yield from _screen("status-page", NOBODY, "status_page")
    yield from _screen("status-history", NOBODY, "status_file", "history/")
    said = public.read(timezone.now())
    for name, rows in (("now", said.now), ("past", said.lately)):
        for row in rows[:1]:
            yield from _screen(f"status-incident-{name}", NOBODY, "status_file", f"incidents/{row.key}/")
    held = open_pass()
    if held is not None:
        yield Screen("guest-entrance", NOBODY, seat_links.address(held.seat))
        yield from _screen("guest-room", GUEST, "war_room", held.seat.incident_id)
    yield Screen("guest-entrance-over", NOBODY, reverse("seat_answer", args=["not-a-link"]), status=410)
    yield Screen("not-found", _MANAGER, reverse("ticket", args=[0]), status=404)


def eyes(role: str) -> User | None:
    """Somebody of this role: whoever sits in the most rooms that are open, for they see more of them."""
    seated = Count("seats", filter=Q(seats__state="accepted", seats__incident__stage__in=OPEN_STAGES))
    people = people_with_role(role).filter(is_guest=False).annotate(seated=seated)
    return people.order_by("-seated", "id").first()


def open_pass() -> GuestPass | None:
    """The newest pass of a guest that opens a room."""
    passes = GuestPass.objects.filter(
        revoked_at=None, expires_at__gt=timezone.now(), seat__incident__stage__in=OPEN_STAGES,
        seat__state__in=("invited", "accepted"),
    )  # fmt: skip
    return passes.select_related("seat__user", "seat__incident").order_by("-pk").first()


def _lists() -> Iterator[Screen]:
    """Lists that are narrowed until nothing is left, and searches with and without an answer."""
    narrowed = {
        "tickets": "ticket_list",
        "alerts": "alert_list",
        "incidents": "major_incident_list",
        "changes": "change_list",
        "problems": "problem_list",
        "deliveries": "delivery_list",
    }
    for name, url_name in narrowed.items():
        yield from _screen(f"{name}-none", _MANAGER, url_name, query=f"?q={NOTHING}")
    yield from _screen("incidents-open", _MANAGER, "major_incident_list", query="?state=open")
    for name, url_name in (("search", "search"), ("knowledge", "document_list")):
        yield from _screen(f"{name}-found", _MANAGER, url_name, query="?q=checkout+502")
        yield from _screen(f"{name}-none", _MANAGER, url_name, query=f"?q={NOTHING}")


def _desk_records() -> Iterator[Screen]:
    desk = reverse("desk")
    yield from _screen("ticket", _TECHNICIAN, "ticket", _key(Ticket))
    yield from _screen("ticket-long-title", _TECHNICIAN, "ticket", _longest(Ticket))
    yield from _screen("ticket-new", _TECHNICIAN, "ticket_new", over=desk)
    yield from _screen("tickets-assign", _TECHNICIAN, "tickets_assign", query="?tickets=1,2", over=desk)
    yield from _screen("tickets-job", _TECHNICIAN, "ticket_job", _key(CascadeJob))
    yield from _screen("candidate", _MANAGER, "candidate", _key(Candidate))
    yield from _screen("candidate-long-title", _MANAGER, "candidate", _longest(Candidate))
    yield from _screen("problem", A.PROBLEM_MANAGER, "problem", _key(Problem))
    tree = Problem.objects.annotate(parts=Count("factors")).filter(parts__gt=0).order_by("-parts").first()
    yield from _screen("problem-tree", A.PROBLEM_MANAGER, "problem", tree and tree.pk)
    yield from _screen("problem-new", A.PROBLEM_MANAGER, "problem_new", over=reverse("problem_list"))
    yield from _screen("problem-repeats", A.PROBLEM_MANAGER, "problem_repeats")
    yield from _screen("alert", _TECHNICIAN, "alert", _key(Alert))
    yield from _screen("planned-work", _MANAGER, "planned_work")
    yield from _screen("plans-offered", A.TECHNICAL_STAFF, "plans_offered")


def _changes() -> Iterator[Screen]:
    manager, calendar = A.CHANGE_MANAGER, reverse("change_calendar")
    yield from _screen("change", manager, "change", _key(Change))
    crowded = Change.objects.annotate(parts=Count("steps")).filter(parts__gt=0).order_by("-parts", "-pk").first()
    yield from _screen("change-with-steps", manager, "change", crowded and crowded.pk)
    yield from _screen("change-new", manager, "change_new")
    yield from _screen("change-board-mine", A.MANAGEMENT, "change_list", query="?mine=1")
    yield from _screen("change-board-all", manager, "change_list", query="?status=all")
    yield from _screen("change-calendar", manager, "change_calendar")
    yield from _screen("freeze-new", manager, "freeze_new", over=calendar)
    yield from _screen("freeze-edit", manager, "freeze_edit", _key(FreezeWindow), over=calendar)
    yield from _screen("change-templates", manager, "change_templates")
    yield from _screen("change-template-new", manager, "change_template_new", over=reverse("change_templates"))
    yield from _screen(
        "change-template-edit", manager, "change_template_edit", _key(ChangeTemplate), over=reverse("change_templates")
    )
    waiting = _newest(Change, status="awaiting_approval") or _newest(Change)
    if waiting is not None:
        page = reverse("change", args=[waiting.pk])
        yield from _screen("change-approve", A.MANAGEMENT, "change_form", waiting.pk, "approve", over=page)
        yield from _screen("change-risk", manager, "change_risk", waiting.pk, over=page)
    checked = _newest(Change, status="implemented")
    if checked is not None:
        page = reverse("change", args=[checked.pk])
        yield from _screen("change-check", manager, "change_form", checked.pk, "check", over=page)


def _rooms() -> Iterator[Screen]:
    """The crowded open room, its other faces and what is asked in its dialogs."""
    under_way = MajorIncident.objects.filter(stage__in=[one for one in OPEN_STAGES if one != Stage.MAINTENANCE])
    running = under_way.annotate(parts=Count("tickets")).order_by("-parts", "-pk").first()
    if running is None:
        return
    pk, page = running.pk, reverse("war_room", args=[running.pk])
    yield from _screen("war-room", _MANAGER, "war_room", pk)
    yield from _screen("war-room-engineer", A.TECHNICAL_STAFF, "war_room", pk)
    latest = under_way.order_by("-pk").first()
    if latest is not None and latest.pk != pk:
        yield from _screen("war-room-fresh", _MANAGER, "war_room", latest.pk)
    for name in ("wall", "phone", "executive"):
        role = A.MANAGEMENT if name == "executive" else _MANAGER
        yield from _screen(f"room-{name}", role, f"room_{name}", pk)
    yield from _screen("room-packet", _MANAGER, "room_packet", pk)
    yield from _screen("children", _MANAGER, "children", pk)
    yield from _screen("incident-alerts", _MANAGER, "incident_alerts", pk)
    yield from _screen("update-composer", _MANAGER, "update_composer", pk, over=page)
    yield from _screen("who-was-told", _MANAGER, "told_matrix", pk)
    for act in ("note", "decision", "task", "checklist", "situation", "ask", "invite", "bridge", "edit",
                "hand-over-command", "add-downtime", "stand_down", "merge", "contain"):  # fmt: skip
        yield from _screen(f"room-act-{act.replace('_', '-')}", _MANAGER, "act", pk, act, over=page)
    yield from _screen("room-clocks", _MANAGER, "clocks", pk, over=page)
    yield from _screen("room-task-finish", _MANAGER, "act_on", pk, "finish-task", _key(Task, incident=pk), over=page)
    asked = _key(DecisionRound, incident=pk)
    yield from _screen("room-object", A.TECHNICAL_STAFF, "act_on", pk, "object-strongly", asked, over=page)
    yield from _screen("room-decision-stands", _MANAGER, "act_on", pk, "decision-stands", asked, over=page)
    question = _key(Approval, incident=pk)
    yield from _screen("room-decide", A.MANAGEMENT, "act_on", pk, "decide", question, over=page)
    offered = _newest(CommandHandover, incident=pk)
    if offered is not None:
        yield from _screen("room-handover-withdraw", _MANAGER, "act_on", pk, "withdraw-command", offered.pk, over=page)
    held = GuestPass.objects.filter(seat__incident=pk).first()
    yield from _screen("room-guest-access", _MANAGER, "act_on", pk, "guest-access", held and held.seat_id, over=page)
    yield from _screen("room-guest-record", _MANAGER, "guest_record", pk, held and held.seat_id, over=page)


def _past() -> Iterator[Screen]:
    """What follows an outage: the closed room, the review before and after its sign-off, the document, outside too."""
    closed = MajorIncident.objects.filter(stage="closed", merged_into=None).order_by("-last_seq").first()
    if closed is not None:
        yield from _screen("war-room-closed", _MANAGER, "war_room", closed.pk)
        yield from _screen("review-signed", _MANAGER, "review", closed.pk)
        yield from _screen("document", _MANAGER, "document", closed.pk)
        yield from _screen("children-closed", _MANAGER, "children", closed.pk)
    in_maintenance = MajorIncident.objects.filter(stage="maintenance")
    reviewed = in_maintenance.filter(seats__user=eyes(_MANAGER)).order_by("-pk").first() or in_maintenance.last()
    if reviewed is not None:
        writer, page = _MANAGER, reverse("document", args=[reviewed.pk])
        yield from _screen("war-room-maintenance", _MANAGER, "war_room", reviewed.pk)
        yield from _screen("review", writer, "review", reviewed.pk)
        yield from _screen("document-draft", writer, "document", reviewed.pk)
        yield from _screen("document-edit", writer, "document_edit", reviewed.pk)
        yield from _screen("post-mortem", writer, "post_mortem", reviewed.pk, over=page)


def _figures() -> Iterator[Screen]:
    yield from _screen("kpis-compared", _MANAGER, "kpi_dashboard", query="?preset=12&compare=previous&by=month")
    yield from _screen("kpis-none", _MANAGER, "kpi_dashboard", query="?from=1999-01-01&to=1999-02-01")
    yield from _screen("kpis-behind", _MANAGER, "kpi_drill", "mttr")
    yield from _screen("kpis-definitions", _MANAGER, "kpi_definitions")
    yield from _screen("kpis-target", A.SERVICE_DESK_MANAGER, "target_edit", "mttr", over=reverse("kpi_definitions"))
    yield from _screen("kpis-assumptions", A.SERVICE_DESK_MANAGER, "kpi_assumptions")
    yield from _screen("monthly-reports", A.SERVICE_DESK_MANAGER, "monthly_reports")
    yield from _screen("monthly-report", A.SERVICE_DESK_MANAGER, "report_pdf")
    yield from _screen("imports", A.SERVICE_DESK_MANAGER, "history_imports")
    yield from _screen("import-preview", A.SERVICE_DESK_MANAGER, "history_import", _key(HistoryUpload, state="mapping"))
    yield from _screen("import-errors", A.SERVICE_DESK_MANAGER, "history_import", _key(HistoryUpload, state="done"))


def _messages() -> Iterator[Screen]:
    yield from _screen("messages", _MANAGER, "delivery_list")
    yield from _screen("message", _MANAGER, "delivery", _key(Delivery))
    yield from _screen("communication-plan", _MANAGER, "plan", "sev1")
    yield from _screen("communication-plan-edit", _MANAGER, "plan_edit", "sev1")
    yield from _screen("words", _MANAGER, "template_list")
    yield from _screen("words-edit", _MANAGER, "template", "declared", "users")
    yield from _screen("escalation-edit", _MANAGER, "escalation_policy", "candidate")
    for key in ("slack", "sms", "email"):
        yield from _screen(f"channel-{key}", _ADMINISTRATOR, "channel", key)
    yield from _screen("channel-account", _ADMINISTRATOR, "channel_account", "slack")
    yield from _screen("place-new", _ADMINISTRATOR, "place_new")
    yield from _screen("webhook", _ADMINISTRATOR, "webhook", _key(Webhook, is_public=False))
    yield from _screen("webhook-new", _ADMINISTRATOR, "webhook_new", over=reverse("webhooks"))
    yield from _screen(
        "webhook-message", _ADMINISTRATOR, "webhook_message", _key(WebhookMessage, webhook__is_public=False)
    )


def _administration() -> Iterator[Screen]:
    service = Service.objects.order_by("tier", "name").first()
    if service is not None:
        yield from _screen("service", _ADMINISTRATOR, "service", service.slug)
        yield from _screen("service-edit", _ADMINISTRATOR, "service_edit", service.slug)
    long_named = Service.objects.order_by(Length("name").desc()).first()
    yield from _screen("service-long-name", _ADMINISTRATOR, "service", long_named and long_named.slug)
    yield from _screen("bridges", _ADMINISTRATOR, "bridges")
    yield from _screen("bridge-new", _ADMINISTRATOR, "bridge_new", over=reverse("bridges"))
    yield from _screen("bridge-edit", _ADMINISTRATOR, "bridge_edit", _key(BridgeProvider), over=reverse("bridges"))
    yield from _screen("checklist-edit", _ADMINISTRATOR, "checklist_edit", _key(Checklist))
    yield from _screen("integration", _ADMINISTRATOR, "integration", _key(Integration))
    yield from _screen("integration-new", _ADMINISTRATOR, "integration_new", over=reverse("integrations"))
    yield from _screen("integration-mapping", _ADMINISTRATOR, "integration_mapping", _key(Integration))
    yield from _screen("payload", _ADMINISTRATOR, "payload", _key(Payload))
    yield from _screen("rule-new", _ADMINISTRATOR, "rule_new", over=reverse("alert_rules"))
    yield from _screen("mail-received", _ADMINISTRATOR, "inbound_mail", _key(InboundMail))
    yield from _screen("raci-edit", _ADMINISTRATOR, "raci_edit")
    yield from _screen("person-invite", _ADMINISTRATOR, "person_invite", over=reverse("people"))
    yield from _screen("rota", _MANAGER, "rota", _key(Rota))
    yield from _screen("my-shifts", _MANAGER, "my_shifts")
    yield from _screen("audience", _ADMINISTRATOR, "audience", "users")
