"""Speed of the worlds beside the reference's: `python tests/benchmarks/environments.py [--tau2-root DIR]`.

With a tau2 root (the folder that holds `checkout/`) it measures the reference's own databases and tasks, without one a generated
world and requests drawn from it. The hash of a new state has no short way: SHA-256 reads all that follows the first change. Figures of the reference (tau2-bench a2c0247, Python 3.12.1, two shared cores, 2026-11) stand
beside ours; they compare only on the same data.
"""

import argparse
import gc
import json
import random
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # this folder would hide the package of the same name

from environments.core.environment import Environment, EnvironmentSession  # noqa: E402
from environments.core.tools import ToolCall  # noqa: E402
from environments.registry import world  # noqa: E402
from tests.benchmarks.figures import note  # noqa: E402

type Episode = list[ToolCall]

SESSIONS = 1_000
WIDTH = 50
"""Of the first column."""


@dataclass(frozen=True)
class Peer:
    """The reference's figures of one world: seconds, bytes, calls or episodes per second."""

    construction: float
    hash: float
    memory: float
    calls: dict[str, float]
    replay: float
    """Gold replay, episodes/s."""
    scoring: float
    """Two replays and a comparison, as its evaluator does, episodes/s."""


PEERS = {
    "airline": Peer(
        construction=0.289,
        hash=0.209,
        memory=22e6,
        calls={
            "get_user_details": 5456,
            "get_reservation_details": 6000,
            "search_direct_flight": 5013,
            "search_onestop_flight": 801,
            "cancel_reservation": 4189,
            "update_reservation_baggages": 4189,
            "send_certificate": 4189,
        },
        replay=1.7,
        scoring=0.71,
    ),
    "retail": Peer(
        construction=0.093,
        hash=0.097,
        memory=9e6,
        calls={
            "get_user_details": 7772,
            "get_order_details": 5490,
            "get_product_details": 3263,
            "get_item_details": 14211,
            "find_user_id_by_email": 30513,
            "cancel_pending_order": 7011,
            "modify_user_address": 7011,
        },
        replay=3.5,
        scoring=1.8,
    ),
}
"""Of the reference's airline writes (4,189 to 5,578 calls/s) the slowest stands for all."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--tau2-root", type=Path, help="folder that holds the reference's checkout/"
    )
    parser.add_argument(
        "--environment", choices=PEERS, action="append", help="default: all of them"
    )
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="spent on each figure"
    )
    options = parser.parse_args()
    print(f"{'':<{WIDTH}}{'reference':>10}{'ours':>12}{'better by':>11}{'aim':>9}")  # noqa: T201
    show(
        "",
        "import of every world and the engine (s)",
        13.6,
        import_time(),
        aim=13.6 / 0.3,
    )
    for name in options.environment or PEERS:
        measure(name, options.tau2_root, options.seconds)


def measure(name: str, tau2_root: Path | None, seconds: float) -> None:
    peer, environment = PEERS[name], load(name, tau2_root)
    reads, writes = SAMPLES[name](environment, random.Random(1))
    episodes = gold(name, tau2_root) or drawn_episodes(reads, writes)
    print(f"\n{name}, {environment.version}: {len(episodes)} episodes")  # noqa: T201

    start = 1 / rate(environment.session, seconds)
    show(name, "session start (s)", peer.construction, start, aim=1000)
    memory = memory_per_session(environment)
    show(name, "memory per open session (bytes)", peer.memory, memory, aim=200)
    written = memory_per_session(environment, writes[0])
    show(
        name, "memory per session after a write (bytes)", peer.memory, written, aim=200
    )

    for calls in reads:
        per_second = call_rate(environment, calls, seconds)
        show_rate(
            name, f"{calls[0].name} (calls/s)", peer.calls, per_second, calls, aim=5
        )
    for calls in writes:
        per_second = write_rate(environment, calls, seconds)
        show_rate(
            name, f"{calls[0].name} (calls/s)", peer.calls, per_second, calls, aim=2
        )

    environment.state.content_hash  # noqa: B018 - made once per process
    for calls in writes[:2]:
        tool = calls[0].name
        new = 1 / rate(unseen_hashes(environment, calls).__next__, seconds)
        show(name, f"hash, new state, {tool} (s)", peer.hash, new, aim=1000)
        changed = cycle(changed_sessions(environment, calls))
        seen = 1 / rate(lambda: next(changed).state.content_hash(), seconds)  # noqa: B023
        show(name, f"hash, seen state, {tool} (s)", peer.hash, seen, aim=1000)
        effect = 1 / rate(lambda: next(changed).state.effect(), seconds)  # noqa: B023
        show(name, f"effect, {tool} (s)", peer.hash, effect, aim=1000)

    effects = [replayed(environment, episode).state.effect() for episode in episodes]
    per_second = episode_rate(
        episodes, seconds, lambda n: check_effect(environment, episodes[n], effects[n])
    )
    show_rate(
        name, "gold replay, state checked (ep/s)", {}, per_second, [], peer.replay, 300
    )
    per_second = episode_rate(
        episodes, seconds, lambda n: score(environment, episodes[n])
    )
    show_rate(
        name, "gold replay as scored (ep/s)", {}, per_second, [], peer.scoring, 300
    )
    per_second = episode_rate(
        episodes, seconds, lambda n: exact_hash(environment, episodes[n])
    )
    show_rate(
        name,
        "gold replay, SHA-256, states seen (ep/s)",
        {},
        per_second,
        [],
        peer.replay,
        300,
    )


def load(name: str, tau2_root: Path | None) -> Environment:
    if tau2_root is None:
        return world(name).generated(seed=1)
    folder = domain_folder(name, tau2_root)
    raw = json.loads((folder / "db.json").read_text(encoding="utf-8"))
    policy = (folder / "policy.md").read_text(encoding="utf-8")
    return world(name).build(
        state=world(name).read_state(raw), version="reference", policy=policy
    )


def gold(name: str, tau2_root: Path | None) -> list[Episode]:
    """Gold actions of every task, writes and reads."""
    if tau2_root is None:
        return []
    tasks = json.loads(
        (domain_folder(name, tau2_root) / "tasks.json").read_text(encoding="utf-8")
    )
    return [
        [
            ToolCall(name=action["name"], arguments=action["arguments"])
            for action in task["evaluation_criteria"]["actions"] or []
        ]
        for task in tasks
    ]


def domain_folder(name: str, tau2_root: Path) -> Path:
    return tau2_root / "checkout/data/tau2/domains" / name


def drawn_episodes(
    reads: Sequence[Sequence[ToolCall]], writes: Sequence[Sequence[ToolCall]]
) -> list[Episode]:
    """Three reads and a write each, where there are no tasks."""
    sources = [cycle(calls) for calls in [*reads[:3], *writes[:1]]]
    return [[next(source) for source in sources] for _ in range(100)]


# Calls to measure: (reads by tool, writes by tool), each with arguments that succeed.

type Samples = tuple[list[list[ToolCall]], list[list[ToolCall]]]


def retail_samples(environment: Environment, rng: random.Random) -> Samples:
    state = environment.state.collections
    users, orders = list(state["users"].values()), list(state["orders"].values())
    rng.shuffle(users)
    rng.shuffle(orders)
    stock = [
        key for product in state["products"].values() for key in product["variants"]
    ]
    pending = [order["order_id"] for order in orders if order["status"] == "pending"]
    reads = [
        _calls("find_user_id_by_email", email=[user["email"] for user in users]),
        _calls("get_user_details", user_id=[user["user_id"] for user in users]),
        _calls("get_order_details", order_id=[order["order_id"] for order in orders]),
        _calls("get_product_details", product_id=list(state["products"])),
        _calls("get_item_details", item_id=stock),
    ]
    writes = [
        _calls("cancel_pending_order", order_id=pending, reason="no longer needed"),
        [
            ToolCall(
                name="modify_user_address",
                arguments={"user_id": user["user_id"], **user["address"], "zip": "1"},
            )
            for user in users
        ],
    ]
    return reads, writes


def airline_samples(environment: Environment, rng: random.Random) -> Samples:
    state = environment.state.collections
    users, reservations = list(state["users"]), list(state["reservations"].values())
    flights = list(state["flights"].values())
    for one in (users, reservations, flights):
        rng.shuffle(one)
    legs = [
        {"origin": flight["origin"], "destination": flight["destination"], "date": date}
        for flight in flights
        for date in rng.sample(list(flight["dates"]), 3)
    ]
    bags = [
        {
            "reservation_id": reservation["reservation_id"],
            "total_baggages": reservation["total_baggages"] + 1,
            "nonfree_baggages": reservation["nonfree_baggages"] + 1,
            "payment_id": card,
        }
        for reservation in reservations
        for card, method in state["users"][reservation["user_id"]][
            "payment_methods"
        ].items()
        if method["source"] == "credit_card" and reservation["status"] is None
    ]
    keys = [one["reservation_id"] for one in reservations if one["status"] is None]
    reads = [
        _calls("get_user_details", user_id=users),
        _calls("get_reservation_details", reservation_id=keys),
        [ToolCall(name="search_direct_flight", arguments=leg) for leg in legs],
        [ToolCall(name="search_onestop_flight", arguments=leg) for leg in legs],
    ]
    writes = [
        _calls("cancel_reservation", reservation_id=keys),
        [ToolCall(name="update_reservation_baggages", arguments=one) for one in bags],
        _calls("send_certificate", user_id=users, amount=100),
    ]
    return reads, writes


SAMPLES: dict[str, Callable[[Environment, random.Random], Samples]] = {
    "airline": airline_samples,
    "retail": retail_samples,
}


def _calls(name: str, **arguments: object) -> list[ToolCall]:
    """One call per value of the first argument; the others stay."""
    (first, values), *others = arguments.items()
    assert isinstance(values, list)
    return [
        ToolCall(name=name, arguments={first: value, **dict(others)})
        for value in values
    ]


# Measuring


def rate(act: Callable[[], object], seconds: float) -> float:
    """Times per second; the clock is looked at once in a while, and garbage stays on."""
    batch, count = 1, 0
    start = time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        for _ in range(batch):
            act()
        count += batch
        batch = min(1000, batch * 2)
    return count / spent


def call_rate(
    environment: Environment, calls: Sequence[ToolCall], seconds: float
) -> float:
    """Reads of one session."""
    session = environment.session()
    for call in calls:
        assert not session.call(call).error, call
    source = cycle(calls)
    return rate(lambda: session.call(next(source)), seconds)


def write_rate(
    environment: Environment, calls: Sequence[ToolCall], seconds: float
) -> float:
    """Writes, each the first of its kind: the session is opened anew when its calls are used up."""
    assert not environment.session().call(calls[0]).error, calls[0]

    def sequence() -> Iterator[None]:
        while True:
            session = environment.session()
            for call in calls:
                session.call(call)
                yield

    source = sequence()
    return rate(lambda: next(source), seconds)


def changed_sessions(
    environment: Environment, calls: Sequence[ToolCall]
) -> list[EnvironmentSession]:
    return [replayed(environment, [call]) for call in calls[:200]]


def unseen_hashes(environment: Environment, calls: Sequence[ToolCall]) -> Iterator[str]:
    """Hashes of states that differ each time, so that none is remembered."""
    for n, session in enumerate(cycle(changed_sessions(environment, calls))):
        collection, key = next(iter(session.state.changes()))
        session.state.edit(collection, key)["n"] = n
        yield session.state.content_hash()


def replayed(environment: Environment, episode: Episode) -> EnvironmentSession:
    session = environment.session()
    session.replay(episode)
    return session


def check_effect(environment: Environment, episode: Episode, effect: str) -> None:
    """A replay compared with the effect kept with the task."""
    assert replayed(environment, episode).state.effect() == effect


def score(environment: Environment, episode: Episode) -> None:
    """The simulated and the gold session, both replayed, and their states compared."""
    simulated = replayed(environment, episode)
    assert simulated.state.effect() == replayed(environment, episode).state.effect()


def exact_hash(environment: Environment, episode: Episode) -> None:
    assert replayed(environment, episode).state.content_hash()


def episode_rate(
    episodes: Sequence[Episode], seconds: float, act: Callable[[int], None]
) -> float:
    """Episodes per second over whole rounds of all episodes."""
    rounds = 0
    start = time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds or not rounds:
        for n in range(len(episodes)):
            act(n)
        rounds += 1
    return rounds * len(episodes) / spent


def memory_per_session(
    environment: Environment, calls: Sequence[ToolCall] = ()
) -> float:
    """Bytes that an open session holds on its own, mean of a thousand."""
    source = cycle([[call] for call in calls] or [[]])
    for _ in range(SESSIONS):  # what the base keeps for everybody is not counted
        replayed(environment, next(source))
    gc.collect()
    tracemalloc.start()
    opened = [replayed(environment, next(source)) for _ in range(SESSIONS)]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / len(opened)


def import_time() -> float:
    """Seconds in a new interpreter, best of three."""
    code = (
        "import time; start = time.perf_counter()\n"
        "import environments.registry\n"
        "from writ_app.engine import simulation, verification\n"
        "from writ_app.engine.export import formats\n"
        "print(time.perf_counter() - start)"
    )
    return min(
        float(
            subprocess.run(
                [sys.executable, "-c", code],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for _ in range(3)
    )


# Printing


def show(name: str, what: str, reference: float, ours: float, aim: float) -> None:
    """Less is better."""
    note(named(name, what), ours, "", at_most=reference / aim, beside=beside(reference))
    _print(what, reference, ours, reference / ours, aim)


def show_rate(
    name: str,
    what: str,
    by_tool: dict[str, float],
    ours: float,
    calls: Sequence[ToolCall],
    reference: float = 0.0,
    aim: float = 1.0,
) -> None:
    """More is better."""
    reference = by_tool[calls[0].name] if calls else reference
    note(
        named(name, what), ours, "", at_least=reference * aim, beside=beside(reference)
    )
    _print(what, reference, ours, ours / reference, aim)


def named(name: str, what: str) -> str:
    return f"{name}: {what}" if name else what


def beside(reference: float) -> str:
    return f"reference {_figure(reference)}"


def _print(what: str, reference: float, ours: float, ratio: float, aim: float) -> None:
    better = f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.1f}x"
    below = "" if ratio >= aim else "  below"
    print(  # noqa: T201
        f"{what:<{WIDTH}}{_figure(reference):>10}{_figure(ours):>12}{better:>11}{aim:>8,.0f}x{below}"
    )


def _figure(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1e-3 else f"{value * 1e6:.3g}e-6"


if __name__ == "__main__":
    main()
