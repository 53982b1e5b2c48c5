"""The ``marginproof`` command: one module per noun in ``commands``, what they do in ``actions``."""
