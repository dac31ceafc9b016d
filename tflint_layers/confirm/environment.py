"""What an interpreter has installed, read without importing any of it. Standard library only."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_ASK = "import json, sys; print(json.dumps([sys.version, sys.path, sys.prefix, sys.base_prefix]))"
_INSTALLED = (".dist-info", ".egg-info", ".egg-link", ".pth")


@dataclass(frozen=True)
class Environment:
    """An interpreter: ``digest`` changes with it and its packages; ``roots`` are other folders that it imports from."""

    digest: str
    roots: tuple[str, ...]


@lru_cache(maxsize=8)
def environment_of(python: str | None) -> Environment | None:
    """The environment of an interpreter (None: of this one), or None where it cannot be asked."""
    if python is None or python == sys.executable:
        version, path, prefix, base = sys.version, sys.path, sys.prefix, sys.base_prefix
    else:
        try:
            done = subprocess.run([python, "-c", _ASK], capture_output=True, timeout=30, check=True)
            version, path, prefix, base = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):
            return None
    folders = [os.path.abspath(entry) for entry in path if entry and os.path.isdir(entry)]
    installed = sorted(name for folder in folders for name in os.listdir(folder) if name.endswith(_INSTALLED))
    own = tuple(folder for folder in folders if not folder.startswith((prefix, base)))
    digest = hashlib.sha256(json.dumps([version, installed, prefix]).encode()).hexdigest()
    return Environment(digest, own)


@lru_cache(maxsize=1)
def own_digest() -> str:
    """Changes with the code that traces."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
