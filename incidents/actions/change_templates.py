"""Templates of standard changes: approved once by a change manager, used by everybody who works changes."""

from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import permissions
from incidents.actions.change_work import read_steps
from incidents.actions.changes import open_change
from incidents.actions.input import clean_choice, clean_text, clean_title, unknown_fields
from incidents.errors import Duplicate, WrongStage
from incidents.models import Change, ChangeStep, ChangeTemplate, ChangeType, Risk, User

_TEXTS = ("description", "plan", "test_plan", "backout_plan")
_FIELDS = ("name", "title", *_TEXTS, "risk", "is_active", "services")


@transaction.atomic
def save_template(
    template_id: int | None = None, *, changes: dict[str, Any], actor: User, at: datetime
) -> ChangeTemplate:
    """Makes a template or corrects one: that is its approval, so it takes a change manager."""
    permissions.require(actor, "configure_changes")
    unknown_fields(changes, _FIELDS)
    template = ChangeTemplate(approved_by=actor)
    if template_id is not None:
        template = ChangeTemplate.objects.select_for_update().get(pk=template_id)
    for name in _TEXTS:
        if name in changes:
            setattr(template, name, clean_text(name, changes[name]))
    if "name" in changes or template.pk is None:
        template.name = clean_text("name", changes.get("name"), 120, required=True)
    if "title" in changes or template.pk is None:
        template.title = clean_title(changes.get("title") or template.name)
    if "risk" in changes:
        template.risk = clean_choice("risk", changes["risk"], Risk.values)
    template.is_active = bool(changes.get("is_active", template.is_active))
    if ChangeTemplate.objects.exclude(pk=template.pk).filter(name__iexact=template.name).exists():
        raise Duplicate(f"There is a template “{template.name}” already. Give this one another name.")
    template.approved_by, template.approved_at = actor, at
    template.save()
    if "services" in changes:
        template.services.set(changes["services"])
    return template


@transaction.atomic
def use_template(template_id: int, *, actor: User, at: datetime, **fields: Any) -> Change:
    """A draft of a standard change as the template says, with its steps. `fields` are those of `open_change` that
    differ this time. Raises ChangeTemplate.DoesNotExist, WrongStage for one that is no longer used."""
    template = ChangeTemplate.objects.prefetch_related("services").get(pk=template_id)
    if not template.is_active:
        raise WrongStage(f"“{template.name}” is no longer used. Open a normal change, or ask the change manager.")
    given: dict[str, Any] = {name: getattr(template, name) for name in ("title", *_TEXTS, "risk")}
    given |= {"services": list(template.services.all())} | fields
    change = open_change(type=ChangeType.STANDARD, actor=actor, at=at, **given)
    Change.objects.filter(pk=change.pk).update(template=template)
    change.template = template
    parts = ((ChangeStep.Part.PLAN, template.plan), (ChangeStep.Part.TEST, template.test_plan),
             (ChangeStep.Part.BACK, template.backout_plan))  # fmt: skip
    ChangeStep.objects.bulk_create(
        ChangeStep(change=change, part=part, position=place, title=title[:250], minutes=minutes)
        for part, text in parts
        for place, (title, minutes) in enumerate(read_steps(text)[:30], start=1)
    )
    return change
