"""P10: memory of everything `manage.py up` started, as proportional set size, and before/after load."""

from bench.load import drive
from bench.processes import command, pss_mib, tree
from bench.running import address, supervisor


def report(title: str) -> float:
    total = 0.0
    for pid in tree(supervisor()):
        size = pss_mib(pid)
        total += size
        print(f"{title}  {size:7.1f} MiB  {pid:>7}  {command(pid)[:80]}")
    print(f"{title}  {total:7.1f} MiB in all (goal: 450 MiB)")
    return total


def main() -> None:
    before = report("idle")
    base = address()
    figures = drive(f"{base}/accounts/login/", connections=8, seconds=30)
    print(f"load  {figures}")
    after = report("after")
    print(f"growth {100 * (after / before - 1):.1f} % after {figures.answers} pages (goal: 10 % after 100,000)")


if __name__ == "__main__":
    main()
