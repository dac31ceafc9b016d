"""Whether a text asks TensorFlow to take tf_keras for `tf.keras`, as it does by the environment. Nothing is run."""

from __future__ import annotations

import re

_VARIABLE = b"TF_USE_LEGACY_KERAS"
# The values that TensorFlow looks for, however the variable is given one: in Python, a shell, an INI file or a magic.
_SWITCHED_ON = re.compile(
    rb"^[^#\n]*" + _VARIABLE + rb"""["']?(?:\]|,|:)?\s*=?\s*(?:str\()?["']?(?:1|[Tt]rue)\b""", re.MULTILINE
)


def asks_for_legacy_keras(text: bytes) -> bool:
    """Whether a text sets ``TF_USE_LEGACY_KERAS``: from TensorFlow 2.16 on, nothing else makes `tf.keras` Keras 2."""
    return _VARIABLE in text and _SWITCHED_ON.search(text) is not None
