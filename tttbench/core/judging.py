"""What a judge is asked for: its settings, the name of its deriver, and the scales of its verdicts. Asks nobody."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.judge_presets import JUDGE_PRESETS

KIND = "openai_chat"
"""The one kind of judge: a model behind a server with OpenAI's chat protocol."""

JUDGE = "judge:"
"""How the names of derivers begin that grade."""


LONGEST_PAUSE_S = 120.0
"""The longest ``Retry-After`` that the package openai waits for before it tries again; its own pauses end at 8 s."""


@dataclass(frozen=True)
class Scale:
    """The verdicts that a prompt asks for: whole numbers from ``lowest`` to ``highest``; 0 and 1 are no and yes.

    Attributes:
        lowest, highest: the ends.
        needs_references: whether nothing can be said without a right answer.
        of: what is graded: one answer, a caption, or all answers of a conversation.
        shows: the sample's metadata that go along, such as the style that was asked for; ``""`` for none.
    """

    lowest: int
    highest: int
    needs_references: bool
    of: Literal["answer", "caption", "conversation"] = "answer"
    shows: str = ""

    @property
    def is_binary(self) -> bool:
        """Whether it is yes or no."""
        return (self.lowest, self.highest) == (0, 1)


SCALES: Mapping[str, Scale] = {
    "judge-binary": Scale(0, 1, needs_references=True),
    "judge-1-5": Scale(1, 5, needs_references=False),
    "judge-1-10": Scale(1, 10, needs_references=False),
    "judge-suggested-1-5": Scale(1, 5, needs_references=True),
    "judge-style-1-5": Scale(1, 5, needs_references=False, shows="style"),
    "judge-emotion-1-5": Scale(1, 5, needs_references=False, shows="emotion"),
    "judge-privacy-1-5": Scale(1, 5, needs_references=False),
    "judge-language-1-5": Scale(1, 5, needs_references=False, shows="requirement"),
    "judge-conversation-1-5": Scale(1, 5, needs_references=False, of="conversation"),
    "judge-speaker-1-5": Scale(1, 5, needs_references=False, of="conversation"),
    "clair-a": Scale(0, 100, needs_references=True, of="caption"),
}
"""By prompt, which is also what scores call their recipe."""


