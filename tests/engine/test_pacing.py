import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from writ_app.engine.errors import MalformedCompletion, ModelUnavailable
from writ_app.engine.llm import Completion
from writ_app.engine.pacing import Budget, Limiter, PacedChat, Retry, Stopped

BUSY = ModelUnavailable("busy", retryable=True, busy=True)
BROKEN = ModelUnavailable("broken", retryable=True)
REFUSED = ModelUnavailable("refused", retryable=False)
UNREACHED = ModelUnavailable("nobody there", retryable=True, unreached=True)
HELLO = Completion(content="Hello")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def in_loop[T](coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


class TestBudget:
    def test_without_caps_is_never_spent(self) -> None:
        assert Budget().spent(1e9, 10**12) == ""

    @pytest.mark.parametrize(
        ("budget", "says"),
        [
            (Budget(max_cost=2.5), "The cap of $2.50 is reached: $2.5000 spent."),
            (Budget(max_tokens=1000), "The cap of 1,000 tokens is reached"),
        ],
    )
    def test_is_spent_when_a_cap_is_reached_and_says_which(
        self, budget: Budget, says: str
    ) -> None:
        assert budget.spent(2.49, 999) == ""
        assert budget.spent(2.5, 1000).startswith(says)


class TestRetry:
    def test_draws_pauses_up_to_a_bound_that_doubles(self) -> None:
        retry, rng = Retry(first_wait=1, max_wait=10, max_attempts=9), random.Random(1)
        for attempt, bound in [(1, 1), (2, 2), (4, 8), (6, 10)]:
            drawn = [retry.pause(attempt, BUSY, rng) or 0 for _ in range(300)]
            assert max(drawn) <= bound
            assert min(drawn) < 0.1 * bound
            assert max(drawn) > 0.9 * bound

    def test_comes_back_when_it_was_told_to_and_not_all_at_once(self) -> None:
        told = ModelUnavailable("busy", retryable=True, retry_after=7)
        pauses = {Retry().pause(1, told, random.Random(n)) for n in range(20)}
        assert len(pauses) == 20
        assert all(pause is not None and 7 <= pause <= 9 for pause in pauses)

    @pytest.mark.parametrize(
        ("attempt", "error"),
        [
            (1, REFUSED),
            (6, BUSY),
            (1, ModelUnavailable("busy", retryable=True, retry_after=3600)),
        ],
    )
    def test_gives_up_what_will_not_pass(
        self, attempt: int, error: ModelUnavailable
    ) -> None:
        assert Retry().pause(attempt, error, random.Random(0)) is None


class TestLimiter:
    def test_lets_in_no_more_than_the_bound_and_first_come_first(self) -> None:
        async def scene() -> list[int]:
            limiter, order = Limiter(2), []

            async def one(number: int) -> None:
                await limiter.acquire()
                order.append(number)
                assert limiter.in_flight <= 2
                await asyncio.sleep(0)
                limiter.release()

            await asyncio.gather(*map(one, range(9)))
            assert limiter.in_flight == 0
            return order

        assert in_loop(scene()) == list(range(9))

    def test_halves_once_for_a_burst_of_refusals(self) -> None:
        clock = Clock()
        limiter = Limiter(64, clock)
        clock.now = 1
        for _ in range(40):  # all sent at the same time
            limiter.failed(0.5, BUSY)
        assert limiter.limit == 32
        clock.now = 3
        limiter.failed(0.9, BUSY)  # sent before the cut
        assert limiter.limit == 32
        limiter.failed(2, BUSY)
        assert limiter.limit == 16

    def test_never_goes_below_one(self) -> None:
        clock = Clock()
        limiter = Limiter(2, clock)
        for clock.now in range(1, 9):
            limiter.failed(clock.now, BUSY)
        assert limiter.limit == 1

    def test_does_not_slow_down_for_faults_that_are_not_from_load(self) -> None:
        limiter = Limiter(64, Clock())
        limiter.failed(0, BROKEN)
        assert limiter.limit == 64

    def test_adds_one_for_every_round_of_answers_up_to_the_bound(self) -> None:
        async def scene() -> None:
            limiter = Limiter(64)
            limiter.limit = 8.0
            for wanted in (9, 10, 11):
                for _ in range(int(limiter.limit) + 1):
                    limiter.in_flight = int(limiter.limit)
                    limiter.answered()
                assert limiter.limit == pytest.approx(wanted, abs=0.3)

        in_loop(scene())

    def test_does_not_grow_where_nobody_comes_near(self) -> None:
        limiter = Limiter(64)
        limiter.limit = 8.0
        limiter.in_flight = 2
        limiter.answered()
        assert limiter.limit == 8.0

    def test_is_closed_as_long_as_the_provider_asks(self) -> None:
        async def scene() -> float:
            limiter = Limiter(4)
            loop = asyncio.get_running_loop()
            began = loop.time()
            told = ModelUnavailable("busy", retryable=True, retry_after=0.2)
            limiter.failed(began, told)
            await asyncio.gather(*(limiter.acquire() for _ in range(3)))
            return loop.time() - began

        assert in_loop(scene()) >= 0.2

    def test_gives_a_cancelled_place_to_the_next(self) -> None:
        async def scene() -> None:
            limiter = Limiter(1)
            await limiter.acquire()
            first = asyncio.create_task(limiter.acquire())
            second = asyncio.create_task(limiter.acquire())
            await asyncio.sleep(0)
            limiter.release()  # `first` is given the place …
            first.cancel()  # … and cancelled before it can take it
            await asyncio.wait_for(second, 1)
            assert limiter.in_flight == 1

        in_loop(scene())

    def test_forgets_those_who_were_cancelled_together(self) -> None:
        async def scene() -> None:
            limiter = Limiter(1)
            await limiter.acquire()
            waiting = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            limiter.release()  # before any of them has noticed
            given_up = await asyncio.gather(*waiting, return_exceptions=True)
            assert {type(error) for error in given_up} == {asyncio.CancelledError}
            await asyncio.wait_for(limiter.acquire(), 1)
            assert limiter.in_flight == 1

        in_loop(scene())

    def test_begins_at_what_was_learnt_within_the_owners_bound(self) -> None:
        begun = [Limiter(64, learnt=learnt).limit for learnt in (None, 7.5, 80, 0)]
        assert begun == [64, 7.5, 64, 64]

    def test_follows_the_owners_bound(self) -> None:
        limiter = Limiter(64)
        limiter.allow(10)
        assert limiter.limit == 10
        limiter.allow(20)
        assert limiter.limit == 20


class Listed:
    name = "listed"

    def __init__(self, *answers: Completion | Exception):
        self.answers = list(answers)
        self.asked = 0

    async def complete_async(self, **request: Any) -> Completion:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(
    model: Listed, limiter: Limiter | None = None, **options: Any
) -> tuple[Completion, list[float]]:
    pauses: list[float] = []

    async def sleep(pause: float) -> None:
        pauses.append(pause)

    paced = PacedChat(
        model, limiter or Limiter(4), Retry(), random.Random(0), sleep=sleep, **options
    )

    async def scene() -> Completion:
        try:
            return await paced.complete_async(system="", messages=(), tools=(), seed=1)
        finally:
            assert paced.in_call == paced.limiter.in_flight == 0

    return in_loop(scene()), pauses


class TestPacedChat:
    def test_asks_again_while_the_provider_is_busy(self) -> None:
        model = Listed(BUSY, BROKEN, HELLO)
        answer, pauses = ask(model)
        assert answer == HELLO
        assert len(pauses) == 2

    def test_never_asks_again_for_what_the_model_did(self) -> None:
        model = Listed(MalformedCompletion("no"), HELLO)
        with pytest.raises(MalformedCompletion):
            ask(model)
        assert model.asked == 1

    def test_says_that_an_endpoint_is_down_if_it_answered_nobody(self) -> None:
        with pytest.raises(ModelUnavailable, match=r"attempt 6") as given_up:
            ask(Listed(*[BROKEN] * 9))
        assert given_up.value.down

    @staticmethod
    def _ask_for(seconds: float, *answers: Completion | Exception) -> list[float]:
        """Pauses of a conversation whose every call takes so many seconds, at an endpoint that has answered others."""
        clock, limiter = Clock(), Limiter(4)
        limiter._clock = clock

        class Slow(Listed):
            async def complete_async(self, **request: Any) -> Completion:
                clock.now += seconds
                return await super().complete_async(**request)

        limiter.answered()
        return ask(Slow(*answers), limiter, clock=clock)[1]

    def test_gives_up_an_endpoint_that_nobody_reaches_for_long(self) -> None:
        with pytest.raises(ModelUnavailable, match=r"attempt 4") as given_up:
            self._ask_for(3.5, *[UNREACHED] * 9)
        assert given_up.value.down

    def test_waits_for_an_endpoint_that_is_away_for_a_moment(self) -> None:
        assert len(self._ask_for(3.0, UNREACHED, UNREACHED, UNREACHED, HELLO)) == 3

    def test_takes_any_answer_for_a_sign_of_life(self) -> None:
        hiccups = [UNREACHED, UNREACHED, BROKEN, UNREACHED, UNREACHED, HELLO]
        assert len(self._ask_for(4.0, *hiccups)) == 5

    def test_blames_the_conversation_if_others_were_answered_meanwhile(self) -> None:
        limiter = Limiter(4)

        class OthersAreAnswered(Listed):
            async def complete_async(self, **request: Any) -> Completion:
                limiter.answered()
                return await super().complete_async(**request)

        with pytest.raises(ModelUnavailable) as given_up:
            ask(OthersAreAnswered(*[BROKEN] * 9), limiter)
        assert not given_up.value.down

    def test_takes_a_refusal_for_everybodys_until_somebody_was_answered(self) -> None:
        limiter = Limiter(4)
        with pytest.raises(ModelUnavailable) as first:
            ask(Listed(REFUSED), limiter)
        ask(Listed(HELLO), limiter)
        with pytest.raises(ModelUnavailable) as later:
            ask(Listed(REFUSED), limiter)
        assert (first.value.down, later.value.down) == (True, False)

    def test_sends_nothing_once_the_gate_is_shut(self) -> None:
        def shut() -> None:
            raise Stopped

        model = Listed(HELLO)
        with pytest.raises(Stopped):
            ask(model, gate=shut)
        assert model.asked == 0
