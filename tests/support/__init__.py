"""Servers and tools that tests of several rooms use."""
