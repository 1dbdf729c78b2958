"""Pages of an environment: numbers, policy, tools, records, console."""

import json
import re
import zlib
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from environments import registry
from environments.core.state import State
from environments.core.tools import Mode
from tests.factories import make_environment, make_owner, make_user
from tests.samples import sample_environment
from tests.views.test_hostile_text import HOSTILE
from writ_app.models.catalog import Environment
from writ_app.services.catalog import (
    console,
    load_environment,
    register_generated,
    state,
)

pytestmark = pytest.mark.django_db
PAGES = ["environment", "environment_policy", "environment_tools"]


@pytest.fixture
def row() -> Environment:
    return make_environment()


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(make_owner())
    return client


def address(name: str, row: Environment, *more: str) -> str:
    return reverse(name, args=[row.name, row.version, *more])


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def first(collection: str) -> tuple[str, dict]:
    return next(iter(sample_environment().state.collections[collection].items()))


def odd_environment(*, name: str, size: int = 0) -> Environment:
    """The sample with one more user, who has hostile or huge texts everywhere."""
    sample = sample_environment()
    users = dict(sample.state.collections["users"])
    _, like = first("users")
    user = {**like, "user_id": name, "email": "x" * size or HOSTILE}
    user["address"] = {**like["address"], "city": HOSTILE}
    collections = {**sample.state.collections, "users": {**users, name: user}}
    policy = f"# {HOSTILE}\n\n1.1 {HOSTILE}\n\n{HOSTILE}"
    return Environment.objects.create(
        name="retail",
        version="odd",
        policy=policy,
        state=zlib.compress(json.dumps(collections).encode()),
        state_hash=State(collections).content_hash,
        content_hash=hash_with(policy, collections),
        mode=sample.mode.value,
        origin=HOSTILE,
    )


def hash_with(policy: str, collections: Mapping[str, Any]) -> str:
    """What the sample's content hash is with that policy and state."""
    sample = sample_environment()
    world = registry.world("retail")
    state = world.read_state(collections)
    return world.build(
        state=state, version="odd", policy=policy, mode=sample.mode
    ).content_hash


class TestAccess:
    @pytest.mark.parametrize("name", [*PAGES, "environment_console"])
    def test_is_for_members(self, client: Client, row: Environment, name: str) -> None:
        client.force_login(make_user())

        assert client.get(address(name, row)).status_code == 403

    @pytest.mark.parametrize("name", [*PAGES, "environment_console"])
    def test_of_what_does_not_exist_says_so(self, signed_in: Client, name: str) -> None:
        there = reverse(name, args=["retail", "nowhere"])

        assert signed_in.get(there).status_code == 404


class TestOverview:
    def test_shows_numbers_hashes_origin_and_links(
        self, signed_in: Client, row: Environment
    ) -> None:
        page = text_of(signed_in.get(address("environment", row)))

        assert row.state_hash in page
        assert row.content_hash in page
        assert row.origin in page
        for name, records in sample_environment().state.collections.items():
            assert address("environment_state", row, name) in page
            assert f"<strong>{len(records)}</strong>" in page

    @pytest.mark.parametrize("name", registry.names())
    @pytest.mark.parametrize("mode", Mode)
    def test_says_what_its_mode_keeps_or_mends(
        self, signed_in: Client, name: str, mode: Mode
    ) -> None:
        row = register_generated(name=name, seed=3, users=4, mode=mode)

        page = unescape(text_of(signed_in.get(address("environment", row))))

        corrections = load_environment(row).corrections
        assert corrections
        for one in corrections:
            assert one.strict in page
            assert one.corrected in page
        assert ("What strict mode keeps" in page) is (mode == Mode.STRICT)
        assert ("What corrected mode mends" in page) is (mode == Mode.CORRECTED)


