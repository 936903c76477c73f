"""The scripted server that judges of these tests ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .judge_server import KEY, Script, serving


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A server that finds Paris right and everything else wrong, where the environment says."""
    with serving(Script({"Paris": "yes"})) as script:
        monkeypatch.setenv("OPENAI_BASE_URL", script.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield script
