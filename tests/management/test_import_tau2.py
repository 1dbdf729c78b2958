from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from writ_app.models.catalog import Environment


def import_tau2(*words: str) -> str:
    out = StringIO()
    call_command("import_tau2", *words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
class TestImportTau2:
    def test_brings_in_what_the_checkout_holds_and_says_so(
        self, tau2_root: Path
    ) -> None:
        printed = import_tau2(
            str(tau2_root / "checkout"),
            "--environment",
            "retail",
            "--version",
            "reference",
        )

        row = Environment.objects.get()
        assert (row.name, row.version) == ("retail", "reference")
        assert (
            printed.splitlines()[0]
            == f"retail reference: state {row.state_hash[:12]}, 114 reference tasks"
        )

    def test_refuses_a_folder_that_is_no_checkout(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no tau2-bench checkout"):
            import_tau2(str(tmp_path))
