from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from writ_app.models.catalog import Environment


def add_environment(*words: str) -> str:
    out = StringIO()
    call_command("add_environment", *words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
class TestAddEnvironment:
    def test_stores_the_world_and_says_what_it_is(self) -> None:
        printed = add_environment("rental", "--size", "5", "--seed", "3")

        row = Environment.objects.get()
        assert (row.name, row.version) == ("rental", "generated-3-5")
        assert (
            printed == f"rental generated-3-5: corrected, state {row.state_hash[:12]}\n"
        )

    def test_twice_changes_nothing(self) -> None:
        assert add_environment("rental", "--size", "5") == add_environment(
            "rental", "--size", "5"
        )
        assert Environment.objects.count() == 1

    def test_takes_the_mode(self) -> None:
        printed = add_environment("retail", "--size", "5", "--mode", "strict")

        assert printed.startswith("retail generated-1-5-strict: strict")
        assert Environment.objects.get().mode == "strict"

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("moonbase",), "there are airline, rental, retail"),
            (("retail", "--size", "0"), "1 to 100,000 people"),
            (("retail", "--size", "many"), "invalid int value: 'many'"),
            (("retail", "--seed", "-1"), "A seed is a whole number"),
            (("retail", "--mode", "loose"), "invalid choice: 'loose'"),
        ],
    )
    def test_of_bad_input_says_what_is_wrong(
        self, words: tuple[str, ...], says: str
    ) -> None:
        with pytest.raises(CommandError, match=says):
            add_environment(*words)
        assert not Environment.objects.exists()
