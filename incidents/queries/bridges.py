"""What conference bridges are made from, with what each would make and where it is used."""

from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from incidents.models import BridgeProvider, CommunicationPlan, PlanVersion

SAMPLE = {"ref": "MI-12", "number": "12", "title": "checkout-answers-502", "secret": "9f2c4e81d07ab356"}


@dataclass(frozen=True)
class ProviderRow:
    """`sample` is the link it would make for MI-12; `plans` are those in force that make bridges from it."""

    provider: BridgeProvider
    sample: str
    plans: list[str]

    @property
    def is_same_for_all(self) -> bool:
        """The link of every incident is the same, so that people of two of them would meet."""
        return bool(self.provider.join_pattern) and "{" not in self.provider.join_pattern


def provider_rows() -> list[ProviderRow]:
    """All patterns in their order; two queries."""
    newest = PlanVersion.objects.filter(plan=OuterRef("pk")).order_by("-number").values("bridge")[:1]
    plans = (
        CommunicationPlan.objects.filter(withdrawn_at=None).select_related("service").annotate(made=Subquery(newest))
    )
    used: dict[int, list[str]] = {}
    for plan in plans.exclude(made=None):
        used.setdefault(plan.made, []).append(str(plan))
    return [ProviderRow(one, sample_of(one.join_pattern), used.get(one.pk, [])) for one in BridgeProvider.objects.all()]


def sample_of(pattern: str) -> str:
    for name, value in SAMPLE.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern
