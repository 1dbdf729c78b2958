"""The pages of models: listed, added, changed, disabled, tried."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_batch, make_owner, make_reviewer, make_team, team_of
from tests.fakes import call_reply as called
from tests.fakes import chat_server, text_reply
from writ_app.adapters.trial import ORDER
from writ_app.models.accounts import Team
from writ_app.models.synthesis import EndpointHealth, ModelEndpoint

pytestmark = pytest.mark.django_db
KEY = "sk-proj-4f9a8b7c6d5e4f3a2b1c"
GIVEN = {
    "name": "mine",
    "model": "openai/test",
    "base_url": "http://127.0.0.1:8000/v1",
    "max_in_flight": "8",
}


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def make_endpoint(**fields) -> ModelEndpoint:
    return ModelEndpoint.objects.create(
        **{
            "name": "mine",
            "model": "openai/test",
            "team": Team.objects.earliest("pk"),
            **fields,
        }
    )


class TestTheSites:
    """Endpoints of no team: everybody may order with them, no team may change them."""

    def test_are_listed_and_offered_but_not_changed(self, signed_in):
        row = make_endpoint(team=None)

        listed = signed_in.get(reverse("endpoints")).content.decode()
        offered = signed_in.get(reverse("batch_new")).content.decode()

        assert "the site's" in listed
        assert f'<option value="{row.pk}">mine</option>' in offered
        assert signed_in.get(reverse("endpoint", args=[row.pk])).status_code == 404

    def test_those_of_another_team_are_not_there(self, signed_in):
        row = make_endpoint(team=make_team())

        pages = [signed_in.get(reverse(name)) for name in ("endpoints", "batch_new")]

        assert all(">mine<" not in page.content.decode() for page in pages)
        assert signed_in.get(reverse("endpoint", args=[row.pk])).status_code == 404


class TestList:
    def test_explains_set_up_with_examples_to_fill_in(self, signed_in):
        page = signed_in.get(reverse("endpoints")).content.decode()

        assert "No models yet" in page
        assert "export OPENAI_API_KEY" in page
        for example in ("provider", "vllm", "ollama"):
            assert f"?example={example}" in page

    def test_shows_each_with_its_use_and_whether_its_key_is_set(
        self, signed_in, owner, monkeypatch, django_assert_max_num_queries
    ):
        monkeypatch.setenv("SET_API_KEY", "x")
        monkeypatch.delenv("UNSET_API_KEY", raising=False)
        used = make_endpoint(name="used", key_variable="SET_API_KEY")
        make_endpoint(name="unused", key_variable="UNSET_API_KEY", enabled=False)
        for field in ("agent", "judge"):
            make_batch(team=team_of(owner), by=owner, **{field: used})
        signed_in.get(reverse("endpoints"))

        with django_assert_max_num_queries(6):
            response = signed_in.get(reverse("endpoints"))

        lines = {line.row.name: line for line in response.context["lines"]}
        assert (lines["used"].batches, lines["used"].key_set) == (2, True)
        assert (lines["unused"].batches, lines["unused"].key_set) == (0, False)
        assert response.content.decode().count("not set here") == 1

    def test_is_for_every_member_to_see_and_for_owners_to_change(self, client, owner):
        row = make_endpoint()
        client.force_login(make_reviewer(team=team_of(owner)))

        page = client.get(reverse("endpoints")).content.decode()

        assert "openai/test" in page
        assert "Add a model" not in page
        for address in (
            reverse("endpoint_new"),
            reverse("endpoint", args=[row.pk]),
            reverse("endpoint_try", args=[row.pk]),
            reverse("endpoint_enable", args=[row.pk]),
        ):
            assert client.post(address, GIVEN).status_code == 403
        row.refresh_from_db()
        assert (row.base_url, row.enabled) == ("", True)


class TestForm:
    @pytest.mark.parametrize("example", ["provider", "vllm", "ollama"])
    def test_filled_with_an_example_can_be_kept_as_it_is(self, signed_in, example):
        page = signed_in.get(reverse("endpoint_new"), {"example": example})
        form = page.context["form"]
        given = {name: form[name].value() for name in form.fields}

        response = signed_in.post(
            reverse("endpoint_new"), {k: v for k, v in given.items() if v is not None}
        )

        row = ModelEndpoint.objects.get()
        assert response.headers["Location"] == reverse("endpoint", args=[row.pk])
        assert row.model == form.initial["model"]

    def test_keeps_the_usual_parameters_and_the_rest(self, signed_in):
        more = {"top_k": 40, "extra_body": {"min_p": 0.1}}
        signed_in.post(
            reverse("endpoint_new"),
            {**GIVEN, "temperature": "0.7", "timeout": "30", "more": json.dumps(more)},
        )

        row = ModelEndpoint.objects.get()

        assert row.parameters == {"temperature": 0.7, "timeout": 30.0, **more}
        form = signed_in.get(reverse("endpoint", args=[row.pk])).context["form"]
        assert form["temperature"].value() == 0.7
        assert json.loads(form["more"].value()) == more

    def test_changes_a_row_and_takes_parameters_away(self, signed_in):
        row = make_endpoint(parameters={"temperature": 1.0, "top_k": 3})

        signed_in.post(
            reverse("endpoint", args=[row.pk]), {**GIVEN, "top_p": "0.9", "more": ""}
        )

        row.refresh_from_db()
        assert row.parameters == {"top_p": 0.9}
        assert row.max_in_flight == 8

    def test_a_new_bound_is_where_runners_begin_and_other_changes_keep_what_they_learnt(
        self, signed_in
    ):
        row = make_endpoint(max_in_flight=8)
        EndpointHealth.objects.create(
            endpoint=row, process="one", limit=2.5, seen_at=timezone.now()
        )
        for change, limit in (({"top_p": "0.9"}, 2.5), ({"max_in_flight": "20"}, 20)):
            signed_in.post(reverse("endpoint", args=[row.pk]), {**GIVEN, **change})
            assert EndpointHealth.objects.get().limit == limit

    @pytest.mark.parametrize(
        "field", ["name", "model", "base_url", "key_variable", "more"]
    )
    def test_neither_keeps_nor_repeats_what_looks_like_a_key(self, signed_in, field):
        value = {"base_url": f"http://x:{KEY}@host/v1"}.get(field, KEY)
        if field == "more":
            value = json.dumps({"extra_body": {"key": KEY}})

        response = signed_in.post(reverse("endpoint_new"), {**GIVEN, field: value})

        assert response.status_code == 422
        assert KEY not in response.content.decode()
        assert response.context["form"].errors[field]
        assert not ModelEndpoint.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "field", "says"),
        [
            ({"more": "[1]"}, "more", "Give a JSON object"),
            ({"more": "{"}, "more", "valid JSON"),
            ({"more": '{"temperature": 1}'}, "more", "a field of its own"),
            ({"more": '{"api_base": "x"}'}, "more", "api_base cannot be set"),
            ({"prompt_price": "1"}, "completion_price", "both prices"),
            ({"prompt_price": "-1", "completion_price": "1"}, "prompt_price", "0"),
            ({"temperature": "9"}, "temperature", "2"),
            ({"max_in_flight": "0"}, "max_in_flight", "1"),
        ],
    )
    def test_says_what_is_wrong_beside_the_field(self, signed_in, changes, field, says):
        response = signed_in.post(reverse("endpoint_new"), {**GIVEN, **changes})

        assert response.status_code == 422
        assert says in " ".join(response.context["form"].errors[field])


class TestDisabling:
    def test_takes_it_from_new_batches_and_gives_it_back(self, signed_in):
        row = make_endpoint()
        address = reverse("endpoint_enable", args=[row.pk])

        signed_in.post(address, {"disable": "1"})
        without = signed_in.get(reverse("batch_new")).content.decode()
        signed_in.post(address, {"enable": "1"})
        with_it = signed_in.get(reverse("batch_new")).content.decode()

        option = f'<option value="{row.pk}">mine</option>'
        assert option not in without
        assert option in with_it


class TestTrying:
    def test_shows_the_answer_the_call_and_what_they_cost(self, signed_in):
        replies = [
            text_reply("Ready <b>when</b> you are."),
            called("get_order_details", json.dumps({"order_id": ORDER})),
        ]
        with chat_server(replies) as server:
            row = make_endpoint(
                base_url=server.url, prompt_price=1.0, completion_price=1.0
            )
            response = signed_in.post(
                reverse("endpoint_try", args=[row.pk]), headers={"HX-Request": "true"}
            )

        page = response.content.decode()
        assert page.strip().startswith("<section")
        assert "works, with tools" in page
        assert "Ready &lt;b&gt;when&lt;/b&gt; you are." in page
        assert "get_order_details" in page
        assert "11 + 3 tokens" in page
        assert "$0.000014" in page

    def test_shows_what_is_wrong_on_the_whole_page_without_javascript(
        self, signed_in, monkeypatch
    ):
        monkeypatch.delenv("UNSET_API_KEY", raising=False)
        row = make_endpoint(key_variable="UNSET_API_KEY")

        response = signed_in.post(reverse("endpoint_try", args=[row.pk]))

        page = response.content.decode()
        assert "<html" in page
        assert "set UNSET_API_KEY in the environment of the workers" in page
