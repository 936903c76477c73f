"""What can be wrong with what a user hands in. Every message names the file or field and the fix."""

from __future__ import annotations


class ReferenceModelError(ValueError):
    """Base of the errors a user of this package can cause."""


class ConfigError(ReferenceModelError):
    """A field of a configuration is unknown, missing or misshapen."""


class TokenizerError(ReferenceModelError):
    """A tokenizer lacks a token the model needs, or holds it at an impossible id."""


class CheckpointError(ReferenceModelError):
    """A checkpoint folder is incomplete, damaged, or holds other tensors than its configuration asks for."""


class BackendError(ReferenceModelError):
    """An attention backend cannot run here."""


class DecodeError(ReferenceModelError):
    """Decode settings contradict each other, the model, or the prompt."""
