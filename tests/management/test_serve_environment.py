"""A real MCP client starts the command, plays the world and reads its policy."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import anyio
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
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
OWN = registry.world("retail").generated(seed=3, users=8)


def play(steps: Callable[[Client], Awaitable[None]], server: object = None) -> None:
    async def whole() -> None:
        started = server or StdioServerParameters(
            command=sys.executable, args=WORDS, env=NEEDED
        )
        with anyio.fail_after(60):
            async with Client(started) as client:
                await steps(client)

    # In a thread of its own: browser tests keep an event loop in this one.
    with ThreadPoolExecutor(1) as executor:
        executor.submit(anyio.run, whole).result()


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
    def test_clients_share_the_one_session(self) -> None:
        key, _ = found_user()

        async def write(client: Client) -> None:
            await client.call_tool("modify_user_address", address(key))

        async def read(client: Client) -> None:
            answer = await client.call_tool("get_user_details", {"user_id": key})
            assert "Elsewhere" in answer.content[0].text

        with served() as site:
            play(write, site)
            play(read, site)


class TestWhatIsNotThere:
    def test_is_said_with_what_is(self) -> None:
        with pytest.raises(CommandError, match=r"there are airline, .*retail"):
            call_command("serve_environment", "moonbase")

    @pytest.mark.django_db
    def test_a_version_is_said_too(self) -> None:
        with pytest.raises(CommandError, match="no retail called old; there is none"):
            call_command("serve_environment", "retail", stored="old")


@contextmanager
def served() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, *WORDS, "--transport", "http", "--port", str(port)]
    child = subprocess.Popen(words, env=NEEDED)
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
