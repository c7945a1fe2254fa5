"""Operators: the admin API, and its clients: console, one-shot command, web page."""