@dataclass(frozen=True)
class JudgeSettings:
    """A judge and how it is asked. The first seven make the verdicts what they are; the others change none.

    Attributes:
        model: as the server calls it.
        prompt: one of ``SCALES``.
        votes: replies for each answer; of yes and no an odd number, so that there is a majority.
        temperature: of sampling.
        top_p: share of the probability that is sampled from; 1: of all.
        served_as: the name that replies give the model, where a server has another one for it; ``""``: ``model``.
        max_tokens: of a reply, thinking included.
        base_url: of the server; ``""``: the environment variable ``OPENAI_BASE_URL``, or OpenAI's own.
        key_env: environment variable that holds the key.
        timeout_s: seconds for each request.
        retries: of a request that fails for a reason that may pass.
        concurrency: requests at once.
        per_minute: requests a minute at most; 0: as many as there can be.
        price_in, price_out: USD for a million tokens of prompts and of replies; 0 if unknown.
    """

    model: str
    prompt: str = "judge-binary"
    votes: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    served_as: str = ""
    max_tokens: int = 1024
    base_url: str = ""
    key_env: str = "OPENAI_API_KEY"
    timeout_s: float = 60.0
    retries: int = 3
    concurrency: int = 4
    per_minute: float = 0.0
    price_in: float = 0.0
    price_out: float = 0.0

    @property
    def scale(self) -> Scale:
        """Of the prompt."""
        return SCALES[self.prompt]

    @property
    def longest_s(self) -> float:
        """The most seconds that an answer may take: every vote asked for alone, all attempts and pauses used up."""
        attempts_s = (self.retries + 1) * 2 * self.timeout_s  # to connect, and to be answered
        spaced_s = 60 / self.per_minute if self.per_minute else 0.0
        return self.votes * (attempts_s + self.retries * LONGEST_PAUSE_S + spaced_s)

    @property
    def judge(self) -> str:
        """The judge as users write it."""
        return f"{KIND}:{self.model}"

    @property
    def deriver(self) -> str:
        """Full name of the deriver: the judge, and behind a question mark whatever isn't the default."""
        given = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name != "model" and (one.name == "prompt" or getattr(self, one.name) != one.default)
        }
        return f"{JUDGE}{self.judge}?{urlencode(given, safe=':/')}"

    @classmethod
    def of_deriver(cls, spec: str) -> JudgeSettings:
        """Read what follows ``judge:`` in the name of a deriver; raises ``UserError``."""
        judge, _, query = spec.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        return cls.of("judge", {**options, "judge": judge})

    @classmethod
    def of(cls, where: str, options: Mapping[str, str]) -> JudgeSettings:
        """Take the options ``judge``, ``recipe`` (or ``prompt``), ``votes`` … of a score.

        Args:
            where: the scorer or command, for messages.
            options: others than those of a judge are passed over.

        Raises:
            UserError: naming the option and the fix.
        """
        judge = options.get("judge", "")
        kind, _, model = judge.partition(":")
        if not judge:
            raise UserError(
                f"{where}: needs a judge, as in {where}:judge={KIND}:MODEL, or --judge {KIND}:MODEL for all of them "
                "(docs/judges.md)."
            )
        if kind != KIND or not model.strip() or "?" in model:
            what = did_you_mean(kind, (KIND,)) if kind != KIND else "The model's name is missing or holds a '?'."
            raise UserError(f"{where}:judge={judge!r:.60}: must be {KIND}:MODEL. {what}")
        prompt = options.get("prompt") or options.get("recipe") or cls.prompt
        if (preset := JUDGE_PRESETS.get(prompt)) is not None:
            options, prompt = {**preset.options, **options}, preset.prompt
        if prompt not in SCALES:
            known = (*SCALES, *JUDGE_PRESETS)
            raise UserError(f"{where}:recipe={prompt!r:.60}: there is no such prompt. {did_you_mean(prompt, known)}")
        votes = _whole(where, options, "votes", cls.votes, 1, 99)
        if SCALES[prompt].is_binary and votes % 2 == 0:
            raise UserError(f"{where}:votes={votes}: must be odd with {prompt}, so that there is a majority.")
        temperature = _number(where, options, "temperature", 0.5 if votes > 1 else cls.temperature, 0, 2)
        if votes > 1 and temperature == 0:
            raise UserError(
                f"{where}:temperature=0: {votes} votes would be one reply {votes} times over; give temperature=0.5, or "
                "votes=1."
            )
        return cls(
            model.strip(),
            prompt,
            votes,
            temperature,
            _number(where, options, "top_p", cls.top_p, 0.001, 1),
            options.get("served_as", ""),
            _whole(where, options, "max_tokens", cls.max_tokens, 1, 1_000_000),
            plain_url(f"{where}:base_url", url) if (url := options.get("base_url", "")) else "",
            variable_name(f"{where}:key_env", options.get("key_env", cls.key_env)),
            _number(where, options, "timeout_s", cls.timeout_s, 0.1, 86_400),
            _whole(where, options, "retries", cls.retries, 0, 100),
            _whole(where, options, "concurrency", cls.concurrency, 1, 256),
            _number(where, options, "per_minute", cls.per_minute, 0, 1e6),
            _number(where, options, "price_in", cls.price_in, 0, 1e6),
            _number(where, options, "price_out", cls.price_out, 0, 1e6),
        )


