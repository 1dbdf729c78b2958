"""The audit log refuses to be changed, and tells when it was changed all the same."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, connections, transaction

from tests.factories import make_owner, make_team, team_of
from writ_app.adapters.logs import about
from writ_app.models.accounts import Team
from writ_app.models.audit import SITE, AuditCheck, AuditEntry, AuditLink
from writ_app.services.audit import record
from writ_app.services.audit.chain import Head, Verified, chains, seal, verify_chain
from writ_app.services.audit.checking import (
    check_all,
    known_heads,
    order_check,
    run_check,
)

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("auditentry", "auditlink", "auditcheck")


def run(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def as_superuser() -> Iterator[None]:
    """With every trigger switched off, those behind foreign keys included."""
    run("SET session_replication_role = replica")
    try:
        yield
    finally:
        run("SET session_replication_role = origin")


@pytest.fixture
def team() -> Team:
    return make_team()


def entries(team: Team | None, count: int) -> list[AuditEntry]:
    """With their places in the chain."""
    made = [record("thing.change", team=team, after={"n": n}) for n in range(count)]
    seal()
    return made


def verify(team: Team) -> Verified:
    seal()
    return verify_chain(team.pk, known_heads(team.pk))


class TestTables:
    @pytest.mark.parametrize("table", TABLES)
    def test_refuse_to_be_emptied(self, team, table) -> None:
        entries(team, 1)
        AuditCheck.objects.create(team=team)

        with pytest.raises(IntegrityError, match="never emptied"):
            run(f"TRUNCATE writ_app_{table} CASCADE")

    @pytest.mark.parametrize("table", TABLES[:2])
    @pytest.mark.parametrize("act", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
    def test_refuse_changes(self, team, table, act) -> None:
        entries(team, 1)
        column = "action" if table == "auditentry" else "hash"

        with pytest.raises(IntegrityError, match="never changed or deleted"):
            run(act.format(f"writ_app_{table}", column, column))

        assert (AuditEntry.objects.count(), AuditLink.objects.count()) == (1, 1)

    def test_keep_what_a_check_came_to(self, team) -> None:
        check, _ = order_check(team=team)
        run_check(check_id=check.pk)

        with pytest.raises(IntegrityError, match="never changed"):
            AuditCheck.objects.filter(pk=check.pk).update(trouble="")
        with pytest.raises(IntegrityError, match="never deleted"):
            AuditCheck.objects.all().delete()


class TestChain:
    def test_holds_from_the_first_entry_to_the_last(self, team) -> None:
        assert verify(team).head.number == 0
        made = entries(team, 5)

        found = verify(team)

        assert found.broken is None
        assert found.head.number == 5
        links = AuditLink.objects.filter(chain=team.pk).order_by("number")
        assert [link.entry_id for link in links] == [one.pk for one in made]

    def test_covers_texts_of_every_kind(self, team) -> None:
        text = 'ä\u2028 🦉 \x00 \ud800 " , 5:-'
        record("thing.änder,5:x", team=team, before={"a": text}, after={"b": [None]})
        with about(request_id="abcdefgh", user=make_owner().pk):
            record("thing.change", team=team)

        assert verify(team).broken is None

    def test_is_every_team_s_own_and_the_site_s(self, team) -> None:
        other = make_team()
        entries(team, 2)
        entries(other, 3)
        entries(None, 1)

        heads = {chain: verify_chain(chain).head.number for chain in chains()}

        assert heads == {SITE: 1, team.pk: 2, other.pk: 3}

    def test_has_no_place_for_what_was_not_done(self, team) -> None:
        entries(team, 1)
        with transaction.atomic():
            record("thing.change", team=team)
            transaction.set_rollback(True)
        entries(team, 1)

        assert verify(team).head.number == 2

    def test_takes_what_was_done_by_many_at_once_without_a_gap(self, team) -> None:
        """Nobody waits for anybody's transaction; two who seal at once take turns."""
        ready = threading.Barrier(4)

        def work() -> None:
            with transaction.atomic():
                for _ in range(5):
                    record("thing.change", team=team)
                ready.wait(10)  # all four have written and none has committed
            for _ in range(5):
                entries(team, 1)
            connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        found = verify(team)
        assert found.broken is None
        assert found.head.number == 40

    def test_leaves_what_is_not_committed_for_later(self, team) -> None:
        """A later act may come first; an earlier one is not forgotten."""
        written, sealed = threading.Event(), threading.Event()

        def work() -> None:
            with transaction.atomic():
                record("slow.act", team=team)
                written.set()
                sealed.wait(10)
            connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        written.wait(10)
        entries(team, 1)
        assert verify(team).head.number == 1
        sealed.set()
        thread.join(10)

        assert verify(team).head.number == 2
        order = AuditEntry.objects.order_by("link__number")
        assert [one.action for one in order] == ["thing.change", "slow.act"]

    def test_is_whole_while_entries_wait(self, team) -> None:
        entries(team, 1)
        record("thing.change", team=team)

        found = verify_chain(team.pk)

        assert (found.head.number, found.broken) == (1, None)


