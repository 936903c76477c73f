"""What a program may import: ``from tttbench.api import …``. These names stay; everything else may change.

A name is removed or changed only after a release in which it warned; what is new here is added, never renamed.
"""

from __future__ import annotations

from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Chunk, Message, Request, Response, Trace
from tttbench.core.metric import MetricInfo, Score
from tttbench.core.plugins import (
    register_deriver,
    register_normalizer,
    register_scorer,
    register_source,
    register_system,
    register_task,
    scorer,
)
from tttbench.core.sample import AudioRef, Renditions, Sample, Turn, spoken_sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.core.task import Needs, Task
from tttbench.store.frames import LoadedRun, load

__all__ = [
    "AudioRef",
    "Capability",
    "Chunk",
    "InputError",
    "LoadedRun",
    "Message",
    "MetricInfo",
    "Needs",
    "Renditions",
    "Request",
    "Response",
    "Sample",
    "Score",
    "ScoreSpec",
    "SystemCard",
    "SystemOptions",
    "Task",
    "Trace",
    "Turn",
    "UserError",
    "load",
    "register_deriver",
    "register_normalizer",
    "register_scorer",
    "register_source",
    "register_system",
    "register_task",
    "scorer",
    "spoken_sample",
]
