"""Where settings and data lie on this machine, found without importing anything heavy."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def config_file() -> Path:
    """The settings file: the one that `AZOTTE_CONFIG` names, else `azotte.toml` in the working folder."""
    return Path(os.environ.get("AZOTTE_CONFIG") or "azotte.toml").expanduser()


def data_folder() -> Path:
    """The user's data folder for azotte, as each system has it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "azotte"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "azotte"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share").expanduser() / "azotte"
