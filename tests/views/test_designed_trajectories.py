"""The desk for really designed, simulated and verified trajectories of every kind, faults included."""

import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from tests.factories import make_owner, team_of
from writ_app.models.synthesis import Trajectory
from writ_app.services import catalog, synthesis
from writ_app.services.review import build_review_page


class Anchors(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(given["id"])
        if tag == "a" and (given.get("href") or "").startswith("#"):
            self.targets.add(given["href"][1:])
        places = (given.get("data-links") or "").split()
        self.targets.update(place.partition("~")[0] for place in places)
        self.targets.update((given.get("data-grounds") or "").split())


@pytest.fixture
def owner(db):
    return make_owner(name="ada")


@pytest.fixture
def trajectories(owner):
    environment = catalog.register_generated(name="retail", seed=7, users=60)
    loaded = catalog.load_environment(environment)
    kinds = [archetype.slug for archetype in loaded.domain.archetypes]
    for seed, faults in ((1, 0.0), (2, 1.0)):
        batch = synthesis.start_batch(
            team=team_of(owner),
            by=owner,
            name=f"Batch {seed}",
            environment=environment,
            seed=seed,
            mix=dict.fromkeys(kinds, 1),
            ordered=len(kinds),
            fault_share=faults,
        )
        for simulation_id in list(synthesis.design_batch(batch_id=batch.pk)):
            synthesis.run_simulation(simulation_id=simulation_id)
    return list(Trajectory.objects.select_related("simulation__task"))


def test_every_link_of_every_desk_leads_somewhere(client, owner, trajectories):
    client.force_login(owner)
    assert len({row.simulation.task.archetype for row in trajectories}) > 8
    assert {row.accepted for row in trajectories} == {True, False}

    for row in trajectories:
        address = reverse("trajectory", args=[row.pk])
        page = client.get(address).content.decode()
        anchors = Anchors(page)
        assert len(anchors.ids) == len(set(anchors.ids)), address
        assert anchors.targets <= {*anchors.ids}, address
        assert not re.search(r"\sstyle=", page)


def test_accepted_ones_are_covered_grounded_and_equal_on_the_page_too(trajectories):
    for row in trajectories:
        page = build_review_page(item_id=row.pk)
        if not row.accepted:
            assert page.failed
            continue
        assert page.coverage.complete
        assert page.difference.equal
        assert {card.verdict for card in page.cards} <= {"equal"}
        for card in page.cards:
            assert {line.chip.kind for line in card.lines} <= {
                "exact",
                "normalised",
                "derived",
                "said",
                "policy",
            }
        kept = [line.kept for line in page.behavior.dimensions]
        assert sum(kept) >= 0.7 * len(kept)  # measured, not judged


def test_gold_arguments_from_reads_are_marked_in_their_evidence(trajectories):
    for row in trajectories:
        page = build_review_page(item_id=row.pk)
        marks = {mark.id for read in page.evidence for mark in read.marks.values()}
        for gold, card in zip(page.task.gold, page.cards, strict=False):
            for origin in gold.origins:
                if not origin.refs or card.verdict != "equal":
                    continue
                line = next(
                    line
                    for line in card.lines
                    if line.id in {f"{card.id}-a{n}" for n in range(1, 40)}
                    and line.name.replace("[", "/").rstrip("]")
                    == origin.pointer[1:].replace("~1", "/")
                )
                assert {link.target for link in line.links} & marks
