"""The people, records and requests the matrix is asked with. Everything is reached by real acts."""

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from incidents.actions import (
    access,
    backtests,
    bridges,
    candidates,
    cascades,
    changes,
    documents,
    downtime,
    feeds,
    handovers,
    mail_settings,
    major_incidents,
    organisation,
    problems,
    reported_alerts,
    response,
    reviews,
    rotas,
    seats,
    services,
    sla_settings,
    stand_ins,
    steps,
    tickets,
    updates,
)
from incidents.actions.mail import Came
from incidents.alert_signals import Says, Signal
from incidents.detection import Thresholds
from incidents.intake.email.process import process_one
from incidents.intake.email.store import keep
from incidents.models import Consult, SavedView, Ticket, User
from mim.first_administrator_token import make_token
from notifications import acknowledge_links, channel_settings, page_links
from notifications.models import ChannelAccount, ContactPoint, Delivery, Heartbeat, Notice, PageCall
from tests import factories
from tests.permissions import monitoring_world
from tests.permissions.notation import ROLES

ACCOUNT_ROLES = {
    "requester": "requester",
    "stakeholder": "key_stakeholder",
    "technician": "service_desk_technician",
    "engineer": "technical_staff",
    "manager": "major_incident_manager",
    "change": "change_manager",
    "problem": "problem_manager",
    "consultant": "external_consultant",
    "management": "management",
    "desk_manager": "service_desk_manager",
    "administrator": "administrator",
}
_TEAM = ("technician", "engineer", "change", "problem", "management")
_SEAT = {
    "technician": "service_desk_technician",
    "engineer": "technical_staff",
    "change": "change_manager",
    "problem": "problem_manager",
    "management": "mit",
}
SECRETS = {"own": "Kept-in-own-9173", "foreign": "Kept-in-foreign-4471", "desk": "Kept-at-desk-5520"}
"""Stand in everything internal of the two incidents and of the desk; `test_secrets` says who may read which."""


@dataclass
class World:
    """`people` by actor; `places` by the record of a row ("MI own"), each with the values of its addresses."""

    people: dict[str, User] = field(default_factory=dict)
    places: dict[str, SimpleNamespace] = field(default_factory=dict)


def build() -> World:
    """Two outages of two teams, and what else the addresses name: `own` is the one the matrix' people work on."""
    factories.organisation(update_hold_seconds=0)  # what it published has left already
    now = timezone.now()
    world = World()
    world.people = {name: _account(name, ACCOUNT_ROLES[name]) for name in ROLES}
    world.people["no_role"] = factories.person(name="No Role", email="no_role@example.org")
    world.people["disabled"] = _account("disabled", "administrator")
    others = {name: _account(f"other_{name}", ACCOUNT_ROLES[name]) for name in ("manager", "requester", *_TEAM)}
    world.places[""] = _catalogue(world, now)
    _two_incidents(world, others, now)
    _reports(world, others, now)
    _mails(world, now)
    _contacts(world, now)
    _mentioned(world)
    monitoring_world.build(world, now)
    _keys(world)
    _ended(world, now)
    for name in ("worker", "beat"):
        Heartbeat.objects.create(name=name, beaten_at=now + timedelta(minutes=30))
    User.objects.filter(pk=world.people["disabled"].pk).update(is_active=False)
    return world


def _account(name: str, role: str) -> User:
    is_guest = role == "external_consultant"
    return factories.person(role, name=name.replace("_", " ").title(), email=f"{name}@example.org", is_guest=is_guest)


def _catalogue(world: World, now: Any) -> SimpleNamespace:
    administrator = world.people["administrator"]
    by = {"actor": administrator, "at": now}
    shop, base = factories.service("Shop", tier=1), factories.service("Base", tier=2)
    spare = factories.service("Spare")
    dependency = services.add_dependency(shop.pk, needs=base, **by)
    window = services.save_window(
        title="Patch night", services=[base], starts_at=now, ends_at=now + timedelta(hours=1), **by
    )
    team = factories.team("Web")
    shift = rotas.add_shift(
        role="major_incident_manager", person=world.people["manager"], starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=8), **by,
    )  # fmt: skip
    hours = sla_settings.save_hours(changes={"name": "Short", "services": [spare]}, **by)
    rota, layer, override, note, feed, feed_secret = _rota(world, team, now)
    bridge = bridges.save_provider(
        None, changes={"name": "Jitsi", "kind": "jitsi", "join_pattern": "https://meet.example.org/{ref}"}, **by
    )
    holiday = organisation.add_holiday(day=now.date(), name="Feast", **by)
    backtest = backtests.ask(
        since=now - timedelta(days=9), until=now, service=spare, thresholds=asdict(Thresholds(window_minutes=20)), **by
    )
    backtests.run_waiting(at=now)
    backtests.save(backtest.pk, **by)
    heard = {"name": "#outages", "settings": {"channel": "C0123456789"}, "audiences": ["technical"]}
    room = channel_settings.save_place(None, channel="slack", changes=heard, **by)
    return SimpleNamespace(
        room=room, shop=shop, base=base, spare=spare, dependency=dependency, window=window, team=team, shift=shift,
        token=make_token(), now=now, holiday=holiday, backtest=backtest, hours=hours, rota=rota, layer=layer,
        bridge=bridge, override=override, note=note, feed=feed, feed_secret=feed_secret,
    )  # fmt: skip


