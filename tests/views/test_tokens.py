"""The page of API tokens, and the documentation of the API."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.api.client import Program, token_of
from tests.factories import make_member, make_owner, team_of
from writ_app.models.accounts import Role
from writ_app.models.audit import AuditEntry
from writ_app.models.tokens import ApiToken
from writ_app.services.api_docs import chapters

pytestmark = pytest.mark.django_db
WANTED = {"name": "nightly <b>export</b>", "scope": "VIEWER", "days": "30"}


@pytest.fixture
def owner():
    return make_owner(name="ada")


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


class TestAMember:
    def test_makes_a_token_that_is_shown_in_that_answer_alone(self, owner):
        client = signed_in(owner)

        made = client.post(reverse("tokens"), WANTED)
        again = client.get(reverse("tokens")).content.decode()

        text = made.context["made"]
        assert text in made.content.decode()
        assert "no-store" in made.headers["Cache-Control"]
        assert text not in again
        assert Program(token=text).ask("get", "me").status_code == 200

    def test_cannot_give_a_token_more_than_they_have(self, owner):
        reviewer = make_member(team=team_of(owner), role=Role.REVIEWER)

        answer = signed_in(reviewer).post(
            reverse("tokens"), {**WANTED, "scope": "OWNER"}
        )

        assert answer.status_code == 422
        assert not ApiToken.objects.exists()

    def test_sees_and_revokes_their_own_alone(self, owner):
        reviewer = make_member(team=team_of(owner), role=Role.REVIEWER)
        token_of(owner)
        token_of(reviewer)
        theirs, mine = ApiToken.objects.order_by("pk")
        client = signed_in(reviewer)

        page = client.get(reverse("tokens")).content.decode()
        refused = client.post(reverse("token_revoke", args=[theirs.pk]))
        client.post(reverse("token_revoke", args=[mine.pk]))

        assert mine.key_id in page
        assert theirs.key_id not in page
        assert refused.status_code == 404
        assert [bool(one.revoked_at) for one in ApiToken.objects.order_by("pk")] == [
            False,
            True,
        ]


class TestAnOwner:
    def test_sees_and_revokes_the_teams_and_no_others(self, owner):
        member = make_member(team=team_of(owner), role=Role.CURATOR)
        stranger = make_owner()
        token_of(member)
        token_of(stranger)
        ours, theirs = ApiToken.objects.order_by("pk")
        client = signed_in(owner)

        page = client.get(reverse("tokens")).content.decode()
        client.post(reverse("token_revoke", args=[ours.pk]))
        refused = client.post(reverse("token_revoke", args=[theirs.pk]))

        assert ours.key_id in page
        assert theirs.key_id not in page
        assert refused.status_code == 404
        ours.refresh_from_db()
        assert ours.revoked_at


class TestTheAuditLog:
    def test_knows_who_made_and_revoked_a_token_and_never_what_it_is(self, owner):
        client = signed_in(owner)
        before = list(AuditEntry.objects.values_list("pk", flat=True))
        text = client.post(reverse("tokens"), WANTED).context["made"]
        row = ApiToken.objects.get()
        client.post(reverse("token_revoke", args=[row.pk]))

        entries = AuditEntry.objects.exclude(pk__in=before).order_by("pk")

        assert [entry.action for entry in entries] == ["token.make", "token.revoke"]
        assert {entry.actor_id for entry in entries} == {owner.pk}
        assert text.partition(f"{row.key_id}_")[2] not in str(
            [entry.after for entry in entries]
        )


class TestTheDocumentation:
    def test_prints_every_operation_of_the_schema(self, owner):
        client = signed_in(owner)

        start = client.get(reverse("api_docs")).content.decode()
        for chapter in chapters():
            page = client.get(reverse("api_chapter", args=[chapter.slug]))
            told = page.content.decode()
            for operation in chapter.operations:
                assert f'id="{operation.name}"' in told
                assert operation.path in start
            for shape in chapter.shapes:
                assert f'id="shape-{shape.name}"' in told

    def test_has_no_other_chapters(self, owner):
        address = reverse("api_chapter", args=["nothing"])

        assert signed_in(owner).get(address).status_code == 404
