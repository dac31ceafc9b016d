"""How often each rule was broken."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from tflint_layers.finding import Finding


def render(findings: Sequence[Finding], format_name: str) -> str:
    """A line for each rule, most broken first; the JSON formats give objects."""
    counts = Counter((finding.code, finding.name) for finding in findings)
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    if format_name in {"json", "json-lines"}:
        return (
            json.dumps([{"code": code, "name": name, "count": count} for (code, name), count in rows], indent=2) + "\n"
        )
    width = max((len(str(count)) for _, count in rows), default=0)
    return "".join(f"{count:>{width}}  {code}  {name}\n" for (code, name), count in rows)
