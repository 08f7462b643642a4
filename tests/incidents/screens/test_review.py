"""The review beside its record, and the document."""

import pytest
from django.urls import reverse

from incidents.actions import downtime, major_incidents
from incidents.models import Document, Review
from tests.incidents.conftest import *  # noqa: F403 - the stories' stages
from tests.incidents.conftest import again, fix

pytestmark = pytest.mark.django_db
BLANK = {"actions-TOTAL_FORMS": "0", "actions-INITIAL_FORMS": "0"}


@pytest.fixture
def resolved(resolving, engineer, manager, minute):
    fix(resolving, engineer, at=minute(25))
    downtime.restore(resolving.pk, actor=manager, at=minute(26))
    return major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(30))


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def send(client, incident, person, do="save", **fields):
    client.force_login(person)
    given = {"observation_hours": "0", **BLANK, **fields, "do": do}
    return client.post(reverse("review", args=[incident.ref]), given)


def action_rows(*rows):
    found = {"actions-TOTAL_FORMS": str(len(rows)), "actions-INITIAL_FORMS": "0"}
    for number, (title, owner, due) in enumerate(rows):
        found |= {f"actions-{number}-title": title, f"actions-{number}-owner": owner, f"actions-{number}-due_on": due}
    return found


def test_before_maintenance_it_says_when_it_opens(client, declared, manager):
    client.force_login(manager)
    assert "The review is not open yet" in words(client.get(reverse("review", args=[declared.ref])))


def test_it_is_not_there_for_somebody_who_may_not_see_the_incident(client, resolved, requester):
    client.force_login(requester)
    assert client.get(reverse("review", args=[resolved.ref])).status_code == 404
    assert client.get(reverse("document", args=[resolved.ref])).status_code == 404


def test_the_record_stands_beside_the_editor(client, resolved, change_manager):
    client.force_login(change_manager)
    shown = words(client.get(reverse("review", args=[resolved.ref])))
    for fact in ("Resolved", "How it was run", "Roll back the deploy", "Write the cause, or why it is unknown."):
        assert fact in shown


def test_completing_names_everything_that_is_missing_and_keeps_the_draft(client, resolved, change_manager):
    answer = send(client, resolved, change_manager, "complete", went_well="The bridge")
    assert answer.status_code == 422
    shown = words(answer)
    assert "review_cause_error" in shown
    assert "review_findings_error" in shown
    assert "Name at least one action" in shown
    assert Review.objects.get().went_well == "The bridge"


def test_it_is_completed_with_actions_that_have_owner_and_due_date(client, resolved, change_manager, engineer):
    rows = action_rows(("Limit CPU per rule", engineer.pk, "2030-01-31"), ("", "", ""))
    answer = send(client, resolved, change_manager, "complete", cause="A rule", findings="No limit", **rows)
    assert answer.status_code == 302
    review = Review.objects.get()
    assert review.state == "completed"
    action = review.actions.get()
    assert action.owner == engineer
    client.force_login(engineer)
    client.post(reverse("review_action_done", args=[resolved.ref, action.pk]))
    action.refresh_from_db()
    assert action.done_at


def test_an_action_without_owner_is_refused_in_words(client, resolved, change_manager):
    rows = action_rows(("Limit CPU", "", ""))
    answer = send(client, resolved, change_manager, cause="A rule", **rows)
    assert answer.status_code == 422
    assert "needs an owner" in words(answer)
    assert 'value="Limit CPU"' in words(answer)


def test_somebody_without_a_seat_reads_and_does_not_write(client, resolved, technician):
    client.force_login(technician)
    assert "Save and complete" not in words(client.get(reverse("review", args=[resolved.ref])))
    assert send(client, resolved, technician, cause="Mine").status_code == 403


def test_the_document_is_written_edited_and_published(client, resolved, manager):
    client.force_login(manager)
    address = reverse("document", args=[resolved.ref])
    client.post(reverse("document_do", args=[resolved.ref, "generate"]))
    written = Document.objects.get()
    edit = reverse("document_edit", args=[resolved.ref])
    sent = {"title": "502 at checkout", "markdown": "# What we learned", "version": written.version}
    assert client.post(edit, sent).status_code == 302
    stale = client.post(edit, sent | {"markdown": "Mine"})
    assert stale.status_code == 422
    assert "was saved in the meantime" in words(stale)
    assert "Mine" in words(stale)
    client.post(reverse("document_do", args=[resolved.ref, "publish"]))
    assert again(resolved).steps.get(key="document").state == "done"
    assert "What we learned" in words(client.get(address))


def test_the_preview_is_sanitised(client, resolved, manager):
    client.force_login(manager)
    sent = {"markdown": "**bold** <script>alert(1)</script>"}
    shown = words(client.post(reverse("document_preview", args=[resolved.ref]), sent))
    assert "<strong>bold</strong>" in shown
    assert "<script>" not in shown


def test_publishing_before_resolution_is_refused_in_words(client, declared, manager):
    client.force_login(manager)
    assert "No document yet" in words(client.get(reverse("document", args=[declared.ref])))
    client.post(reverse("document_do", args=[declared.ref, "generate"]))
    answer = client.post(reverse("document_do", args=[declared.ref, "publish"]), follow=True)
    assert "is published once" in words(answer)
