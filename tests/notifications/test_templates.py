"""Words of messages: a closed language, checked when they are saved; the shipped ones pass the same check."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from incidents.errors import Invalid, NotAccountable, Stale
from notifications import samples, template_settings, words
from notifications.messages import word
from notifications.models import TemplateVersion
from notifications.template_language import Refused, Words
from notifications.template_settings import slots
from notifications.templatetags.message_times import clock
from notifications.words import Sources
from tests.notifications.conftest import declare, deliver

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def own(text="{{ incident.ref }} is broken.", subject="{{ incident.ref }}", short="{{ incident.ref }} {{ link }}"):
    return Sources(subject, short, text)


def save(sources, by, moment="declared", audience="technical", **more):
    return template_settings.save_template(moment, audience, sources, actor=by, at=NOW, **more)


def refusal(part, source, moment="declared", audience="technical"):
    """What a part is refused with; "" when it is accepted."""
    try:
        template_settings.check(moment, audience, own(**{part: source}))
    except Invalid as refused:
        return " ".join(refused.errors.get(part, [f"another part: {refused.errors}"]))
    return ""


@pytest.mark.parametrize(("moment", "audience"), slots(), ids=lambda value: value or "person")
def test_the_shipped_words_pass_the_check_of_own_words_and_fit_an_sms(moment, audience):
    shipped = words.shipped_sources(moment, audience)
    template_settings.check(moment, audience, shipped)
    for occasion in samples.occasions(moment, audience):
        said = word(occasion)
        assert 0 < len(said.short) <= template_settings.RECOMMENDED_SHORT, said.short
        assert "\n" not in said.short and said.url in said.short
        for part in (said.subject, said.short, said.text):
            assert "None" not in part and "{{" not in part and "unknown:" not in part


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ incident.__class__ }}", "Variables and attributes may not begin with underscores"),
        ("{{ incident.ref.upper }}", "no {{ incident.ref.upper }}"),
        ("{{ incident.services.0 }}", "no {{ incident.services.0 }}"),
        ("{{ incident.titel }}", "Did you mean {{ incident.title }}?"),
        ("{{ request.user.password }}", "no {{ request.user.password }}"),
        ("{{ organisation.delete }}", "no {{ organisation.delete }}"),
        ("{% if incident.save %}x{% endif %}", "no {{ incident.save }}"),
        ("{% if 1 == 2 or not settings.SECRET_KEY %}x{% endif %}", "no {{ settings.SECRET_KEY }}"),
        ("{{ incident.title|default:user.password }}", "no {{ user.password }}"),
        ("{% load message_times %}", "Possible are: {% if %}"),
        ("{% include 'notifications/messages/layout.html' %}", "Possible are: {% if %}"),
        ("{% extends 'base.html' %}", "Possible are: {% if %}"),
        ("{% debug %}", "Possible are: {% if %}"),
        ("{% csrf_token %}", "Possible are: {% if %}"),
        ("{% autoescape off %}{{ incident.title }}{% endautoescape %}", "Possible are: {% if %}"),
        ("{{ incident.title|safe }}", "Possible are: capfirst"),
        ("{{ incident.title|ljust:'999999999' }}", "Possible are: capfirst"),
        ("{{ incident.title|make_list }}", "Possible are: capfirst"),
        ("{{ incident.description|join:incident.description }}", "written out, not a variable"),
        ("{{ incident.ref|join:'xx'|join:'yy' }}", "One join is enough"),
        ("{{ incident.ref|upper|lower|upper|lower }}", "At most 3 filters"),
        ("{% for a in incident.description %}x{% endfor %}", "A loop goes through a list"),
        (
            "{% for a in incident.services %}{% for b in incident.services %}x{% endfor %}{% endfor %}",
            "A loop inside a loop",
        ),
        ("{% for incident in incident.services %}{{ incident.pk }}{% endfor %}", "cannot be the name"),
        ("{% for a in incident.services %}{{ a.pk }}{{ forloop.parentloop }}{% endfor %}", "no {{ a.pk }}"),
        ("{% if incident.title %}", "Unclosed tag"),
        ("{{ incident.ref }}" * 401, "more than 400 parts"),
        ("x" * 8001, "At most 8,000 characters"),
        ("{{ incident.manager }} leads.", "may be empty when this is sent"),
        ("Since {{ incident.contained_at|zoned:zone }}.", "may be empty when this is sent"),
        ("{% if incident.manager %}{{ incident.manager }}{% endif %}", "says nothing when as little as possible"),
    ],
    ids=lambda value: value[:44],
)
def test_what_a_template_may_not_say_is_refused_when_it_is_saved(source, says):
    assert says in refusal("text", source)


def test_the_refusal_names_the_line():
    assert refusal("text", "All is well.\n\n{{ incident.nonsense }}").startswith("Line 3: ")


@pytest.mark.parametrize("path", ["incident.description", "incident.needs", "incident.bridge_url", "actor"])
def test_users_are_told_nothing_internal(path):
    assert "is internal" in refusal("text", f"{{{{ {path}|default:'-' }}}}", audience="users")


def test_own_words_go_out_escaped_in_html_and_as_typed_in_text(people, checkout, smtp):
    save(own("<b>Bold</b> & {{ incident.title }}"), people["manager"])
    declare(people["manager"], checkout, title="<script>alert(1)</script>")
    deliver()
    sent = smtp.to("engineer@shop.example")[0]
    page = sent.get_body(("html",)).get_content()
    assert "<p>&lt;b&gt;Bold&lt;/b&gt; &amp; &lt;script&gt;" in page
    assert "<b>" not in page and "<script" not in page
    assert "<b>Bold</b> & <script>alert(1)</script>" in sent.get_body(("plain",)).get_content()


def test_words_that_cannot_be_said_give_way_to_the_shipped_ones_and_the_failure_is_kept(people, checkout, smtp):
    TemplateVersion.objects.create(
        moment="declared", audience="technical", number=1, subject="x", short="x", text="{% load x %}", created_at=NOW
    )
    declare(people["manager"], checkout)
    deliver()
    assert smtp.to("engineer@shop.example")[0]["Subject"].endswith("SEV1 declared: Checkout answers 502")
    kept = TemplateVersion.objects.get()
    assert kept.failed_at is not None and "Invalid block tag" in kept.failure


def test_versions_are_numbered_and_the_shipped_words_come_back(people):
    manager = people["manager"]
    first = save(own("One."), manager)
    with pytest.raises(Stale):
        save(own("Two."), manager, based_on=0)
    save(own("Two."), manager, based_on=1)
    template_settings.restore_version(first, actor=manager, at=NOW)
    slot = template_settings.find_slot("declared", "technical")
    assert (slot.number, slot.sources.text, slot.version.note) == (3, "One.", "Restores version 1.")
    template_settings.restore_shipped("declared", "technical", actor=manager, at=NOW)
    assert template_settings.find_slot("declared", "technical").is_shipped
    assert template_settings.restore_shipped("declared", "technical", actor=manager, at=NOW) is None


def test_only_those_who_look_after_communication_change_words(people):
    with pytest.raises(NotAccountable):
        save(own(), people["engineer"])


def test_a_test_message_goes_to_oneself_only(people):
    template_settings.send_test("declared", "technical", own(), actor=people["manager"])
    [sent] = mail.outbox
    assert sent.to == ["manager@shop.example"]
    assert sent.subject == "TEST: MI-12"
    assert "Short text:\nMI-12 https://" in sent.body


def test_a_loop_through_a_long_list_has_an_end(people):
    long = samples.occasion("candidate", "technical")
    long.particulars.values["reasons"] = ["x" * 40] * 5_000
    said = word(long)
    assert said.text.count("- xxxx") == 50


def test_no_words_can_be_made_to_grow_beyond_measure():
    big = Words("{{ a|default:'x' }}" * 300, ["a"])
    with pytest.raises(ValueError, match="at most 20,000"):
        big.say({"a": "y" * 1000})
    with pytest.raises(Refused):
        Words("{{ b }}", ["a"])


def test_a_time_in_a_short_text_is_right_on_both_sides_of_a_clock_change():
    before = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert clock(before, "Europe/Berlin") == "02:45 CEST"
    assert clock(before + timedelta(minutes=30), "Europe/Berlin") == "02:15 CET"
