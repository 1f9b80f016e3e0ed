"""The model card as one HTML page that needs nothing else: the Markdown card laid out under its main figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from clout.training import pages
from clout.training.card import BASELINES, CardFacts, bracketed, bracketed_share, card, share, verdicts

PLOT = 240.0
TICKS = (0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
CELLS = {"text-align:right": "number", "text-align:center": "mark"}


@dataclass(frozen=True)
class Heading:
    """A heading of the page: its anchor and its words."""

    anchor: str
    words: str


def page(facts: CardFacts) -> str:
    """The card as HTML, self-contained; the same facts give the same bytes."""
    tokens = _reader().parse(card(facts))
    first = next(place for place, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2")
    headings = list(_laid_out(tokens))
    return (
        pages.templates()
        .get_template("card.html.j2")
        .render(
            opening=_html(tokens[: _end_of_lede(tokens)]),
            body=_html(tokens[first:]),
            headings=headings,
            glance=list(_glance(facts)),
            deciles=_deciles(facts.report["deciles"]),
            skills=list(_skills(facts.report["skill"])),
            plot=PLOT,
        )
    )


def _end_of_lede(tokens: Sequence[Token]) -> int:
    """Where the title and the first paragraph end; the second says in words what the page shows as figures."""
    return 1 + next(place for place, token in enumerate(tokens) if token.type == "paragraph_close")


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.add_render_rule("table_open", _open_table)
    reader.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    return reader


def _open_table(_: object, tokens: Sequence[Token], place: int, *__: object) -> str:
    """A table in a frame that scrolls by itself, so that a narrow page does not."""
    label = Markup.escape(tokens[place].meta["label"])
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">\n<table>\n'


def _html(tokens: Sequence[Token]) -> Markup:
    reader = _reader()
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - the reader escapes what is in it


def _laid_out(tokens: Sequence[Token]) -> Iterator[Heading]:
    """The headings of second depth; every heading has an anchor then, every table a label, every cell its class."""
    words, tables = "", 0
    for token, inside in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and inside is not None:
            words, tables = inside.content, 0
            token.attrSet("id", anchor(words))
            if token.tag == "h2":
                yield Heading(anchor(words), words)
        elif token.type == "table_open":
            tables += 1
            token.meta["label"] = f"{words}, table {tables}"
        elif token.type in {"th_open", "td_open"}:
            _lay_out_cell(token)


def _lay_out_cell(cell: Token) -> None:
    """Nothing; the cell has a class in place of a style, which a strict page may not have."""
    style = cell.attrs.pop("style", None)
    if style in CELLS:
        cell.attrSet("class", CELLS[str(style)])
    if cell.type == "th_open":
        cell.attrSet("scope", "col")


def anchor(words: str) -> str:
    """The anchor of a heading.

    >>> anchor("Track record (12)")
    'track-record-12'
    """
    return re.sub(r"\W+", "-", words.lower()).strip("-")


def _glance(facts: CardFacts) -> Iterator[tuple[str, str, str]]:
    """The main figures: what, the figure, and how to read it."""
    model, skill = facts.report["model"], facts.report["skill"]
    yield "Order of posts (Spearman)", bracketed(model["spearman"]), "1 is the right order, 0 is chance"
    if "account_mean" in skill:
        words = "0 is no better, 1 is perfect"
        yield "Better than the account's own past mean (skill)", bracketed(skill["account_mean"]), words
    yield "Expected over actual actions", bracketed(model["total_ratio"]), "1 is right"
    level = share(facts.params.intervals.level)
    yield f"Outcomes inside their {level} interval", bracketed_share(model["coverage"]), f"{level} is right"
    yield "Checks", verdicts(facts.checks), "what they look at stands below"
    yield "Data through", (facts.data["data_through"] or "–")[:10], "a model knows nothing newer"


def _deciles(deciles: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Where the tenths of the posts and the marks of the axes lie in a square of side `PLOT`, on the log scale."""
    pairs = [(tenth["expected"], tenth["actual"]) for tenth in deciles]
    most = float(np.log1p(max(1.0, *(value for pair in pairs for value in pair)))) * 1.05
    at = {value: round(PLOT * float(np.log1p(value)) / most, 1) for value in (*TICKS, *(v for p in pairs for v in p))}
    marks = [(at[tick], f"{tick:,}") for tick in TICKS if at[tick] <= PLOT]
    return {"points": [(at[x], at[y]) for x, y in pairs], "marks": marks[:: 2 if len(marks) > 7 else 1]}


def _skills(skills: Mapping[str, Mapping[str, float | None]]) -> Iterator[dict[str, Any]]:
    """Each baseline with the model's skill over it in words, and where its ends lie between −1 and 1, in percent."""
    for name, figure in skills.items():
        ends = [figure["low"], figure["value"], figure["high"]]
        places = None if None in ends else [round(50 + 50 * float(np.clip(end or 0.0, -1, 1)), 1) for end in ends]
        yield {"words": BASELINES.get(name, name), "figure": bracketed(figure), "places": places}
