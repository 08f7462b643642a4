"""manage.py renew_usual_arrivals"""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from incidents.actions import usual


class Command(BaseCommand):
    help = "Compute again what each hour of the week normally brings, after an import or a change of the time zone."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = usual.renew(at=timezone.now())
        self.stdout.write(f"{rows} rows: every service and all together, 168 hours each.")