def deriver_title(name: str) -> str:
    """Return the name of a deriver for people: of a judge what it is asked for, without how it is reached."""
    if not name.startswith(JUDGE):
        return name
    judge, _, query = name.removeprefix(JUDGE).partition("?")
    given = dict(parse_qsl(query))
    votes = f"{given['votes']} votes" if "votes" in given else ""
    sampled = [f"{one} {given[one]}" for one in ("temperature", "top_p") if one in given]
    asked = ", ".join(part for part in (given.get("prompt", ""), votes, *sampled) if part)
    return f"judge {judge} ({asked})" if asked else f"judge {judge}"


_HOW = ("base_url", "key_env", "timeout_s", "retries", "concurrency", "per_minute")

OPERATIONAL = (*_HOW, "price_in", "price_out")
"""Options of scores that change no verdict: where and how fast a judge is asked, and what that costs."""

REACHING = ("judge", "served_as", *_HOW)
"""Options of scores that say which judge it is and how it is asked, not what for."""

OPTIONS = ("judge", "recipe", *(one.name for one in fields(JudgeSettings) if one.name not in ("model", "prompt")))
"""Options of scores that take a judge."""


def judge_options(text: str, where: str) -> dict[str, str]:
    """Read ``openai_chat:MODEL,OPTION=VALUE,…``, the judge of all scores of a run; ``{}`` for ``""``.

    Raises:
        UserError: no judge, or an option that there isn't; ``where`` begins the message.
    """
    if not text:
        return {}
    judge, *parts = text.split(",")
    options = {"judge": judge.strip()}
    if not judge.strip().startswith(f"{KIND}:"):
        raise UserError(
            f"{where} {judge!r:.60}: must be {KIND}:MODEL, or {KIND}:MODEL,OPTION=VALUE,… (docs/judges.md)."
        )
    for at, part in enumerate(parts, 1):
        name, equals, value = (one.strip() for one in part.partition("="))
        if name in ("judge", "recipe") or name not in OPTIONS or not equals or not value or name in options:
            known = ", ".join(one for one in OPTIONS if one not in ("judge", "recipe"))
            # What isn't of this form isn't repeated: it may be a key.
            what = f"option {at} ({name:.60})" if name.isidentifier() and equals else f"option {at}"
            raise UserError(f"{where} {judge!r:.60}: {what} must be OPTION=VALUE, once each, with one of {known}.")
        options[name] = value
    JudgeSettings.of(where, options)
    return options


def _whole(where: str, options: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = options.get(name, str(default)).strip()
    if not (text.isdecimal() and text.isascii() and len(text) < 10 and least <= int(text) <= most):
        raise UserError(f"{where}:{name}={text!s:.40}: must be a whole number from {least:,} to {most:,}.")
    return int(text)


def _number(where: str, options: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = options.get(name, str(default)).strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise UserError(f"{where}:{name}={text!s:.40}: must be a number from {least:g} to {most:,.0f}.")
    return value


def plain_url(what: str, text: str) -> str:
    """Return the address of a server, which runs keep; raises ``UserError`` for one with a secret, or that is none.

    ``what`` is where it stands, for messages; the address isn't repeated, as it may hold a password.
    """
    try:
        parts = urlsplit(text)
        is_url = bool(re.fullmatch("[!-~]+", text)) and parts.scheme in ("http", "https") and bool(parts.hostname)
        is_url = is_url and parts.port != 0
        holds_more = "@" in parts.netloc or bool(parts.query or parts.fragment)
    except ValueError:
        is_url = holds_more = False
    if not is_url or holds_more:
        raise UserError(
            f"{what}: must be http://HOST:PORT/v1 without user, password, query and spaces, as runs keep it; the key "
            "belongs into an environment variable (key_env)."
        )
    return text


def variable_name(what: str, text: str) -> str:
    """Return the name of an environment variable; raises ``UserError`` beginning with ``what`` if it is none."""
    # A key itself, given here by mistake, must not be printed: nearly all of them hold a lower-case letter or a dash.
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", text):
        raise UserError(
            f"{what}: must be the name of an environment variable, of A-Z, 0-9 and _, such as OPENAI_API_KEY."
        )
    return text
