"""The tickets of a major incident, acts on many of them, merging and splitting on screen, service levels."""

import pytest
from django.urls import reverse

from incidents.actions import merging, saved_views, tickets
from incidents.models import CascadeJob, SavedView, ServiceHours, SlaTarget, Ticket
from incidents.views import ticket_jobs
from tests import factories
from tests.factories import again, minute

pytestmark = pytest.mark.django_db


@pytest.fixture
def linked(declared, technician, requester):
    made = [factories.ticket(f"Report {n}", requester=requester, at=minute(2)) for n in range(3)]
    tickets.link([one.pk for one in made], incident_id=declared.pk, actor=technician, at=minute(11))
    return made


def test_the_page_of_linked_tickets_filters_and_counts(at_desk, linked, declared, technician):
    tickets.resolve(linked[0].pk, resolution="x", actor=technician, at=minute(12))
    address = reverse("children", args=[declared.pk])
    shown = at_desk.get(address)
    assert (len(shown.context["page"].rows), shown.context["standing"].open) == (3, 2)
    assert [row.title for row in at_desk.get(address, {"status": "resolved"}).context["page"].rows] == ["Report 0"]


def test_all_that_match_are_chosen_by_the_filter_and_not_by_the_page(at_desk, linked, declared):
    factories.ticket("Elsewhere")
    page = at_desk.get(reverse("children", args=[declared.pk]))
    address = (
        f"{reverse('tickets_reply')}?all=1&matching={page.context['matching'].replace('&', '%26').replace('=', '%3D')}"
    )
    assert "3 tickets: 1 person is told, each once." in at_desk.get(address).content.decode()
    assert at_desk.post(address, {"text": "We are on it"}).status_code == 302
    assert CascadeJob.objects.get().results.count() == 3


def test_a_small_job_is_done_at_once_and_leads_back_or_to_what_was_left(at_desk, linked, engineer):
    chosen = ",".join(str(one.pk) for one in linked)
    back = reverse("ticket_list") + "?status=new"
    address = f"{reverse('tickets_assign')}?tickets={chosen}&back={back.replace('?', '%3F')}"
    assert at_desk.post(address, {"assignee": engineer.pk}).url == back
    again_asked = at_desk.post(address, {"assignee": engineer.pk})
    assert again_asked.url == reverse("ticket_job", args=[CascadeJob.objects.last().pk])
    page = at_desk.get(again_asked.url).content.decode()
    assert f"was with {engineer} already" in page and "Finished" in page


def test_a_large_job_is_left_to_a_worker_and_its_page_follows_it(at_desk, monkeypatch, linked):
    monkeypatch.setattr(ticket_jobs, "AT_ONCE", 2)
    chosen = ",".join(str(one.pk) for one in linked)
    answer = at_desk.post(f"{reverse('tickets_resolve')}?tickets={chosen}", {"resolution": "Restarted"})
    page = at_desk.get(answer.url).content.decode()
    assert "0 of 3" in page and "every 2s" in page
    assert at_desk.get(answer.url, {"outcome": "failed"}).status_code == 200
    assert at_desk.get(answer.url, {"outcome": "x"}).status_code == 404


def test_similar_tickets_that_are_not_linked_are_found(at_desk, declared, checkout, linked):
    factories.ticket("Unrelated", at=minute(5))
    same = factories.ticket("Anything", service=checkout, at=minute(5))
    shown = at_desk.get(reverse("children_similar", args=[declared.pk]))
    assert shown.context["rows"] == [same]


def test_the_war_room_says_how_many_answered(at_desk, declared, linked):
    assert at_desk.get(reverse("children_observed", args=[declared.pk])).content.strip() == b""
    assert at_desk.get(reverse("children_jobs", args=[declared.pk])).status_code == 200


