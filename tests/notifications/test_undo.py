"""An update can be taken back while it waits, and put right once it has left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import updates
from incidents.errors import Duplicate, Invalid, NotAccountable, Stale, TooLate
from incidents.models import AudienceMembership, MajorIncident, Organisation, StatusUpdate, TimelineEvent
from incidents.queries.timeline import timeline
from notifications import delivery, withdrawal
from notifications.models import Delivery
from notifications.status import public
from tests.notifications.conftest import declare, deliver, person
from tests.notifications.test_previews import api

pytestmark = pytest.mark.django_db(transaction=True)
EVERYBODY = ("technical", "management", "key_stakeholders", "users")


@pytest.fixture
def waiting(db):
    return Organisation.objects.create(pk=1, name="Shop", update_hold_seconds=30)


def publish(incident, actor, text="All is lost", **fields):
    fields.setdefault("audiences", EVERYBODY)
    texts = dict.fromkeys(fields["audiences"], text)
    return updates.publish_update(incident.pk, texts=texts, actor=actor, at=timezone.now(), **fields)


def outcome(update) -> dict[str, str]:
    """E-mail address → state of what this update sent there."""
    event = TimelineEvent.objects.get(kind="update_published", payload__update_id=update.pk)
    return dict(Delivery.objects.filter(event=event, channel="email").values_list("address", "state"))


def test_undo_takes_back_what_waits_and_says_who_has_it_already(waiting, people, checkout, smtp):
    """The technical team gets it at once, the others after thirty seconds: undone between the two."""
    manager = people["manager"]
    incident = declare(manager, checkout)
    deliver()
    owed = incident.promises.get()
    update = publish(incident, manager, next_update_at=timezone.now() + timedelta(minutes=50))
    delivery.deliver_due(seconds=5)
    assert public.read(timezone.now()).now == [], "users read nothing while it waits"
    updates.undo_update(update.pk, actor=manager, at=timezone.now())
    deliver()
    assert outcome(update) == {
        "manager@shop.example": "delivered",
        "engineer@shop.example": "delivered",
        "director@shop.example": "suppressed",
        "stakeholder@shop.example": "suppressed",
        "requester@shop.example": "suppressed",
    }
    who = withdrawal.reached(StatusUpdate.objects.get())
    assert (who.got, who.spared) == (["Engineer", "Manager"], ["Director", "Requester", "Stakeholder"])
    assert public.read(timezone.now() + timedelta(hours=1)).now == []
    owed.refresh_from_db()
    assert (owed.state, MajorIncident.objects.get().next_update_at) == ("open", owed.due_at), (
        "what was promised before is owed again"
    )
    with pytest.raises(Duplicate):
        updates.undo_update(update.pk, actor=manager, at=timezone.now())


def test_a_row_a_worker_has_taken_is_checked_once_more_before_it_leaves(people, checkout, smtp, monkeypatch):
    manager = people["manager"]
    incident = declare(manager, checkout)
    deliver()
    update = publish(incident, manager)
    StatusUpdate.objects.update(leaves_at=timezone.now() + timedelta(seconds=9))
    claim = delivery.claim

    def claim_then_undo(channel, **kwargs):
        rows = claim(channel, **kwargs)
        if any(row.moment == "update" for row in rows) and not StatusUpdate.objects.get().undone_at:
            updates.undo_update(update.pk, actor=manager, at=timezone.now())
        return rows

    monkeypatch.setattr(delivery, "claim", claim_then_undo)
    delivery.deliver_due(seconds=5)
    assert set(outcome(update).values()) == {"suppressed"}
    assert not [mail for _, mail in smtp.mails if "All is lost" in mail.get_body(("plain",)).get_content()]


def test_too_late_is_said_with_the_way_out_and_strangers_may_not(waiting, people, checkout, smtp):
    incident = declare(people["manager"], checkout)
    update = publish(incident, people["manager"])
    with pytest.raises(NotAccountable):
        updates.undo_update(update.pk, actor=people["engineer"], at=timezone.now())
    with pytest.raises(TooLate, match="Publish a correction"):
        updates.undo_update(update.pk, actor=people["manager"], at=timezone.now() + timedelta(seconds=31))


def test_a_correction_reaches_exactly_those_who_got_the_wrong_words(people, checkout, smtp):
    """Who left the audience meanwhile hears it, a newcomer of an audience it also speaks to hears it, nobody else."""
    manager = people["manager"]
    leaver = person("leaver")
    AudienceMembership.objects.create(audience="management", roles=["management"]).people.add(leaver)
    incident = declare(manager, checkout)
    deliver()
    wrong = publish(incident, manager, "Back at 14:00", audiences=["management", "users"])
    deliver()
    AudienceMembership.objects.get().people.remove(leaver)
    with pytest.raises(Invalid, match="Users got the wrong words"):
        publish(incident, manager, "Back at 15:00", audiences=["management"], corrects=wrong.pk)
    smtp.mails.clear()
    right = publish(incident, manager, "Back at 15:00", audiences=["management", "users"], corrects=wrong.pk)
    deliver()
    assert sorted(outcome(right)) == ["director@shop.example", "leaver@shop.example", "requester@shop.example"]
    said = smtp.to("leaver@shop.example")[-1]
    assert said["Subject"].startswith("Correction: ")
    assert "Correction to the update of" in said.get_body(("plain",)).get_content()
    shown = public.read(timezone.now()).now[0].updates
    assert [(one.corrects, one.corrected_at) for one in shown] == [
        (wrong.published_at, None),
        (None, right.published_at),
    ]
    entry = next(one for one in timeline(incident).entries if one.update and one.update.pk == wrong.pk)
    assert entry.corrected_by == right


def test_what_still_waits_of_corrected_words_never_leaves(waiting, people, checkout, smtp):
    manager = people["manager"]
    incident = declare(manager, checkout)
    deliver()
    wrong = publish(incident, manager, "Wrong")
    publish(incident, manager, "Right", corrects=wrong.pk)
    deliver()
    assert set(outcome(wrong).values()) == {"suppressed"}
    assert "Wrong" not in "".join(mail.get_body(("plain",)).get_content() for _, mail in smtp.mails)


def test_the_second_of_two_authors_reads_the_first_before_saying_it_again(people, checkout):
    manager = people["manager"]
    incident = declare(manager, checkout)
    first = publish(incident, manager, "Dana says so", seen=0)
    with pytest.raises(Stale, match="Manager published an update while you were writing: “Dana says so”"):
        publish(incident, manager, "Max says so", seen=0)
    assert publish(incident, manager, "Max says more", seen=first.pk).pk
    assert incident.updates.count() == 2


def test_the_same_over_the_api(waiting, people, checkout, client):
    incident = declare(people["manager"], checkout)
    path = f"major-incidents/{incident.ref}"

    def ask(address, body=None, who="manager"):
        answer = api(client, people[who], f"{path}/{address}".rstrip("/"), body)
        return answer.status_code, answer.json()

    status, made = ask("updates", {"texts": {"users": "Back at 14:00"}})
    assert (status, set(made["leaves_at"]), made["undone_at"]) == (201, {"users"}, None)
    assert ask(f"updates/{made['id']}/undo", {}, "engineer")[0] == 403
    status, undone = ask(f"updates/{made['id']}/undo", {})
    assert (status, undone["undone_by"]) == (200, "manager@shop.example")
    assert ask(f"updates/{made['id']}/undo", {})[1]["type"] == "duplicate"
    wrong = ask("updates", {"texts": {"users": "Back at 14:00"}})[1]["id"]
    StatusUpdate.objects.filter(pk=wrong).update(leaves_at=timezone.now())
    assert ask(f"updates/{wrong}/undo", {})[1]["type"] == "too_late"
    assert "Users" in ask("updates", {"texts": {"management": "x"}, "corrects": wrong})[1]["errors"]["audiences"][0]
    right = ask("updates", {"texts": {"users": "Back at 15:00"}, "corrects": wrong})[1]
    assert (right["corrects"], ask(f"updates/{wrong}")[1]["corrected_by"]) == (wrong, [right["id"]])
    due = (timezone.now() + timedelta(hours=2)).isoformat()
    assert ask("promises", {"due_at": due})[0] == 201, "nothing was promised, so no reason is asked for"
    assert ask("promises", {"due_at": due})[1]["errors"]["reason"]
    assert ask("promises/withdraw", {"reason": "Watched"})[1]["next_update_at"] is None
    assert [one["state"] for one in ask("promises")[1]["results"]] == ["withdrawn", "kept"]
    assert ask("")[1]["promises"] == {"kept": 1, "broken": 0, "kept_rate": 1.0}
