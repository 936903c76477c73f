"""Which archive an entry of NeMo's tarred data means: patterns, numbers, and folders that repeat them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.sample import Sample
from tttbench.data.audio import read_audio
from tttbench.data.sources.nemo_paths import expanded, files_named, number_of_archive, number_of_manifest
from tttbench.data.sources.nemo_tarred import list_nemo_tarred

from .test_nemo_tarred import entry, manifest, shard

TARS = {"tarred_audio_filepaths": "bucket{1..2}/audio__OP_0..1_CL_.tar"}


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("a.tar", ["a.tar"]),
        ("a__OP_8..10_CL_.tar", ["a_8.tar", "a_9.tar", "a_10.tar"]),
        ("a_{008..010}.tar", ["a_008.tar", "a_009.tar", "a_010.tar"]),
        ("{x,y}/a_(0..1).tar", ["x/a_0.tar", "x/a_1.tar", "y/a_0.tar", "y/a_1.tar"]),
        ("b{1..2}/a_*[0-9].tar", ["b1/a_*[0-9].tar", "b2/a_*[0-9].tar"]),
        ("b[1..2]/*_[0,1].tar", ["b1/*_0.tar", "b1/*_1.tar", "b2/*_0.tar", "b2/*_1.tar"]),
    ],
)
def test_ranges(pattern: str, paths: list[str]) -> None:
    assert expanded(pattern) == paths


def test_ranges_that_mean_too_many_files_are_refused() -> None:
    with pytest.raises(UserError, match="its ranges mean more than 100,000 files"):
        expanded("b{1..99999}/audio_{0..99999}.tar")


# Behind the last _ before a digit, greedily, in what begins with audio: as NeMo's own search finds them.
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("audio_0.tar", 0),
        ("audio_007.tar", 7),
        ("audio_0_16k.tar", 16),
        ("audio_16k_3.tar", 3),
        ("train_audio_12.tar.gz", 12),
        ("audio__3.tar", 3),
        ("audio-3.tar", None),
        ("shard-000001.tar", None),
        ("shard_1.tar", None),
        ("audio.tar", None),
        ("audio_1.zip", None),
    ],
)
def test_the_number_of_an_archive_is_what_nemo_takes(name: str, number: int | None) -> None:
    assert number_of_archive(Path("audio_9.tar.d/audio_5") / name) == number


@pytest.mark.parametrize(
    ("name", "number"), [("manifest_0.json", 0), ("manifest_12.jsonl", 12), ("tarred_audio_manifest.json", None)]
)
def test_the_number_of_a_manifest_is_what_nemo_takes(name: str, number: int | None) -> None:
    assert number_of_manifest(Path("sharded_manifests") / name) == number


def buckets(folder: Path) -> Path:
    """Two folders of two archives each, all with a recording ``a.wav``, 100 to 400 samples long."""
    for at in range(4):
        shard(folder / f"bucket{at // 2 + 1}/audio_{at % 2}.tar", {"a.wav": 100 * (at + 1)})
    return folder


def told(at: int, **more: object) -> dict[str, object]:
    """The entry of recording ``at``: its text is how long it is, in samples."""
    return {"audio_filepath": "a.wav", "text": str(100 * (at + 1)), "id": f"r{at}", **more}


def lengths(found: list[Sample]) -> list[tuple[str, int]]:
    return [(one.reference, len(read_audio(one.audio).samples)) for one in found if one.audio is not None]


EACH = [(str(100 * at), 100 * at) for at in (1, 2, 3, 4)]


@pytest.mark.parametrize("tars", ["bucket{1..2}/audio__OP_0..1_CL_.tar", "bucket*/audio_*.tar", "**/audio_{0..1}*"])
@pytest.mark.parametrize("where", ["bucket", "lists", "bucket{1..2}/sharded_manifests"])
def test_folders_may_repeat_the_numbers_of_sharded_manifests(tmp_path: Path, tars: str, where: str) -> None:
    buckets(tmp_path)
    folders = {
        "bucket": ["bucket1", "bucket2"],
        "lists": ["lists/1", "lists/2"],
        "bucket{1..2}/sharded_manifests": ["bucket1/sharded_manifests", "bucket2/sharded_manifests"],
    }[where]
    for at in range(4):
        # NeMo's converter counts the shards of each bucket anew.
        manifest(tmp_path / folders[at // 2] / f"manifest_{at % 2}.json", told(at, shard_id=at % 2))
    lists = f"{{{','.join(folders)}}}/manifest__OP_0..1_CL_.json"
    found = list_nemo_tarred(tmp_path, manifest_filepath=lists, tarred_audio_filepaths=tars)
    assert lengths([*found]) == EACH


@pytest.mark.parametrize("shards", [True, False])
def test_one_manifest_a_folder_means_the_archives_in_it(tmp_path: Path, shards: bool) -> None:
    buckets(tmp_path)
    for bucket in (0, 1):
        if not shards:
            (tmp_path / f"bucket{bucket + 1}/audio_1.tar").unlink()
        entries = [told(2 * bucket + at, **({"shard_id": at} if shards else {})) for at in range(1 + shards)]
        manifest(tmp_path / f"bucket{bucket + 1}/tarred_audio_manifest.json", *entries)
    # Written the other way round: it is the folder that counts.
    options = {"manifest_filepath": "bucket{2,1}/tarred_audio_manifest.json", "tarred_audio_filepaths": "*/audio_*.tar"}
    found = list_nemo_tarred(tmp_path, **options)
    assert sorted(lengths([*found])) == (EACH if shards else [EACH[0], EACH[2]])


def test_folders_are_paired_by_themselves_whatever_their_order(tmp_path: Path) -> None:
    for bucket in (2, 10):
        shard(tmp_path / f"b{bucket}/audio_0.tar", {"a.wav": bucket})
        entries = {"audio_filepath": "a.wav", "text": str(bucket), "id": str(bucket)}
        manifest(tmp_path / f"b{bucket}/sharded_manifests/manifest_0.json", entries)
    options = {"manifest_filepath": "b{2,10}/*/manifest_0.json", "tarred_audio_filepaths": "b*/audio_*.tar"}
    assert lengths([*list_nemo_tarred(tmp_path, **options)]) == [("2", 2), ("10", 10)]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"shard_id": 1},
            r"field 'shard_id': \S*/bucket1/audio_1\.tar and \S*/bucket2/audio_1\.tar both have the number 1",
        ),
        ({}, r"field 'audio_filepath': \S*/bucket1/audio_0\.tar and \S*/bucket1/audio_1\.tar both hold 'a\.wav'"),
    ],
)
def test_archives_that_one_manifest_cannot_tell_apart_are_refused(
    tmp_path: Path, more: dict[str, int], says: str
) -> None:
    manifest(buckets(tmp_path) / "tarred_audio_manifest.json", told(0, **more))
    with pytest.raises(UserError, match=says):
        list_nemo_tarred(tmp_path, **TARS)


def test_manifests_and_archives_of_a_number_must_be_as_many(tmp_path: Path) -> None:
    for at in (0, 1):
        manifest(buckets(tmp_path) / f"sharded_manifests/manifest_{at}.json", told(at))
    says = r"manifest_0\.json: 1 manifests and 2 archives have the number 0 \(\S*/bucket1/audio_0\.tar, \S*/bucket2/"
    with pytest.raises(UserError, match=says):
        list_nemo_tarred(tmp_path, **TARS)
    manifest(tmp_path / "sharded_manifests/manifest_7.json", told(0))
    tars = {"tarred_audio_filepaths": "bucket1/*.tar"}
    with pytest.raises(UserError, match=r"manifest_7\.json: there is no archive with its number, 7\. Copy it, or call"):
        list_nemo_tarred(tmp_path, **tars)


def test_names_that_nemo_takes_for_one_number_are_refused(tmp_path: Path) -> None:
    for at in (0, 1):
        shard(tmp_path / f"audio_{at}_16k.tar", {f"{at}.wav": 100})
    manifest(tmp_path / "tarred_audio_manifest.json", entry("0.wav", "one", shard_id=16))
    with pytest.raises(UserError, match=r"audio_0_16k\.tar and \S*/audio_1_16k\.tar both have the number 16"):
        list_nemo_tarred(tmp_path)
    manifest(tmp_path / "tarred_audio_manifest.json", entry("0.wav", "one", shard_id=0))
    with pytest.raises(
        UserError, match=r"no archive with the number 0\. Copy it, or call it as NeMo does, audio_0\.tar"
    ):
        list_nemo_tarred(tmp_path)


def test_archives_without_a_number_are_looked_into(tmp_path: Path) -> None:
    shard(tmp_path / "shard-000001.tar", {"a.wav": 100})
    manifest(tmp_path / "tarred_audio_manifest.json", entry("a.wav", "one", seconds=0.005))
    (sample,) = list_nemo_tarred(tmp_path, tarred_audio_filepaths="shard-00000*.tar")
    assert sample.audio is not None
    assert (sample.audio.path.name, sample.audio.member) == ("shard-000001.tar", "a.wav")
    manifest(tmp_path / "tarred_audio_manifest.json", entry("a.wav", "one", shard_id=1))
    with pytest.raises(UserError, match="no archive with the number 1"):
        list_nemo_tarred(tmp_path, tarred_audio_filepaths="shard-00000*.tar")


def test_files_are_looked_for_where_the_pattern_begins(tmp_path: Path) -> None:
    for name in (
        "d*/x1/audio_10.tar",
        "d*/x1/audio_2.tar",
        "d*/x2/audio_1.tar",
        "d*/x3/audio_0.tar",
        "d*/x1/._audio_3.tar",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    elsewhere = tmp_path / "elsewhere"
    expected = [tmp_path / "d*" / name for name in ("x1/audio_2.tar", "x1/audio_10.tar", "x2/audio_1.tar")]
    assert files_named(tmp_path / "d*", "x{1..2}/*.tar", "o") == expected
    assert files_named(elsewhere, f"{tmp_path}/d*/x{{1..2}}/*.tar", "o") == expected
    assert files_named(elsewhere, f"{tmp_path}/d*/x_OP_1..2_CL_/audio_[0-9]*.tar", "o") == expected
    with pytest.raises(UserError, match=r"/x4: holds no \*\.tar\. Give the folder that NeMo's converter wrote, or o\."):
        files_named(tmp_path / "d*", "x{3..4}/*.tar", "o")
    with pytest.raises(UserError, match=r"o: .* is no pattern"):
        files_named(tmp_path, "a/**b.tar", "o")
