"""manage.py rebuild_figures"""

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from incidents.models import MajorIncident
from metrics import kept_months, rows
from metrics.rows import MEASURED_STAGES


class Command(BaseCommand):
    help = (
        "Compute the figures of every incident and month anew from the clocks. May be stopped and started again at"
        " any time; the figures that people see stay right meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.perf_counter()
        wanted = list(
            MajorIncident.objects.filter(stage__in=MEASURED_STAGES).order_by("id").values_list("id", flat=True)
        )
        rows.mark_all_stale(at=timezone.now())
        written = rows.compute_many(wanted, at=timezone.now())
        left = len(wanted) - written
        made = 0
        while more := kept_months.keep(at=timezone.now()):
            made += more
        self.stdout.write(
            f"{written} of {len(wanted)} rows and {made} months in {time.perf_counter() - began:.1f} s"
            + (f"; {left} were being changed and follow by themselves within seconds." if left else ".")
        )