def test_merging_says_beforehand_what_will_happen(at_desk, linked, technician):
    first, second = linked[:2]
    preview = at_desk.get(reverse("ticket_merge_preview", args=[second.pk]), {"other": first.ref}).content.decode()
    assert f"{second.ref} closes" in preview
    answer = at_desk.post(reverse("ticket_merge", args=[second.pk]), {"other": first.ref})
    assert answer.url == reverse("ticket", args=[first.pk])
    assert at_desk.get(reverse("ticket", args=[second.pk])).url == f"{answer.url}?merged={second.ref}"
    assert at_desk.get(reverse("ticket", args=[second.pk]), {"stay": 1}).status_code == 200
    assert at_desk.post(reverse("ticket_merge", args=[first.pk]), {"other": "INC-0"}).status_code == 422
    assert at_desk.post(reverse("ticket_merge", args=[first.pk]), {}).status_code == 422


def test_several_are_merged_into_one_of_them(at_desk, linked):
    address = f"{reverse('tickets_merge')}?tickets={','.join(str(one.pk) for one in linked)}"
    assert "The other 2 close" in at_desk.get(address).content.decode()
    at_desk.post(address, {"into": linked[2].pk})
    assert set(Ticket.objects.filter(merged_into=linked[2])) == set(linked[:2])


def test_whoever_reported_a_duplicate_is_led_to_their_own_report(signed_in, linked, technician, outsider):
    ben = factories.person("requester", name="Ben")
    own = factories.ticket("Bens words", requester=ben)
    merging.merge(own.pk, into_id=linked[0].pk, actor=technician, at=minute(20))
    browser = signed_in(ben)
    assert browser.get(reverse("ticket", args=[linked[0].pk])).url == reverse("ticket", args=[own.pk])
    page = browser.get(reverse("ticket", args=[own.pk])).content.decode()
    assert "together with another report" in page and linked[0].title not in page
    assert (
        browser.post(reverse("ticket_comment", args=[own.pk]), {"text": "Thanks", "public": "yes"}).status_code == 302
    )


def test_a_comment_is_split_off_on_screen(at_desk, linked, requester):
    row = tickets.comment(linked[0].pk, text="My phone, too", public=True, actor=requester, at=minute(12))
    address = f"{reverse('ticket_split', args=[linked[0].pk])}?comment={row.pk}"
    assert "My phone, too" in at_desk.get(address).content.decode()
    given = {"title": "Phone", "impact": 3, "urgency": 3, "description": "My phone, too"}
    made = Ticket.objects.get(pk=int(at_desk.post(address, given).url.rstrip("/").rpartition("-")[2]))
    assert (made.split_from, made.title) == (linked[0], "Phone")
    assert f"became {made.ref}" in at_desk.get(reverse("ticket", args=[linked[0].pk])).content.decode()


def test_new_tickets_are_counted_without_touching_the_list(at_desk):
    factories.ticket("Old", at=minute(0))
    address = reverse("tickets_arrived")
    assert "new ticket" not in at_desk.get(address, {"since": minute(1).isoformat()}).content.decode()
    factories.ticket("New", at=minute(2))
    assert "1 new ticket: show it" in " ".join(
        at_desk.get(address, {"since": minute(1).isoformat()}).content.decode().split()
    )
    for wrong in ("", "x", "2024-13-01"):
        assert at_desk.get(address, {"since": wrong}).status_code == 200


def test_a_view_is_kept_shared_with_the_team_and_removed(at_desk, signed_in, technician):
    team = factories.team("Web")
    type(technician).objects.filter(pk=technician.pk).update(team=team)
    mate = factories.person("technical_staff", name="Mate", team=team)
    given = {"name": "Burning", "with_team": "on"}
    assert at_desk.post(reverse("view_new") + "?priority=P1&sla=late", given).url.endswith("?priority=P1&sla=late")
    assert at_desk.post(reverse("view_new") + "?priority=P1", given).status_code == 422
    theirs = signed_in(mate).get(reverse("ticket_list"))
    assert "Shared by Technician" in theirs.content.decode()
    view = SavedView.objects.get()
    assert signed_in(mate).post(reverse("view_remove", args=[view.pk])).status_code == 403
    at_desk.post(reverse("view_remove", args=[view.pk]))
    assert not SavedView.objects.exists()
    with pytest.raises(Exception, match="no team"):
        saved_views.save_view(
            name="x", query="", with_team=True, actor=mate.__class__(pk=mate.pk, email="x"), at=minute(0)
        )


