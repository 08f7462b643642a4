"""What the processes of a running `manage.py up` take: memory and time of the processor."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
PROGRAMS = {
    "gunicorn": "web",
    "uvicorn": "stream",
    "embedded.worker": "worker",
    "receive_mail": "mail listener",
    "mail_catcher": "mail catcher",
    "valkey": "broker",
    "postgres": "database",
    "manage.py": "supervisor",
}


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


def command(pid: int) -> str:
    """Its command line; "" for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def pss_mib(pid: int) -> float:
    """Proportional set size in MiB; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def busy_seconds(root: int) -> dict[str, float]:
    """Seconds of the processor by program, of everything below `root` so far, children that ended included."""
    found: dict[str, float] = {}
    for pid in tree(root):
        words = command(pid)
        name = next((name for word, name in PROGRAMS.items() if word in words), words[:20])
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[name] = found.get(name, 0.0) + sum(map(int, fields[11:15])) / _TICKS
    return found
