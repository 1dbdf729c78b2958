"""An environment as an MCP server, so that any agent client can play it: every client in a session of its own.

Uses the SDK's low-level server: tools go out with the very schemas that our own agents get, not ones derived anew.
"""

import secrets
from collections.abc import Callable
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from pydantic import AnyHttpUrl
from starlette.applications import Starlette

from environments.core.environment import Environment, EnvironmentSession
from environments.core.tools import Tool, ToolCall

POLICY = "policy"
"""Name of the prompt and the resource that hold the policy."""
HTTP_PATH = "/mcp"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine reaches. For these the SDK also refuses requests that a web page was tricked into."""
MOST_CLIENTS = 1_000

type Context = ServerRequestContext[Any, Any]


def make_server(
    environment: Environment, session_of: Callable[[Context], EnvironmentSession]
) -> Server[Any]:
    """A server over the environment; `session_of` says which session a request plays in."""
    address = policy_address(environment)

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[_described(tool) for tool in environment.tools.values()]
        )

    async def call_tool(
        context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        # Made on the event loop itself, so that no two calls meet.
        result = session_of(context).call(
            ToolCall(name=params.name, arguments=params.arguments or {})
        )
        return types.CallToolResult(
            content=[types.TextContent(text=result.content)], is_error=result.error
        )

    async def list_resources(context: Any, params: Any) -> types.ListResourcesResult:
        policy = types.Resource(
            name=POLICY,
            uri=address,
            description="What the agent must and must not do.",
            mime_type="text/markdown",
        )
        return types.ListResourcesResult(resources=[policy])

    async def read_resource(
        context: Any, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        if params.uri != address:
            raise MCPError(
                types.INVALID_PARAMS, f"There is no {params.uri}; there is {address}."
            )
        text = types.TextResourceContents(
            uri=address, mime_type="text/markdown", text=environment.policy
        )
        return types.ReadResourceResult(contents=[text])

    async def list_prompts(context: Any, params: Any) -> types.ListPromptsResult:
        policy = types.Prompt(name=POLICY, description="The policy to act under.")
        return types.ListPromptsResult(prompts=[policy])

    async def get_prompt(
        context: Any, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        if params.name != POLICY:
            raise MCPError(
                types.INVALID_PARAMS,
                f"There is no prompt {params.name}; there is {POLICY}.",
            )
        text = types.TextContent(text=environment.policy)
        return types.GetPromptResult(
            messages=[types.PromptMessage(role="user", content=text)]
        )

    return Server(
        f"writ-{environment.name}",
        version=environment.version,
        instructions=environment.policy,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
    )


def policy_address(environment: Environment) -> str:
    return f"writ://{environment.name}/{environment.version}/{POLICY}"


def serve_stdio(environment: Environment) -> None:
    """Serve whoever started this process, in one session, until they close our input."""
    session = environment.session()
    anyio.run(_over_stdio, make_server(environment, lambda context: session))


async def _over_stdio(server: Server[Any]) -> None:
    async with stdio_server() as (receiving, sending):
        await server.run(receiving, sending, server.create_initialization_options())


def serve_http(
    environment: Environment, *, host: str, port: int, token: str = ""
) -> None:
    """Serve at http://HOST:PORT/mcp until the process is told to stop. Who has not the token, if there is one, gets 401."""
    app = http_app(environment, host=host, token=token)
    uvicorn.run(app, host=host, port=port, log_level="warning")


def http_app(environment: Environment, *, host: str, token: str) -> Starlette:
    server = make_server(environment, _own_session(environment))
    server.middleware.append(_only_with_a_session)
    return server.streamable_http_app(
        streamable_http_path=HTTP_PATH,
        host=host,
        max_sessions=MOST_CLIENTS,
        auth=_NO_SIGN_IN if token else None,
        token_verifier=OneToken(token) if token else None,
    )


def _own_session(environment: Environment) -> Callable[[Context], EnvironmentSession]:
    def session_of(context: Context) -> EnvironmentSession:
        # The connection lives as long as the client's MCP session, and what is kept in its `state` ends with it.
        # Handlers have no public way to it in this release of the SDK.
        kept = context.session._connection.state
        if "session" not in kept:
            kept["session"] = environment.session()
        session: EnvironmentSession = kept["session"]
        return session

    return session_of


async def _only_with_a_session(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Refuse the revision of MCP that has no sessions: each call would begin in a fresh world.

    Clients that speak it learn from the error which revisions they can fall back to, and do.
    """
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        raise MCPError(
            types.UNSUPPORTED_PROTOCOL_VERSION,
            "This server needs a session: begin with initialize.",
            types.UnsupportedProtocolVersionErrorData(
                supported=list(HANDSHAKE_PROTOCOL_VERSIONS),
                requested=ctx.protocol_version,
            ).model_dump(mode="json"),
        )
    return await call_next(ctx)


class OneToken:
    """The SDK's token verifier for one token that both sides were given beforehand."""

    def __init__(self, token: str):
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        # Compared in constant time, so that answering tells nothing of how much was right.
        if not secrets.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token=token, client_id="client", scopes=[])


_NO_SIGN_IN = AuthSettings(
    # Demanded by the SDK, and told to nobody while there is no resource server to describe.
    issuer_url=AnyHttpUrl("http://localhost"),
    resource_server_url=None,
)


def _described(tool: Tool) -> types.Tool:
    function = tool.schema["function"]
    return types.Tool(
        name=tool.name,
        description=function["description"],
        input_schema=function["parameters"],
        annotations=types.ToolAnnotations(
            read_only_hint=not tool.mutates, open_world_hint=False
        ),
    )
