"""Data sets given as one archive: what sources find in it, where audio is read, and archives that mean harm."""

from __future__ import annotations

import io
import logging
import random
import re
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from tttbench.core.checked import checked_sample
from tttbench.core.errors import InputError, UserError
from tttbench.core.plugins import build_task
from tttbench.data import packed
from tttbench.data.audio import read_audio
from tttbench.data.packed import list_packed
from tttbench.data.samples import list_samples
from tttbench.data.sources.asr_folder import list_asr_folder

from .tables import tone

LJSPEECH = {
    "LJSpeech-1.1/metadata.csv": b"LJ1|Mr. 5|mister five\nLJ2|6|six\n",
    "LJSpeech-1.1/wavs/LJ1.wav": tone(100),
    "LJSpeech-1.1/wavs/LJ2.wav": tone(200),
    "LJSpeech-1.1/wavs/LJ9.wav": tone(300),
}
KALDI = {
    "wav.scp": b"r1 wav/a.wav\nr2 wav/b.wav\n",
    "segments": b"u1 r1 0.005 0.01\nu2 r2 0 -1\n",
    "text": b"u1 one\nu2 two\n",
    "wav/a.wav": tone(200),
    "wav/b.wav": tone(60),
}
NEMO = {
    "./manifest.json": b'{"audio_filepath": "a.wav", "offset": 0, "duration": 0.01, "text": "one"}\n',
    "./a.wav": tone(400),
}
LIBRISPEECH = {
    "LibriSpeech/test-clean/61/1/61-1.trans.txt": b"61-1-0000 HE BEGAN\n61-1-0001 GIVE\n",
    "LibriSpeech/test-clean/61/1/61-1-0000.flac": tone(100),
    "LibriSpeech/test-clean/61/1/61-1-0001.flac": tone(90),
}
PARENT = {
    "set/lists/test.tsv": b"audio\ttext\n../wav/a.wav\tone\n",
    "set/wav/a.wav": tone(70),
}
QUESTIONS = {
    "trivia_qa/trivia_qa.csv": b"question,answer_normalized_aliases,audio_filename\nWho?,\"['ann']\",1.mp3\n",
    "trivia_qa/audios/1.mp3": tone(50),
}

SETS: Mapping[str, tuple[str, Mapping[str, bytes], list[tuple[str, str, int]]]] = {
    "ljspeech": ("asr_folder", LJSPEECH, [("LJ1", "mister five", 100), ("LJ2", "six", 200)]),
    "kaldi": ("asr_folder", KALDI, [("u1", "one", 80), ("u2", "two", 60)]),
    "nemo": ("asr_folder", NEMO, [("a@0-0.01", "one", 160)]),
    "librispeech": (
        "librispeech_clean",
        LIBRISPEECH,
        [("61-1-0000", "HE BEGAN", 100), ("61-1-0001", "GIVE", 90)],
    ),
    "questions": ("trivia_qa", QUESTIONS, [("1", "ann", 50)]),
}


