"""The tags every screen is built with: {% load frame %}.

    {% icon "flame" %} {% icon "flame" "icon-small" %}   a Tabler icon by name (static/vendor/icons.txt lists them)
    {% badge "severity" incident.severity %}             severity, priority, stage, step, status; icon and words
    {% badge "status" ticket.status "Waiting for you" %} the same with other words
    {% moment at %}                                      13:45 in the reader's zone and in UTC; the date when not today
    {% moment at compact=True %}                         UTC only in the title: for tables and timelines
    {% moment at empty="not yet" %}                      what stands there when the clock has no value
    {% ago at %}                                         "12 min ago", kept current, the exact moment in the title
    {% since started %} {% since started restored %}     00:41:12, ticking until the second moment is known
    {% countdown due %}                                  in 12:04, amber five minutes before, red and "overdue" after
    {% duration seconds %}                               27 min, 1 h 07 min, 3 d 4 h; a dash for None
    {% money amount %}                                   €12,400; a dash for None
    {% avatar user %} {% person user "on call" %}        initials; initials with name and a note
    {% letters "R/A" %}                                  RACI letters as small marks
    {% field form.title %}                               label, help, control and errors of one form field
    {% form_errors form %}                               the summary above a form, each error linked to its field
    {% spark counts normal=1.1 label="Tickets a minute" %}   small bar chart without scripts

Fragments to include: "_empty.html" (symbol, title, text, url, action; level of its heading, else 3),
"_notice.html" (tone, text), "_dialog_header.html" (title, text), "incidents/_kit/stepper.html" (stages).

A dialog: <a class="button" href="{% url 'x' %}" hx-get="{% url 'x' %}" hx-target="#dialog">; the answer is
<form hx-post="…" hx-target="#dialog"> with .dialog-header, .dialog-body, .dialog-footer. An invalid form answers
422 with the same fragment. Success answers 204 with HX-Trigger: {"dialog-close": true, "toast": {"text": "…"}},
or HX-Redirect. The full page for the same URL is for browsers without scripts (`request.htmx` tells).

Live: <section data-live="MI-12" hx-get="{% url 'fragment' %}" hx-trigger="live" hx-swap="outerHTML" id="steps">.
The fragment is fetched again within a second of a change, never while the reader types in it; put
data-keep on a part that must survive (a composer), and give it an id.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from incidents.in_words import duration_words, money_words
from mim.badges import look_of

register = template.Library()
NOTHING = mark_safe('<span class="muted" aria-label="none">–</span>')
SOON_SECONDS = 300


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """One icon of the sprite, silent for screen readers: words stand beside it or on its button."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        css,
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def badge(kind: str, value: object, label: str = "") -> SafeString:
    """Icon and words of one severity, priority, stage or status; nothing for None."""
    look = look_of(kind, value)
    if look is None:
        return mark_safe("")
    return format_html('<span class="badge {}">{} {}</span>', look.tone, icon(look.icon), label or look.label)


def _clock_text(at: datetime, now: datetime) -> str:
    """13:45 today, 2 Jul 13:45 this year, 2 Jul 2019 13:45 before; in the zone of `at`."""
    if at.date() == now.date():
        return date_format(at, "H:i")
    return date_format(at, "j M H:i" if at.year == now.year else "j M Y H:i")


@register.simple_tag
def moment(at: datetime | None, compact: bool = False, empty: str = "–") -> SafeString:
    """A moment in the reader's zone with UTC beside it (in the title when `compact`)."""
    if at is None:
        return format_html('<span class="muted">{}</span>', empty)
    now = timezone.localtime()
    here, utc = timezone.localtime(at), at.astimezone(UTC)
    title = f"{date_format(here, 'D j M Y H:i:s')} {here.tzname()} · {date_format(utc, 'D j M Y H:i:s')} UTC"
    beside: str | SafeString = ""
    if not compact:
        same = here.utcoffset() == utc.utcoffset()
        beside = format_html(' <span class="utc">{}</span>', "UTC" if same else date_format(utc, "H:i") + " UTC")
    return format_html(
        '<time class="moment" datetime="{}" title="{}">{}{}</time>',
        utc.isoformat(timespec="seconds"),
        title,
        _clock_text(here, now),
        beside,
    )


@register.simple_tag
def ago(at: datetime | None, empty: str = "–") -> SafeString:
    """How long ago (or until) in words, kept current in the browser; the exact moment in the title."""
    if at is None:
        return format_html('<span class="muted">{}</span>', empty)
    seconds = int((timezone.now() - at).total_seconds())
    words = duration_words(abs(seconds))
    text = "just now" if abs(seconds) < 45 else f"{words} ago" if seconds > 0 else f"in {words}"
    here = timezone.localtime(at)
    title = f"{date_format(here, 'D j M Y H:i')} {here.tzname()} · {date_format(at.astimezone(UTC), 'H:i')} UTC"
    return format_html('<time data-relative datetime="{}" title="{}">{}</time>', _iso(at), title, text)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def elapsed_text(seconds: int) -> str:
    """00:41:12, or 2 d 03:12:00 from one day on. The same words as static/mim.js."""
    days, rest = divmod(max(seconds, 0), 86400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days} d {clock}" if days else clock


@register.simple_tag
def since(start: datetime | None, end: datetime | None = None, css: str = "") -> SafeString:
    """Time since `start`, ticking; still when `end` is known. A dash without a start."""
    if start is None:
        return NOTHING
    text = elapsed_text(int(((end or timezone.now()) - start).total_seconds()))
    if end is not None:
        return format_html('<span class="clock {}">{}</span>', css, text)
    return format_html('<time class="clock {}" role="timer" data-clock-since="{}">{}</time>', css, _iso(start), text)


