"""P1: tickets created over the API, everything switched on, beside the health page of the same run."""

from bench.load import drive, rounds
from bench.running import address, fill_tickets, key


def main() -> None:
    print(f"{fill_tickets(100_000)} tickets in the database")
    base, secret = address(), key()
    body: dict[str, object] = {"title": "Checkout shows an error", "impact": 3, "urgency": 3, "channel": "api"}
    rounds(
        {
            "limit: /healthz, 8 connections": lambda: drive(f"{base}/healthz"),
            "create a ticket, 8 connections": lambda: drive(
                f"{base}/api/v1/tickets", method="POST", key=secret, body=body, expect=201
            ),
            "create a ticket, alone": lambda: drive(
                f"{base}/api/v1/tickets", method="POST", key=secret, body=body, expect=201, connections=1
            ),
        }
    )


if __name__ == "__main__":
    main()
