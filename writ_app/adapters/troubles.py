"""Signals of what went wrong with the servers that the app rests on: sent where it is noticed, counted by whoever counts."""

from django.dispatch import Signal

database_trouble = Signal()
"""A page could not be made: `kind` is "away" (nobody answers, or the connection was cut) or "other"."""
message_unsent = Signal()
"""The broker did not take a message: `job` names what was sent for."""
