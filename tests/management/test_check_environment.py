from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from environments import registry, rental
from environments.core.environment import Environment
from environments.rental.archetypes import E2, E5


def printed(name: str) -> str:
    out = StringIO()
    call_command("check_environment", name, tries=1, stdout=out)
    return out.getvalue()


class TestCheckEnvironment:
    def test_prints_one_line_per_check_and_a_sum(self) -> None:
        lines = printed("rental").splitlines()

        assert lines[0].startswith("✓ name")
        assert "✓ proof W2: 1 tasks proved" in lines
        assert not any(line.startswith("✗") for line in lines)
        count = len(
            registry.world("rental").generated(seed=1, users=1).domain.archetypes
        )
        assert lines[-1].startswith(f"{count + 14} checks")

    def test_exits_with_1_if_something_is_wrong(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def spoiled(*, seed: int, users: int) -> Environment:
            good = rental.generated(seed=seed, users=users)
            return replace(good, domain=replace(good.domain, relations={}))

        world = replace(registry.world("rental"), generated=spoiled)
        monkeypatch.setitem(registry._WORLDS, "rental", world)
        out = StringIO()

        with pytest.raises(SystemExit) as ended:
            call_command("check_environment", "rental", tries=1, stdout=out)

        assert ended.value.code == 1
        assert "✗ relations: account (in E1) has no role" in out.getvalue()
        assert "✗ proof E1" in out.getvalue()

    def test_tells_why_an_archetype_cannot_be_proved(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def spoiled(*, seed: int, users: int) -> Environment:
            good = rental.generated(seed=seed, users=users)
            never = replace(E5, propose=lambda session, rng, avoid: None)
            return replace(good, domain=replace(good.domain, archetypes=(never,)))

        world = replace(registry.world("rental"), generated=spoiled)
        monkeypatch.setitem(registry._WORLDS, "rental", world)
        out = StringIO()

        with pytest.raises(SystemExit):
            call_command("check_environment", "rental", tries=1, stdout=out)

        assert "Refused: 1000 no_fit." in out.getvalue()

    def test_names_reads_without_a_proof(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def spoiled(*, seed: int, users: int) -> Environment:
            good = rental.generated(seed=seed, users=users)
            domain = replace(
                good.domain,
                archetypes=(E2,),
                mutations=lambda session, call, rng: iter(()),
            )
            return replace(good, domain=domain)

        world = replace(registry.world("rental"), generated=spoiled)
        monkeypatch.setitem(registry._WORLDS, "rental", world)
        out = StringIO()

        call_command("check_environment", "rental", tries=1, stdout=out)

        assert "1 of them not exact" in out.getvalue()
        assert "search_units" in out.getvalue()

    def test_knows_which_worlds_there_are(self) -> None:
        with pytest.raises(CommandError, match="there are airline"):
            printed("moon")
