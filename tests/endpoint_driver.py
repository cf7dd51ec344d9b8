"""A driver to be ended: `python -m tests.endpoint_driver LAKE URL` teaches the phantoms through a server."""

import sys

from pipelines.lake import Lake
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from pipelines.teach.teach import teach
from tests.chat_server import MODEL


def main(lake_url: str, url: str) -> None:
    """Print what was asked."""
    config = TeacherConfig.model_validate({"engine": "endpoint", "model": MODEL, "attempts": 1, "endpoint": {"urls": [url]}})
    lake = Lake(lake_url)
    print(teach(lake, "phantom", open_engine(lake, config), config))


if __name__ == "__main__":
    main(*sys.argv[1:])