class TestPolicy:
    def test_numbers_its_clauses_and_gives_each_an_address(
        self, signed_in: Client, row: Environment
    ) -> None:
        page = text_of(signed_in.get(address("environment_policy", row)))

        for number, text in sample_environment().clauses.items():
            assert f'id="c{number}"' in page
            assert text[:40] in unescape(page)

    def test_without_numbers_is_shown_as_it_stands(
        self, signed_in: Client, row: Environment
    ) -> None:
        policy = "# Title\n\nOne.\nTwo.\n\n- a\n- b"
        content = hash_with(policy, sample_environment().state.collections)
        Environment.objects.update(policy=policy, content_hash=content)

        page = text_of(signed_in.get(address("environment_policy", row)))

        assert "One.\nTwo." in page
        assert "- a\n- b" in page

    def test_of_an_environment_that_is_not_what_was_stored_says_so(
        self, signed_in: Client, row: Environment
    ) -> None:
        Environment.objects.update(policy="Be kind.", content_hash="other")

        response = signed_in.get(address("environment_policy", row))

        assert response.status_code == 409
        assert "no longer what it was" in response.content.decode()


class TestTools:
    def test_list_every_tool_with_parameters_and_schema(
        self, signed_in: Client, row: Environment
    ) -> None:
        page = text_of(signed_in.get(address("environment_tools", row)))

        for tool in sample_environment().tools.values():
            assert f'id="{tool.name}"' in page
            for parameter in tool.schema["function"]["parameters"]["properties"]:
                assert f">{parameter}" in page
        assert "list of string" in page


