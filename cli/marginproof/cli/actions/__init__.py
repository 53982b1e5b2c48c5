"""What the commands do: plain functions from options to a result, loaded when a command runs."""
