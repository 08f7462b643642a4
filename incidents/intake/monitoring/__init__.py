"""Monitoring tools, unmodified: each kind has an adapter that reads what the tool sends and answers as it expects."""
