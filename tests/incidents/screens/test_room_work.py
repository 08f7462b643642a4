"""Work, decisions and the record in the war room: told as the team lives it."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents.actions import response, rounds, seats, work
from incidents.errors import Duplicate, NotAccountable, WrongStage
from incidents.models import Checklist, DecisionRound, EntryMark, ServiceDependency, Task, TimelineEvent
from incidents.twins import is_twin
from notifications.models import Delivery
from tests import factories
from tests.factories import minute
from tests.incidents.conftest import *  # noqa: F403 - the stories' stages
from tests.incidents.conftest import again

pytestmark = pytest.mark.django_db
HTMX = {"headers": {"HX-Request": "true"}}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def act(client, incident, person, name, on="", **given):
    client.force_login(person)
    parts = [incident.ref, name, *([str(on)] if on else [])]
    return client.post(reverse("act_on" if on else "act", args=parts), given, **HTMX)


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def part(client, incident, person, name, **query):
    client.force_login(person)
    return words(client.get(reverse(f"war_room_{name}", args=[incident.ref]), query, **HTMX))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Restart the node", "web-3"), ("Reboot it", "Web 3"), True),
        (("Restart web-3", ""), ("restarting WEB-3", ""), True),
        (("Restart the node", "web-3"), ("Restart the node", "web-4"), False),
        (("Check disk of db-1", ""), ("Check disk of db-2", ""), False),
        (("Call the payment provider", ""), ("Phone the payment provider", ""), True),
        (("Call the payment provider", ""), ("Check the payment logs", ""), False),
        (("Look at it", "web-3"), ("Drain web-3 first", ""), True),
        (("Task 1", ""), ("Task 2", ""), False),
    ],
)
def test_the_same_work_is_recognised_in_other_words(one, other, same):
    assert is_twin(*one, *other) is same
    assert is_twin(*other, *one) is same


def test_work_has_an_owner_and_a_time_and_is_not_done_twice(client, assembled, manager, engineer, change_manager):
    """Begun with a time box, refused to the second, called back once, given more time, reported."""
    assert act(client, assembled, engineer, "task", title="Restart it", target="web-3", assignee=engineer.pk,
               minutes=5).status_code == 204  # fmt: skip
    task = Task.objects.get()
    assert (task.status, task.assignee, task.due_at - task.started_at) == (
        "in_progress", engineer, timedelta(minutes=5),
    )  # fmt: skip
    again_typed = {"title": "Reboot the node", "target": "WEB 3"}
    client.force_login(change_manager)
    hint = words(client.get(reverse("task_twin", args=[assembled.ref]), again_typed))
    assert f"{engineer.display_name} is at “Restart it” on web-3 already, 4 min left." in hint
    refused = act(client, assembled, change_manager, "task", **again_typed)
    assert refused.status_code == 422
    assert "4 min left" in words(refused)
    assert 'value="Reboot the node"' in words(refused)
    assert "It is something else: add it all the same" in words(refused)
    assert act(client, assembled, change_manager, "task", **again_typed, different="on").status_code == 204
    taken = act(client, assembled, change_manager, "take-task", task.pk)
    assert "is at “Restart it”" in words(taken)
    over = timezone.now() + timedelta(minutes=6)
    assert work.call_back(at=over) == 1
    assert work.call_back(at=over) == 0
    told = Delivery.objects.filter(moment="task_called_back")
    assert {row.recipient for row in told} == {engineer}
    assert "called back," in part(client, assembled, manager, "work")
    assert act(client, assembled, engineer, "report-task", task.pk, outcome="more", minutes="10").status_code == 204
    task.refresh_from_db()
    assert (task.called_back_at, task.due_at > over) == (None, True)
    assert (
        act(client, assembled, engineer, "report-task", task.pk, outcome="done", result="Back in 40 s").status_code
        == 204
    )
    assert "Back in 40 s" in part(client, assembled, manager, "work")
    assert "Back in 40 s" in part(client, assembled, manager, "timeline")
    Task.objects.filter(title="Reboot the node").delete()
    with pytest.raises(Duplicate, match="did “Restart it” on web-3 less than 1 min ago"):
        work.add_task(assembled.pk, title="Restart web-3", actor=manager, at=timezone.now())


def test_a_checklist_becomes_tasks_but_not_what_is_under_way(client, assembled, manager, engineer, checkout):
    work.add_task(assembled.pk, title="Freeze deployments", assignee=engineer, actor=manager, at=minute(15))
    client.force_login(manager)
    made = {"name": "Checkout is down", "kind": "down", "service": checkout.pk,
            "items": "Freeze all deployments (5 min)\nFail over → db-2 (10 min)\nTell the provider"}  # fmt: skip
    assert client.post(reverse("checklist_new"), made).status_code == 302
    assert client.post(reverse("checklist_new"), made).status_code == 422
    kept = Checklist.objects.get()
    assert kept.items[1] == {"title": "Fail over", "target": "db-2", "minutes": 10}
    assert "Fail over → db-2 (10 min)" in words(client.get(reverse("checklist_edit", args=[kept.pk]), **HTMX))
    assert "Checkout is down" in words(client.get(reverse("checklists")))
    assert act(client, assembled, engineer, "checklist", checklist=kept.pk).status_code == 204
    assert set(Task.objects.filter(checklist=kept.name).values_list("title", flat=True)) == {
        "Fail over", "Tell the provider",
    }  # fmt: skip
    assert "Checkout is down: 2 tasks; under way already: Freeze all deployments" in part(
        client, assembled, manager, "timeline"
    )
    with pytest.raises(NotAccountable):
        work.keep_checklist(kept, name="x", items=kept.items, actor=engineer, at=minute(16))


def test_silence_is_consent_and_an_objection_waits_for_whoever_commands(client, assembled, manager, engineer,
                                                                        change_manager):  # fmt: skip
    for text in ("Fail over to the second region", "Drop the cache"):
        assert act(client, assembled, change_manager, "decision", text=text, rationale="Each minute costs",
                   objections_within="5").status_code == 204  # fmt: skip
    first, second = DecisionRound.objects.order_by("pk")
    assert {row.recipient for row in Delivery.objects.filter(moment="decision_round")} >= {engineer, manager}
    shown = part(client, assembled, engineer, "work")
    assert "Any strong objections?" in shown
    assert "Fail over to the second region" in shown
    assert act(client, assembled, engineer, "object-strongly", first.pk, text="The replica lags").status_code == 204
    assert {row.recipient for row in Delivery.objects.filter(moment="decision_objected")} == {manager}
    later = timezone.now() + timedelta(minutes=6)
    assert rounds.close_due(at=later) == 1
    assert rounds.close_due(at=later) == 0
    assert (factories.again(first).state, factories.again(second).state) == ("asking", "stands")
    with pytest.raises(NotAccountable):
        rounds.stand(first.pk, reason="I want to", actor=change_manager, at=later)
    refused = act(client, assembled, manager, "decision-stands", first.pk, reason="")
    assert refused.status_code == 422
    assert "Say why" in words(refused)
    assert act(client, assembled, manager, "decision-stands", first.pk, reason="Lag is 2 s").status_code == 204
    with pytest.raises(WrongStage, match="settled"):
        rounds.withdraw(first.pk, reason="no", actor=manager, at=later)
    shown = part(client, assembled, manager, "timeline", show="decisions")
    for said in ("The replica lags", "Lag is 2 s", "Decision stands", "Strong objection"):
        assert said in shown


def test_a_mention_tells_the_person_and_files_are_kept_as_what_they_are(client, assembled, manager, engineer, outsider):
    assert response.post_note(assembled.pk, text="no one@home", actor=manager, at=minute(15)).payload == {}
    name = engineer.email.split("@")[0]
    pasted = SimpleUploadedFile("shot.exe.png", PNG, "image/png")
    answer = act(client, assembled, manager, "note", text=f"Look, @{name}!", attachments=[pasted])
    assert answer.status_code == 204
    assert {row.recipient for row in Delivery.objects.filter(moment="mentioned")} == {engineer}
    note = TimelineEvent.objects.filter(kind="note").latest("pk")
    (file,) = note.payload["files"]
    address = reverse("room_file", args=[assembled.ref, file["id"]])
    assert f'<img src="{address}"' in part(client, assembled, engineer, "timeline")
    shown = client.get(address)
    assert (shown.headers["Content-Type"], shown.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    client.force_login(outsider)
    assert client.get(address).status_code == 404
    bad = SimpleUploadedFile("run.exe", b"MZ" + bytes(range(128, 200)))
    refused = act(client, assembled, manager, "note", text="my words", attachments=[pasted, bad])
    assert refused.status_code == 422
    assert "run.exe: Programs and scripts cannot be attached" in words(refused)
    assert "my words" in words(refused)
    assert act(client, assembled, manager, "note", text=" ").status_code == 422


def test_an_entry_is_pinned_and_offered_to_the_next_update(client, assembled, manager, engineer):
    note = response.post_note(assembled.pk, text="Cards of one bank fail", actor=engineer, at=minute(15))
    assert act(client, assembled, engineer, "mark-fact", note.pk).status_code == 204
    assert act(client, assembled, engineer, "mark-fact", note.pk).status_code == 422
    assert act(client, assembled, engineer, "mark-public", note.pk).status_code == 204
    response.edit_entry(note.pk, text="Cards of two banks fail", actor=engineer, at=minute(16))
    shown = part(client, assembled, manager, "situation")
    assert "Known facts" in shown
    assert "Cards of two banks fail" in shown
    composer = client.get(reverse("update_composer", args=[assembled.ref]), **HTMX)
    assert "Cards of two banks fail" in words(composer)
    given = {"text": "Cards of two banks fail.", "audiences": ["users"], "marked": [note.marks.get(kind="public").pk]}
    client.force_login(manager)
    assert client.post(reverse("update_composer", args=[assembled.ref]), given, **HTMX).status_code == 204
    assert EntryMark.objects.get(kind="public").used_in is not None
    assert "Offered from the record" not in words(client.get(reverse("update_composer", args=[assembled.ref]), **HTMX))
    assert act(client, assembled, manager, "unmark-fact", note.pk).status_code == 204
    assert "Known facts" not in part(client, assembled, manager, "situation")


def test_the_record_is_searched_folded_and_taken_away(client, assembled, manager, engineer):
    note = response.post_note(assembled.pk, text="=HYPERLINK of the gateway", actor=engineer, at=minute(15))
    response.edit_entry(note.pk, text="=The gateway log says 502", actor=engineer, at=minute(16))
    response.record_decision(
        assembled.pk, text="Switch it off", rationale="Gateway is lost", actor=manager, at=minute(16)
    )
    found = part(client, assembled, manager, "timeline", q="gateway")
    assert "The gateway log says 502" in found
    assert "Switch it off" in found
    assert "Declared" not in found
    assert "No entry says that" in part(client, assembled, manager, "timeline", q="gateway zebra")
    whole = part(client, assembled, manager, "timeline")
    assert re.search(r"<details id=\"fold-\d+\"> ?<summary><strong>\d+ entries of the system", whole)
    folded = re.search(r'id="fold-(\d+)"', whole)[1]
    assert f'<details id="fold-{folded}" open>' in part(client, assembled, manager, "timeline", entry=folded)
    client.force_login(manager)
    rows = list(
        csv.DictReader(io.StringIO(client.get(reverse("record_export", args=[assembled.ref, "csv"])).content.decode()))
    )
    assert len(rows) == again(assembled).last_seq
    (row,) = [row for row in rows if row["kind"] == "note"]
    assert row["text"] == "'=The gateway log says 502"
    assert "HYPERLINK" in row["earlier_wordings"]
    data = json.loads(client.get(reverse("record_export", args=[assembled.ref, "json"]), {"q": "gateway"}).content)
    assert [entry["kind"] for entry in data["entries"]] == ["note", "decision"]
    assert "Why: Gateway is lost" in client.get(reverse("record_export", args=[assembled.ref, "md"])).content.decode()
    assert client.get(reverse("record_export", args=[assembled.ref, "exe"])).status_code == 404


def test_two_who_write_the_situation_lose_nothing(client, declared, manager, deputy):
    assert act(client, declared, manager, "situation", conditions="All down", seen_at="").status_code == 204
    seen = again(declared).situation_changed_at.isoformat()
    assert (
        act(client, declared, manager, "situation", conditions="All down", needs="A DBA", seen_at=seen).status_code
        == 204
    )
    # Only another field was touched meanwhile: both stay.
    assert act(client, declared, deputy, "situation", conditions="Half down", seen_at=seen).status_code == 204
    kept = again(declared)
    assert (kept.conditions, kept.needs) == ("Half down", "A DBA")
    refused = act(client, declared, manager, "situation", conditions="Mostly down", needs="A DBA", seen_at=seen)
    assert refused.status_code == 422
    assert f"{deputy.display_name} wrote here meanwhile: “Half down”" in words(refused)
    assert "Mostly down" in words(refused)
    newer = re.search(r'name="seen_at" value="([^"]+)"', words(refused))[1].replace("&#x27;", "'")
    answer = act(client, declared, manager, "situation", conditions="Mostly down", needs="A DBA", seen_at=newer)
    assert answer.status_code == 204


def test_two_who_correct_the_incident_see_each_other(client, declared, manager):
    client.force_login(manager)
    shown = words(client.get(reverse("act", args=[declared.ref, "edit"]), **HTMX))
    hidden = re.findall(r'type="hidden" name="(initial-[a-z_]+)" value="([^"]*)"', shown)
    given = {
        **dict(hidden),
        "title": declared.title,
        "impact": "1",
        "urgency": "1",
        "severity": "SEV1",
        "affects": declared.affects,
        "services": [service.pk for service in declared.services.all()],
        "reason": "Better known now",
    }
    assert "initial-title" in given
    assert act(client, declared, manager, "edit", **{**given, "title": "Checkout and pay fail"}).status_code == 204
    untouched = act(client, declared, manager, "edit", **{**given, "description": "The gateway"})
    assert untouched.status_code == 204
    assert (again(declared).title, again(declared).description) == ("Checkout and pay fail", "The gateway")
    refused = act(client, declared, manager, "edit", **{**given, "title": "Nothing works"})
    assert refused.status_code == 422
    assert "Somebody changed this meanwhile to “Checkout and pay fail”" in words(refused)


def test_who_has_no_seat_neither_works_nor_objects(assembled, manager, technician, minute):
    with pytest.raises(NotAccountable):
        work.add_task(assembled.pk, title="x", actor=technician, at=minute(15))
    event = response.record_decision(assembled.pk, text="Go", objections_within=5, actor=manager, at=minute(15))
    with pytest.raises(NotAccountable):
        rounds.object_to(event.round.pk, text="no", actor=technician, at=minute(15))
    assert seats  # the fixtures seat the others


def test_the_world_says_what_is_down_what_should_be_and_which_change_it_probably_was(
    client, declared, manager, engineer, checkout, django_assert_max_num_queries
):
    from incidents.actions import changes

    payments, gateway = factories.service("Payments", tier=1), factories.service("Gateway", tier=1)
    mail = factories.service("Mail", tier=2)
    for service, needs in ((payments, checkout), (mail, checkout), (checkout, gateway)):
        ServiceDependency.objects.create(service=service, needs=needs)
    for number in range(2):
        factories.ticket(f"Cannot pay {number}", service=payments, at=timezone.now())
    for title, service, at in (("Old patch", checkout, -3000), ("New rule", checkout, -4), ("Cable", gateway, -30)):
        change = changes.open_change(title=title, type="emergency", services=[service], actor=engineer, at=minute(at))
        changes.start(change.pk, actor=engineer, at=minute(at))
        changes.implement(change.pk, actor=engineer, at=minute(at))
    client.force_login(manager)
    with django_assert_max_num_queries(22):
        shown = words(client.get(reverse("war_room_world", args=[declared.ref]), **HTMX))
    states = dict(re.findall(r'radius-node[^"]* is-(\w+)">.*?<div class="grow">(\w+)<', shown))
    assert {name: state for state, name in states.items()} == {
        "Checkout": "down", "Payments": "suspected", "Mail": "odd", "Gateway": "healthy",
    }  # fmt: skip
    assert "1 unexpectedly up" in shown
    assert "2 tickets in 30 min" in shown
    assert shown.index("New rule") < shown.index("Cable") < shown.index("Old patch")
    assert "likely</strong><span>4 min before, on Checkout itself, emergency" in shown


def test_the_list_of_major_incidents_has_views_of_its_own(client, declared, manager):
    client.force_login(manager)
    kept = client.post(reverse("view_new") + "?of=incidents&severity=SEV1&state=open", {"name": "Ours"})
    assert kept.headers["Location"] == reverse("major_incident_list") + "?state=open&severity=SEV1"
    assert "Ours" in words(client.get(reverse("major_incident_list")))
    assert "Ours" not in words(client.get(reverse("ticket_list")))
