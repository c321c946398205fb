"""The commands of `fer-bench`, a file per command or small family: arguments and words; the work is done elsewhere.

Nothing here imports torch, pandas or DVC before a command needs it, so that help and completion come at once.
"""
