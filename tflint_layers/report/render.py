"""What an output format is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tflint_layers.document import Document
from tflint_layers.finding import Finding

Documents = Mapping[str, Document]

# Colours a text, or gives it back as it is where nobody sees colours.
Paint = Callable[[str, str], str]

# Findings in their order, and what stands behind their paths.
Render = Callable[[Sequence[Finding], Documents, Paint], str]


def with_verdict(finding: Finding) -> str:
    """The message, with the verdict of TensorFlow and how it was reached, where it was asked."""
    message, verdict = finding.message, finding.verdict
    if verdict is None:
        return message
    recipe = f"; by running {verdict.recipe}" if verdict.recipe else ""
    told = f"{verdict.status.value} under Keras {verdict.keras}: {verdict.because}{recipe}"
    return f"{message} [{' '.join(told.split())}]"
