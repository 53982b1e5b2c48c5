"""Where this user's own settings lie: the XDG base directories, and the network that was joined."""

import os
from pathlib import Path
from typing import Final

_FOLDER: Final = "marginproof"
_CONFIG_VARIABLE: Final = "XDG_CONFIG_HOME"


def config_folder() -> Path:
    """``$XDG_CONFIG_HOME/marginproof``, by default ``~/.config/marginproof``; it need not exist."""
    named = os.environ.get(_CONFIG_VARIABLE, "")
    # The specification: a relative path there is to be ignored.
    base = Path(named) if Path(named).is_absolute() else Path.home() / ".config"
    return base / _FOLDER


def joined_network() -> Path:
    """The network file that `network join` put there; it need not exist."""
    return config_folder() / "network.yaml"


def joined_network_if_any() -> Path | None:
    """The same where there is one."""
    path = joined_network()
    return path if path.is_file() else None
