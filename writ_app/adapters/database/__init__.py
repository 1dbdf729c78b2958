"""Django's Postgres backend, with one thing done differently: see `base`."""
