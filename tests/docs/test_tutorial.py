"""What the tutorial shows of the demonstration is what comes of it: the same seeds, designed and played here without workers."""

import re
from collections import Counter

import pytest

from tests.docs.pages import Page
from tests.factories import make_owner, team_of
from tests.stored_batches import play
from writ_app.management.reference import parser_of
from writ_app.models.synthesis import Simulation
from writ_app.services import catalog, synthesis

PAGE = Page("docs/tutorial.md").text


@pytest.mark.django_db
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_demonstration_comes_to_what_the_page_shows() -> None:
    words = vars(parser_of("demo").parse_args([]))
    owner = make_owner()
    batch = synthesis.start_batch(
        team=team_of(owner),
        by=owner,
        name="Demo",
        environment=catalog.register_generated(
            name="retail", seed=words["seed"], users=words["users"]
        ),
        seed=words["seed"],
        ordered=words["count"],
        fault_share=words["faults"],
    )
    simulations = [
        Simulation.objects.select_related("task").get(pk=pk)
        for pk in synthesis.design_batch(batch_id=batch.pk)
    ]
    played = [play(one.pk, fault=one.fault) for one in simulations]

    batch.refresh_from_db()
    accepted = [row for row in played if row.accepted]
    heavy = [row for row in accepted if row.simulation.task.burden >= 5]
    draws = batch.design_report["draws"]
    rejected = Counter(row.reason for row in played if not row.accepted)
    assert f"designed    {len(played)} tasks with proof, of {draws} draws\n" in PAGE
    assert (
        f"verified    {len(accepted)} accepted, {len(heavy)} of them with burden 5 or more\n"
        in PAGE
    )
    assert rejected == {
        reason: int(count)
        for count, reason in re.findall(r"^rejected    (\d+) by (\w+)", PAGE, re.M)
    }
    (looked_at,) = [
        one.task
        for one in simulations
        if one.task.writes == 1 and 10 <= one.task.burden <= 14
    ]
    assert (looked_at.archetype, looked_at.burden) == ("R5", 11)
