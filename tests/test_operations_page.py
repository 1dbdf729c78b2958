"""docs/operations.md tells every setting, and none that nobody reads."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"WRIT_[A-Z_]*[A-Z]|DATABASE_URL|CELERY_BROKER_URL|POSTGRES_PASSWORD")


def named(path: str) -> set[str]:
    return set(NAME.findall((ROOT / path).read_text()))


class TestSettings:
    def test_the_table_has_what_the_settings_read_and_nothing_else(self) -> None:
        rows = re.findall(
            r"^\| `([A-Z_]+)` \|",
            (ROOT / "docs/operations.md").read_text(),
            re.MULTILINE,
        )

        assert len(rows) == len(set(rows))
        assert set(rows) == named("writ_app/settings.py")

    def test_what_compose_alone_reads_is_told_too(self) -> None:
        assert named("docker-compose.yml") <= named("docs/operations.md")

    def test_no_other_module_reads_settings_of_its_own(self) -> None:
        reading = re.compile(r"environ(?:\.get\(|\[)\s*\"WRIT_")
        readers = [
            path.name
            for path in (ROOT / "writ_app").rglob("*.py")
            if reading.search(path.read_text())
        ]

        assert readers == []
