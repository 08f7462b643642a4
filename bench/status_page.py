"""P12: the public status page, 16 readers at once, beside the health page of the same run."""

from bench.load import drive, rounds
from bench.running import address


def main() -> None:
    base = address()
    rounds(
        {
            "limit: /healthz, 16 connections": lambda: drive(f"{base}/healthz", connections=16),
            "status page, 16 connections": lambda: drive(f"{base}/status/", connections=16),
            "feed, 16 connections": lambda: drive(f"{base}/status/feed.atom", connections=16),
        }
    )


if __name__ == "__main__":
    main()