def _rota(world: World, team: Any, now: Any) -> tuple[Any, ...]:
    """A rota of the team with the technician; the engineer stands in, left a note and reads it as a calendar."""
    by, engineer = {"actor": world.people["administrator"], "at": now}, world.people["engineer"]
    rota = rotas.save_rota(changes={"name": "Web", "team": team, "time_zone": "Europe/Berlin"}, **by)
    changes_ = {"name": "Primary", "people": [world.people["technician"]], "starts_on": now.date() - timedelta(days=9)}
    layer = rotas.save_layer(rota_id=rota.pk, changes=changes_, **by)
    times = {"starts_at": now + timedelta(days=2), "ends_at": now + timedelta(days=3)}
    override = stand_ins.stand_in(layer.pk, person=engineer, **times, **by)
    note = rotas.write_note(rota.pk, text="quiet", actor=engineer, at=now)
    return rota, layer, override, note, *feeds.make_feed(rota=rota, actor=engineer, at=now)


def _two_incidents(world: World, others: dict[str, User], now: Any) -> None:
    own = _outage(SECRETS["own"], world, world.people, "guest", now, declared=180)
    foreign = _outage(SECRETS["foreign"], world, others, "other_guest", now, declared=170)
    invited = seats.invite(
        own.incident.pk, role="mit", user=world.people["desk_manager"], actor=world.people["manager"], at=now
    )
    other = seats.invite(foreign.incident.pk, role="mit", user=others["requester"], actor=others["manager"], at=now)
    own.invited, foreign.invited = invited, other
    world.places |= {"MI own": own, "MI foreign": foreign}
    for where, place in (("own", own), ("foreign", foreign)):
        world.places[f"PRB {where}"] = SimpleNamespace(
            **{**vars(place), "ref": place.problem.ref, "pk": place.problem.pk}
        )
        world.places[f"CHG {where}"] = SimpleNamespace(
            **{**vars(place), "ref": place.change.ref, "pk": place.change.pk}
        )


