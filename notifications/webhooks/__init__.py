"""Signed webhooks (Standard Webhooks): what programs of others are told, when, and what became of it.

An event writes one message a webhook in its own transaction (`outbox`); a lane of its own sends them (`sender`), so
that a dead endpoint stands before no mail.
"""
