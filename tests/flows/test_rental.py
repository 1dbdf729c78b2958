"""A world that the product was not written for: registered, ordered, simulated, and found on its page."""

import pytest
from django.test import Client

from tests.factories import make_owner, team_of
from writ_app.services import catalog, synthesis

pytestmark = pytest.mark.django_db


def test_a_batch_of_another_world_goes_all_the_way(client: Client) -> None:
    owner = make_owner(name="ada")
    row = catalog.register_generated(name="rental", seed=1, users=30)
    batch = synthesis.start_batch(
        team=team_of(owner),
        by=owner,
        name="Depots",
        environment=row,
        seed=1,
        ordered=4,
        mix={"E2": 1, "W1": 1, "N1": 1},
    )

    for pk in list(synthesis.design_batch(batch_id=batch.pk)):
        synthesis.run_simulation(simulation_id=pk)

    assert synthesis.batch_progress(batch).accepted == 4
    assert catalog.load_environment(row).content_hash == row.content_hash
    client.force_login(owner)
    page = client.get(f"/environments/{row.name}/{row.version}/tools/")
    assert "search_units" in page.content.decode()