def _outage(
    secret: str, world: World, team: dict[str, User], guest: str, now: Any, *, declared: int
) -> SimpleNamespace:
    """Declared `declared` minutes ago and brought into maintenance by this team; `guest` holds a seat on it."""
    manager, engineer, leader = team["manager"], team["engineer"], team["management"]
    common = world.places[""]
    passed = iter(range(declared))

    def by(person: User) -> dict[str, Any]:
        return {"actor": person, "at": now - timedelta(minutes=declared - next(passed))}

    incident = major_incidents.declare(
        title=secret, services=[common.shop], impact=1, urgency=1, description=secret, **by(manager)
    )
    pk = incident.pk
    steps.record_evidence(pk, "inform", {"audiences": {}}, [], is_complete=True, at=by(manager)["at"])
    major_incidents.begin_containment(pk, **by(manager))
    for name in _TEAM:
        seat = seats.invite(pk, role=_SEAT[name], user=team[name], **by(manager))
        seats.accept(seat.pk, **by(team[name]))
    invited = seats.invite(pk, role="external_consultant", guest_email=f"{guest}@example.org", **by(manager))
    world.people[guest] = User.objects.get(pk=invited.user_id)
    seats.accept(invited.pk, **by(world.people[guest]))
    response.set_bridge(pk, join_url="https://meet.example.org/x", **by(manager))
    steps.record_evidence(
        pk, "bridge", {"invitation_delivered_to": [engineer.email]}, [], is_complete=True, at=by(manager)["at"]
    )
    response.open_war_room(pk, location=secret, **by(manager))
    response.enter_war_room(pk, **by(manager))
    note = response.post_note(pk, text=secret, **by(manager))
    task = response.add_task(pk, title=secret, **by(engineer))
    told = dict.fromkeys(("technical", "management", "key_stakeholders"), secret) | {"users": "We are on it."}
    update = updates.publish_update(pk, texts=told, audiences=list(told), next_update_at=None, **by(manager))
    approval = updates.ask_approval(pk, question=secret, options=["yes", "no"], approver=leader, **by(manager))
    problem = problems.open_problem(title=secret, major_incident=incident, **by(manager))
    major_incidents.begin_resolution(pk, **by(manager))
    fix = changes.open_change(title=secret, type="emergency", major_incident=incident, relation="fix", **by(engineer))
    changes.start(fix.pk, **by(engineer))
    changes.implement(fix.pk, **by(engineer))
    change = changes.open_change(
        title=secret, plan=secret, backout_plan=secret, test_plan=secret, approvers=[leader], major_incident=incident,
        relation="cause", **by(engineer),
    )  # fmt: skip
    changes.submit(change.pk, **by(engineer))
    major_incidents.contain(pk, **by(manager))
    downtime.restore(pk, **by(manager))
    major_incidents.confirm_resolution(pk, **by(manager))
    taker = factories.person("major_incident_manager", name=f"Taker {pk}")
    offer = handovers.offer(pk, taker=taker, summary=secret, **by(manager))
    reviews.edit_review(
        pk,
        changes={"actions": [{"title": secret, "owner": engineer, "due_at": now + timedelta(days=1)}]},
        **by(engineer),
    )
    documents.generate(pk, **by(manager))
    fresh = type(incident).objects.get(pk=pk)
    return SimpleNamespace(
        incident=fresh, pk=pk, ref=fresh.ref, note=note, task=task, update=update, approval=approval, problem=problem,
        change=change, seat=invited, action=fresh.review.actions.get(), interval=fresh.downtime.first(),
        offer=offer, consult=Consult.objects.filter(step__incident=pk, user=engineer).first(), leader=leader,
        engineer=engineer, team=team,
    )  # fmt: skip


def _reports(world: World, others: dict[str, User], now: Any) -> None:
    technician = world.people["technician"]
    for where, reporter in (("own", world.people["requester"]), ("foreign", others["requester"])):
        ticket = factories.ticket("Cannot pay", at=now, channel="portal", actor=reporter)
        tickets.comment(ticket.pk, text=SECRETS["desk"], public=False, actor=technician, at=now)
        file = tickets.attach(ticket.pk, file=SimpleUploadedFile("a.txt", b"seen"), actor=reporter, at=now)
        inner = tickets.attach(ticket.pk, file=SimpleUploadedFile("b.txt", b"inner"), actor=technician, at=now)
        world.places[f"INC {where}"] = SimpleNamespace(
            pk=ticket.pk, ref=ticket.ref, ticket=ticket, file=file, watcher=technician.email, reporter=reporter
        )
        world.places[f"INC {where} (file of the desk)"] = SimpleNamespace(
            **{**vars(world.places[f"INC {where}"]), "file": inner}
        )
        tickets.watch(ticket.pk, actor=technician, at=now)
    candidate = candidates.flag(
        title=SECRETS["desk"],
        source="proposed",
        service=world.places[""].spare,
        reasons=[SECRETS["desk"]],
        actor=technician,
        at=now,
    )
    signal = Signal(key="disk", says=Says.FIRING, title=f"Disk is full: {SECRETS['desk']}")
    told = reported_alerts.report(signal, kept={}, actor=technician, at=now)
    world.places["alert"] = SimpleNamespace(pk=told.pk)
    world.places["CAN"] = SimpleNamespace(pk=candidate.pk, ref=candidate.ref, candidate=candidate)
    call = PageCall.objects.get(page__candidate=candidate)  # of the manager, who is on call
    world.places["CAN"] = SimpleNamespace(pk=candidate.pk, ref=candidate.ref, candidate=candidate, page=call.page_id)
    world.places[""].page_secret = page_links.secret_of(call)
    event = world.places["MI own"].note
    notice = Notice.objects.create(
        user=world.people["requester"], event=event, title="Told", text="Told", url="", created_at=now
    )
    world.places["notice own"] = SimpleNamespace(pk=notice.pk)
    theirs = Notice.objects.create(
        user=world.people["disabled"], event=event, title="Told", text="Told", url="", created_at=now
    )
    world.places["notice foreign"] = SimpleNamespace(pk=theirs.pk)
    world.places["delivery foreign"] = SimpleNamespace(pk=_delivery(event, world.people["disabled"], now).pk)
    addressed = _delivery(event, world.people["requester"], now)
    world.places["delivery own"] = SimpleNamespace(pk=addressed.pk)
    world.places[""].acknowledge_secret = acknowledge_links.secret_of(addressed)
    world.places["person own"] = SimpleNamespace(email="requester@example.org", pk=world.people["requester"].pk)
    world.places["person foreign"] = SimpleNamespace(email="technician@example.org", pk=technician.pk)


