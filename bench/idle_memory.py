"""P10: memory of everything `manage.py up` started, as proportional set size, and before/after load."""

import os
from pathlib import Path

from bench.load import drive
from bench.running import address


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def pss_mib(pid: int) -> float:
    """Proportional set size in MiB; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def supervisor() -> int:
    """The process of `manage.py up` with the most descendants."""
    candidates = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"up" in words and any(word.endswith(b"manage.py") for word in words):
                candidates.append(int(entry.name))
    if not candidates:
        raise SystemExit("`python3 manage.py up` is not running.")
    return max(candidates, key=lambda pid: len(tree(pid)))


def report(title: str) -> float:
    total = 0.0
    for pid in tree(supervisor()):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        size = pss_mib(pid)
        total += size
        print(f"{title}  {size:7.1f} MiB  {pid:>7}  {words[:80]}")
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
