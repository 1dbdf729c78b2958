"""`verify_audit` says whether the log holds, and where it does not; `audit_role` makes a role that cannot touch it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_team,
    make_trajectory,
    team_of,
)
from writ_app.models.audit import AuditEntry, AuditLink
from writ_app.models.review import Verdict
from writ_app.services.audit import record
from writ_app.services.audit.chain import seal, verify_chain

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue()


def broken(*arguments: str) -> tuple[int, str]:
    """(exit code, what was printed) of a run that finds something."""
    out = StringIO()
    with pytest.raises(CommandError) as found:
        call_command("verify_audit", *arguments, stdout=out)
    return found.value.returncode, out.getvalue()


@contextmanager
def as_superuser() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = origin")


class TestVerifying:
    def test_gives_every_chain_its_last_hash(self) -> None:
        team = make_team(name="Ours")
        for _ in range(3):
            record("thing.change", team=team)

        said = run()

        head = AuditLink.objects.get(chain=team.pk, number=3)
        assert f"holds   chain of team {team.pk}: 3 entries" in said
        assert bytes(head.hash).hex() in said
        assert "chain of the site" in said
        assert "3 entries" in run("--team", "Ours")

    def test_names_the_first_broken_link_and_ends_with_1(self) -> None:
        team = make_team()
        for _ in range(3):
            record("thing.change", team=team)
        seal()
        entry = AuditEntry.objects.get(link__number=2)
        with as_superuser():
            AuditEntry.objects.filter(pk=entry.pk).update(action="thing.else")

        code, said = broken()
        _, told = broken("--json")

        assert code == 1
        assert f"BROKEN  chain of team {team.pk}, link 2, entry {entry.pk}" in said
        (chain,) = [one for one in json.loads(told)["chains"] if one["chain"]]
        assert json.loads(told)["holds"] is False
        assert (chain["broken"]["number"], chain["broken"]["entry"]) == (2, entry.pk)
        assert chain["number"] == 1, "so far it holds"

    def test_misses_what_was_there_when_the_list_was_kept(self, tmp_path: Path) -> None:
        team = make_team()
        for _ in range(3):
            record("thing.change", team=team)
        kept = tmp_path / "heads.json"
        kept.write_text(run("--json"))
        assert "holds" in run("--against", str(kept))
        with as_superuser():
            AuditLink.objects.all().delete()
            AuditEntry.objects.all().delete()

        _, said = broken("--against", str(kept))

        assert "its end was cut off" in said
        assert "holds" in run(), "the tables alone tell nothing of it"

    @pytest.mark.parametrize(
        ("statement", "says"),
        [
            ("UPDATE writ_app_reviewevent SET note = 'Fine.'", "is not what entry"),
            ("UPDATE writ_app_reviewevent SET reviewer_id = 0", "is not what entry"),
            ("DELETE FROM writ_app_reviewevent", "is gone"),
            (
                "INSERT INTO writ_app_reviewevent (slot_id, reviewer_id, verdict, reason, note, focus) "
                "SELECT slot_id, reviewer_id, 'APPROVE', '', '', '' FROM writ_app_reviewevent",
                "has no entry",
            ),
        ],
    )
    def test_tells_of_verdicts_that_are_not_as_they_were_given(
        self, statement: str, says: str
    ) -> None:
        owner = make_owner()
        row = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
        judge(row, Verdict.REJECT, owner, reason="policy", note="Too late.")
        assert "BROKEN" not in run()
        with as_superuser(), connection.cursor() as cursor:
            cursor.execute(statement)

        code, said = broken()

        assert code == 1
        assert says in said
        with as_superuser(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM writ_app_reviewevent")

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"chains": [{}]}'])
    def test_refuses_a_list_that_is_none(self, tmp_path: Path, text: str) -> None:
        kept = tmp_path / "heads.json"
        kept.write_text(text)

        with pytest.raises(CommandError, match="is not what"):
            run("--against", str(kept))

    def test_knows_its_teams(self) -> None:
        with pytest.raises(CommandError, match="no team 'Nobody'"):
            run("--team", "Nobody")


ROLE = "writ_test_web"


@pytest.fixture
def link() -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A connection with the rights that `audit_role` gives, and no others."""
    out = StringIO()
    call_command("audit_role", ROLE, stdout=out)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        cursor.execute(out.getvalue())
    parameters = connection.get_connection_params()
    with psycopg.connect(**parameters, autocommit=True) as made:
        made.execute(f"SET SESSION AUTHORIZATION {ROLE}")
        yield made
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


class TestRole:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE writ_app_auditentry SET action = 'x'",
            "DELETE FROM writ_app_auditentry",
            "TRUNCATE writ_app_auditentry CASCADE",
            "INSERT INTO writ_app_auditlink VALUES (1, 0, 1, '', '')",
            "UPDATE writ_app_auditlink SET number = 9",
            "DELETE FROM writ_app_auditlink",
            "TRUNCATE writ_app_auditlink",
            "DELETE FROM writ_app_auditwaiting",
            "DELETE FROM writ_app_auditcheck",
            "ALTER TABLE writ_app_auditentry DISABLE TRIGGER ALL",
            "DROP TRIGGER audit_entry_stays ON writ_app_auditentry",
            "ALTER FUNCTION writ_audit_seal(integer) RENAME TO x",
            "CREATE OR REPLACE FUNCTION writ_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "SET session_replication_role = replica",
            "TRUNCATE writ_app_team CASCADE",
            "DELETE FROM django_migrations",
        ],
    )
    def test_cannot_touch_the_log(self, link, statement: str) -> None:
        record("thing.change", team=None)
        seal()

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            link.execute(statement)

    def test_writes_entries_that_are_chained(self, link) -> None:
        link.execute(
            "INSERT INTO writ_app_auditentry (door, request_id, action, kind, key) VALUES ('web', '', 'thing.change', '', '')"
        )
        assert link.execute("SELECT writ_audit_seal(10)").fetchone() == (1,)

        assert verify_chain(0).head.number == 1

    def test_is_not_led_to_another_table_by_a_search_path(self, link) -> None:
        """What links with the owner's rights must not read a caller's table of the same name."""
        link.execute("CREATE TEMPORARY TABLE writ_app_auditlink (chain bigint)")
        link.execute(
            "INSERT INTO writ_app_auditentry (door, request_id, action, kind, key) VALUES ('web', '', 'thing.change', '', '')"
        )
        link.execute("SELECT writ_audit_seal(10)")

        assert verify_chain(0).head.number == 1

    def test_can_do_what_the_app_does(self) -> None:
        """A verdict, a withdrawal, and the rows that the database files by itself."""
        owner = make_owner()
        batch = make_batch(team=team_of(owner), by=owner)
        out = StringIO()
        call_command("audit_role", ROLE, stdout=out)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
            cursor.execute(out.getvalue())
            cursor.execute(f"SET SESSION AUTHORIZATION {ROLE}")
        try:
            row = make_trajectory(batch=batch)
            judge(row, Verdict.APPROVE, owner)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET SESSION AUTHORIZATION")
                cursor.execute(f"DROP OWNED BY {ROLE}")
                cursor.execute(f"DROP ROLE {ROLE}")

        assert AuditEntry.objects.get(action="verdict.give").actor == owner
