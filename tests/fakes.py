"""A small OpenAI-compatible server of the tests' own, over real HTTP on loopback, and models that answer from a list."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from writ_app.engine.llm import ChatModel, Completion
from writ_app.engine.types import Message, MessageCall


@dataclass
class ListedChat:
    """A ChatModel that gives these answers in turn; an exception in the list is raised."""

    answers: list[Completion | Exception]
    name: str = "listed"
    asked: list[dict[str, Any]] = field(default_factory=list)

    def complete(self, **request: Any) -> Completion:
        self.asked.append(request)
        answer = self.answers[len(self.asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Reply:
    """What the server sends: status, body, headers, after a pause in seconds."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0


def text_reply(text: str) -> Reply:
    return completion_reply({"role": "assistant", "content": text})


def call_reply(name: str, arguments: str) -> Reply:
    function = {"name": name, "arguments": arguments}
    call = {"id": "call_1", "type": "function", "function": function}
    return completion_reply(
        {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    )


def error_reply(status: int, text: str, **headers: str) -> Reply:
    error = {"message": text, "type": "error", "code": str(status)}
    return Reply(
        status,
        json.dumps({"error": error}),
        {name.replace("_", "-"): value for name, value in headers.items()},
    )


def completion_reply(message: dict[str, Any], finish_reason: str = "stop") -> Reply:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "as-the-server-calls-it",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }
    return Reply(body=json.dumps(body))


@dataclass
class ChatServer:
    """`answer` makes a reply from a request; requests are kept, with their headers."""

    url: str
    answer: Callable[[dict[str, Any]], Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@contextmanager
def chat_server(
    answer: Callable[[dict[str, Any]], Reply] | Sequence[Reply],
) -> Iterator[ChatServer]:
    """Serve on a free port until the block ends."""
    if not callable(answer):
        replies = iter(answer)
        server = ChatServer("", lambda request: next(replies))
    else:
        server = ChatServer("", answer)

    class Post(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(length))
            server.requests.append(request)
            server.keys.append(self.headers.get("Authorization", ""))
            reply = server.answer(request)
            time.sleep(reply.pause)
            body = reply.body.encode()
            try:
                self.send_response(reply.status)
                headers = {"Content-Type": "application/json", **reply.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                pass  # the client did not wait

        def log_message(self, *args: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        request_queue_size = 512  # hundreds may knock at once

    listener = Listener(("127.0.0.1", 0), Post)
    listener.daemon_threads = True
    # Polling more often than every half second, so that the end does not wait for it.
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listener.server_port}/v1"
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def over_http(model: ChatModel) -> Callable[[dict[str, Any]], Reply]:
    """A server's side of a model: requests in OpenAI's form, answered by `model`."""

    def answer(request: dict[str, Any]) -> Reply:
        system, *messages = request["messages"]
        completion = model.complete(
            system=system["content"],
            messages=[from_openai(message) for message in messages],
            tools=request.get("tools", []),
            seed=request["seed"],
        )
        if not completion.tool_calls:
            return text_reply(completion.content)
        calls = [
            {
                "id": made.id,
                "type": "function",
                "function": {
                    "name": made.name,
                    "arguments": json.dumps(made.arguments),
                },
            }
            for made in completion.tool_calls
        ]
        message = {
            "role": "assistant",
            "content": completion.content or None,
            "tool_calls": calls,
        }
        return completion_reply(message, "tool_calls")

    return answer


def from_openai(message: dict[str, Any]) -> Message:
    calls = tuple(
        MessageCall(
            id=call["id"],
            name=call["function"]["name"],
            arguments=json.loads(call["function"]["arguments"]),
        )
        for call in message.get("tool_calls") or ()
    )
    return Message(
        role=message["role"],
        content=message.get("content") or "",
        tool_calls=calls,
        tool_call_id=message.get("tool_call_id", ""),
    )


def rewording(request: dict[str, Any]) -> Reply:
    """A writer that says everything after a "Well,", and a reader that knows only retail's R5."""
    asked = json.loads(request["messages"][-1]["content"])
    if "clauses" in asked:
        said = {one["name"]: f"Well, {one['text']}" for one in asked["clauses"]}
        return text_reply(json.dumps({"clauses": said}))
    part = {"archetype": "R5", "clauses": ["wish", "refund"], "slots": {}}
    return text_reply(json.dumps({"readings": [{"parts": [part]}]}))