def countdown_text(seconds: int) -> str:
    """in 12:04, or overdue 3:10; hours and days where there are some. The same words as static/mim.js."""
    rest = abs(seconds)
    if rest >= 86400:
        clock = duration_words(rest)
    elif rest >= 3600:
        clock = f"{rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}"
    else:
        clock = f"{rest // 60}:{rest % 60:02}"
    return f"overdue {clock}" if seconds < 0 else f"in {clock}"


@register.simple_tag
def countdown(due: datetime | None, empty: str = "–") -> SafeString:
    """Time left until `due`: amber in the last five minutes, red and said in words when overdue."""
    if due is None:
        return format_html('<span class="muted">{}</span>', empty)
    left = int((due - timezone.now()).total_seconds())
    state = "is-overdue" if left < 0 else "is-soon" if left <= SOON_SECONDS else ""
    here = timezone.localtime(due)
    title = f"{date_format(here, 'D j M Y H:i')} {here.tzname()} · {date_format(due.astimezone(UTC), 'H:i')} UTC"
    return format_html(
        '<time class="countdown {}" role="timer" data-countdown-to="{}" title="{}">{}</time>',
        state,
        _iso(due),
        title,
        countdown_text(left),
    )


@register.simple_tag
def duration(seconds: float | None) -> str | SafeString:
    """A length of time in seconds as people say it; a dash for None, never 0."""
    return NOTHING if seconds is None else duration_words(float(seconds))


@register.simple_tag(takes_context=True)
def money(context: template.Context, amount: Decimal | int | None, currency: str = "") -> str | SafeString:
    """An amount in the organisation's currency; cents only below 100. A dash for None."""
    return NOTHING if amount is None else money_words(amount, currency or context["frame"].currency)


def initials(name: str) -> str:
    """First letters of the first and last word, at most two; a question mark for no name."""
    words = [word for word in name.replace(".", " ").split() if word[0].isalnum()]  # never the bracket of “(guest)”
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def _name(user: Any) -> str:
    return str(getattr(user, "display_name", "") or user or "")


@register.simple_tag
def avatar(user: Any, css: str = "") -> SafeString:
    """A person's initials in a circle, the name in its title."""
    name = _name(user)
    return format_html('<span class="avatar {}" title="{}" aria-hidden="true">{}</span>', css, name, initials(name))


@register.simple_tag
def person(user: Any, note: str = "", css: str = "") -> SafeString:
    """Initials, name and a note beneath; "nobody" for None."""
    if not user:
        return mark_safe('<span class="muted">nobody</span>')
    beneath = format_html("<small>{}</small>", note) if note else ""
    return format_html('<span class="person">{}<span>{}{}</span></span>', avatar(user, css), _name(user), beneath)


@register.simple_tag
def letters(value: str) -> SafeString:
    """RACI letters, "R", "A" or "R/A", each with its word in the title."""
    words = {"R": "Responsible", "A": "Accountable", "C": "Consulted", "I": "Informed"}
    marks = [(letter.lower(), words.get(letter, ""), letter) for letter in str(value).split("/") if letter]
    return format_html_join(" ", '<abbr class="letter letter-{}" title="{}">{}</abbr>', marks)


@register.inclusion_tag("_field.html")
def field(bound: BoundField, label: str = "", help_text: str | None = None, optional: bool = True) -> dict[str, Any]:
    """One form field whole: label, help (the form's own unless given), control, errors, wired for screen readers."""
    widget = bound.field.widget
    input_type = getattr(widget, "input_type", "")
    is_group = getattr(widget, "use_fieldset", False)
    described = []
    if bound.errors:
        described.append(f"{bound.auto_id}_error")
    words = bound.help_text if help_text is None else help_text
    if words:
        described.append(f"{bound.auto_id}_helptext")
    attributes: dict[str, str | bool] = {"aria-describedby": " ".join(described)} if described else {}
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attributes) if not is_group else bound,
        "label": label or bound.label,
        "help_text": words,
        "is_hidden": bound.is_hidden,
        "is_choice": input_type == "checkbox" and not is_group,
        "is_group": is_group,
        "is_password": input_type == "password",
        "show_optional": optional and not bound.field.required and input_type != "checkbox",
    }


@register.inclusion_tag("_form_errors.html")
def form_errors(form: BaseForm) -> dict[str, Any]:
    """The summary above a form: errors of the whole form, and each field's with a link to it."""
    return {"form": form, "fields": [bound for bound in form if bound.errors]}


@register.simple_tag
def spark(values: Sequence[float], label: str = "", normal: float | None = None) -> SafeString:
    """Bars for a row of counts, oldest first, with a dashed line at what is normal; readable without scripts."""
    if not values:
        return mark_safe("")
    top: float = max([*values, normal or 0.0, 1.0])
    width = 100 / len(values)
    bars = mark_safe(  # noqa: S308 (numbers only; escaping those of ten years one by one took a third of the page)
        "".join(
            f'<rect class="spark-bar" x="{round(at * width, 2)}" y="{round(40 - value / top * 40, 2)}"'
            f' width="{round(width * 0.8, 2)}" height="{round(value / top * 40, 2)}"/>'
            for at, value in enumerate(values)
        )
    )
    line = ""
    if normal is not None:
        y = round(40 - normal / top * 40, 2)
        line = format_html('<line class="spark-normal" x1="0" x2="100" y1="{}" y2="{}"/>', y, y)
    words = f"{label}: latest {values[-1]:g}, highest {max(values):g}" if label else ""
    return format_html(
        '<svg class="spark" viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label="{}">{}{}</svg>',
        words,
        bars,
        line,
    )