class TestState:
    def test_pages_by_key_to_the_last_record(
        self, signed_in: Client, row: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(state, "PAGE_SIZE", 7)
        there, seen = address("environment_state", row, "orders"), list[str]()
        while there:
            page = unescape(text_of(signed_in.get(there)))
            seen += re.findall(r'record/\?key=%23(\w+)"', page)
            following = re.search(r'href="(\?[^"]*)" rel="next"', page)
            there = (
                address("environment_state", row, "orders") + following[1]
                if following
                else ""
            )

        orders = sample_environment().state.collections["orders"]
        assert [f"#{key}" for key in seen] == list(orders)

    def test_searches_keys_or_whole_records_and_nothing_else(
        self, signed_in: Client, row: Environment
    ) -> None:
        key, user = first("users")
        there = address("environment_state", row, "users")

        def found(**given: str) -> bool:
            page = text_of(signed_in.get(there, given))
            return f"?key={key}" in page

        assert found(text=key.upper())
        assert not found(text=user["email"], where="key")
        assert found(text=user["email"], where="text")
        assert not found(text="no such thing", where="text")
        assert found(text=key, where="address__zip")  # ignored: not on the list

    def test_search_stops_and_can_be_continued(
        self, signed_in: Client, row: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(state, "SCANNED", 2)

        page = text_of(
            signed_in.get(address("environment_state", row, "users"), {"text": "~"})
        )

        assert "there is more to search" in page
        assert 'rel="next"' in page

    def test_comes_as_a_fragment_for_htmx(
        self, signed_in: Client, row: Environment
    ) -> None:
        part = signed_in.get(
            address("environment_state", row, "users"), headers={"HX-Request": "true"}
        )

        assert "<html" not in text_of(part)

    @pytest.mark.parametrize("name", ["environment_state", "environment_record"])
    def test_of_another_name_does_not_exist(
        self, signed_in: Client, row: Environment, name: str
    ) -> None:
        assert signed_in.get(address(name, row, "secrets")).status_code == 404


class TestRecord:
    def test_links_to_the_records_it_names_and_back(
        self, signed_in: Client, row: Environment
    ) -> None:
        key, order = first("orders")
        there = address("environment_record", row, "orders")
        user = address("environment_record", row, "users") + f"?key={order['user_id']}"

        page = text_of(signed_in.get(there, {"key": key}))
        back = text_of(signed_in.get(user))

        assert f'href="{user}"' in page
        assert f'href="{there}?key=%23{key[1:]}"' in back

    def test_is_downloaded_raw_as_plain_text(
        self, signed_in: Client, row: Environment
    ) -> None:
        key, order = first("orders")

        response = signed_in.get(
            address("environment_record_raw", row, "orders"), {"key": key}
        )

        assert json.loads(response.content) == order
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "attachment" in response.headers["Content-Disposition"]

    @pytest.mark.parametrize("name", ["environment_record", "environment_record_raw"])
    def test_that_does_not_exist_says_so(
        self, signed_in: Client, row: Environment, name: str
    ) -> None:
        there = address(name, row, "orders")

        assert signed_in.get(there, {"key": "#W0"}).status_code == 404
        assert signed_in.get(there).status_code == 404

    def test_that_is_huge_is_cut_and_says_so(self, signed_in: Client) -> None:
        row = odd_environment(name="huge", size=400_000)

        page = text_of(
            signed_in.get(address("environment_record", row, "users"), {"key": "huge"})
        )

        assert len(page) < 100_000
        assert "398,000 more characters" in page


class TestHostileText:
    @pytest.mark.parametrize(
        ("name", "more"),
        [
            ("environment", ()),
            ("environment_policy", ()),
            ("environment_state", ("users",)),
            ("environment_record", ("users",)),
            ("environment_console", ()),
        ],
    )
    def test_is_shown_and_does_nothing(
        self, signed_in: Client, name: str, more: tuple[str, ...]
    ) -> None:
        key = f"key {HOSTILE}"
        row = odd_environment(name=key)
        signed_in.post(
            address("environment_console", row),
            {"tool": "get_user_details", "arguments": json.dumps({"user_id": key})},
        )

        given = {"key": key, "text": "script"}
        page = text_of(signed_in.get(address(name, row, *more), given))

        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'onfocus="alert' not in page
        assert "\u202e" not in page
        assert "\u200b" not in page
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|hx-on", page)


class TestConsole:
    def call(
        self, client: Client, row: Environment, tool: str, arguments: object = None
    ) -> str:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
        return text_of(
            client.post(
                address("environment_console", row),
                {"tool": tool, "arguments": text},
                follow=True,
            )
        )

    def test_has_a_field_for_each_parameter_of_the_tool(
        self, signed_in: Client, row: Environment
    ) -> None:
        there = address("environment_console", row)

        for tool in sample_environment().tools.values():
            page = unescape(text_of(signed_in.get(there, {"tool": tool.name})))
            about = tool.schema["function"]["parameters"]["properties"]
            assert re.findall(r'name="argument-(\w+)"', page) == list(about)
            for parameter in about.values():
                assert parameter["description"] in page

    def test_shows_the_shape_of_lists_and_objects(self, signed_in: Client) -> None:
        row = register_generated(name="airline", seed=3, users=4)

        page = unescape(
            text_of(
                signed_in.get(
                    address("environment_console", row), {"tool": "book_reservation"}
                )
            )
        )

        assert '"flight_number": "…"' in page
        assert '<option value="basic_economy">' in page

    def test_shows_result_difference_and_hash_and_carries_them_on(
        self, signed_in: Client, row: Environment
    ) -> None:
        key, user = first("users")
        move = {
            "user_id": key,
            **user["address"],
            "city": "Elsewhere",
        }

        before = self.call(signed_in, row, "get_user_details", {"user_id": key})
        after = self.call(signed_in, row, "modify_user_address", move)
        later = self.call(signed_in, row, "get_user_details", {"user_id": key})

        session = load_environment(row).session()
        session.call(console.ToolCall(name="modify_user_address", arguments=move))
        assert row.state_hash in before
        assert "as it began" in before
        assert session.state.content_hash() in after
        assert f"users/{key}/address/city" in after
        # The write: arguments, result, by it, since the base. The read: result, since the base.
        assert later.count("Elsewhere") == 6
        assert load_environment(row).state.content_hash == row.state_hash

    def test_shows_refusals_as_results(
        self, signed_in: Client, row: Environment
    ) -> None:
        page = self.call(signed_in, row, "get_user_details", {"user_id": "nobody"})

        assert "Error: User not found" in page

    def test_is_private_and_can_be_reset(
        self, signed_in: Client, row: Environment
    ) -> None:
        self.call(signed_in, row, "list_all_product_types")
        other = Client()
        other.force_login(make_owner())

        assert "No calls yet" in text_of(other.get(address("environment_console", row)))
        page = text_of(
            signed_in.post(address("environment_console_reset", row), follow=True)
        )
        assert "No calls yet" in page

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ("{", "line 1, column 2"),
            ("\n\n{", "line 3, column 2"),
            ("[1]", "one JSON object"),
            ('{"a": NaN}', "NaN is no JSON number"),
            ('{"a": ' + "[" * 900 + "]" * 900 + "}", "nested 50 deep"),
            ('{"a": "' + "x" * 20_000 + '"}', "10000 characters"),
        ],
    )
    def test_says_what_is_wrong_with_arguments(
        self, signed_in: Client, row: Environment, arguments: str, says: str
    ) -> None:
        response = signed_in.post(
            address("environment_console", row),
            {"tool": "calculate", "arguments": arguments},
        )

        assert response.status_code == 422
        assert says in response.content.decode()

    def test_calls_with_what_its_fields_say(self, signed_in: Client) -> None:
        row = register_generated(name="airline", seed=3, users=4)
        typed = {
            "argument-reservation_id": "X",
            "argument-cabin": "economy",
            "argument-flights": '[{"flight_number": "A1"}]',
            "argument-payment_id": "",
        }

        page = unescape(
            text_of(
                signed_in.post(
                    address("environment_console", row),
                    {"tool": "update_reservation_flights", **typed},
                    follow=True,
                )
            )
        )

        (call,) = signed_in.session[f"console-{row.pk}"]
        assert call["arguments"] == {
            "reservation_id": "X",
            "cabin": "economy",
            "flights": [{"flight_number": "A1"}],
            "payment_id": "",
        }
        assert "Nothing: the call failed." in page
        assert '<option value="economy" selected>' in page  # ready for the next call

    def test_keeps_what_was_typed_in_fields_that_are_wrong(
        self, signed_in: Client
    ) -> None:
        row = register_generated(name="airline", seed=3, users=4)
        typed = {
            "argument-reservation_id": "  X",
            "argument-total_baggages": "many",
            "argument-nonfree_baggages": "",
            "argument-payment_id": '"><b>',
        }

        response = signed_in.post(
            address("environment_console", row),
            {"tool": "update_reservation_baggages", **typed},
        )

        page = unescape(response.content.decode())
        assert response.status_code == 422
        assert "must be a whole number" in page
        assert "This is needed." in page
        assert 'value="  X"' in page
        assert 'value="many"' in page
        assert 'value="&quot;&gt;&lt;b&gt;"' in response.content.decode()
        assert "No calls yet" in page

    def test_refuses_more_than_it_keeps(
        self, signed_in: Client, row: Environment
    ) -> None:
        response = signed_in.post(
            address("environment_console", row),
            {"tool": "calculate", "argument-expression": "1" * 10_001},
        )

        assert response.status_code == 422
        assert "10,000 characters at most" in response.content.decode()

    def turn(self, client: Client, row: Environment, tool: str, **typed: str) -> str:
        return client.post(
            address("environment_console", row), {"tool": tool, "turn": "1", **typed}
        ).content.decode()

    def test_turns_from_fields_to_json_and_back(
        self, signed_in: Client, row: Environment
    ) -> None:
        tool = "return_delivered_order_items"
        typed = {
            "argument-order_id": "#W1",
            "argument-item_ids": '["1", ',
            "argument-payment_method_id": "",
        }

        as_json = self.turn(signed_in, row, tool, **typed)
        text = unescape(re.search(r"<textarea[^>]*>\n?([^<]*)<", as_json)[1])
        as_fields = unescape(self.turn(signed_in, row, tool, arguments=text))

        assert json.loads(text) == {
            "order_id": "#W1",
            "item_ids": '["1", ',  # not a list yet, and not lost
            "payment_method_id": "",
        }
        assert 'value="#W1"' in as_fields
        assert '>\n["1", </textarea>' in as_fields

    def test_turns_an_empty_form_into_a_template_and_back(
        self, signed_in: Client, row: Environment
    ) -> None:
        tool = "return_delivered_order_items"

        as_json = self.turn(signed_in, row, tool)
        text = unescape(re.search(r"<textarea[^>]*>\n?([^<]*)<", as_json)[1])
        as_fields = self.turn(signed_in, row, tool, arguments=text)

        assert json.loads(text)["item_ids"] == []
        assert 'name="argument-item_ids"' in as_fields
        assert "[]</textarea>" not in as_fields

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ('{"order_id": "#W1", "more": 1}', "has no parameter 'more'"),
            ('{"order_id": 1}', "order_id is no string"),
            ('{"order_id": "a\\nb"}', "order_id has characters"),
            ('{"order_id": ', "This is not JSON"),
        ],
    )
    def test_stays_with_json_that_fields_would_change(
        self, signed_in: Client, row: Environment, arguments: str, says: str
    ) -> None:
        page = unescape(
            self.turn(signed_in, row, "get_order_details", arguments=arguments)
        )

        assert says in page
        assert arguments in page
        assert 'name="argument-' not in page

    def test_takes_shared_arguments_along_to_another_tool(
        self, signed_in: Client, row: Environment
    ) -> None:
        there = address("environment_console", row)
        given = {"tool": "get_user_details", "picked": "modify_user_address"}

        from_fields = signed_in.post(there, {**given, "argument-user_id": "me"})
        from_json = signed_in.post(there, {**given, "arguments": '{"user_id": "me"}'})
        from_half = signed_in.post(there, {**given, "arguments": '{"user_id": "me'})

        assert 'name="argument-user_id" value="me"' in text_of(from_fields)
        assert 'name="argument-zip"' in text_of(from_fields)
        assert '"user_id": "me",\n  "address1": ""' in unescape(text_of(from_json))
        assert '{"user_id": "me<' in unescape(text_of(from_half))
        assert "No calls yet" in text_of(signed_in.get(there))

    def test_gives_htmx_only_the_form(
        self, signed_in: Client, row: Environment
    ) -> None:
        page = text_of(
            signed_in.post(
                address("environment_console", row),
                {"tool": "calculate", "picked": "get_user_details"},
                headers={"HX-Request": "true"},
            )
        )

        assert 'id="call"' in page
        assert "<html" not in page
        assert "newest first" not in page

    def test_shows_halves_of_characters_without_failing(
        self, signed_in: Client, row: Environment
    ) -> None:
        page = self.call(signed_in, row, "calculate", '{"expression": "\\ud800"}')

        assert "U+D800" in page
        assert "\\ud800" in page  # in the form, which stays with JSON

    def test_knows_no_other_tools(self, signed_in: Client, row: Environment) -> None:
        response = signed_in.post(
            address("environment_console", row),
            {"tool": "__init__", "arguments": "{}"},
        )

        assert response.status_code == 422

    def test_has_an_end(
        self, signed_in: Client, row: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("writ_app.views.catalog.MAX_CALLS", 2)
        monkeypatch.setattr(console, "MAX_CALLS", 2)
        for _ in range(2):
            self.call(signed_in, row, "list_all_product_types")

        response = signed_in.post(
            address("environment_console", row),
            {"tool": "list_all_product_types", "arguments": "{}"},
        )

        assert response.status_code == 422
        assert "reset it to go on" in response.content.decode()
