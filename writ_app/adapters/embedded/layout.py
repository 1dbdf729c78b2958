"""Where embedded services keep things and how to reach them: functions of one directory.

Nothing here starts, opens or creates anything, so that settings can ask for addresses.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

# sockaddr_un.sun_path holds 104 bytes on macOS and 108 on Linux, ending zero included.
MAX_SOCKET_BYTES = 103
LONGEST_SOCKET = ".s.PGSQL.5432"


class ServiceError(Exception):
    """A service cannot start or stay up. The text says what happened and what to do."""


@dataclass(frozen=True)
class Layout:
    """Files and addresses of the services whose data is under `var` (an absolute path)."""

    var: Path

    @property
    def postgres_data(self) -> Path:
        return self.var / "postgres"

    @property
    def valkey_data(self) -> Path:
        return self.var / "valkey"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def lock(self) -> Path:
        """Locked by the process that started the services, for as long as it lives."""
        return self.var / "lock"

    @property
    def children(self) -> Path:
        """Names the processes under supervision, to find them after a crash."""
        return self.var / "children.json"

    @property
    def sockets(self) -> Path:
        """`var/sockets`, or a short stand-in where that path cannot name a socket:
        it is too long, or has a comma, which separates hosts for libpq.

        The stand-in is under /tmp and not $TMPDIR: every process must find the same one.
        """
        inside = self.var / "sockets"
        fits = len(os.fsencode(inside / LONGEST_SOCKET)) <= MAX_SOCKET_BYTES
        if fits and "," not in str(inside):
            return inside
        digest = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:16]
        return Path("/tmp") / f"writ-{digest}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        # The port is spelled out, or libpq would take it from PGPORT.
        return f"postgresql://writ@{quote(str(self.sockets), safe='')}:5432/writ"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{quote(str(self.valkey_socket))}"
