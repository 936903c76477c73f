"""The object ``tttbench``: what an answer was made of, where a client asks for it.

A client asks by the field ``"tttbench": true`` of the request's body (``extra_body`` of OpenAI's clients), or by an
object in the place of ``true`` that says what a benchmark knows of its request (``Ask``). The reply then carries one
object ``tttbench`` beside ``choices``, a stream in its last chunk. OpenAI's clients keep such fields (``model_extra``);
servers that don't know it ignore it or refuse the request. The shape is ours:

    {"version": 1, "system": "ttt:mini", "codec": "FINGERPRINT", "codes": [17, 4, …], "commit_step": [0, 0, 1, …],
     "commit_confidence": [0.93, null, …], "spans": [26, 61], "nfe": 42, "nfe_audio": 12,
     "text_tokens": ["The", " capital", …], "stages_s": {"prefill": 0.01, "decode": 0.8, "vocode": 0.1}}

``codes``: audio codes, one entry an audio position, null for systems without; ``commit_step``: the pass that committed
each; ``commit_confidence``: the probability that the model gave it; ``spans``: lengths of the audio spans; ``nfe``:
forward passes, ``nfe_audio``: those that filled audio; ``stages_s``: the server's seconds of compute. As ``Trace``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tttbench.core.exchange import Request, Response, Trace
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.wire.fields import (
    WireError,
    items_of,
    number_of,
    object_of,
    text_of,
    told,
    whole_of,
    without_nothing,
)

FIELD = "tttbench"
"""The field's name, in requests and in replies."""

VERSION = 1


@dataclass(frozen=True)
class Ask:
    """What a request says beside asking for the object: what chooses a model's own prompt and its limits.

    Attributes:
        family: of the task, as ``Request.family``. language: BCP 47 tag of the answer.
        max_seconds: the longest spoken answer worth waiting for; None: as the server likes.
        id, task: of the sample, for the server's log.
    """

    family: str = ""
    language: str = ""
    max_seconds: float | None = None
    id: str = ""
    task: str = ""

    @classmethod
    def of(cls, request: Request) -> Ask:
        """What a request of the suite says."""
        return cls(request.family, request.language, request.max_seconds, request.id, request.task)

    def body(self) -> JsonValue:
        """As the request's body carries it: ``true``, or an object of what is known."""
        found = without_nothing(
            {
                "family": self.family,
                "language": self.language,
                "max_seconds": self.max_seconds,
                "id": self.id,
                "task": self.task,
            }
        )
        return found or True


def read_ask(body: JsonObject) -> Ask | None:
    """Return what a request's body asks for; None where it doesn't (absent, null or false)."""
    value = body.get(FIELD)
    if value is None or value is False:
        return None
    if value is True:
        return Ask()
    if not isinstance(value, Mapping):
        raise WireError(f"must be true or an object, not {told(value)}", FIELD)
    return Ask(
        text_of(value, "family"),
        text_of(value, "language"),
        number_of(value, "max_seconds"),
        text_of(value, "id"),
        text_of(value, "task"),
    )


@dataclass(frozen=True)
class Extension:
    """The object itself; see the head of this file."""

    codes: tuple[int, ...] | None = None
    commit_step: tuple[int, ...] = ()
    commit_confidence: tuple[float, ...] = ()
    spans: tuple[int, ...] = ()
    nfe: int = 0
    nfe_audio: int | None = None
    text_tokens: tuple[str, ...] = ()
    stages_s: Mapping[str, float] = field(default_factory=dict)
    system: str = ""
    codec: str = ""

    @classmethod
    def of(cls, response: Response, system: str = "", codec: str = "") -> Extension:
        """What a response of a system says."""
        trace = response.trace
        return cls(
            response.audio_codes,
            trace.commit_step,
            trace.commit_confidence,
            trace.spans,
            trace.nfe,
            trace.nfe_audio,
            trace.text_tokens,
            trace.stages_s,
            system,
            codec,
        )

    def within(self, trace: Trace) -> Trace:
        """Return a client's trace with what the server knows of the answer. Times stay the client's."""
        return replace(
            trace,
            stages_s=self.stages_s,
            nfe=self.nfe,
            nfe_audio=self.nfe_audio,
            commit_step=self.commit_step,
            commit_confidence=self.commit_confidence,
            spans=self.spans,
        )

    def body(self) -> JsonObject:
        """As a reply carries it; probabilities that are NaN are null."""
        return {
            "version": VERSION,
            "system": self.system,
            "codec": self.codec,
            "codes": None if self.codes is None else list(self.codes),
            "commit_step": list(self.commit_step),
            "commit_confidence": [one if math.isfinite(one) else None for one in self.commit_confidence],
            "spans": list(self.spans),
            "nfe": self.nfe,
            "nfe_audio": self.nfe_audio,
            "text_tokens": list(self.text_tokens),
            "stages_s": dict(self.stages_s),
        }


def read_extension(body: JsonObject) -> Extension | None:
    """Return the object of a reply or of a stream's chunk; None where there is none.

    Raises:
        WireError: there is one that can't be read, or of a later version.
    """
    table = object_of(body, FIELD)
    if not table:
        return None
    version = whole_of(table, "version", VERSION)
    if version != VERSION:
        raise WireError(f"is of version {version}, this tttbench reads {VERSION}", FIELD)
    stages = object_of(table, "stages_s")
    return Extension(
        None if table.get("codes") is None else _wholes(table, "codes"),
        _wholes(table, "commit_step"),
        tuple(
            math.nan if one is None else _number(one, "commit_confidence")
            for one in items_of(table, "commit_confidence")
        ),
        _wholes(table, "spans"),
        whole_of(table, "nfe") or 0,
        whole_of(table, "nfe_audio"),
        tuple(one if isinstance(one, str) else str(one) for one in items_of(table, "text_tokens")),
        {name: _number(seconds, f"stages_s.{name}") for name, seconds in stages.items()},
        text_of(table, "system"),
        text_of(table, "codec"),
    )


def _wholes(table: JsonObject, name: str) -> tuple[int, ...]:
    found = []
    for one in items_of(table, name):
        if isinstance(one, bool) or not isinstance(one, int):
            raise WireError(f"must hold whole numbers, not {told(one)}", f"{FIELD}.{name}")
        found.append(one)
    return tuple(found)


def _number(value: JsonValue, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError(f"must hold numbers, not {told(value)}", f"{FIELD}.{name}")
    return float(value)
