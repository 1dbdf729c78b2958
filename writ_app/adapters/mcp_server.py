"""An environment session as an MCP server, so that any agent client can play it.

Uses the SDK's low-level server: tools go out with the very schemas that our own agents get, not ones derived anew.
"""

from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from environments.core.environment import Environment, EnvironmentSession
from environments.core.tools import Tool, ToolCall

POLICY = "policy"
"""Name of the prompt and the resource that hold the policy."""
HTTP_PATH = "/mcp"


def make_server(session: EnvironmentSession) -> Server[Any]:
    """A server over one session: every client that connects sees the same state, and calls take turns."""
    environment = session.environment
    address = policy_address(environment)

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[_described(tool) for tool in environment.tools.values()]
        )

    async def call_tool(
        context: Any, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        # Made on the event loop itself, so that no two calls meet.
        result = session.call(
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


def serve_stdio(session: EnvironmentSession) -> None:
    """Serve whoever started this process, until they close our input."""
    anyio.run(_over_stdio, make_server(session))


async def _over_stdio(server: Server[Any]) -> None:
    async with stdio_server() as (receiving, sending):
        await server.run(receiving, sending, server.create_initialization_options())


def serve_http(session: EnvironmentSession, *, host: str, port: int) -> None:
    """Serve at http://HOST:PORT/mcp until the process is told to stop."""
    app = make_server(session).streamable_http_app(
        streamable_http_path=HTTP_PATH, host=host
    )
    uvicorn.run(app, host=host, port=port, log_level="warning")


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
