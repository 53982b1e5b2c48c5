"""Modules that are imported when they are first used: help and completion must not wait for chain libraries."""

import importlib.util
import sys
from types import ModuleType

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode


def lazy_module(name: str) -> ModuleType:
    """The module ``name``, executed on its first attribute access.

    Raises:
        ConfigurationError: TOOL_MISSING: there is no such module in this installation.
    """
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ConfigurationError(
            f"the module {name} is not installed", code=ReasonCode.TOOL_MISSING, fix="install marginproof[all]"
        )
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module
