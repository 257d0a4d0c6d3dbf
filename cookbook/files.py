"""Writing files so that an interruption leaves the old file or the new one, never half of one."""

import os
import tempfile
from pathlib import Path


def write(path: Path, content: str | bytes) -> bool:
    """Write through a temporary name beside `path`; false if the file already held exactly that."""
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def remove_others(folder: Path, pattern: str, wanted: set[Path]) -> list[Path]:
    """Remove the files below `folder` that match `pattern` and are not wanted; those removed."""
    stale = sorted(path for path in folder.glob(pattern) if path.is_file() and path not in wanted)
    for path in stale:
        path.unlink(missing_ok=True)
    return stale
