"""Changing the words of messages: checked on every sample before they are accepted, kept as versions, given back."""

import difflib
import html
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.db.models import Max

from incidents.actions.input import clean_text
from incidents.communication import Moment
from incidents.errors import Invalid, Stale
from incidents.models import Organisation, User
from incidents.permissions import require
from incidents.process import Audience
from notifications import samples, words
from notifications.messages import LONGEST_SHORT, Wording, context_of, say, values_of
from notifications.models import TemplateVersion
from notifications.policy import PROMISE_DUE_SOON, PUBLIC_MOMENTS, RULES
from notifications.template_language import LONGEST_SOURCE, Refused
from notifications.template_variables import variables_of
from notifications.words import PERSON, Sources

PARTS = ("subject", "short", "text")
RECOMMENDED_SHORT, LONGEST_SUBJECT = 300, 200


def slots() -> list[tuple[str, str]]:
    """Every moment and audience that has words; the audience is empty for what is said to one person."""
    found: dict[tuple[str, str], None] = {}
    for rule in (*RULES.values(), PROMISE_DUE_SOON):
        for audience in rule.audiences:
            found[rule.moment, audience.value] = None
        if rule.to and not rule.named_as:
            found[rule.moment, ""] = None
    return list(found)


_LABELS = {
    **{one.value: str(one.label) for one in Moment},
    "candidate": "Candidate raised",
    "page_unanswered": "Nobody answered a page",
    "page_late": "Paging is late",
    "seat_invited": "Invited to a seat",
    "seat_released": "Released from a seat",
    "guest_link": "Guest’s link changed",
    "command_offered": "Command offered",
    "bridge": "Conference bridge open",
    "bridge_cancelled": "Conference bridge over",
    "step_reassigned": "Step handed over",
    "approval_asked": "Decision asked",
    "approval_decided": "Decision given",
    "task_added": "Task given",
    "task_called_back": "Time of a task is over",
    "mentioned": "Mentioned in the record",
    "decision_round": "Strong objections asked",
    "decision_objected": "Strong objection made",
    "ticket_linked": "Ticket belongs to a disruption",
    "ticket_gathered": "Ticket is being looked at with others",
    "sla_warned": "Ticket due soon",
    "change_approval_asked": "Approval of a change asked",
    "review_action_due": "Action of a review due",
    "review_action_overdue": "Action of a review overdue",
    "review_submitted": "Review to sign off",
    "problem_came_back": "Looked whether a problem came back",
    "change_flagged": "Emergency change without approval",
    "status_subscription": "Subscription to the status page",
    "promise_due_soon": "Next update due soon",
    "promise_overdue": "Next update overdue",
}


def label_of(moment: str) -> str:
    return _LABELS.get(moment) or moment.replace("_", " ").capitalize()


def group_of(moment: str) -> str:
    """Under which heading the list shows a moment."""
    if moment in Moment.values:
        return "The life of a major incident"
    if moment in PUBLIC_MOMENTS:
        return "Requesters and subscribers"
    if moment.startswith(("candidate", "page", "on_call")):
        return "Candidates, paging and on call"
    return "A person’s part"


def whose(audience: str) -> str:
    return str(Audience(audience).label) if audience else "One person"


@dataclass(frozen=True)
class Slot:
    """One moment and audience with the version that counts; `version` None while nobody ever changed it."""

    moment: str
    audience: str
    version: TemplateVersion | None

    @property
    def key(self) -> str:
        """The audience as it stands in addresses."""
        return self.audience or PERSON

    @property
    def label(self) -> str:
        return label_of(self.moment)

    @property
    def group(self) -> str:
        return group_of(self.moment)

    @property
    def order(self) -> int:
        """The life of an incident in its order, then the rest as it is."""
        life = list(Moment.values)
        return life.index(self.moment) if self.moment in life else len(life)

    @property
    def whose(self) -> str:
        return whose(self.audience)

    @property
    def is_about_incident(self) -> bool:
        return any(one.path.startswith("incident.") for one in variables_of(self.moment, self.audience))

    @property
    def is_shipped(self) -> bool:
        return self.version is None or self.version.is_shipped

    @property
    def sources(self) -> Sources:
        return words.sources_of(self.version, self.moment, self.audience)

    @property
    def number(self) -> int:
        return self.version.number if self.version else 0


def all_slots() -> list[Slot]:
    """Every moment and audience with what counts. One query."""
    rows = TemplateVersion.objects.select_related("created_by").order_by("moment", "audience", "-number")
    newest = {(row.moment, row.audience): row for row in rows.distinct("moment", "audience")}
    return [Slot(moment, audience, newest.get((moment, audience))) for moment, audience in slots()]


def find_slot(moment: str, key: str) -> Slot | None:
    """`key` is an audience, or `person`. None when there are no such words."""
    audience = "" if key == PERSON else key
    if (moment, audience) not in slots():
        return None
    rows = TemplateVersion.objects.select_related("created_by").filter(moment=moment, audience=audience)
    return Slot(moment, audience, rows.order_by("-number").first())


# --- Checking ---------------------------------------------------------------------------------
def check(moment: str, audience: str, sources: Sources) -> words.Compiled:
    """The words, ready to be said. Raises Invalid naming part, line and fault.

    They are tried on every sample occasion: everything known, as little as possible, over already, a drill.
    """
    faults: dict[str, list[str]] = {}
    ready = {}
    for part in PARTS:
        source = getattr(sources, part)
        if not source.strip():
            faults[part] = ["This is needed. An empty message helps nobody."]
            continue
        try:
            ready[part] = words.compiled(part, source, moment, audience)
        except Refused as refused:
            faults[part] = [str(fault) for fault in refused.faults]
    if faults:
        raise Invalid(**faults)
    compiled = words.Compiled(ready["subject"], ready["short"], ready["text"])
    _try_on_samples(moment, audience, compiled)
    return compiled


