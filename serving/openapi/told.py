"""What the service says of itself, and how it says that something is wrong: the shapes that no other answer has."""

from __future__ import annotations

from pydantic import Field

from clout.serving.answers import VERSION, Answer

ID = "5c1f0a4be0d94d0fb4e4b3b1c5d0a9c2"
TIME_FAULT = "Expected a time like 2026-03-02T14:30:00Z; got 5"


class Fault(Answer):
    """One thing that is wrong in what was sent."""

    pointer: str = Field(description="Where (RFC 6901); empty for the whole.", examples=["/happened_at"])
    detail: str = Field(description="What was got and what was expected.", examples=[TIME_FAULT])
    code: str = Field(description="A stable word for programs.", examples=["time_format"])


class Problem(Answer):
    """What a request meets instead of its answer (RFC 9457)."""

    type: str = Field(description="The page that tells what to do.", examples=["/problems#invalid_content"])
    title: str = Field(description="What kind of problem it is.", examples=["The body does not say what is needed"])
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(description="What was got and what was expected.", examples=[f"/happened_at: {TIME_FAULT}"])
    code: str = Field(description="A stable word for programs.", examples=["invalid_content"])
    request_id: str = Field(description="The id of the request, as in X-Request-Id.", examples=[ID])
    errors: list[Fault] = Field(
        description="What is wrong, by place.",
        examples=[[{"pointer": "/happened_at", "detail": TIME_FAULT, "code": "time_format"}]],
    )


class Alive(Answer):
    """That the process answers."""

    status: str = Field(description="alive", examples=["alive"])


class Refusal(Answer):
    """What came after the model that answers and could not be taken in."""

    version: str | None = Field(description="The version that was refused.", examples=[VERSION])
    reason: str = Field(
        description="What kind of thing it is; why is in the log of the service.",
        examples=["the newer champion could not be taken in; see the log of the service"],
    )


class Readiness(Answer):
    """That a verified model answers."""

    status: str = Field(description="ready", examples=["ready"])
    model_version: str = Field(description="Version of the bundle that answers.", examples=[VERSION])
    scale_version: str = Field(description="Version of its scale.", examples=["1"])
    refused: Refusal | None = Field(description="What came after it and could not be taken in.", examples=[None])
    store: str = Field(description="ok, or that there is none.", examples=["ok"])


class Home(Answer):
    """Where to look."""

    service: str = Field(description="clout", examples=["clout"])
    routes: dict[str, str] = Field(description="Each address with its method.", examples=[{"/v1/model": "GET"}])
    try_: str | None = Field(
        alias="try", description="A line to try in a shell; null before a model is ready.", examples=["curl …"]
    )
