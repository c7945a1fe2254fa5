"""The API's OpenAPI 3.1 document, made from the table of endpoints and the contract's models. Pure."""

from __future__ import annotations

from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from router.admin.contract import ACTS, Argument, Problem
from router.admin.endpoints import ENDPOINTS, Endpoint, Query

__all__ = ["document"]

_REF: Final = "#/components/schemas/{model}"
_PROBLEMS: Final = {
    "400": "A field is wrong: which, and why.",
    "401": "No token, or a wrong or expired one.",
    "403": "The role is too small, or it comes from another site.",
    "404": "There is no such thing; what was perhaps meant.",
    "429": "Too much at once: Retry-After.",
}


def document(version: str) -> dict[str, Any]:
    """The whole document."""
    models = {_row(each.answer) for each in ENDPOINTS if each.answer is not None} | {Problem}
    _, schemas = models_json_schema(
        [(each, "serialization") for each in sorted(models, key=lambda model: model.__name__)], ref_template=_REF
    )  # fmt: skip
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        if endpoint.name == "act":
            paths |= {endpoint.path.replace("{name}", spec.name): {"post": _act(endpoint, spec.name)} for spec in ACTS}
        else:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "fixrouter admin API", "version": version, "description": "Amounts are exact decimals as text, times UTC."},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "security": [{"token": []}],
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": endpoint.what, "content": _content(endpoint)}}
    if endpoint.name == "events":
        answers = {"101": {"description": endpoint.what, "content": _content(endpoint)}}
    if endpoint.name in ("healthz", "readyz"):
        answers["503"] = {"description": "What is missing."}
    if endpoint.role is not None:
        answers |= _problems(*_PROBLEMS)
    operation: dict[str, Any] = {
        "operationId": endpoint.name, "summary": endpoint.what, "responses": answers,
        "parameters": [_path(name) for name in endpoint.inputs] + [_query(each) for each in endpoint.query],
    }  # fmt: skip
    return operation | ({"security": []} if endpoint.role is None else {})


def _act(endpoint: Endpoint, name: str) -> dict[str, Any]:
    spec = next(each for each in ACTS if each.name == name)
    operation = _operation(endpoint) | {"operationId": f"act-{name}", "summary": f"{spec.what} (role {spec.role})"}
    operation["parameters"] = [_query(each) for each in endpoint.query]
    operation["responses"] = operation["responses"] | {
        "409": {"description": "Refused, or an id fits several orders.", "content": {"application/json": {"schema": {"anyOf": [
            {"$ref": _REF.format(model="ActDone")}, {"$ref": _REF.format(model="Problem")}]}}}},
        **_problems("413", "415", "503"),
    }  # fmt: skip
    properties = {each.name: _argument(each) for each in spec.arguments}
    properties["why"] = {"type": "string", "description": "The reason, which is journaled; needed where it destroys, not for a preview."}
    schema = {
        "type": "object", "properties": properties, "required": [each.name for each in spec.arguments if each.needed],
        "additionalProperties": False,
    }  # fmt: skip
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _argument(argument: Argument) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "boolean" if argument.kind == "flag" else "string", "description": argument.what}
    return schema | ({"enum": argument.choices} if argument.choices else {})


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"} | ({"enum": list(query.choices)} if query.choices else {})
    return {"name": query.name, "in": "query", "description": query.what, "required": query.needed, "schema": schema}


def _problems(*codes: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF.format(model="Problem")}}}
    return {code: {"description": _PROBLEMS.get(code, "What is wrong."), "content": content} for code in codes}


def _content(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.answer is None:
        kind = "text/plain" if endpoint.name == "metrics" else "application/json"
        return {kind: {"schema": {} if kind == "application/json" else {"type": "string"}}}
    reference = {"$ref": _REF.format(model=_row(endpoint.answer).__name__)}
    listing = bool(get_args(endpoint.answer))
    return {"application/json": {"schema": {"type": "array", "items": reference} if listing else reference}}


def _row(answer: Any) -> type[BaseModel]:
    row: type[BaseModel] = (get_args(answer) or (answer,))[0]
    return row
