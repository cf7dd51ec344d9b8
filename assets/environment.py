"""Files with the settings of a deployment, such as config/laptop.env: read before anything else, because settings are read once."""

import os
import re
from pathlib import Path


def read_environment(file: str) -> None:
    """Take what a file says into the environment; what the environment says already stays. Raises ValueError and OSError.

    Its lines are `NAME=value`, as make, docker compose and `kubectl create configmap --from-env-file` read them too.
    """
    for number, line in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if not (found := re.fullmatch(r"([A-Z][A-Z0-9_]*)=([^\s'\"$#]*)", line)):
            raise ValueError(f"{file}, line {number}: not NAME=value without quotes and spaces")
        name, value = found.groups()
        os.environ[name] = os.environ.get(name) or value
