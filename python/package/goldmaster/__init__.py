"""Masters music: measures, decides with a learned model, renders, and proves the result.

    import goldmaster

    result = goldmaster.master("mix.wav", output="master.wav")
    print(result.report["after"]["integrated_lufs"], "LUFS")

Every function does what the command of its name does, and writes the same bytes. `Master` masters song after song;
`Album` masters the songs of an album in steps that may be done in different processes.
"""

from importlib.metadata import version

from ._album import Album, Balanced, Decided, Measured, Prepared
from ._api import Master, Mastered, Progress, Settings
from ._api import analyze, batch, check, master, profile, render, variations
from ._errors import Error, PromiseError, UsageError
from ._source import Source

__version__ = version("goldmaster")

__all__ = [
    "Album",
    "Balanced",
    "Decided",
    "Error",
    "Master",
    "Mastered",
    "Measured",
    "Prepared",
    "Progress",
    "PromiseError",
    "Settings",
    "Source",
    "UsageError",
    "analyze",
    "batch",
    "check",
    "master",
    "profile",
    "render",
    "variations",
]
