"""Postgres and Valkey as child processes: the default where no external ones are named.

`layout` says where they are, `services` starts and stops them.
"""