def _mails(world: World, now: Any) -> None:
    """One mail that became a ticket, and one that is held back and so belongs to no ticket."""
    by = {"actor": world.people["administrator"], "at": now}
    address = mail_settings.save_address(changes={"address": "pay@shop.example"}, **by)
    settings = {"name": "Help", "host": "imap.invalid", "port": 993, "security": "tls", "username": "help",
                "password": "x", "folder": "INBOX", "afterwards": "seen", "move_to": ""}  # fmt: skip
    mailbox = mail_settings.save_mailbox(changes=settings, **by)
    for name, raw in (
        ("mail of a ticket", b"From: a@shop.example\r\nSubject: Cannot pay\r\n\r\nSeen"),
        ("mail held back", b"From: a@shop.example\r\nSubject: Spam\r\nX-Spam-Flag: YES\r\n\r\nSeen"),
    ):
        mail, _ = keep(raw, Came(via="smtp", envelope_from="a@shop.example"), at=now)
        process_one(mail.pk, at=now)
        world.places[name] = SimpleNamespace(pk=mail.pk)
    world.places["receiving address"] = SimpleNamespace(pk=address.pk)
    world.places["mailbox"] = SimpleNamespace(pk=mailbox.pk)


def _contacts(world: World, now: Any) -> None:
    """A telephone number of the requester's and one of somebody else's, with SMS switched on."""
    ChannelAccount.objects.create(channel="sms", changed_at=now)
    for where, owner in (("own", "requester"), ("foreign", "disabled")):
        point = ContactPoint.objects.create(
            user=world.people[owner], channel="sms", address="+4915123456789", created_at=now
        )
        world.places[f"contact {where}"] = SimpleNamespace(pk=point.pk)


def _mentioned(world: World) -> None:
    """What bodies name: records everybody on the desk may see."""
    common = world.places[""]
    common.visible = world.places["MI own"].ref
    common.visible_pk = world.places["MI own"].pk
    common.linkable = world.places["INC foreign"].ref
    world.places["MI own"].elsewhere = world.places["MI foreign"].pk
    world.places["MI foreign"].elsewhere = world.places["MI own"].pk
    common.job = cascades.begin(
        "close", Ticket.objects.filter(pk=world.places["INC foreign"].pk), actor=world.people["technician"],
        at=common.now,
    )  # fmt: skip
    for where, owner in (("own", "technician"), ("foreign", "disabled")):
        view = SavedView.objects.create(owner=world.people[owner], name="View", created_at=common.now)
        world.places[f"view {where}"] = SimpleNamespace(pk=view.pk)
    common.assignee = world.people["engineer"].pk
    common.other_manager = world.people["manager"].pk
    common.invitable = world.people["administrator"].pk


def _keys(world: World) -> None:
    """The technician's key is asked to be revoked: one's own, or by an administrator."""
    technician = world.people["technician"]
    key, _ = access.issue_key(technician, name="mine", scopes=["read"], actor=technician, at=world.places[""].now)
    world.places["key of the technician"] = SimpleNamespace(key=key)


def _delivery(event: Any, person: User, now: Any) -> Delivery:
    return Delivery.objects.create(
        event=event, recipient=person, address=person.email, channel="email", moment="status_update",
        message_id="<1@example.org>", queued_at=now, next_attempt_at=now, valid_until=now + timedelta(days=1),
    )  # fmt: skip


def _ended(world: World, now: Any) -> None:
    """A guest of the own incident whose access has ended meanwhile."""
    seat = seats.invite(
        world.places["MI own"].pk, role="external_consultant", guest_email="ended@example.org",
        actor=world.people["manager"], at=now,
    )  # fmt: skip
    ended = User.objects.get(pk=seat.user_id)
    seats.accept(seat.pk, actor=ended, at=now)
    User.objects.filter(pk=ended.pk).update(access_expires_at=now - timedelta(minutes=1))
    world.people["ended"] = ended
