"""The OpenAPI 3.1 description of the routes there are, made from the models they take and answer with."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.routing import Route

from clout.serving.edge.gate import needs
from clout.serving.klout import answers as klout
from clout.serving.klout.ids import number
from clout.serving.openapi.operations import JSON, OPERATIONS, Operation, Parameter
from clout.serving.openapi.told import ID, Problem
from clout.serving.problems import KINDS, MEDIA_TYPE, PAGE

PROBLEM: tuple[type[BaseModel], JsonSchemaMode] = (Problem, "serialization")
KLOUT_ERROR: tuple[type[BaseModel], JsonSchemaMode] = (klout.KloutError, "serialization")
REF = "#/components/schemas/{model}"
EVERYWHERE = ("internal_error", "too_slow", "no_key", "bad_key", "missing_scope", "too_many_requests", "too_busy")
KLOUT = ("/v2/", "/1/")
KLOUT_ANSWERS: Mapping[str, type[BaseModel]] = {
    **dict.fromkeys(("elsewhere", "named", "native"), klout.KloutIdentity),
    "user": klout.KloutUser,
    "score": klout.KloutScore,
    "influence": klout.KloutInfluence,
    "first_api": klout.ScoresOfSome,
}
ASKED = {
    "/v2/identity.json/{network}": {"screenName": "A screen name on that network."},
    "/1/klout.json": {"users": "Screen names with commas between them."},
}
PARTS = {
    "klout_id": ("The number that stands for an account.", str(number("twitter/137407124"))),
    "network": ("The network, or the two letters that Klout had for it.", "twitter"),
    "id": ("The account's id on the network.", "137407124"),
}
TAGS = {
    "posts": "Posts and drafts, judged while you wait.",
    "accounts": "Accounts, judged all at once and read here.",
    "ingest": "Rows that come in.",
    "model": "The model that answers.",
    "service": "The service itself.",
    "klout": "What the Klout API answered, under its names.",
}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"description": "The id of the request: yours if short and plain.", "example": ID},
    "ETag": {"description": "Names this state of the answer.", "example": '"5d0c1c5f7a3be2d1"'},
    "Cache-Control": {"description": "How long the answer may be kept.", "example": "private, max-age=60"},
    "Retry-After": {"description": "Seconds to wait before asking again.", "example": "5"},
    "RateLimit-Limit": {
        "description": "Requests that may come at once; not told where any number may.",
        "example": "100",
    },
    "RateLimit-Remaining": {"description": "How many of them are left.", "example": "99"},
    "RateLimit-Reset": {"description": "Seconds until all of them are there again.", "example": "1"},
}
ALWAYS = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
CACHED, LATER = (*ALWAYS, "ETag", "Cache-Control"), (*ALWAYS, "Retry-After")
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of `clout keys create`."},
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The same key."},
}
IF_NONE_MATCH = Parameter(
    "If-None-Match", "header", "The ETag of the answer one has.", {"type": "string"}, '"5d0c1c5f7a3be2d1"'
)


Names = Mapping[tuple[Any, JsonSchemaMode], str]


def address(route: Route) -> str:
    """The address of a route as people write it."""
    return route.path.replace(":path}", "}")


def method(route: Route) -> str:
    """The method a route answers."""
    return min((route.methods or set()) - {"HEAD"})


def operation(route: Route) -> Operation | None:
    """What there is to say of a route; None where nobody has said it."""
    if route.path.startswith(KLOUT):
        return Operation(f"klout_{route.name}", "klout", KLOUT_ANSWERS.get(route.name), media=(JSON,))
    return OPERATIONS.get((method(route), address(route)))


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The description of `routes`."""
    found = [(route, said) for route in routes if (said := operation(route)) is not None]
    names, schemas = _schemas([said for _, said in found])
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route, said in found:
        paths[address(route)][method(route).lower()] = _operation(route, said, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Clout",
            "version": version("clout"),
            "description": "An open influence score: posts before they are published, and accounts, with reasons.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": dict(paths),
        "components": {
            "schemas": schemas,
            "securitySchemes": SECURITY,
            "headers": _headers(),
            "examples": {code: {"value": _example(code)} for code in KINDS},
        },
    }


def text(routes: Iterable[Route]) -> str:
    """The description as JSON."""
    return json.dumps(document(routes), indent=2, ensure_ascii=False) + "\n"


