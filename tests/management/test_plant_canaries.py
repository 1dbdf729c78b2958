"""`manage.py plant_canaries`: how many were planted, of which classes."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_owner, team_of
from tests.stored_batches import play_batch
from writ_app.engine.canaries import KINDS
from writ_app.models.review import ReviewItem

pytestmark = pytest.mark.django_db


def test_plants_and_says_what():
    owner = make_owner()
    play_batch(by=owner, ordered=4)
    out = StringIO()

    call_command("plant_canaries", team_of(owner).name, count=2, seed=4, stdout=out)

    planted = ReviewItem.objects.exclude(canary="")
    assert planted.count() == 2
    assert "2 of 2 planted." in out.getvalue()
    for item in planted:
        assert KINDS[item.canary].title in out.getvalue()


def test_says_when_there_is_no_more_room():
    owner = make_owner()
    play_batch(by=owner, ordered=1)
    out = StringIO()

    call_command("plant_canaries", team_of(owner).name, count=9, stdout=out)

    assert "No more accepted trajectories" in out.getvalue()


def test_knows_no_team_of_that_name():
    with pytest.raises(CommandError, match="no team 'nobody'"):
        call_command("plant_canaries", "nobody")
