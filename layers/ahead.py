"""Working ahead in a thread: the next items are made while the last one is still being used."""

import threading
from collections.abc import Iterable, Iterator
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")
WAIT_S = 0.1


def ahead(items: Iterable[T], depth: int = 1) -> Iterator[T]:
    """The same items in the same order, at most `depth` of them made before they are asked for.

    What making one raises is raised here. Closing the iterator, or leaving it to be collected, ends the thread.
    """
    queue: Queue[tuple[T] | BaseException | None] = Queue(depth)
    given_up = threading.Event()
    thread = threading.Thread(target=_make, args=(items, queue, given_up), daemon=True)
    thread.start()
    try:
        while (made := queue.get()) is not None:
            if isinstance(made, BaseException):
                raise made
            yield made[0]
    finally:
        given_up.set()
        thread.join()


def _make(items: Iterable[T], queue: "Queue[tuple[T] | BaseException | None]", given_up: threading.Event) -> None:
    last: BaseException | None = None
    try:
        for item in items:
            if not _put(queue, (item,), given_up):
                return
    except BaseException as error:
        last = error
    _put(queue, last, given_up)


def _put(queue: "Queue[T]", item: T, given_up: threading.Event) -> bool:
    while not given_up.is_set():
        try:
            queue.put(item, timeout=WAIT_S)
            return True
        except Full:
            continue
    return False
