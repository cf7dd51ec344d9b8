"""Set-up step: make the published torchvision wheel importable next to a CPU build of torch.

The wheels on the package index are CUDA builds. Next to a CPU torch their C library cannot be loaded, the operators it would
define are missing, and `torchvision/_meta_registrations.py` fails on the first of them. Declaring the two operator schemas first
is enough for everything but the operators themselves (`nms`, and image decoding in C), which nothing here uses.

Run by `make install`. Where torchvision imports as it is (a CUDA machine, a matching CPU wheel) nothing is touched.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

MARK = "# declared by DermoForge's set-up: the wheel's C library does not load next to a CPU torch"
PREFACE = f"""{MARK}
from torch.library import Library

_schemas = Library("torchvision", "DEF")
_schemas.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_schemas.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

"""


def imports() -> subprocess.CompletedProcess[str]:
    """Try `import torchvision` in a fresh process."""
    command = [sys.executable, "-c", "import torchvision, torchvision.transforms"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main() -> int:
    """Mend torchvision if it needs it; exit status 1 (and the import's own error) when it still does not import."""
    if imports().returncode == 0:
        return 0
    spec = find_spec("torch") and _registrations()
    if spec:
        text = spec.read_text()
        if MARK not in text:
            # A new file, not a write in place: the installer may have hard-linked this one from its cache.
            mended = spec.with_suffix(".mended")
            mended.write_text(PREFACE + text)
            os.replace(mended, spec)
    result = imports()
    print(result.stderr, file=sys.stderr, end="")
    return result.returncode


def _registrations() -> Path | None:
    folders = [Path(entry) / "torchvision" for entry in sys.path]
    return next((f / "_meta_registrations.py" for f in folders if (f / "_meta_registrations.py").exists()), None)


if __name__ == "__main__":
    sys.exit(main())
