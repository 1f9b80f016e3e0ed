"""What there is to say of each route beyond its address and its handler: what it takes, what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from clout.serving import answers
from clout.serving.accounts import answers as accounts
from clout.serving.drafts import answers as drafts
from clout.serving.drafts.asked import PostsRequest, WhatIfRequest
from clout.serving.ingest.answers import Ingested, RowsRequest
from clout.serving.openapi.told import Alive, Home, Readiness
from clout.serving.schemas import MOMENT, PostRequest

JSON, HTML, MARKDOWN, PLAIN = "application/json", "text/html", "text/markdown", "text/plain"
BODY = ("broken_json", "broken_body", "body_too_slow", "body_too_large", "not_json", "invalid_content")
MODEL = ("not_ready",)
POST = (*BODY, *MODEL, "unknown_network", "unknown_account")
STORE = (*MODEL, "store_unavailable", "invalid_query")
ACCOUNT = (*STORE, "unknown_route", "unknown_account", "not_scored_yet", "ambiguous_account")
DRAFT = {"account": "twitter/137407124", "text": "What did you read this week?"}
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """One thing that an address or a header says."""

    name: str
    place: str
    description: str
    schema: Schema
    example: object
    required: bool = False
    many: bool = False


@dataclass(frozen=True)
class Operation:
    """What a route takes and answers; `media` are the forms of an answer that is no JSON."""

    id: str
    tag: str
    answer: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    example: object = None
    media: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    tagged: bool = False
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


TEXT = {"type": "string"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*(Z|[+-]\d\d:\d\d))?$"}
NETWORK = Parameter(
    "network", "path", "The network.", {**TEXT, "minLength": 1, "pattern": "^[^/]+$"}, "twitter", required=True
)
HANDLE = Parameter(
    "handle",
    "path",
    "The account's id after its network, or its handle with or without @; a slash in an id is written %2F.",
    {**TEXT, "minLength": 1},
    "@klout",
    required=True,
)
NAMED = (NETWORK, HANDLE)
SINCE = Parameter("since", "query", "The first day or moment; 90 days before the last by default.", TIME, "2026-01-01")
UNTIL = Parameter("until", "query", "The last day or moment; the newest score by default.", TIME, MOMENT)
OTHERS = Parameter(
    "with",
    "query",
    "One to four other accounts, as network/handle or network/id, with commas between them.",
    {"type": "array", "minItems": 1, "maxItems": 4, "items": {**TEXT, "pattern": "^[^/,]+/[^,]+$"}},
    ["commons/7"],
    required=True,
    many=True,
)
ONE_NETWORK = Parameter("network", "query", "The network.", {**TEXT, "minLength": 1}, "twitter", required=True)
CONFIRM = Parameter("X-Confirm", "header", "The account's id, to confirm.", TEXT, "twitter/137407124")
SAME = {"network": "$request.path.network", "handle": "$request.path.handle"}
OF_ACCOUNT = dict.fromkeys(("explainAccount", "accountHistory", "accountPosts"), SAME)
OF_POST = {"accountsOfNetwork": {"network": "$response.body#/network"}}

CLOCKS = {"happened_at": MOMENT, "known_at": MOMENT}
COUNT = {"post": "forum/10", "kind": "like", "count": 3, **CLOCKS, "retrospective": False}
ACTION = {"action": "forum/a1", "post": "forum/10", "account": "forum/1", "actor": "forum/2", "kind": "like", **CLOCKS}
POSTED = {
    "post": "forum/10",
    "account": "forum/1",
    "network": "forum",
    **CLOCKS,
    "text": "Good morning",
    "kind": "original",
}
ROWS = {"posts": POSTED, "actions": ACTION, "counts": COUNT}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/"): Operation("home", "service", Home),
    ("POST", "/v1/posts:score"): Operation(
        "scorePost", "posts", answers.Score, PostRequest, DRAFT, problems=POST, links=OF_POST
    ),
    ("POST", "/v1/posts:explain"): Operation(
        "explainPost", "posts", answers.Explained, PostRequest, DRAFT, problems=POST, links=OF_POST
    ),
    ("POST", "/v1/scores:batch"): Operation(
        "scorePosts", "posts", drafts.Scores, PostsRequest, {"posts": [DRAFT]}, problems=(*BODY, *MODEL)
    ),
    ("POST", "/v1/posts:best-time"): Operation(
        "bestTime", "posts", drafts.BestTime, PostRequest, DRAFT, problems=POST, links=OF_POST
    ),
    ("POST", "/v1/posts:what-if"): Operation(
        "whatIf",
        "posts",
        drafts.WhatIf,
        WhatIfRequest,
        {"post": DRAFT, "changes": [{"n_media": 1}], "suggest": True},
        problems=POST,
    ),
    ("GET", "/v1/accounts/{network}/{handle}/score"): Operation(
        "scoreAccount",
        "accounts",
        accounts.AccountScore,
        problems=ACCOUNT,
        parameters=NAMED,
        tagged=True,
        links={**OF_ACCOUNT, "accountsOfNetwork": {"network": "$response.body#/network"}},
    ),
    ("GET", "/v1/accounts/{network}/{handle}/explanation"): Operation(
        "explainAccount", "accounts", accounts.AccountExplained, problems=ACCOUNT, parameters=NAMED, tagged=True
    ),
    ("GET", "/v1/accounts/{network}/{handle}/history"): Operation(
        "accountHistory",
        "accounts",
        accounts.AccountHistory,
        problems=ACCOUNT,
        parameters=(*NAMED, SINCE, UNTIL),
        tagged=True,
    ),
    ("GET", "/v1/accounts/{network}/{handle}/posts"): Operation(
        "accountPosts", "accounts", accounts.AccountPosts, problems=ACCOUNT, parameters=NAMED, tagged=True
    ),
    ("GET", "/v1/accounts/{network}/{handle}/compare"): Operation(
        "compareAccounts",
        "accounts",
        accounts.AccountCompared,
        problems=ACCOUNT,
        parameters=(*NAMED, OTHERS),
        tagged=True,
    ),
    ("DELETE", "/v1/accounts/{network}/{handle}"): Operation(
        "forgetAccount",
        "accounts",
        accounts.Forgotten,
        problems=(*ACCOUNT, "forbidden", "not_confirmed", "lake_unavailable"),
        parameters=(*NAMED, CONFIRM),
    ),
    ("GET", "/v1/distribution"): Operation(
        "accountsOfNetwork",
        "accounts",
        accounts.Distribution,
        problems=(*STORE, "not_scored_yet", "unknown_network"),
        parameters=(ONE_NETWORK,),
        tagged=True,
    ),
    **{
        ("POST", f"/v1/ingest/{table}"): Operation(
            f"ingest{table.title()}",
            "ingest",
            Ingested,
            RowsRequest,
            {"rows": [row]},
            problems=(*BODY, "no_intake", "inbox_unavailable"),
        )
        for table, row in ROWS.items()
    },
    ("GET", "/v1/model"): Operation("model", "model", answers.Model, problems=MODEL, tagged=True),
    ("GET", "/v1/model/card"): Operation("modelCard", "model", media=(HTML, MARKDOWN), problems=MODEL, tagged=True),
    ("GET", "/livez"): Operation("live", "service", Alive),
    ("GET", "/readyz"): Operation("ready", "service", Readiness, problems=(*MODEL, "store_unavailable")),
    ("GET", "/metrics"): Operation("metrics", "service", media=(PLAIN,)),
    ("GET", "/problems"): Operation("problems", "service", media=(HTML,)),
    ("GET", "/openapi.json"): Operation("openapi", "service", media=(JSON,), tagged=True),
}
