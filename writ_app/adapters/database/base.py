"""What `ENGINE` of a database names: a kept connection is asked whether it lives only when there is a sign that it does not."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """A server that ends, restarts or drops us says so, or its end of the socket closes: then there is something to read.

        Django asks `SELECT 1` at the beginning of every request, which is a twentieth of a quick one. A peer that vanished without a
        word shows by neither: that is for the time-outs of TCP (settings).
        """
        return self._is_silent() or super().is_usable()

    def _is_silent(self) -> bool:
        signs = select.poll()
        try:
            signs.register(self.connection.fileno(), select.POLLIN)
        except self.Database.Error:  # it was closed on our side
            return False
        return not signs.poll(0)
