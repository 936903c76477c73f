"""Attention over a prefix of the keys, behind one interface: ``plan(...)`` once per pass, ``attend(...)`` per layer.

``attend`` is the short form for a single call. Which backend can run where is decided here and nowhere else.
"""

from __future__ import annotations

from torch import Tensor, device

from reference_model.attention.base import AttentionBackend, Plan
from reference_model.errors import BackendError

__all__ = ["BACKENDS", "AttentionBackend", "Plan", "attend", "backend", "choose"]

BACKENDS = ("sdpa", "flex", "xformers")


def choose(attention: str, on: device, training: bool = False) -> str:
    """Resolve ``"auto"``: ``flex`` for training on CUDA, ``sdpa`` elsewhere.

    Raises:
        BackendError: for an unknown name.
    """
    if attention == "auto":
        return "flex" if on.type == "cuda" and training else "sdpa"
    if attention not in BACKENDS:
        raise BackendError(
            f"attention={attention!r} is unknown; choose one of 'auto', {', '.join(map(repr, BACKENDS))}"
        )
    return attention


def backend(name: str) -> AttentionBackend:
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
        from reference_model.attention.xformers import XformersBackend

        return XformersBackend()
    raise BackendError(f"attention={name!r} is unknown; choose one of {', '.join(map(repr, BACKENDS))}")


def attend(
    q: Tensor, k: Tensor, v: Tensor, limit: Tensor, start: Tensor | None = None, *, attention: str = "auto"
) -> Tensor:
    """Attention in which row i sees keys ``start[i] <= key < limit[i]``.

    Args:
        q: (B, H, Lq, D).
        k, v: (B, Hkv, Lk, D), Hkv dividing H.
        limit, start: (B, Lq) int64; ``start=None`` means 0.
        attention: ``"auto"`` or a backend's name.

    Returns:
        (B, H, Lq, D).
    """
    chosen = backend(choose(attention, q.device, training=q.requires_grad))
    return chosen.attend(q, k, v, chosen.plan(limit, start, k.shape[2], q.dtype))
