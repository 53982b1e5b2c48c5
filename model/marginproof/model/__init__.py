"""Ids, containers, reason codes and errors that every room shares; imports nothing of ours."""
