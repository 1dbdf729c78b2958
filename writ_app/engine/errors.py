"""What the engine refuses, in one small tree. Messages are fit for a person."""


class WritError(Exception):
    """Base of everything WRIT says no to."""


class InvalidTask(WritError):
    """A task that cannot be asked: not identifiable, not proved as claimed, or its words do not lead back to its query."""

    def __init__(self, reason: str, text: str):
        super().__init__(text)
        self.reason = reason


REASONS = {
    "environment": "The task was designed in another world.",
    "no_archetype": "Its kind of request is not known here.",
    "no_fit": "Nobody who was drawn had what the request speaks of.",
    "duplicate": "The same request with the same facts had been designed before.",
    "not_whole": "A read of its certificate could not be proved to be needed, and only whole proofs were ordered.",
    "no_match": "A description in the request fits nothing in the database.",
    "ambiguous": "A description in the request fits several things, so it is not clear which one is meant.",
    "too_few": "There are too few candidates for the choice that is asked for.",
    "tie": "Two candidates are equally good, so there is no one right answer.",
    "threshold": "A value lies so close to the limit in the request that rounding would decide.",
    "same_effect": "Another candidate would leave the database in the same state, so the answer is not the only one.",
    "missing": "A field that the request speaks of is not there.",
    "missing_fact": "The user would have to know something that was not drawn.",
    "empty": "The request does nothing: no write, nothing told, nothing refused.",
    "illegal": "The environment would refuse a write of the answer.",
    "degenerate": "Only one candidate is feasible: there is nothing to choose.",
    "idle_term": "A part of the objective is the same for all candidates, so it decides nothing.",
    "wrong_class": "The policy's answer does not fit the class: a refusal that is allowed, or the reverse.",
    "order_blind": "The writes are called dependent, but lead to the same state in another order.",
    "two_readings": "The words may be understood in another way that has another answer.",
    "unclear_words": "The words could not be parsed back to this request and no other.",
    "unsaid": "The user knows something that no clause says.",
    "entangled": "Its parts depend on each other in more orders than can be tried.",
    "underivable": "A read that it needs can only be made after one of its own writes.",
    "policy": "The answer would break a clause of the policy.",
    "solver": "Played through the tools alone, the request does not lead to the oracle's answer.",
    "insufficient": "Another database that agrees on every read of the certificate has another answer.",
    "one_sided": "Nothing that may change makes a condition of the request go the other way.",
    "exhausted": "No more tasks of a kind could be proved.",
    "contaminated": "It is too close to a task of the benchmark.",
    "no_requests": "Nothing can be asked in this environment yet.",
}
"""Why a draw is refused: code of an InvalidTask or Unidentifiable, or of what a batch leaves out → what it means, for a person."""


class ModelUnavailable(WritError):
    """The provider did not answer: it refused, timed out or broke off. `retryable` says whether asking again may help."""

    def __init__(
        self,
        text: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        busy: bool = False,
        down: bool = False,
        unreached: bool = False,
    ):
        super().__init__(text)
        self.retryable = retryable
        self.retry_after = retry_after
        """Seconds the provider asked to wait."""
        self.busy = busy
        """It had too much to do: it said so, or did not answer in time. Fewer calls at a time may help."""
        self.down = down
        """It answers nobody until somebody mends it (key, credit, model, address), so no other call needs to be tried."""
        self.unreached = unreached
        """There was nobody to take the request: no connection came about."""


class MalformedCompletion(WritError):
    """The model answered, but not in a shape that can be used (no content, arguments that are not an object, …)."""

    def __init__(self, text: str, answer: object = None):
        super().__init__(text)
        self.answer = answer
        """The Completion as far as it could be read, with what it cost; None if nothing of it could."""


class Conflict(WritError):
    """What is stored contradicts what is asked for, and asking again does not help; the text says what has to be mended."""
