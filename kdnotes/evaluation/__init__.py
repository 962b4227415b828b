"""Judging networks: the report that compares them on the same faces."""
