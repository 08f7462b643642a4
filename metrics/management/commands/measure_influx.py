"""manage.py measure_influx"""

import argparse
import time
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from incidents.detection import Thresholds
from metrics.demo import influx_history, influx_measure

TUNED_ON = (1, 2, 3)
HOW = """How these data were made: by a program, not by a desk. Ordinary reports follow the demo organisation (13
services, its texts, its week and day) with busier and quieter days, campaigns, holidays, repeated reports and wrong or
missing services. Outages are put in with their own words, a share of vague ones and a share filed under the wrong
service or none. Some never bring the floor of reports within one window under one name; those count as missed. What is
usual, and which words are ordinary, is taken only from the weeks before. A false candidate is taken for judged after
30 minutes. Figures on a real desk will differ: try your own history on the Influx page."""


class Command(BaseCommand):
    help = "Measure the influx detector on eighteen months of made-up history with outages put in."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, nargs="+", default=[11], help="the shipped thresholds know 1, 2 and 3")
        parser.add_argument("--days", type=int, default=548)
        parser.add_argument("--per-day", type=float, default=200, help="ordinary incident reports a day")
        parser.add_argument("--outages", type=int, default=30)
        parser.add_argument("--tail", type=float, help="instead of the shipped threshold")
        parser.add_argument("--similarity", type=float, help="instead of the shipped threshold")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in ("tail", "similarity") if options[name] is not None}
        thresholds = Thresholds(**given)
        self.stdout.write(f"{HOW}\n\n{thresholds}\n")
        caught = total = false = 0
        weeks = 0.0
        for seed in options["seed"]:
            began = time.perf_counter()
            history = influx_history.make(
                seed=seed, days=options["days"], per_day=options["per_day"], outages=options["outages"]
            )
            found = influx_measure.measure(history, thresholds)
            self._say(seed, found, time.perf_counter() - began)
            caught, total = caught + len(found.caught), total + len(history.outages)
            false, weeks = false + len(found.false), weeks + found.weeks
        self.stdout.write(
            f"All seeds: recall {caught / total:.3f} ({caught} of {total}), {false / weeks:.2f} false candidates a week"
        )

    def _say(self, seed: int, found: influx_measure.Measured, seconds: float) -> None:
        shapes = Counter(one.outage.shape for one in found.caught) + Counter(one.shape for one in found.missed)
        by_shape = Counter(one.outage.shape for one in found.caught)
        lags = sorted(one.lag_seconds for one in found.caught)
        after = f"{lags[len(lags) // 2]:.0f} s, 95 % within {lags[int(len(lags) * 0.95)]:.0f} s" if lags else "–"
        tuned = ", thresholds were tuned on it" if seed in TUNED_ON else ""
        self.stdout.write(
            f"\nSeed {seed}{tuned}: {found.reports:,} reports in {found.weeks:.0f} weeks, replayed in {seconds:.0f} s\n"
            f"  recall            {found.recall:.3f} ({len(found.caught)} of {len(found.caught) + len(found.missed)})  "
            + "  ".join(f"{shape} {by_shape[shape]}/{number}" for shape, number in sorted(shapes.items()))
            + f"\n  false candidates  {found.false_a_week:.2f} a week\n"
            f"  decided           {found.p95_ms:.2f} ms (95 %) and at most {found.slowest_ms:.0f} ms after a report "
            "reached the detector\n"
            f"  proposed          {after} after the outage’s own reports first reached the floors\n"
        )
        for one in found.missed:
            self.stdout.write(f"  missed: {one.shape}, {one.reports} reports, {one.begins_at:%Y-%m-%d %H:%M} UTC\n")
