"""Sentence files that change under the running server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from hearth_core.errors import HearthError
from hearth_intents.sentence_folders import SentenceFolders

log = logging.getLogger(__name__)

# Looked at by time stamp, which works on every file system, also one over the network. A change that has come to rest
# is seen at the second look.
LOOK_S = 1.0


@contextlib.asynccontextmanager
async def watching(
    folders: SentenceFolders, changed: Callable[[], None], look_s: float = LOOK_S
) -> AsyncIterator[None]:
    """Call `changed` when the files of the folders have changed, until the block is left.

    Args:
        folders: whose files.
        changed: called on the event loop; what it sets off reads the files.
        look_s: seconds between two looks.
    """
    task = asyncio.create_task(_look(folders, changed, look_s), name="watch sentences")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _look(folders: SentenceFolders, changed: Callable[[], None], look_s: float) -> None:
    told = ""
    while True:
        await asyncio.sleep(look_s)
        try:
            if await asyncio.to_thread(folders.changed):
                changed()
            told = ""
        except (HearthError, OSError) as error:  # a folder with too many files, or one that was taken away
            if str(error) != told:
                told = str(error)
                log.error("the sentence folders cannot be watched: %s", error)


def tell_problems(folders: SentenceFolders) -> None:
    """Log every problem of the sentence files that was not logged before."""
    for problem in folders.news():
        kept = "; its last good text stays in use" if folders.keeps(problem) else "; it is left out"
        log.error("%s%s", problem, kept)
