"""P7: a list of 50 tickets as JSON and one ticket, at 10,000 and 100,000 tickets, and the ratio of both."""

import sys

from bench.load import Figures, drive
from bench.running import address, fill_tickets, key


def measure(base: str, secret: str) -> dict[str, Figures]:
    return {
        "list of 50": drive(f"{base}/api/v1/tickets?page_size=50", key=secret),
        "list of 50, filtered": drive(f"{base}/api/v1/tickets?page_size=50&status=resolved&priority=P2", key=secret),
        "one ticket": drive(f"{base}/api/v1/tickets/INC-1", key=secret),
        "one list, alone": drive(f"{base}/api/v1/tickets?page_size=50", key=secret, connections=1),
    }


def main(sizes: list[int]) -> None:
    base, secret = address(), key()
    found: dict[int, dict[str, Figures]] = {}
    for size in sizes:
        have = fill_tickets(size)
        found[size] = measure(base, secret)
        for name, figures in found[size].items():
            print(f"{have:>9} tickets  {name:24} {figures}", flush=True)
    for name in found[sizes[0]]:
        ratio = found[sizes[-1]][name].p50 / found[sizes[0]][name].p50
        print(f"{name:24} time at {sizes[-1]} / at {sizes[0]}: {ratio:.2f}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 100_000])
