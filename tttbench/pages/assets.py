"""The pages' own files: templates, the style sheet, scripts. What is in them is trusted, all else is escaped."""

from __future__ import annotations

from functools import lru_cache

import jinja2
from markupsafe import Markup

from tttbench.core.shipped import shipped


def template(name: str) -> jinja2.Template:
    """Return a template that escapes whatever is put in, and refuses names it isn't given."""
    return _environment().get_template(name)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    """Make it once a process: it keeps the templates, each of which takes longer to compile than to fill in."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped("reports") / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style(*more: str) -> Markup:
    """Return the style sheet of all pages, and those of a particular one behind it."""
    return script("report.css", *more)


def script(*names: str) -> Markup:
    """Return files one after the other."""
    return Markup("\n".join((shipped("reports") / "static" / name).read_text(encoding="utf-8") for name in names))