def _try_on_samples(moment: str, audience: str, compiled: words.Compiled) -> None:
    organisation = Organisation.current()
    faults: dict[str, dict[str, None]] = {}
    for occasion in samples.occasions(moment, audience):
        values = values_of(occasion, context_of(occasion, organisation))
        values["subject"] = words.SUBJECT.sample
        said = {}
        for part in PARTS:
            by = getattr(compiled, part)
            try:
                said[part] = " ".join(html.unescape(by.say(values)).split())
            except Exception as error:  # whatever a filter makes of a value
                faults.setdefault(part, {})[f"It cannot be said: {error}"] = None
                continue
            for hole in by.holes(values):
                faults.setdefault(part, {})[str(hole)] = None
            if not said[part]:
                faults.setdefault(part, {})["It says nothing when as little as possible is known."] = None
        for part, most in (("subject", LONGEST_SUBJECT), ("short", LONGEST_SHORT)):
            if len(said.get(part, "")) > most:
                sentence = f"It has {len(said[part])} characters with the sample; at most {most}."
                faults.setdefault(part, {})[sentence] = None
    if faults:
        raise Invalid(**{part: list(found) for part, found in faults.items()})


# --- Saving -----------------------------------------------------------------------------------
def save_template(
    moment: str,
    audience: str,
    sources: Sources,
    *,
    note: str = "",
    based_on: int | None = None,
    actor: User,
    at: datetime,
) -> TemplateVersion:
    """The words count from the next message on. Raises Invalid, Stale or NotAccountable."""
    require(actor, "configure_communication")
    cleaned = Sources(**{part: clean_text(part, getattr(sources, part), LONGEST_SOURCE) for part in PARTS})
    check(moment, audience, cleaned)
    return _keep(moment, audience, cleaned, note=note, based_on=based_on, actor=actor, at=at)


def restore_shipped(
    moment: str, audience: str, *, note: str = "", based_on: int | None = None, actor: User, at: datetime
) -> TemplateVersion | None:
    """The shipped words count again; None when they do already."""
    require(actor, "configure_communication")
    if words.own_words(moment, audience) is None:
        return None
    return _keep(moment, audience, None, note=note, based_on=based_on, actor=actor, at=at)


def restore_version(
    version: TemplateVersion, *, based_on: int | None = None, actor: User, at: datetime
) -> TemplateVersion | None:
    """What an older version said becomes the next one, if it still passes. Raises Invalid or Stale."""
    note = f"Restores version {version.number}."
    if version.is_shipped:
        return restore_shipped(version.moment, version.audience, note=note, based_on=based_on, actor=actor, at=at)
    sources = words.sources_of(version, version.moment, version.audience)
    return save_template(version.moment, version.audience, sources, note=note, based_on=based_on, actor=actor, at=at)


def _keep(
    moment: str,
    audience: str,
    sources: Sources | None,
    *,
    note: str,
    based_on: int | None,
    actor: User,
    at: datetime,
) -> TemplateVersion:
    said = clean_text("note", note, 2_000)
    rows = TemplateVersion.objects.filter(moment=moment, audience=audience)
    try:
        with transaction.atomic():
            newest = rows.aggregate(newest=Max("number"))["newest"] or 0
            if based_on is not None and based_on != newest:
                raise Stale(f"Version {newest} was saved in the meantime. Look at it before saving yours.")
            return TemplateVersion.objects.create(
                moment=moment,
                audience=audience,
                number=newest + 1,
                is_shipped=sources is None,
                note=said,
                created_by=actor,
                created_at=at,
                **(asdict(sources) if sources else {}),
            )
    except IntegrityError:
        raise Stale("Somebody saved another version at this moment. Look at it before saving yours.") from None


# --- Looking ----------------------------------------------------------------------------------
def preview(moment: str, audience: str, sources: Sources, **about: object) -> Wording:
    """What these words would say. `about` as in `samples.occasion`. Raises Invalid."""
    return say(samples.occasion(moment, audience, **about), check(moment, audience, sources))  # type: ignore[arg-type]


def send_test(moment: str, audience: str, sources: Sources, *, actor: User, **about: object) -> None:
    """The message as it would be, by mail to oneself, marked as a test. Raises Invalid or NotAccountable."""
    require(actor, "configure_communication")
    if not actor.email:
        raise Invalid("Your account has no e-mail address to send it to.")
    said = preview(moment, audience, sources, **about)
    text = f"{said.text}\n\n--\nShort text:\n{said.short}"
    mail = EmailMultiAlternatives(f"TEST: {said.subject}", text, to=[actor.email])
    mail.attach_alternative(said.html, "text/html")
    mail.send()


@dataclass(frozen=True)
class Line:
    """`sign` is "+", "-" or "" for a line that stayed."""

    sign: str
    text: str


def differences(before: Sources, after: Sources) -> list[tuple[str, list[Line]]]:
    """The parts that differ, each with its lines."""
    found = []
    for part in PARTS:
        old, new = getattr(before, part), getattr(after, part)
        if old != new:
            lines = difflib.ndiff(old.splitlines(), new.splitlines())
            found.append((part, list(_lines(lines))))
    return found


def _lines(lines: Iterable[str]) -> Iterable[Line]:
    for line in lines:
        if not line.startswith("?"):
            yield Line(line[0].strip(), line[2:])
