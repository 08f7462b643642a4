"""PURE: what the votes on a change amount to. No ORM."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tally:
    """`needed` is the quorum, or everybody when none is set. Nobody to vote decides nothing."""

    approve: int
    reject: int
    total: int
    needed: int

    @property
    def is_approved(self) -> bool:
        return self.total > 0 and self.approve >= self.needed

    @property
    def is_rejected(self) -> bool:
        """So many rejected that the quorum cannot be reached any more."""
        return self.total > 0 and not self.is_approved and self.total - self.reject < self.needed

    @property
    def waits_for(self) -> int:
        """How many approvals are still missing."""
        return max(self.needed - self.approve, 0)


def tally(votes: Iterable[str], quorum: int | None) -> Tally:
    """`votes` are `approve`, `reject` or `pending`, one an approver; a quorum above their number counts as all."""
    cast = list(votes)
    needed = len(cast) if quorum is None else min(max(quorum, 1), len(cast))
    return Tally(cast.count("approve"), cast.count("reject"), len(cast), needed)