@pytest.mark.parametrize(
    ("query", "expected"),
    [({"team": "web"}, ["Of web"]), ({"tier": "2"}, ["Second"]), ({"incident": "any"}, ["Child"]),
     ({"sla": "late", "priority": "P1"}, ["Burning"]),
     ({"team": "none", "incident": "none", "tier": "1", "priority": "P3"}, ["Plain"])],
)  # fmt: skip
def test_further_filters_of_the_list(at_desk, declared, technician, query, expected):
    by = {"actor": technician, "at": minute(20)}
    factories.ticket("Plain")
    factories.ticket("Burning", impact=1, urgency=1)
    tickets.assign(factories.ticket("Of web").pk, team=factories.team("Web"), **by)
    tickets.escalate(factories.ticket("Second").pk, kind="functional", to_tier=2, reason="x", **by)
    tickets.link([factories.ticket("Child").pk], incident_id=declared.pk, **by)
    assert [row.title for row in at_desk.get(reverse("ticket_list"), query).context["page"].rows] == expected


def test_in_the_order_of_deadlines_pages_neither_skip_nor_repeat(at_desk):
    for number in range(60):
        factories.ticket(f"Ticket {number}", at=minute(number % 7), impact=number % 4 + 1)
    first = at_desk.get(reverse("ticket_list"), {"sort": "due"}).context["page"]
    second = at_desk.get(reverse("ticket_list"), {"sort": "due", "after": first.next_cursor}).context["page"]
    due = [row.sla_due_at for row in [*first.rows, *second.rows]]
    assert len(due) == 60 and due == sorted(due)


@pytest.mark.parametrize("number", [1, 60])
def test_pages_about_many_keep_their_budget(at_desk, declared, technician, queries_of, number):
    made = [factories.ticket(f"Report {n}", requester=technician) for n in range(number)]
    tickets.link([one.pk for one in made], incident_id=declared.pk, actor=technician, at=minute(11))
    at_desk.post(f"{reverse('tickets_reply')}?all=1&matching=incident%3D{declared.pk}", {"text": "x"})
    job = CascadeJob.objects.get()
    assert queries_of(at_desk, reverse("children", args=[declared.pk])) <= 12
    assert queries_of(at_desk, reverse("children_similar", args=[declared.pk])) <= 12
    assert queries_of(at_desk, reverse("ticket_job", args=[job.pk])) <= 9


def test_service_levels_are_set_on_their_page(signed_in, administrator, checkout):
    browser = signed_in(administrator)
    assert "Working week" in browser.get(reverse("sla")).content.decode()
    given = {}
    for priority, times in {
        "P1": ("10 min", "2 h"),
        "P2": ("30", "1 h 30 min"),
        "P3": ("1h", "9h"),
        "P4": ("1 h", "10 h"),
    }.items():
        given |= {f"{priority}_response": times[0], f"{priority}_resolution": times[1]}
    assert browser.post(reverse("sla"), given).status_code == 302
    assert SlaTarget.objects.get(priority="P2").resolution_minutes == 90
    refused = browser.post(reverse("sla"), {**given, "P1_response": "soon"})
    assert refused.status_code == 422 and "Write it like" in refused.content.decode()
    assert browser.post(reverse("sla"), {**given, "P1_response": "3 h"}).status_code == 422
    own = reverse("sla_service", args=[checkout.slug])
    assert browser.post(own, {"P1_response": "5 min", "P1_resolution": "1 h"}).status_code == 302
    assert SlaTarget.objects.get(service=checkout).priority == "P1"
    hours = {"name": "Early", "day_0": "06:00-14:00", "services": [checkout.pk], "is_default": "on"}
    assert browser.post(reverse("hours_new"), hours).status_code == 302
    row = ServiceHours.objects.get()
    assert row.week == [[[360, 840]], *[[]] * 6]
    assert browser.get(reverse("hours_edit", args=[row.pk])).status_code == 200
    assert browser.post(reverse("hours_edit", args=[row.pk]), {"name": "x", "day_0": "14-6"}).status_code == 422
    browser.post(reverse("hours_remove", args=[row.pk]))
    assert again(checkout).hours is None
