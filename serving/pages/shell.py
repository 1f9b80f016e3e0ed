"""From a view to the answer: a page in the language of whoever asks, or the view itself as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clout.serving.card import preferred
from clout.serving.fresh import fresh
from clout.serving.pages import charts, plots
from clout.serving.pages.assets import address
from clout.serving.pages.tongue import Tongue, tongue_of, tongues
from clout.serving.pages.views.view import View

HTML, JSON = "text/html", "application/json"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A page in a file may bring its own styles and pictures, but nothing that runs and nothing from elsewhere.
PLAIN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
SEE_OTHER = 303
# Where a browser says that what it asks comes from: a page of ours, or what somebody typed.
OURS = frozenset({"same-origin", "none"})
# With no-referrer a browser hides where a form of ours comes from, and the gate takes it for another site's.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Vary": "Accept, Accept-Language",
}
# In a path of ours, what an account's id may have in it as it is.
PLAIN = "/:@-._~"


def page(request: Request, template: str, view: View) -> Response:
    """The page of a view, or the view where JSON is asked for, with a tag; 304 where the client has it already."""
    if wants_json(request):
        return fresh(request, view.model_dump_json().encode(), headers=HEADERS)
    return fresh(request, render(request, template, view).encode(), media=f"{HTML}; charset=utf-8", headers=HEADERS)


def told(request: Request, template: str, view: View, status: int = 200) -> Response:
    """The page of what was just done or asked by a form, which nobody may keep."""
    headers = {**HEADERS, "Cache-Control": "no-store"}
    if wants_json(request):
        return Response(view.model_dump_json(), status, headers, JSON)
    return Response(render(request, template, view), status, headers, HTML)


def moved(request: Request, path: str) -> Response:
    """The way to another page, in the language and the form that were asked for."""
    address = Page(request, tongue_of(request)).link(path, format=request.query_params.get("format"))
    return RedirectResponse(address, SEE_OTHER, {"Cache-Control": "no-store"})


def render(request: Request, template: str, view: View) -> str:
    """The HTML of a view in the language of whoever asks."""
    tongue = tongue_of(request)
    return _environment(tongue).get_template(template).render(view=view, page=Page(request, tongue))


def wants_json(request: Request) -> bool:
    """Whether JSON is asked for, by `?format=json` or by what is accepted."""
    asked = request.query_params.get("format")
    return asked == "json" if asked else preferred(request.headers.get("accept", ""), [HTML, JSON]) == JSON


class Page:
    """What every template may ask about the request it answers."""

    def __init__(self, request: Request, tongue: Tongue) -> None:
        self._request, self.language = request, tongue.code

    @property
    def chosen(self) -> str | None:
        """The language, where the address asks for one: forms pass it on, as links do."""
        return self.language if self._request.query_params.get("lang") else None

    @property
    def path(self) -> str:
        """The address of this page, without what follows the `?`."""
        return self._request.url.path

    def link(self, path: str, **query: object) -> str:
        """The address of another page, in the language that was chosen."""
        return _address(path, {"lang": self.language if self.chosen else None, **query})

    def data(self, path: str, **query: object) -> str:
        """The address of an answer to programs, which has no language."""
        return _address(path, query)

    def same(self, **query: object) -> str:
        """The address of this page with some of what follows the `?` changed."""
        asked = {**self._request.query_params, **query}
        return f"{quote(self.path, safe=PLAIN)}?{urlencode(asked)}"


def _address(path: str, query: Mapping[str, object]) -> str:
    """An address of ours, what is None left out."""
    asked = {name: str(value) for name, value in query.items() if value is not None}
    return quote(path, safe=PLAIN) + (f"?{urlencode(asked)}" if asked else "")


@cache
def _environment(tongue: Tongue) -> Environment:
    """The templates in one language."""
    environment = Environment(
        loader=PackageLoader(__package__),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
    )
    i18n: Any = environment
    i18n.install_gettext_callables(tongue.gettext, tongue.ngettext, newstyle=True)
    languages = [(one.code, one.locale.get_language_name()) for one in tongues().values()]
    environment.globals.update(tongue=tongue, charts=charts, plots=plots, asset=address, languages=languages)
    return environment
