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
