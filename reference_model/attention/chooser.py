"""What ``attention="auto"`` means: xformers where it runs and agrees with sdpa, flex for training on CUDA, else sdpa.

Which backend can run where is decided here and nowhere else. A backend that is asked for by name is neither compared
nor replaced by another.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

from reference_model.attention.base import AttentionBackend
from reference_model.attention.check import Heads, Verdict, compare
from reference_model.attention.runs import Operator
from reference_model.attention.xformers import XformersBackend, XformersOperator, refuse
from reference_model.errors import BackendError

BACKENDS = ("sdpa", "flex", "xformers")

_LOCK = threading.Lock()


def known(attention: str) -> str:
    """``attention`` itself, if it is ``"auto"`` or a backend's name.

    Raises:
        BackendError: if it isn't.
    """
    if attention not in ("auto", *BACKENDS):
        raise BackendError(
            f"attention={attention!r} is unknown; choose one of 'auto', {', '.join(map(repr, BACKENDS))}"
        )
    return attention


class Chooser:
    """Chooses for one process, which compares once for each kind of heads and warns once at most."""

    def __init__(self, operator: Operator | None = None, warn: Callable[[str], None] | None = None) -> None:
        """Choose.

        Args:
            operator: serves ``"xformers"``; None: xformers' own.
            warn: told in one sentence that ``"auto"`` falls back to sdpa, and why; None: ``warnings.warn``.
        """
        self._operator = XformersOperator() if operator is None else operator
        self._warn = _warn if warn is None else warn
        self._verdicts: dict[Heads, Verdict] = {}
        self._warned = False

    def name(self, attention: str, heads: Heads, gradient: bool = False) -> str:
        """The backend that whole-sequence passes take.

        Args:
            attention: ``"auto"`` or a backend's name.
            heads: of the passes.
            gradient: whether a backward follows.
        """
        if known(attention) != "auto":
            return attention
        if gradient:
            return "flex" if heads.device.type == "cuda" else "sdpa"
        return "sdpa" if self.verdict(heads).why_not else "xformers"

    def backend(self, name: str) -> AttentionBackend:
        """The backend of that name; its library is imported now.

        Raises:
            BackendError: for an unknown name, or if its library is missing.
        """
        if name == "sdpa":
            from reference_model.attention.sdpa import SdpaBackend

            return SdpaBackend()
        if name == "flex":
            from reference_model.attention.flex import FlexBackend

            return FlexBackend()
        if name == "xformers":
            return XformersBackend(self._operator)
        raise BackendError(f"attention={name!r} is unknown; choose one of {', '.join(map(repr, BACKENDS))}")

    def pool_operator(self, attention: str, heads: Heads) -> Operator | None:
        """What attends to the keys of a pool in a decode pass; None: each sequence by itself, with sdpa.

        Raises:
            BackendError: if ``"xformers"`` was asked for by name and cannot run here.
        """
        if attention == "xformers":
            refuse(self._operator, heads.device)
            return self._operator
        return self._operator if attention == "auto" and not self.verdict(heads).why_not else None

    def describe(self, attention: str, heads: Heads, gradient: bool = False) -> str:
        """``name`` and, on a device that xformers is made for, what became of it, for a system card."""
        name = self.name(attention, heads, gradient)
        elsewhere = heads.device.type != "cuda" and self._operator.why_not(heads.device) != ""
        if attention != "auto" or gradient or elsewhere:
            return name
        if name == "xformers":
            return "xformers (agrees with sdpa)"
        return f"sdpa (xformers is not used: {self.verdict(heads).why_not})"

    def verdict(self, heads: Heads) -> Verdict:
        """Whether ``"auto"`` takes the operator for such heads; compared at the first call, then known."""
        with _LOCK:
            found = self._verdicts.get(heads)
            if found is None:
                why_not = self._operator.why_not(heads.device)
                found = Verdict(why_not, None) if why_not else compare(self._operator, heads)
                self._verdicts[heads] = found
                if found.why_not and not why_not and not self._warned:
                    self._warned = True
                    kind = str(heads.dtype).removeprefix("torch.")
                    self._warn(f"attention='auto' takes sdpa in place of xformers for {kind}: {found.why_not}.")
        return found


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


PROCESS = Chooser()
"""The chooser of this process, which all models share unless they are given another."""
