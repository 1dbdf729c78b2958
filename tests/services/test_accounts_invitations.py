"""Invitations: a link that lets one person in, once, while it lasts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.factories import make_owner, make_reviewer, make_user, team_of
from writ_app.models.accounts import Invitation, Role
from writ_app.models.audit import AuditEntry
from writ_app.services.accounts import remove_member
from writ_app.services.accounts.invitations import (
    NotInvited,
    accept,
    find_invitation,
    invite,
    pending,
    revoke,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def owner(db):
    return make_owner(name="ada")


def made(owner, **more):
    return invite(team=team_of(owner), by=owner, role=Role.CURATOR, at=NOW, **more)


class TestAnInvitation:
    def test_lets_a_person_in_with_its_role(self, owner):
        bob = make_user(name="bob")

        membership = accept(invitation=made(owner).invitation, user=bob, at=NOW)

        assert (membership.team, membership.role) == (team_of(owner), Role.CURATOR)

    def test_is_found_by_its_token_which_is_stored_nowhere(self, owner):
        invitation = made(owner)

        found = find_invitation(invitation.token, at=NOW)

        assert found == invitation.invitation
        stored = Invitation.objects.filter(pk=found.pk).values().get()
        assert invitation.token not in str(stored)
        assert find_invitation(stored["token_hash"], at=NOW) is None

    def test_works_once(self, owner):
        invitation = made(owner).invitation
        accept(invitation=invitation, user=make_user(), at=NOW)
        late = make_user()

        with pytest.raises(NotInvited, match="used, revoked"):
            accept(invitation=invitation, user=late, at=NOW)

        assert not late.memberships.exists()

    def test_ends_by_itself(self, owner):
        invitation = made(owner)
        after = NOW + timedelta(hours=72, seconds=1)

        assert find_invitation(invitation.token, at=after) is None
        with pytest.raises(NotInvited):
            accept(invitation=invitation.invitation, user=make_user(), at=after)

    def test_opens_nothing_once_it_is_revoked(self, owner):
        invitation = made(owner)

        assert revoke(invitation=invitation.invitation, at=NOW)

        assert find_invitation(invitation.token, at=NOW) is None
        assert not pending(team_of(owner), at=NOW)
        assert not revoke(invitation=invitation.invitation, at=NOW)

    def test_for_an_address_is_for_no_other_account(self, owner):
        invitation = made(owner, email="Bob@example.org").invitation
        eve, bob = make_user(name="eve"), make_user(name="bob")
        eve.email, bob.email = "eve@example.org", "bob@EXAMPLE.org"

        with pytest.raises(NotInvited, match="another e-mail"):
            accept(invitation=invitation, user=eve, at=NOW)

        assert accept(invitation=invitation, user=bob, at=NOW)

    def test_is_not_used_up_by_who_is_in_already(self, owner):
        invitation = made(owner)

        with pytest.raises(NotInvited, match="already"):
            accept(invitation=invitation.invitation, user=owner, at=NOW)

        assert find_invitation(invitation.token, at=NOW)
        assert owner.memberships.get().role == Role.OWNER

    def test_ends_with_the_membership_of_who_made_it(self, owner):
        second = make_owner(team=team_of(owner), name="grace")
        made(second)

        remove_member(team=team_of(owner), user=second)

        assert not pending(team_of(owner), at=NOW)

    def test_is_written_down(self, owner):
        invitation = made(owner).invitation
        accept(invitation=invitation, user=make_user(), at=NOW)
        revoke(invitation=made(owner).invitation, at=NOW)

        acts = AuditEntry.objects.filter(team=team_of(owner), kind="invitation")
        assert list(acts.values_list("action", flat=True)) == [
            "invitation.create",
            "invitation.accept",
            "invitation.create",
            "invitation.revoke",
        ]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_follow_a_link_at_once_one_gets_in():
    owner = make_owner()
    invitation = made(owner).invitation
    people = [make_user() for _ in range(6)]

    def follow(user):
        try:
            accept(invitation=invitation, user=user, at=NOW)
        except NotInvited:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(people)) as pool:
        let_in = list(pool.map(follow, people))

    assert let_in.count(True) == 1
    assert team_of(owner).memberships.count() == 2


def test_a_reviewer_cannot_be_invited_over_the_team_they_are_in(owner):
    bob = make_reviewer(team=team_of(owner))

    with pytest.raises(NotInvited):
        accept(invitation=made(owner).invitation, user=bob, at=NOW)

    assert bob.memberships.get().role == Role.REVIEWER
