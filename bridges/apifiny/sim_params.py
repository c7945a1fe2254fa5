"""A request's parameters, from a query string or a JSON body, each checked as it is taken. Pure.

Readings where the document is silent: a parameter that is not listed, one that stands twice and an empty one that is
required are 0x01001A; an optional one may be empty (the sample has "orderStatus="). Amounts and times may be JSON numbers
or text, for the samples have both; timeInForce is a number.
"""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_json import loads

_AMOUNT = re.compile(r"\d{1,30}(\.\d{1,30})?", re.ASCII)
# Milliseconds until far beyond any date that can be written.
_MAX_WHOLE = 10**15
_MAX_TEXT = 100


class Params:
    """`known`: the names that the document lists; Refused for any other."""

    def __init__(self, given: Mapping[str, Any], known: Collection[str]) -> None:
        for name in given:
            if name not in known:
                raise Refused(errors.REQUEST_ERROR, f"unknown parameter {name[:_MAX_TEXT]!r}")
        self._given = given

    @classmethod
    def of_query(cls, query: str, known: Collection[str]) -> "Params":
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
        except ValueError:
            raise Refused(errors.REQUEST_ERROR, "the query is not name=value&name=value") from None
        if len(dict(pairs)) != len(pairs):
            raise Refused(errors.REQUEST_ERROR, "a parameter stands twice")
        return cls(dict(pairs), known)

    @classmethod
    def of_body(cls, body: bytes, known: Collection[str]) -> "Params":
        try:
            given = loads(body)
        except ValueError as no:
            raise Refused(errors.REQUEST_ERROR, f"the body is not JSON: {no!s:.100}") from None
        return cls(_an_object(given, "the body"), known)

    def within(self, name: str, known: Collection[str]) -> "Params":
        """An object inside this one."""
        return Params(_an_object(self._given.get(name), name), known)

    def text(self, name: str) -> str:
        value = self.text_or_none(name)
        if value is None:
            raise Refused(errors.REQUEST_ERROR, f"{name} is missing")
        return value

    def text_or_none(self, name: str) -> str | None:
        value = self._given.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise Refused(errors.REQUEST_ERROR, f"{name} is not a text")
        return value

    def amount_or_none(self, name: str) -> Decimal | None:
        value = self._given.get(name)
        if isinstance(value, str) and _AMOUNT.fullmatch(value):
            value = Decimal(value)
        if value is None:
            return None
        if not isinstance(value, Decimal) or value < 0:
            raise Refused(errors.REQUEST_ERROR, f"{name} is not an amount")
        return value

    def number(self, name: str) -> int:
        """A JSON number that is whole."""
        value = self._given.get(name)
        if not isinstance(value, Decimal):
            raise Refused(errors.REQUEST_ERROR, f"{name} is {'missing' if value is None else 'not a number'}")
        return _whole(name, value)

    def whole_or_none(self, name: str) -> int | None:
        """A whole number of at least 0, as a number or as text; None where it is missing or empty."""
        if self._given.get(name) == "":
            return None
        value = self.amount_or_none(name)
        return None if value is None else _whole(name, value)


def _an_object(given: Any, what: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Refused(errors.REQUEST_ERROR, f"{what} is not an object")
    return given


def _whole(name: str, value: Decimal) -> int:
    if value > _MAX_WHOLE or value % 1:
        raise Refused(errors.REQUEST_ERROR, f"{name} is not a whole number, or too large")
    return int(value)