def change(number: int) -> None:
    run(
        "UPDATE writ_app_auditentry SET after = '{\"n\": 9}' WHERE id = "
        "(SELECT entry_id FROM writ_app_auditlink WHERE number = %s)",
        number,
    )


def delete(number: int, *, link: bool = True) -> None:
    run(
        "DELETE FROM writ_app_auditentry WHERE id = (SELECT entry_id FROM writ_app_auditlink WHERE number = %s)",
        number,
    )
    if link:
        run("DELETE FROM writ_app_auditlink WHERE number = %s", number)


def swap(one: int, other: int) -> None:
    """The entries change places; numbers and hashes stay."""
    ids = dict(AuditLink.objects.values_list("number", "entry_id"))
    run("UPDATE writ_app_auditlink SET entry_id = -1 WHERE number = %s", one)
    for number, entry in ((other, ids[one]), (one, ids[other])):
        run(
            "UPDATE writ_app_auditlink SET entry_id = %s WHERE number = %s",
            entry,
            number,
        )


TAMPERINGS: dict[str, tuple[Callable[[], None], int, str]] = {
    "an entry": (lambda: change(3), 3, "not that of the entry"),
    "the first entry": (lambda: change(1), 1, "not that of the entry"),
    "one deleted": (lambda: delete(3), 4, "link 3 is missing"),
    "an entry deleted": (lambda: delete(3, link=False), 3, "entry is gone"),
    "two swapped": (lambda: swap(2, 4), 2, "not that of the entry"),
    "a hash": (
        lambda: run(
            "UPDATE writ_app_auditlink SET hash = sha256('x') WHERE number = 2"
        ),
        2,
        "not that of the entry",
    ),
    "a hash before": (
        lambda: run(
            "UPDATE writ_app_auditlink SET previous = sha256('x') WHERE number = 4"
        ),
        4,
        "does not follow",
    ),
    "a moment": (
        lambda: run(
            "UPDATE writ_app_auditentry SET at = at + interval '1 microsecond'"
        ),
        1,
        "not that of the entry",
    ),
    "the team": (
        lambda: run("UPDATE writ_app_auditentry SET team_id = NULL"),
        1,
        "is of the chain of the site",
    ),
}


