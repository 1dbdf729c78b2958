"""What tests of releases share."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
