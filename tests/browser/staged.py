"""Fills an organisation for pictures: one of everything, an outage under way that is crowded, and long titles.

    python3 manage.py shell -c "from tests.browser import staged; staged.fill()"

Run it beside `manage.py up` on a database made for looking; `manage.py screenshots DIR` then has every screen.
"""

from datetime import timedelta

from django.utils import timezone

from incidents.actions import candidates, handovers, major_incidents, response, rounds, seats, tickets, updates, work
from incidents.models import BridgeProvider, MajorIncident, Service, Ticket, User
from metrics import uploads
from notifications.models import Heartbeat
from tests.permissions import world

LONG = (
    "Customers in Northern and Western Europe cannot pay with stored cards since the nightly settlement run (EU-West)"
)
WORD = "payment-gateway-eu-west-1.settlement-reconciliation-batch-worker-0017.internal.example.org"
PAST = f"""number;title;service;impact;urgency;started_at;declared_at;resolved_at
INC0001;Checkout was down;Checkout;1;1;2024-02-01 08:00;2024-02-01 08:10;2024-02-01 10:00
INC0002;{LONG};{WORD};2;2;2024-02-03 08:00;2024-02-03 08:20;2024-02-03 09:30
INC0003;Ended before it began;Checkout;2;2;2024-02-05 10:00;2024-02-05 10:10;2024-02-05 09:00
INC0004;;Checkout;2;x;yesterday;2024-02-07 08:10;2024-02-07 10:00
"""


def fill() -> None:
    """Prints the reference of the crowded outage."""
    BridgeProvider.objects.filter(name="Jitsi").update(name="Jitsi of the demo")  # the world makes one of that name
    Heartbeat.objects.all().delete()  # likewise; those that beat beat again
    made = world.build()
    people, now = made.people, timezone.now()
    service = Service.objects.create(name=WORD[:80], slug="settlement", tier=1, cost_per_hour=90_000)
    _tickets(people["technician"], service)
    incident = _outage(people, service)
    _candidates(people["technician"])
    for name, content in (("past.csv", PAST), ("old-desk.csv", PAST)):
        upload = uploads.upload(name=name, content=content.encode(), actor=people["administrator"], at=now)
        if name == "past.csv":
            uploads.start(upload.pk, is_dry_run=True, actor=people["administrator"], at=now)
            uploads.run(upload.pk)
    print("STAGED", incident.ref)


def _tickets(technician: User, service: Service) -> None:
    for n in range(40):
        title = LONG if n % 5 == 0 else f"{WORD} answers 502 ({n})" if n % 7 == 0 else f"Card is declined ({n})"
        tickets.open_ticket(
            title=title, channel="hotline", service=service if n % 2 else None, actor=technician, at=timezone.now(),
            requester_email=f"caller{n}.with-a-rather-long-name@{'sub.' * (n % 4)}shop.example",
        )  # fmt: skip


def _outage(people: dict[str, User], service: Service) -> MajorIncident:
    manager, engineer, at = people["manager"], people["engineer"], timezone.now()
    by = {"actor": manager, "at": at}
    incident = major_incidents.declare(
        title=LONG, services=[service, *Service.objects.order_by("tier")[:5]], impact=1, urgency=1,
        description=f"{LONG}. {WORD}", tickets=list(Ticket.objects.filter(service=service)), **by,
    )  # fmt: skip
    pk = incident.pk
    for role, name in (
        ("technical_staff", "engineer"), ("change_manager", "change"), ("problem_manager", "problem"),
        ("service_desk_technician", "technician"),
    ):  # fmt: skip
        seat = seats.invite(pk, role=role, user=people[name], **by)
        if name != "problem":
            seats.accept(seat.pk, actor=people[name], at=at)
    guest = seats.invite(pk, role="external_consultant", guest_email="vendor@cards.example", **by)
    seats.accept(guest.pk, actor=guest.user, at=at)
    seats.invite(pk, role="external_consultant", guest_email="second-vendor@cards.example", **by)
    response.set_bridge(pk, join_url="https://meet.example.org/x", **by)
    response.open_war_room(pk, location="Room 4.12, Harbour House, and the bridge", **by)
    for n in range(12):
        response.post_note(pk, text=f"{'**Seen**: ' if n % 3 else ''}{LONG if n % 4 == 0 else WORD} – {n}", **by)
    items = [
        {"title": "Look at the last change"},
        {"title": f"Is the certificate of {WORD} still valid, and until when?"},
    ]
    checklist = work.keep_checklist(None, name="Cards are declined", items=items, actor=people["administrator"], at=at)
    work.start_checklist(pk, checklist=checklist, **by)
    work.add_task(pk, title=f"Ask the bank: {LONG}", assignee=engineer, minutes=15, **by)
    work.add_task(pk, title="Ring the card scheme", minutes=30, **by)
    asked = response.record_decision(pk, text=f"Fail over: {LONG}", rationale=LONG, objections_within=60, **by)
    rounds.object_to(asked.round.pk, text="The replica is 40 minutes behind.", actor=engineer, at=at)
    told = dict.fromkeys(("technical", "management", "key_stakeholders", "users"), f"{LONG}. We are on it.")
    updates.publish_update(pk, texts=told, audiences=list(told), next_update_at=at + timedelta(minutes=30), **by)
    updates.ask_approval(pk, question=f"{LONG}?", options=["Yes", "No"], approver=people["management"], **by)
    taker = next(one for one in User.objects.filter(role_rows__role="major_incident_manager") if one != manager)
    handovers.offer(pk, taker=taker, summary=LONG, **by)
    return incident


def _candidates(technician: User) -> None:
    for n, name in enumerate((LONG, "Search is slow", "Mail does not leave", WORD)):
        service = Service.objects.create(name=f"Staged {n}", slug=f"staged-{n}", tier=2)
        candidates.flag(
            title=name, source="proposed", service=service, reasons=[LONG, "Everybody calls"], actor=technician,
            business_impact=LONG, at=timezone.now() - timedelta(minutes=n),
        )  # fmt: skip
