"""A client of WRIT's API, for Python 3.12 and later: the standard library alone, so the folder can be copied and imported anywhere.

from writ_app.client import Client

client = Client("https://writ.example", token)
for batch in client.iter_batches(status="done"):
    client.download_batch_results(batch["id"], to=f"{batch['name']}.json")
"""

from .operations import Operations
from .transport import ClientError, Problem, Unreachable


class Client(Operations):
    """The API of one site, as one token."""


__all__ = ["Client", "ClientError", "Problem", "Unreachable"]
