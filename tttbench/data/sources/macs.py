"""MACS as published: ``MACS.yaml``, two to five captions a clip, and recordings of TAU Urban Acoustic Scenes 2019."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Sample
from tttbench.data.sources.captions import Clip, caption_samples
from tttbench.data.sources.published import root_of
from tttbench.data.yaml_nodes import YamlNode, read_yaml

LIST = "MACS.yaml"

_AUDIO_AT = ("audio", "TAU-urban-acoustic-scenes-2019-development/audio")


def read_macs(folder: Path) -> tuple[Path, list[Clip]]:
    """Read the list; return the folder of the recordings and the clips.

    Raises:
        UserError: the list or the recordings are missing; an entry that is wrong, naming file, line and field; the
            extra ``captions`` isn't installed.
    """
    root = root_of(folder, ["MACS"], LIST, "Give the folder that holds it and the recordings in audio/.")
    places = [at / name for at in (root, folder) for name in _AUDIO_AT]
    audio = next((place for place in places if place.is_dir()), None)
    if audio is None:
        raise UserError(
            f"{root}: holds no folder audio. Unpack the audio of TAU Urban Acoustic Scenes 2019, development, there."
        )
    return audio, [_clip(entry, audio) for entry in read_yaml(root / LIST).of("files").items()]


def _clip(entry: YamlNode, audio: Path) -> Clip:
    named = entry.of("filename")
    name = named.text()
    if Path(name).name != name:
        raise named.error("must be a file's name, without a folder. Copy the list again.")
    annotations = entry.of("annotations").items()
    if not annotations:
        raise entry.of("annotations").error("is empty: a clip needs a caption.")
    captions = tuple(one.of("sentence").text() for one in annotations)
    return Clip(Path(name).stem, AudioRef(audio / name, listed=named.place), captions, named.place)


@register_source("macs", summary="MACS (captions of sounds) as published")
def list_macs(folder: Path) -> Sequence[Sample]:
    """List the clips, each with all its captions.

    Raises:
        UserError: as ``read_macs``.
    """
    at, clips = read_macs(folder)
    return caption_samples("macs", folder, at, clips)
