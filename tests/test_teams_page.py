"""docs/teams.md tells every page's roles as the views have them."""

import re
from pathlib import Path

import pytest
from django.urls import reverse

from tests.views.test_access import PUBLIC, patterns
from writ_app.models.accounts import Role
from writ_app.views.access import Access

PAGE = Path(__file__).resolve().parent.parent / "docs/teams.md"
FRESH = {"": "", "write": "to change", "all": "yes"}


def said(role: Role | None) -> str:
    return role.label if role else "signed in"


def line(address: str, access: Access) -> str:
    return f"| `/{address}` | {said(access.read)} | {said(access.write)} | {FRESH[access.fresh]} |"


def lines() -> list[str]:
    return [
        line(re.sub(r"<\w+:(\w+)>", r"<\1>", str(entry.pattern)), entry.callback.access)
        for entry in patterns()
        if entry.name not in PUBLIC
    ]


def test_every_page_is_in_the_table_as_its_view_has_it():
    told = [one for one in PAGE.read_text().splitlines() if one.startswith("| `/")]

    assert told == lines(), "\n".join(["The table should be:", *lines()])


@pytest.mark.parametrize("role", Role)
def test_every_role_is_told(role):
    assert f"\n| {role.label} |" in PAGE.read_text()


def test_the_redirect_address_of_the_provider_is_the_one_that_is_told():
    operations = PAGE.with_name("operations.md").read_text()

    assert (
        reverse("openid_connect_callback", kwargs={"provider_id": "oidc"}) in operations
    )
