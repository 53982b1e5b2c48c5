"""One module per noun: names, options and help texts only, so that every ``--help`` is quick."""
