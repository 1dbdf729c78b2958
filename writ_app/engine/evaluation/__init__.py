"""Evaluation: how often a model as the agent solves a set of tasks, where it fails, and how two of them differ.

Knows nothing about databases, files or pages. Rewards are those of `benchmark_scoring`; conversations those of `simulation`.
"""
