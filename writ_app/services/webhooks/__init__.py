"""Webhooks: told (`events`), kept (`keeping`), signed (`signing`), sent (`sending`)."""

from writ_app.services.webhooks.events import Event, announce

__all__ = ["Event", "announce"]