def _schemas(said: Sequence[Operation]) -> tuple[Names, dict[str, Any]]:
    """The reference of each model, and all schemas by name."""
    wanted = dict[tuple[type[BaseModel], JsonSchemaMode], None].fromkeys((PROBLEM, KLOUT_ERROR))
    for each in said:
        wanted |= {(each.body, "validation"): None} if each.body else {}
        wanted |= {(each.answer, "serialization"): None} if each.answer else {}
    references, whole = models_json_schema(list(wanted), ref_template=REF)
    return {key: schema["$ref"] for key, schema in references.items()}, whole["$defs"]


def _headers() -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}, **said} for name, said in HEADERS.items()}


def _operation(route: Route, said: Operation, names: Names) -> dict[str, Any]:
    words = (route.endpoint.__doc__ or "").strip().splitlines()[0]
    given = (*said.parameters, *((IF_NONE_MATCH,) if said.tagged else ()))
    given = (*given, *_loose(route)) if said.tag == "klout" else given
    told: dict[str, Any] = {
        "operationId": said.id,
        "tags": [said.tag],
        "summary": words,
        "security": _security(route),
        "parameters": [_parameter(parameter) for parameter in given],
        "responses": dict(_responses(said, names)),
    }
    if said.body:
        content = {"schema": {"$ref": names[said.body, "validation"]}, "examples": {"draft": {"value": said.example}}}
        told["requestBody"] = {"required": True, "content": {JSON: content}}
    return told


def _security(route: Route) -> list[dict[str, list[str]]]:
    """A key with the scope that the route needs, or none where the service is open; nothing where none is needed."""
    scope = needs(method(route), address(route))
    return [{}, *({name: [scope]} for name in SECURITY)] if scope else []


def _loose(route: Route) -> Iterator[Parameter]:
    """What an address of Klout's takes."""
    for name, words in ASKED.get(route.path, {}).items():
        yield Parameter(name, "query", words, {"type": "string"}, "klout")
    for name in route.param_convertors:
        words, example = PARTS[name]
        yield Parameter(name, "path", words, {"type": "string"}, example, required=True)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    told = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": dict(parameter.schema),
        "example": parameter.example,
    }
    return told | ({"style": "form", "explode": False} if parameter.many else {})


def _responses(said: Operation, names: Names) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each status with what it says."""
    headers = CACHED if said.tagged else ALWAYS
    if said.tag == "klout":
        yield "200", _response("What Klout answered.", ALWAYS, _content(said, names))
        error = {JSON: {"schema": {"$ref": names[KLOUT_ERROR]}}}
        yield "default", _response("An error as Klout told it.", ALWAYS, error)
        return
    yield "200", _response("The answer.", headers, _content(said, names)) | _linked(said)
    if said.tagged:
        yield "304", _response("What If-None-Match names is still so.", headers, {})
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys((*said.problems, *EVERYWHERE)):
        by_status[KINDS[code].status].append(code)
    for status, codes in sorted(by_status.items()):
        yield str(status), _problem(status, codes, names)


def _content(said: Operation, names: Names) -> dict[str, Any]:
    if said.answer:
        return {JSON: {"schema": {"$ref": names[said.answer, "serialization"]}}}
    return {media: {"schema": {} if media == JSON else {"type": "string"}} for media in said.media}


def _response(words: str, headers: Iterable[str], content: dict[str, Any]) -> dict[str, Any]:
    told = {"description": words, "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers}}
    return told | ({"content": content} if content else {})


def _linked(said: Operation) -> dict[str, Any]:
    links = {name: {"operationId": name, "parameters": dict(given)} for name, given in said.links.items()}
    return {"links": links} if links else {}


def _problem(status: int, codes: Sequence[str], names: Names) -> dict[str, Any]:
    words = " ".join(f"`{code}`: {KINDS[code].title}." for code in codes)
    content = {
        "schema": {"$ref": names[PROBLEM]},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    return _response(words, LATER if status in (429, 503) else ALWAYS, {MEDIA_TYPE: content})


def _example(code: str) -> dict[str, Any]:
    kind = KINDS[code]
    return {
        "type": f"{PAGE}#{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.advice,
        "code": code,
        "request_id": ID,
        "errors": [],
    }
