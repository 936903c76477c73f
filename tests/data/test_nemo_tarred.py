"""NeMo's tarred data in small: shards, ranges, parts of a file, codecs, and what is wrong."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import InputError, UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef, Sample
from tttbench.data.audio import read_audio
from tttbench.data.samples import list_samples
from tttbench.data.sources.asr_folder import list_asr_folder
from tttbench.data.sources.nemo_tarred import list_nemo_tarred

from .tables import tone

Entry = dict[str, Any]


def shard_of(path: Path, members: Mapping[str, bytes]) -> Path:
    """A tar of these files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tape:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tape.addfile(entry, io.BytesIO(content))
    return path


def shard(path: Path, members: Mapping[str, int]) -> Path:
    """A tar of tones of so many samples."""
    return shard_of(path, {name: tone(length) for name, length in members.items()})


def manifest(path: Path, *entries: Entry) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in entries), encoding="utf-8")
    return path


def entry(name: str, text: str, seconds: float = 0.1, **more: Any) -> Entry:
    return {"audio_filepath": name, "duration": seconds, "text": text, **more}


ENTRIES = (
    entry("d_a.wav", "one", shard_id=0),
    entry("d_b.wav", "two", offset=0.25, shard_id=0),
    entry("d_b-sub1.wav", "three", offset=0.5, shard_id=0),
    entry("d_c.wav", "four", shard_id=1),
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """As the converter writes it, two shards; the second in another codec than its manifest says."""
    shard(tmp_path / "audio_0.tar", {"d_a.wav": 1600, "d_b.wav": 16_000, "d_z.wav": 100})
    shard(tmp_path / "audio_1.tar", {"d_c.flac": 1600})
    manifest(tmp_path / "tarred_audio_manifest.json", *ENTRIES)
    manifest(tmp_path / "sharded_manifests/manifest_0.json", *ENTRIES[:3])
    manifest(tmp_path / "sharded_manifests/manifest_1.json", ENTRIES[3])
    return tmp_path


def test_recordings_are_read_in_their_archives(data: Path) -> None:
    found = list_samples(build_task("asr_folder"), data)
    first, second = data / "audio_0.tar", data / "audio_1.tar"
    assert [(one.reference, one.audio) for one in found] == [
        ("one", AudioRef(first, "d_a.wav", 0, 0.1)),
        ("two", AudioRef(first, "d_b.wav", 0.25, 0.35)),
        ("three", AudioRef(first, "d_b.wav", 0.5, 0.6)),
        ("four", AudioRef(second, "d_c.flac", 0, 0.1)),
    ]
    assert len({one.id for one in found}) == 4
    assert found[0].metadata["layout"] == "nemo_tarred"
    assert found[0].metadata["left_out"] == "recordings in archives without a transcript: 1"
    assert [len(read_audio(one.audio).samples) for one in found if one.audio] == [1600] * 4


def test_the_manifest_may_be_given_itself(data: Path) -> None:
    of_all = data / "tarred_audio_manifest.json"
    assert list_samples(build_task("asr_folder"), of_all) == list_samples(build_task("asr_folder"), data)
    assert list_asr_folder(data.parent, list=f"{data.name}/{of_all.name}") == list_asr_folder(data)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tarred_audio_filepaths": "audio__OP_0..1_CL_.tar"},
        {"manifest_filepath": "sharded_manifests/manifest_{0..1}.json", "tarred_audio_filepaths": "audio_{0..1}.tar"},
        {"manifest_filepath": "sharded_manifests/manifest_[0..1].json"},
        {"manifest_filepath": "sharded_manifests/*_{0,1}.json", "tarred_audio_filepaths": "*_{0..1}.t*"},
    ],
)
def test_manifests_and_archives_are_named_as_nemo_does(data: Path, options: dict[str, str]) -> None:
    assert [one.reference for one in list_nemo_tarred(data, **options)] == ["one", "two", "three", "four"]


def test_without_the_number_of_a_shard_all_archives_are_looked_into(data: Path) -> None:
    manifest(data / "tarred_audio_manifest.json", entry("d_c.wav", "four"), entry("d_a.wav", "one"))
    found = list_nemo_tarred(data)
    assert [(one.audio.path.name, one.audio.member) for one in found if one.audio] == [
        *(("audio_1.tar", "d_c.flac"), ("audio_0.tar", "d_a.wav"))
    ]


def test_sharded_manifests_alone_are_enough(data: Path) -> None:
    (data / "tarred_audio_manifest.json").unlink()
    assert [one.reference for one in list_nemo_tarred(data)] == ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (entry("d_a.wav", "one", shard_id=7), r"line 1: field 'shard_id': there is no archive with the number 7"),
        (entry("d_q.wav", "one"), r"line 1: field 'audio_filepath': none of the 2 archives holds 'd_q\.wav'"),
        ({"audio_filepath": "d_a.wav", "shard_id": 0}, "line 1: .*what is spoken"),
        (entry("d_a.wav", "one", shard_id="x"), "line 1: field 'shard_id'"),
        (entry("d_a.wav", "one", shard_id=0.5), "line 1: field 'shard_id': there is no archive with the number 0.5"),
        (entry("", "one", shard_id=0), "line 1: field 'audio_filepath': is empty"),
    ],
)
def test_a_wrong_entry_is_named_with_manifest_line_and_field(data: Path, wrong: Entry, says: str) -> None:
    manifest(data / "tarred_audio_manifest.json", wrong)
    with pytest.raises(UserError, match=rf"tarred_audio_manifest\.json, {says}"):
        list_nemo_tarred(data)


