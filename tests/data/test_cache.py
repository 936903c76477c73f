"""Where caches lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.data.cache import cache_folder, user_cache


@pytest.mark.parametrize(
    ("xdg", "own", "users", "ours"),
    [
        (None, None, "/h/.cache", "/h/.cache/tttbench"),
        ("", "", "/h/.cache", "/h/.cache/tttbench"),
        ("/x", None, "/x", "/x/tttbench"),
        ("/x", "/y", "/x", "/y"),
        (None, "/y", "/h/.cache", "/y"),
    ],
)
def test_caches_lie_where_the_user_says(
    monkeypatch: pytest.MonkeyPatch, xdg: str | None, own: str | None, users: str, ours: str
) -> None:
    monkeypatch.setenv("HOME", "/h")
    for name, value in (("XDG_CACHE_HOME", xdg), ("TTTBENCH_CACHE", own)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert (user_cache(), cache_folder()) == (Path(users), Path(ours))