class TestTampering:
    """By somebody who may do anything in the database."""

    @pytest.mark.parametrize("name", TAMPERINGS)
    def test_is_found_where_it_begins(self, team: Team, name: str) -> None:
        tamper, number, why = TAMPERINGS[name]
        entries(team, 5)
        with as_superuser():
            tamper()

        broken = verify(team).broken

        assert broken is not None
        assert broken.number == number
        assert why in str(broken)

    def test_an_entry_that_was_put_in_is_found(self, team) -> None:
        entries(team, 3)
        with as_superuser():
            run(
                "INSERT INTO writ_app_auditentry (team_id, door, request_id, action, kind, key) VALUES (%s, 'web', '', 'x', '', '')",
                team.pk,
            )

        assert "in no chain" in str(verify(team).broken)

    def test_an_entry_with_a_link_that_was_put_in_is_found(self, team) -> None:
        entries(team, 3)
        with as_superuser():
            run("UPDATE writ_app_auditlink SET number = 4 WHERE number = 3")
            run(
                "INSERT INTO writ_app_auditentry (team_id, door, request_id, action, kind, key) VALUES (%s, 'web', '', 'x', '', '')",
                team.pk,
            )
            run(
                "INSERT INTO writ_app_auditlink SELECT entry.id, %s, 3, before.hash, "
                "sha256(before.hash || convert_to(writ_audit_text(3, entry), 'UTF8')) "
                "FROM writ_app_auditentry AS entry, writ_app_auditlink AS before WHERE entry.action = 'x' AND before.number = 2",
                team.pk,
            )

        broken = verify(team).broken

        assert broken is not None
        assert (broken.number, "does not follow" in broken.why) == (4, True)

    def test_an_end_that_was_cut_off_is_found_once_it_was_checked(self, team) -> None:
        entries(team, 5)
        check, _ = order_check(team=team)
        run_check(check_id=check.pk)
        with as_superuser():
            delete(5)
            delete(4)

        broken = verify(team).broken

        assert broken is not None
        assert broken.number == 4
        assert "cut off" in broken.why

    def test_a_chain_made_anew_is_found_once_it_was_checked(self, team) -> None:
        entries(team, 3)
        check_all()
        with as_superuser():
            change(2)
            for number in (2, 3):
                run(
                    "UPDATE writ_app_auditlink AS link SET previous = before.hash, hash = "
                    "sha256(before.hash || convert_to(writ_audit_text(link.number, entry), 'UTF8')) "
                    "FROM writ_app_auditlink AS before, writ_app_auditentry AS entry "
                    "WHERE link.number = %s AND before.number = link.number - 1 AND entry.id = link.entry_id",
                    number,
                )

        assert verify_chain(team.pk).broken is None, "it is a whole chain by itself"
        assert "made anew" in str(verify(team).broken)

    def test_what_was_kept_elsewhere_tells_of_an_end_that_nobody_checked(
        self, team
    ) -> None:
        entries(team, 3)
        kept = verify(team).head
        with as_superuser():
            delete(3)

        assert verify_chain(team.pk).broken is None
        assert verify_chain(team.pk, [kept]).broken is not None
        assert verify_chain(team.pk, [Head(team.pk, 2, b"x")]).broken is not None


class TestChecks:
    def test_one_under_way_is_enough(self, team) -> None:
        owner = make_owner(team=team)

        first, new = order_check(team=team, by=owner)
        again, second = order_check(team=team, by=owner)

        assert (new, second, first.pk) == (True, False, again.pk)

    def test_keep_how_far_the_chain_held(self, team) -> None:
        entries(team, 4)
        with as_superuser():
            change(3)

        check_all()

        check = AuditCheck.objects.get(team=team)
        assert check.number == 2
        assert "link 3" in check.trouble
        assert check.finished_at is not None

    def test_are_done_once(self, team) -> None:
        check, _ = order_check(team=team)

        assert run_check(check_id=check.pk) is not None
        assert run_check(check_id=check.pk) is None


class TestOwnersOfSeveralTeams:
    def test_json_stays_as_it_was_written(self) -> None:
        team = team_of(make_owner())
        record("thing.change", team=team, after={"b": 1, "a": 2})

        stored = AuditEntry.objects.get(action="thing.change").after

        assert json.dumps(stored) == '{"b": 1, "a": 2}'
