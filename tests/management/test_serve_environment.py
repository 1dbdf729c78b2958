"""A real MCP client starts the command, plays the world and reads its policy."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import anyio
import httpx2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from environments import registry
from environments.core.tools import ToolCall

MANAGE = str(settings.BASE_DIR / "manage.py")
WORDS = [MANAGE, "serve_environment", "retail", "--seed", "3", "--users", "8"]
NEEDED = {
    name: value
    for name, value in os.environ.items()
    if name.startswith(("WRIT_", "DJANGO_")) or name == "PATH"
}
TOKEN = "a-long-word-for-tests"
OWN = registry.world("retail").generated(seed=3, users=8)


def play(steps: Callable[[Client], Awaitable[None]]) -> None:
    async def whole() -> None:
        started = StdioServerParameters(command=sys.executable, args=WORDS, env=NEEDED)
        async with Client(started) as client:
            await steps(client)

    in_own_loop(whole)


def in_own_loop[T](steps: Callable[..., Awaitable[T]], *given: object) -> T:
    """In a thread of its own: browser tests keep an event loop in this one."""

    async def in_time() -> T:
        with anyio.fail_after(60):
            return await steps(*given)

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(anyio.run, in_time).result()


def found_user() -> tuple[str, str]:
    key, user = next(iter(OWN.state.collections["users"].items()))
    return key, user["email"]


class TestOverStdio:
    def test_offers_our_tools_with_our_very_schemas(self) -> None:
        async def steps(client: Client) -> None:
            offered = (await client.list_tools()).tools
            assert [
                (tool.name, tool.description, tool.input_schema) for tool in offered
            ] == [
                (f["name"], f["description"], f["parameters"])
                for f in (schema["function"] for schema in OWN.schemas)
            ]
            kinds = {tool.name: tool.annotations.read_only_hint for tool in offered}
            assert kinds["get_order_details"] is True
            assert kinds["cancel_pending_order"] is False

        play(steps)

    def test_gives_the_texts_an_agent_of_ours_would_get(self) -> None:
        key, email = found_user()
        twin = OWN.session()

        async def steps(client: Client) -> None:
            for name, arguments in (
                ("find_user_id_by_email", {"email": email}),
                ("get_user_details", {"user_id": key}),
                ("modify_user_address", address(key)),
                ("get_user_details", {"user_id": key}),
            ):
                expected = twin.call(ToolCall(name=name, arguments=arguments))
                answer = await client.call_tool(name, arguments)
                assert answer.content[0].text == expected.content
                assert not answer.is_error
            told = json.loads(expected.content)
            assert told["address"]["city"] == "Elsewhere"  # the write was kept

        play(steps)

    def test_flags_refusals_and_goes_on(self) -> None:
        key, _ = found_user()

        async def steps(client: Client) -> None:
            for name, arguments in (
                ("get_user_details", {"user_id": "nobody"}),
                ("get_user_details", {"user_id": key, "more": 1}),
                ("no_such_tool", {}),
            ):
                answer = await client.call_tool(name, arguments)
                assert answer.is_error
                assert answer.content[0].text.startswith("Error: ")
            assert not (
                await client.call_tool("get_user_details", {"user_id": key})
            ).is_error

        play(steps)

    def test_tells_the_policy_as_prompt_and_as_resource(self) -> None:
        async def steps(client: Client) -> None:
            prompt = await client.get_prompt("policy")
            address = (await client.list_resources()).resources[0].uri
            page = await client.read_resource(address)
            assert prompt.messages[0].content.text == OWN.policy
            assert page.contents[0].text == OWN.policy
            assert [p.name for p in (await client.list_prompts()).prompts] == ["policy"]
            with pytest.raises(MCPError, match="There is no prompt"):
                await client.get_prompt("recipe")
            with pytest.raises(MCPError, match="There is no writ://"):
                await client.read_resource("writ://elsewhere")

        play(steps)


class TestOverHttp:
    @pytest.mark.parametrize("mode", ["auto", "legacy"])
    def test_gives_every_client_a_session_of_its_own(self, mode: str) -> None:
        key, _ = found_user()

        async def city(client: Client) -> str:
            told = await client.call_tool("get_user_details", {"user_id": key})
            return json.loads(told.content[0].text)["address"]["city"]

        async def whole(site: str) -> None:
            async with Client(site, mode=mode) as one, Client(site, mode=mode) as other:
                home = await city(other)
                await one.call_tool("modify_user_address", address(key))

                assert await city(one) == "Elsewhere"  # kept from call to call
                assert await city(other) == home
            async with Client(site, mode=mode) as later:
                assert await city(later) == home

        with served() as site:
            in_own_loop(whole, site)

    def test_refuses_clients_without_sessions_and_says_what_it_speaks(self) -> None:
        async def whole(site: str) -> None:
            async with Client(site, mode="2026-07-28") as client:
                with pytest.raises(MCPError, match="needs a session") as refused:
                    await client.call_tool("list_all_product_types")
                assert "2025-06-18" in refused.value.data["supported"]

        with served() as site:
            in_own_loop(whole, site)

    def test_beyond_this_machine_answers_only_who_has_the_token(self) -> None:
        async def plays(site: str, token: str) -> bool:
            async with (
                httpx2.AsyncClient(headers=bearing(token)) as http,
                Client(streamable_http_client(site, http_client=http)) as client,
            ):
                return bool((await client.list_tools()).tools)

        beyond = ("--host", "0.0.0.0", "--token-env", "PLAY_TOKEN")
        with served(*beyond, PLAY_TOKEN=TOKEN) as site:
            assert in_own_loop(plays, site, TOKEN)
            for headers in (
                {},
                bearing(TOKEN[:-1]),
                bearing(f"{TOKEN}x"),
                bearing("\xfc" * 20),
                {"Authorization": f"Basic {TOKEN}"},
            ):
                assert refusal(site, headers) == (401, "Bearer")

    def test_on_this_machine_wants_a_token_if_one_is_named(self) -> None:
        with served("--token-env", "PLAY_TOKEN", PLAY_TOKEN=TOKEN) as site:
            assert refusal(site, {}) == (401, "Bearer")


class TestToken:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
    def test_is_demanded_beyond_this_machine(self, host: str) -> None:
        with pytest.raises(CommandError, match="name the variable with --token-env"):
            call_command("serve_environment", "retail", transport="http", host=host)

    @pytest.mark.parametrize("held", [None, "", "short", "x" * 15, f"{TOKEN} spaced"])
    def test_that_is_missing_or_weak_is_refused_without_showing_it(
        self, held: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PLAY_TOKEN", raising=False)
        if held is not None:
            monkeypatch.setenv("PLAY_TOKEN", held)

        with pytest.raises(CommandError, match="PLAY_TOKEN must hold") as refused:
            call_command(
                "serve_environment", "retail", transport="http", token_env="PLAY_TOKEN"
            )
        assert not held or held not in str(refused.value)


class TestWhatIsNotThere:
    def test_is_said_with_what_is(self) -> None:
        with pytest.raises(CommandError, match=r"there are airline, .*retail"):
            call_command("serve_environment", "moonbase")

    @pytest.mark.django_db
    def test_a_version_is_said_too(self) -> None:
        with pytest.raises(CommandError, match="no retail called old; there is none"):
            call_command("serve_environment", "retail", stored="old")


@contextmanager
def served(*more: str, **variables: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, *WORDS, "--transport", "http", "--port", str(port), *more]
    child = subprocess.Popen(words, env=NEEDED | variables)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        child.terminate()
        child.wait(timeout=20)


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def refusal(site: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status, and the way to sign in that is asked for."""
    asked = urllib.request.Request(site, data=b"{}", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=10)
    return refused.value.code, refused.value.headers["WWW-Authenticate"].split()[0]


def address(user: str) -> dict[str, str]:
    return {
        "user_id": user,
        "address1": "1 New Street",
        "address2": "",
        "city": "Elsewhere",
        "state": "NY",
        "country": "USA",
        "zip": "10001",
    }
