"""Runs in the kernel before a recipe: deprecated calls become errors, and every cell leaves a note of what it did.

The notes go to `run.json` beside the notebook. They are written after every cell, so that they tell how far a
kernel came that died.
"""


def _watch() -> None:
    import json
    import os
    import runpy
    import sys
    import time
    import warnings
    from pathlib import Path
    from typing import Any

    for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
        warnings.filterwarnings("error", category=category, module="__main__")

    home = Path.cwd().resolve()
    cannot_fail = runpy.run_path(str(Path(os.environ["IPYTHONDIR"], "vacuous.py")))["cannot_fail"]
    note: dict[str, object] = {"cells": 0, "results": {}, "reads": [], "peak_memory": 0}
    reads: set[str] = set()
    root = os.environ.get("COOKBOOK_ROOT", "")
    allowed = tuple({sys.prefix, sys.base_prefix, sys.exec_prefix, f"{root}/.venv"})

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and "r" in str(arguments[1] or "r"):
            path = os.path.abspath(arguments[0])  # noqa: PTH100 (resolve() would follow links into the environment)
            if root and path.startswith(root + os.sep) and not path.startswith(allowed):
                reads.add(os.path.relpath(path, root))

    def plain(value: object) -> object:
        """A figure as JSON has it: numpy and torch scalars become numbers, the rest text."""
        if isinstance(value, (bool, int, float, str)):
            return value
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return str(value)

    def peak_memory() -> int:
        """Bytes. Not ru_maxrss on Linux: there it starts at the size of the process that forked this one."""
        status = Path("/proc/self/status")
        if status.exists():
            line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
            return int(line.split()[1]) * 1024
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def parameters(namespace: dict[str, object]) -> int:
        """Of the largest network that the recipe keeps; 0 without one."""
        torch = sys.modules.get("torch")
        if torch is None:
            return 0
        networks = [value for value in namespace.values() if isinstance(value, torch.nn.Module)]
        return max((sum(weight.numel() for weight in network.parameters()) for network in networks), default=0)

    def before(_info: object) -> None:
        note.setdefault("started", time.time())
        note.setdefault("cpu_before", sum(os.times()[:4]))

    def after(result: Any) -> None:
        namespace = shell.user_ns
        results = namespace.get("results")
        note["cells"] = int(str(note["cells"])) + 1
        note["ended"] = time.time()
        note["cpu_after"] = sum(os.times()[:4])
        note["reads"] = sorted(reads)
        note["peak_memory"] = peak_memory()
        if isinstance(results, dict):
            note["results"] = {str(key): plain(value) for key, value in results.items()}
        if note["cells"] == int(os.environ["COOKBOOK_CHECKS"]) and result.success:
            note["parameters"] = parameters(namespace)
            note["vacuous"] = cannot_fail(result.info.raw_cell, namespace)
        (home / "run.json.new").write_text(json.dumps(note))
        (home / "run.json.new").replace(home / "run.json")

    from IPython import get_ipython

    shell = get_ipython()
    shell.events.register("pre_run_cell", before)
    shell.events.register("post_run_cell", after)
    sys.addaudithook(audit)


_watch()
del _watch
