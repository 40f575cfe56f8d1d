"""Scaffold: a use case written from a file that somebody has, and shipped ones taken away.

`request` says what is wanted; `given` reads the files; `profile`, `personal` and `suspects` look
at columns; `planning` decides, and every decision has its reason; `writing` writes the folder.
Nothing here runs a use case or starts an engine.
"""
