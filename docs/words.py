"""Gather every text that pages say into one catalogue, and bring the translations up to it: `make words`.

Translations keep what they have; what nobody says any more is left out, and what is new stands there untranslated.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes
from jinja2.ext import babel_extract

from clout.serving.pages import texts

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "serving" / "locale"
POT = LOCALE / "clout.pot"
SAYING = [ROOT / "models" / "phrases.py", *sorted((ROOT / "serving" / "pages").rglob("*.py"))]
TEMPLATES = sorted((ROOT / "serving" / "pages" / "templates").rglob("*.html"))
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "text": None, "plural": (1, 2)}
SYNTAX = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - it reads templates and renders none
OPTIONS = {"newstyle_gettext": "true"}
# The same texts give the same files, whenever they are gathered.
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = {
    "project": "Clout",
    "version": "1",
    "creation_date": WRITTEN,
    "header_comment": "# The texts of Clout's pages: `make words` gathers them.",
}
# Of people, and of the version of Babel.
LEFT_OUT = ('"Report-Msgid', '"Last-Translator', '"Language-Team', '"Generated-By')
OTHERS = "serving/pages/texts.py"
Msgid = str | tuple[str, str]


def gathered() -> Catalog:
    """Every text in English, with the files that say it."""
    catalog = Catalog(**HEADER, fuzzy=False)
    places: dict[Msgid, list[tuple[str, int]]] = {}
    for msgid, file in (*_said(), *((each, OTHERS) for each in texts.msgids())):
        told = places.setdefault(msgid, [])
        if (file, 0) not in told:
            told.append((file, 0))
    for msgid, files in places.items():
        catalog.add(msgid, locations=files)
    return catalog


def brought_up(translation: Path, to: Catalog) -> Catalog:
    """A translation with the texts of `to` alone, and what it had for them."""
    code = translation.parent.parent.name
    old = read_po(translation.open("rb"), locale=code) if translation.exists() else Catalog(locale=code)
    new = Catalog(locale=code, **HEADER, revision_date=WRITTEN, fuzzy=False)
    for message in to:
        if message.id:
            had = old.get(message.id)
            new.add(message.id, had.string if had else None, locations=message.locations)
    return new


def as_text(catalog: Catalog) -> str:
    """The catalogue as a file of gettext."""
    with BytesIO() as written:
        write_po(written, catalog, width=120, include_lineno=False)
        lines = written.getvalue().decode().splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(LEFT_OUT))


def translations() -> list[Path]:
    """The files of the languages beside English."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/clout.po"))


def _said() -> Iterator[tuple[Msgid, str]]:
    """The texts that templates and programs say, with their files."""
    methods = {**dict.fromkeys(TEMPLATES, babel_extract), **dict.fromkeys(SAYING, "python")}
    for file, method in methods.items():
        with file.open("rb") as source:
            for _, msgid, _, _ in extract(method, source, KEYWORDS, options=OPTIONS):
                yield msgid, file.relative_to(ROOT).as_posix()
    for file in TEMPLATES:
        for msgid in _asked_of_tongue(file.read_text(encoding="utf-8")):
            yield msgid, file.relative_to(ROOT).as_posix()


def _asked_of_tongue(template: str) -> Iterator[Msgid]:
    """What a template has `tongue.text` and `tongue.plural` say word for word, which Jinja's own reader leaves out."""
    for call in SYNTAX.parse(template).find_all(nodes.Call):
        method = call.node
        if isinstance(method, nodes.Getattr) and method.attr in {"text", "plural"}:
            said = [arg.value for arg in call.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
            if said:
                yield said[0] if method.attr == "text" else (said[0], said[1])


def main() -> None:
    """Writes the catalogue and every translation; says how many texts each lacks."""
    catalog = gathered()
    POT.parent.mkdir(exist_ok=True)
    POT.write_text(as_text(catalog), encoding="utf-8")
    for file in translations():
        brought = brought_up(file, catalog)
        file.write_text(as_text(brought), encoding="utf-8")
        lacking = sum(1 for message in brought if message.id and not _whole(message.string))
        sys.stdout.write(f"{file.relative_to(ROOT)}: {lacking} of {len(brought)} texts are not translated\n")


def _whole(said: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(said) and (isinstance(said, str) or all(said))


if __name__ == "__main__":
    main()
