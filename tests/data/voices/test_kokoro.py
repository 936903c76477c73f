# ruff: noqa: RUF001  # phonetic letters look like others
"""Kokoro as an engine of the mini world: phonemes of both accents, and what is said when its parts are missing."""

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.data.voices import kokoro
from tttbench.miniworld import corpus, voices


def test_american_and_british_phonemes() -> None:
    known = {number: symbol for symbol, number in kokoro._IDS.items()}

    def symbols(speaker: str, ipa: str) -> str:
        return "".join(known[number] for number in kokoro.phoneme_ids(speaker, ipa))

    assert symbols("af_heart", "həlˈoʊ wˈɜːld") == "hᵊlˈO wˈɜɹld"
    assert symbols("bm_george", "həlˈəʊ wˈɜːld") == "hᵊlˈQ wˈɜːld"
    assert symbols("am_adam", "tʃˈɛɹi dʒˈeɪ tˈaɪm ɾ") == "ʧˈɛɹi ʤˈA tˈIm ɾ"


def test_missing_voices_are_named_with_their_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(UserError, match=r"kokoro-js.*tgz: Kokoro's voices are missing.*install npm"):
        kokoro._voices()


def test_a_damaged_archive_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path))
    archive = tmp_path / "kokoro-js-1.2.1.tgz"
    archive.write_bytes(b"half of it")
    with pytest.raises(UserError, match=r"not the known archive of kokoro-js@1\.2\.1; delete it"):
        kokoro._voices()


def test_every_voice_speaks_alike_often_in_any_first_part() -> None:
    lines = corpus.many_voices_lines(3, seed=2)
    names = [voice.name for voice in voices.VOICES if voice.engine == "kokoro"]
    assert len(names) == len(set(names)) == 28
    assert [line.voice for line in lines] == names * 3
    assert len({line.id for line in lines}) == len(lines)
    assert {line.question >= 0 for line in lines} == {True, False}
    assert not any(voice.test_only for voice in voices.VOICES if voice.engine == "kokoro")