def test_a_member_that_is_missing_is_the_error_of_its_request_with_archive_member_and_field(data: Path) -> None:
    manifest(data / "tarred_audio_manifest.json", entry("d_q.wav", "one", shard_id=1))
    (sample,) = list_nemo_tarred(data)
    assert sample.audio is not None
    says = r"tarred_audio_manifest\.json, line 1 \(audio_filepath.*audio_1\.tar: holds no 'd_q\.wav'"
    with pytest.raises(InputError, match=says):
        read_audio(sample.audio)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tarred_audio_filepaths": "audio__OP_0..2_CL_.tar"}, r"audio_2\.tar: no such file; tarred_audio_filepaths ="),
        ({"tarred_audio_filepaths": "audio_{0-2}.tar"}, "'0-2' is no range"),
        ({"tarred_audio_filepaths": "audio_{2..0}.tar"}, r"the range 2\.\.0 must ascend"),
        ({"tarred_audio_filepaths": "pipe:cat audio_0.tar"}, "is a command, which isn't run"),
        ({"manifest_filepath": "none.json"}, r"none\.json: no such file; manifest_filepath ="),
    ],
)
def test_files_that_are_not_there_are_named(data: Path, options: dict[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        list_nemo_tarred(data, **options)


def test_a_damaged_archive_and_a_doubled_id_are_named(data: Path) -> None:
    manifest(data / "tarred_audio_manifest.json", ENTRIES[0], ENTRIES[0])
    with pytest.raises(UserError, match=r"line 2 \(audio_filepath\): the id .* already stands in line 1"):
        list_nemo_tarred(data)
    (data / "audio_1.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(UserError, match=r"audio_1\.tar: is broken or no archive"):
        list_nemo_tarred(data)


def test_fields_are_named_by_options_as_of_any_list(data: Path) -> None:
    told: Entry = {"clean": "ONE", "who": "ann", "key": "k1", "tongue": "de", "wav_name": "d_b.wav"}
    others: Entry = {"clean": "TWO", "who": "bob", "key": "k2", "tongue": "pt-BR", "wav_name": "d_a.wav"}
    manifest(
        data / "tarred_audio_manifest.json",
        entry("d_a.wav", "one", shard_id=0, **told),
        entry("d_b.wav", "two", shard_id=0, **others),
    )
    options = {"text": "clean", "speaker": "who", "id": "key", "language": "tongue", "audio": "wav_name"}
    for read in (list_asr_folder, list_nemo_tarred):
        found = read(data, **options)
        assert [(one.id, one.reference, one.cluster, one.language) for one in found] == [
            *(("k1", "ONE", "ann", "de"), ("k2", "TWO", "bob", "pt-BR"))
        ]
        assert [one.audio.member for one in found if one.audio] == ["d_b.wav", "d_a.wav"]


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("text", r"line 1: no column for what is spoken; found .*Call it one of: cleen\."),
        ("audio", r"line 1: no column for the audio file; found .*Call it one of: cleen\."),
        ("id", "line 1: has no field 'cleen'"),
        ("speaker", "line 1: has no field 'cleen'"),
        ("language", "line 1: has no field 'cleen'"),
    ],
)
@pytest.mark.parametrize("read", [list_asr_folder, list_nemo_tarred])
def test_a_mistyped_field_is_refused(data: Path, read: Callable[..., Sequence[Sample]], role: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read(data, **{role: "cleen"})


def test_files_beside_the_recordings_are_none(data: Path) -> None:
    notes = {"d_c.json": b"{}", "d_c.txt": b"four"}
    shard_of(data / "audio_1.tar", {**notes, "d_c.flac": tone(1600), "._d_c.wav": b"", "d_y.ogg": tone(10)})
    found = list_nemo_tarred(data)
    assert found[3].audio is not None
    assert found[3].audio.member == "d_c.flac"
    assert found[3].metadata["left_out"] == "recordings in archives without a transcript: 2"
    shard_of(data / "audio_1.tar", notes)
    found = list_nemo_tarred(data)
    assert found[3].audio is not None
    assert (found[3].audio.path.name, found[3].audio.member) == ("audio_1.tar", "d_c.wav")
    assert found[3].metadata["left_out"] == "recordings in archives without a transcript: 1"
    with pytest.raises(InputError, match=r"audio_1\.tar: holds no 'd_c\.wav'"):
        read_audio(found[3].audio)
    manifest(data / "tarred_audio_manifest.json", entry("d_c.wav", "four"))
    with pytest.raises(UserError, match=r"none of the 2 archives holds 'd_c\.wav'"):
        list_nemo_tarred(data)