def pack(path: Path, members: Mapping[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as inside:
            for name, content in members.items():
                inside.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tape:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tape.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("name", SETS)
def test_a_data_set_is_read_in_its_archive(name: str, ending: str, tmp_path: Path) -> None:
    task, content, expected = SETS[name]
    archive = pack(tmp_path / f"set.{ending}", content)
    found = list_samples(build_task(task), archive)
    audio = [one.audio for one in found if one.audio is not None]
    lengths = [len(read_audio(one).samples) for one in audio]
    assert [(one.id, one.reference, n) for one, n in zip(found, lengths, strict=True)] == expected
    assert {one.path for one in audio} == {archive}
    assert all(str(one.listed).startswith(f"{archive}/") for one in audio)


def list_in(archive: Path, name: str) -> list[tuple[str, int]]:
    """Ids of what the list ``name`` of an archive holds, and samples of their audio."""
    found = list_packed(archive, lambda folder: list_asr_folder(folder, list=name))
    return [(one.id, len(read_audio(one.audio).samples)) for one in found if one.audio is not None]


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_lists_may_name_audio_beside_their_folder(ending: str, tmp_path: Path) -> None:
    archive = pack(tmp_path / f"a.{ending}", PARENT)
    assert list_in(archive, "lists/test.tsv") == [("../wav/a", 70)]
    pack(archive, {**PARENT, "set/lists/test.tsv": b"audio\ttext\n../../../a.wav\tone\n"})
    with pytest.raises(UserError, match="names audio that isn't a file in it"):
        list_in(archive, "lists/test.tsv")


def test_messages_and_warnings_name_the_archive(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    archive = pack(tmp_path / "a.zip", LJSPEECH)
    with caplog.at_level(logging.WARNING):
        found = list_samples(build_task("asr_folder"), archive)
    assert f"{archive}/LJSpeech-1.1: left out: audio files without a transcript: 1 (LJ9.wav)" in caplog.text
    assert found[0].metadata["left_out"] == "audio files without a transcript: 1"
    pack(archive, {**LJSPEECH, "LJSpeech-1.1/metadata.csv": b"LJ1|one\n"})
    with pytest.raises(UserError, match=r"a\.zip/LJSpeech-1\.1/metadata\.csv, line 1: has 2 fields, not 3"):
        list_samples(build_task("asr_folder"), archive)


def test_what_systems_leave_beside_the_data_is_left_out(tmp_path: Path) -> None:
    strays = {"__MACOSX/LJSpeech-1.1/._metadata.csv": b"\0\5", "__MACOSX/._x.wav": b"\0", ".DS_Store": b"\0"}
    archive = pack(tmp_path / "mac.zip", {**strays, **LJSPEECH})
    found = list_samples(build_task("asr_folder"), archive)
    assert [one.id for one in found] == ["LJ1", "LJ2"]
    assert found[0].metadata["left_out"] == "audio files without a transcript: 1"


def test_messages_advise_no_path_inside_an_archive(tmp_path: Path) -> None:
    table = b"audio\ttext\na.wav\tx\n"
    archive = pack(tmp_path / "a.zip", {"set/dev.tsv": table, "set/test.tsv": table, "set/a.wav": tone(10)})
    with pytest.raises(UserError) as several:
        list_samples(build_task("asr_folder"), archive)
    assert str(several.value).endswith(
        f"{archive}/set: holds several lists (dev.tsv, test.tsv). Unpack the archive and give test.tsv, or name it in "
        'a task\'s options: list = "test.tsv".'
    )
    assert list_in(archive, "test.tsv") == [("a", 10)]
    pack(archive, PARENT)
    with pytest.raises(UserError, match=r"further down\. Unpack .* give lists/test\.tsv, or .*\"lists/test\.tsv\"\.$"):
        list_samples(build_task("asr_folder"), archive)


CLOSED: Mapping[str, tuple[str, Mapping[str, bytes]]] = {
    "alpacaeval/test-00000-of-00001.parquet": ("voicebench_alpacaeval", {}),
    "data/test-00000-of-00001.parquet": ("trivia_qa_hub", {}),
    "test.parquet": ("asr_folder", {}),
    "audio_0.tar": (
        "asr_folder",
        {"tarred_audio_manifest.json": b'{"audio_filepath": "a.wav", "text": "a", "shard_id": 0}\n'},
    ),
    "en_us/audio/test.tar.gz": (
        "fleurs_en",
        {"en_us/test.tsv": b"7\ta.wav\tA.\ta\ta\t1600\tMALE\n"},
    ),
    "data_aishell/wav/S0764.tar.gz": (
        "aishell1",
        {"data_aishell/transcript/aishell_transcript_v0.8.txt": b"BAC009S0764W0121 a\n"},
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_tables_and_archives_in_an_archive_must_be_unpacked(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task, others = CLOSED[name]
    archive = pack(tmp_path / "a.zip", {name: b"as published", "README.md": b"", **others})
    with pytest.raises(UserError) as refused:
        list_samples(build_task(task), archive)
    assert f"{archive}: holds {name}, which can't be read inside an archive. Unpack it." in str(refused.value)
    assert caplog.text == ""


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("name", ["", "tarred_audio_manifest.json", "a/tarred_audio_manifest.json"])
def test_tarred_data_of_nemo_in_an_archive_must_be_unpacked(name: str, ending: str, tmp_path: Path) -> None:
    below = name.rpartition("/")[0] or "."
    manifest = b'{"audio_filepath": "a.wav", "text": "a", "shard_id": 0}\n'
    content = {f"set/{below}/tarred_audio_manifest.json": manifest, f"set/{below}/audio_0.tar": b"as published"}
    archive = pack(tmp_path / f"a.{ending}", content)
    told = re.escape(f"{archive}: holds {PurePosixPath(f'set/{below}/audio_0.tar')}, which can't be read inside an")
    with pytest.raises(UserError, match=rf"^{told} archive\. Unpack it\.$"):
        list_packed(archive, lambda folder: list_asr_folder(folder, **({"list": name} if name else {})))


def test_archives_that_no_source_opens_are_no_fault(tmp_path: Path) -> None:
    archive = pack(
        tmp_path / "a.zip", {**LJSPEECH, "LJSpeech-1.1/raw.tar.gz": b"x", "LJSpeech-1.1/more/a.parquet": b"x"}
    )
    assert len(list_samples(build_task("asr_folder"), archive)) == 2


def test_audio_that_the_archive_lacks_is_the_error_of_its_request(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", {name: LJSPEECH[name] for name in [*LJSPEECH][:2]})
    first, second = (one.audio for one in list_samples(build_task("asr_folder"), archive))
    assert first is not None
    assert second is not None
    assert len(read_audio(first).samples) == 100
    with pytest.raises(InputError, match=r"metadata\.csv, line 2 \(id\): .*holds no 'LJSpeech-1\.1/wavs/LJ2\.wav'"):
        read_audio(second)


@pytest.mark.parametrize("name", ["../out.tsv", "/out.tsv", "a/../../out.tsv"])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "in").mkdir()
    archive = pack(tmp_path / "in/a.tar", {**NEMO, name: b"x"})
    with caplog.at_level(logging.WARNING):
        assert len(list_samples(build_task("asr_folder"), archive)) == 1
    assert f"'{name}' is left out, as its name leads elsewhere" in caplog.text
    assert not list(tmp_path.rglob("out.tsv"))


def test_lists_that_name_what_is_not_in_the_archive_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(tone(10))
    archive = pack(tmp_path / "a.zip", {"l.tsv": f"audio\ttext\n{tmp_path / 'a.wav'}\tx\n".encode()})
    with pytest.raises(UserError, match="names audio that isn't a file in it"):
        list_samples(build_task("asr_folder"), archive)


def test_an_archive_of_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(tmp_path / "a.zip", LJSPEECH)
    monkeypatch.setattr(packed, "_MOST_BYTES", 10)
    with pytest.raises(UserError, match="holds more than 0 GB beside audio"):
        list_samples(build_task("asr_folder"), archive)


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_spoiled_archives_give_samples_or_a_message(tmp_path: Path, ending: str) -> None:
    whole = pack(tmp_path / f"whole.{ending}", KALDI).read_bytes()
    for seed in range(60):
        chance = random.Random(seed)
        content = bytearray(whole)
        for _ in range(chance.choice((1, 3, 20))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if seed % 5 == 0:
            del content[chance.randrange(len(content)) :]
        archive = tmp_path / f"{seed}.{ending}"
        archive.write_bytes(content)
        try:
            for sample in list_samples(build_task("asr_folder"), archive):
                checked_sample(sample)
                read_audio(sample.audio) if sample.audio is not None else None
        except UserError as error:
            told = str(error)
            message = told if str(archive) not in told or "tttbench-" in told else ""
        else:
            message = ""
        assert message == ""
