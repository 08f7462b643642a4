"""The composer: write once, adapt per audience, see what differs, lose nothing, publish once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import seats, updates
from incidents.models import MajorIncident, StatusUpdate, UpdateDraft
from notifications import composer, preview
from notifications.models import Delivery
from tests.notifications.conftest import declare, person

pytestmark = pytest.mark.django_db
EVERYBODY = ["technical", "management", "key_stakeholders", "users"]


def test_the_difference_is_shown_word_by_word():
    pieces = composer.difference("Orders fail for all customers.", "Orders fail for some customers in Spain.")
    assert [(one.kind, one.text) for one in pieces] == [
        ("same", "Orders fail for "),
        ("removed", "all customers."),
        ("added", "some customers in Spain."),
    ]
    assert [one.kind for one in composer.difference("Same words", "Same words")] == ["same"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("db-03 and web01.prod.shop.internal are back", {"db-03", "web01.prod.shop.internal"}),
        ("10.2.3.4 and 2001:db8::7 time out", {"10.2.3.4", "2001:db8::7"}),
        ("see inc-3041 and CHG-7", {"inc-3041", "CHG-7"}),
        ("Ask Eva Engineer.", {"Eva Engineer"}),
        ("At 14:05 UTC, 09:00:30, on https://shop.example/help, 3.5 % of 12 shops, SEV1", set()),
    ],
    ids=["hosts", "addresses", "references", "names", "ordinary words"],
)
def test_internal_words_are_found_and_ordinary_ones_are_not(text, found):
    person("eva engineer", "technical_staff")
    assert {one.word for one in composer.internal_words(text)} == found


@pytest.fixture
def incident(people, checkout):
    incident = declare(people["manager"], checkout, users_affected=400)
    MajorIncident.objects.filter(pk=incident.pk).update(
        conditions="Gateway pool exhausted on db-03", actions_summary="Failing over"
    )
    return MajorIncident.objects.get(pk=incident.pk)


@pytest.fixture
def page(client, incident, people):
    client.force_login(people["manager"])
    path = f"/major-incidents/{incident.ref}/update/"

    def ask(address="", **typed):
        fields = {"audiences": EVERYBODY, "text": "For all", "next_in": "30", "seen": "0", **typed}
        return client.post(path + address, fields, headers={"HX-Request": "true"})

    return ask


def test_one_text_goes_to_all_and_another_to_users_with_the_promise(page, incident):
    assert page(text_users="For users").status_code == 204
    update = incident.updates.get()
    assert (update.texts["users"], update.texts["management"]) == ("For users", "For all")
    assert update.next_update_at is not None


def test_without_words_the_audience_is_named_and_nothing_is_published(page, incident):
    answer = page(text="", audiences=["users"])
    assert answer.status_code == 422
    assert "Write what Users should read" in answer.content.decode()
    assert not incident.updates.exists()


def test_a_suggestion_is_made_of_the_facts_and_says_nothing_internal_to_users(page, incident):
    said = {name: composer.suggestion(incident, name, next_update_at=None) for name in EVERYBODY}
    assert "Gateway pool exhausted" in said["technical"]
    assert "Tried so far: Failing over" in said["technical"]
    assert "About 400 users are affected." in said["management"]
    assert "db-03" not in said["users"] + said["key_stakeholders"]
    assert "Checkout is not working as usual" in said["users"]
    answer = page(start="users:facts")
    assert answer.status_code == 200
    assert "Checkout is not working as usual" in answer.content.decode()
    assert "For all</textarea>" in page(start="management:common").content.decode()
    assert not incident.updates.exists()


def test_a_draft_survives_is_seen_by_others_and_goes_with_its_publication(page, client, incident, people):
    looked = page("draft/", text="Half a thought on db-03", text_management="Half a thought").content.decode()
    assert "Management: other words" in looked
    assert "Users would read internal words" in looked
    assert "Half a thought on db-03" in client.get(f"/major-incidents/{incident.ref}/update/").content.decode()
    seat = seats.invite(
        incident.pk, role="technical_staff", user=people["engineer"], guest_email="", message="",
        actor=people["manager"], at=timezone.now(),
    )  # fmt: skip
    seats.accept(seat.pk, actor=people["engineer"], at=timezone.now())
    client.force_login(people["engineer"])
    said = client.get(f"/major-incidents/{incident.ref}/update/").content.decode()
    assert "Manager is writing an update" in said
    assert "Publishing is for R and A" in said
    assert page(text="Mine").status_code == 403, "writing is open, publishing is guarded"
    client.force_login(people["manager"])
    assert page(text="Whole").status_code == 204
    assert not UpdateDraft.objects.filter(author=people["manager"]).exists()


def test_what_somebody_published_meanwhile_is_shown_and_the_words_are_kept(page, incident, people):
    updates.publish_update(incident.pk, texts={"users": "Dana was first"}, actor=people["manager"], at=timezone.now())
    answer = page(text="Mine")
    said = answer.content.decode()
    assert answer.status_code == 422
    assert "published an update while you were writing: “Dana was first”" in said
    assert "Mine</textarea>" in said
    assert page(text="Mine", seen=str(StatusUpdate.objects.get().pk)).status_code == 204


def test_the_preview_counts_channels_and_says_who_is_left_out(incident, people, django_assert_max_num_queries):
    gone = person("gone", "management")
    gone.is_active = False
    gone.save()
    with django_assert_max_num_queries(22):
        shown = preview.of_update(
            incident, texts=dict.fromkeys(EVERYBODY, "x"), next_update_at=None, actor=people["manager"],
            at=timezone.now(),
        )  # fmt: skip
    management = next(one for one in shown.audiences if one.audience == "management")
    assert management.channel_counts == {"email": 1, "in_app": 1}
    assert management.left_out == ["Gone: the account is disabled"]
    assert not Delivery.objects.filter(moment="update").exists()


def test_a_correction_opens_with_the_wrong_words_and_their_audiences(page, client, incident, people):
    texts = {"users": "Back at 14:00", "management": "Back at 14:00, budget fine"}
    wrong = updates.publish_update(incident.pk, texts=texts, actor=people["manager"], at=timezone.now())
    path = f"/major-incidents/{incident.ref}/update/"
    said = client.get(f"{path}?corrects={wrong.pk}").content.decode()
    assert "Correction to the update of" in said
    assert "Back at 14:00, budget fine</textarea>" in said
    answer = page(text="Back at 15:00", audiences=["users"], corrects=wrong.pk, seen=wrong.pk)
    assert "Management got the wrong words" in answer.content.decode()
    assert page(text="Back at 15:00", audiences=["users", "management"], corrects=wrong.pk, seen=wrong.pk)
    assert incident.updates.get(corrects=wrong).texts["users"] == "Back at 15:00"


def test_a_promise_is_moved_and_withdrawn_with_a_reason(client, incident, people):
    client.force_login(people["manager"])
    path = f"/major-incidents/{incident.ref}/update/promise/"
    later = (timezone.now() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    assert "Say why" in client.post(path, {"due_at": later}).content.decode()
    assert client.post(path, {"due_at": later, "reason": "Vendor call at three"}).status_code == 302
    assert client.post(path, {"reason": "Nobody waits for it any more"}).status_code == 302
    states = list(incident.promises.order_by("pk").values_list("state", "reason"))
    assert states == [("withdrawn", "Vendor call at three"), ("withdrawn", "Nobody waits for it any more")]
    assert MajorIncident.objects.get().next_update_at is None
    kinds = list(incident.events.filter(kind__startswith="promise_").order_by("seq").values_list("kind", "text"))
    assert kinds[-2:] == [
        ("promise_made", "Vendor call at three"),
        ("promise_withdrawn", "Nobody waits for it any more"),
    ]
