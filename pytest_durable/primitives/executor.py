"""Stand-ins for ``concurrent.futures.ThreadPoolExecutor``, ``Future`` and ``wait``."""

from __future__ import annotations

import concurrent.futures
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures.thread import BrokenThreadPool
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeVar

from pytest_durable.engine import Killed, current_task
from pytest_durable.primitives._deadline import deadline_after, left_until
from pytest_durable.primitives.event import Event

T = TypeVar("T")

_LOGGER = logging.getLogger("concurrent.futures")


class Future(Generic[T]):
    """Stands in for ``concurrent.futures.Future``; raises the standard library's own errors."""

    __slots__ = ("_callbacks", "_cancelled", "_error", "_event", "_result", "_running")

    def __init__(self) -> None:
        self._event = Event()
        self._result: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], object]] = []
        self._cancelled = False
        self._running = False

    def done(self) -> bool:
        """Whether it has a result or an error, or was cancelled."""
        return self._event.is_set()

    def running(self) -> bool:
        """Whether its call has begun and not ended."""
        return self._running and not self.done()

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._cancelled

    def cancel(self) -> bool:
        """Cancel the call if it has not begun; whether it is cancelled."""
        if self._cancelled:
            return True
        if self._running or self.done():
            return False
        self._cancelled = True
        self._finish()
        return True

    def result(self, timeout: float | None = None) -> T:
        """Block until there is a result; return it or raise the call's error.

        Raises:
            TimeoutError: if there was none within ``timeout`` seconds.
            CancelledError: if it was cancelled.
        """
        __tracebackhide__ = True
        error = self.exception(timeout)
        if error is not None:
            try:
                raise error
            finally:
                del error, self  # the traceback refers to this frame
        return self._result  # type: ignore[return-value]  # a T once there is no error

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Block until there is a result; return the call's error, or None.

        Raises:
            TimeoutError: if there was none within ``timeout`` seconds.
            CancelledError: if it was cancelled.
        """
        if not self._event.wait(timeout):
            raise TimeoutError
        if self._cancelled:
            raise concurrent.futures.CancelledError
        return self._error

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Call ``fn`` with this future when it is done; at once if it is. An error of ``fn`` is logged."""
        if self.done():
            self._call(fn)
        else:
            self._callbacks.append(fn)

    def set_running_or_notify_cancel(self) -> bool:
        """The call begins now, unless it was cancelled."""
        self._running = not self._cancelled
        return self._running

    def set_result(self, result: T) -> None:
        """The call returned ``result``.

        Raises:
            InvalidStateError: if it is done already.
        """
        self._check_pending()
        self._result = result
        self._finish()

    def set_exception(self, exception: BaseException | None) -> None:
        """The call raised ``exception``.

        Raises:
            InvalidStateError: if it is done already.
        """
        self._check_pending()
        self._error = exception
        self._finish()

    def _check_pending(self) -> None:
        if self.done():
            raise concurrent.futures.InvalidStateError(repr(self))

    def _finish(self) -> None:
        self._event.set()
        for callback in self._callbacks:
            self._call(callback)
        self._callbacks.clear()

    def _call(self, callback: Callable[[Future[T]], object]) -> None:
        try:
            callback(self)
        except Exception:
            _LOGGER.exception("exception calling callback for %r", self)

    def __repr__(self) -> str:
        # Without its address, unlike the real one: what a run prints must not depend on the machine.
        done = "cancelled" if self._cancelled else "finished"
        return f"<Future state={done if self.done() else 'running' if self._running else 'pending'}>"


class ThreadPoolExecutor:
    """Stands in for ``concurrent.futures.ThreadPoolExecutor``.

    A worker is a task of the submitter's process; it takes work in the order of submission and ends when there is none,
    so an idle pool keeps nothing alive.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        # Without a number the real one takes it from the machine; a simulation must not depend on the machine.
        self._max_workers = 32 if max_workers is None else max_workers
        self._prefix = thread_name_prefix or "ThreadPoolExecutor"
        self._initializer = initializer
        self._initargs = initargs
        self._work: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = deque()
        self._workers = 0
        self._started = 0
        self._broken: str | None = None
        self._shutdown = False
        self._idle = Event()
        self._idle.set()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have ``fn(*args, **kwargs)`` called by a worker.

        Raises:
            BrokenThreadPool: after the initializer failed.
            RuntimeError: after `shutdown`, or outside of the simulation.
        """
        if self._broken is not None:
            raise BrokenThreadPool(self._broken)
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        submitter = current_task()
        if submitter is None:
            raise RuntimeError("a simulated pool was given work outside of the simulation")
        future: Future[T] = Future()
        self._work.append((future, fn, args, kwargs))
        if self._workers < self._max_workers:
            self._workers += 1
            self._idle.clear()
            name = f"{self._prefix}_{self._started}"
            self._started += 1
            submitter.world.spawn(submitter.process, name, self._serve)
        return future

    def _serve(self) -> None:
        """A worker: take work until there is none, or the worker is killed, even if the work hides that."""
        __tracebackhide__ = True
        worker = current_task()
        assert worker is not None
        process = worker.process
        try:
            if self._initializer is not None:
                self._initialize(self._initializer)
            while self._work and process.cause is None:
                future, fn, args, kwargs = self._work.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    result = fn(*args, **kwargs)
                except BaseException as error:
                    if isinstance(error, (Killed, *worker.world.fatal)):
                        raise  # whether anybody asks for the result or not
                    future.set_exception(error)
                else:
                    future.set_result(result)
                # Kept references would keep a whole invocation alive until the worker's next item.
                del future, fn, args, kwargs
        finally:
            self._workers -= 1
            if not self._workers:
                self._idle.set()

    def _initialize(self, initializer: Callable[..., object]) -> None:
        """Call the initializer; if it fails, so does all work that has not begun, and whatever would come after it."""
        try:
            initializer(*self._initargs)
        except Killed:
            raise
        except BaseException:
            _LOGGER.critical("Exception in initializer:", exc_info=True)
            self._broken = "A thread initializer failed, the thread pool is not usable anymore"
            while self._work:
                future = self._work.popleft()[0]
                if future.set_running_or_notify_cancel():
                    future.set_exception(BrokenThreadPool(self._broken))

    def map(
        self, fn: Callable[..., T], *iterables: Iterable[Any], timeout: float | None = None, chunksize: int = 1
    ) -> Iterable[T]:
        """Submit ``fn`` for each tuple of the zipped ``iterables``; yield the results in that order.

        ``chunksize`` means nothing to threads.
        """
        futures = [self.submit(fn, *args) for args in zip(*iterables, strict=False)]
        deadline = deadline_after(timeout)
        return (future.result(left_until(deadline)) for future in futures)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; with ``wait`` block until the workers have ended."""
        self._shutdown = True
        if cancel_futures:
            while self._work:
                self._work.popleft()[0].cancel()
        if wait:
            self._idle.wait()

    def __enter__(self) -> ThreadPoolExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(wait=True)


_ALL = (concurrent.futures.ALL_COMPLETED, concurrent.futures.FIRST_COMPLETED, concurrent.futures.FIRST_EXCEPTION)


class DoneAndNotDone(NamedTuple):
    """What `wait` returns."""

    done: set[Future[Any]]
    not_done: set[Future[Any]]


def wait(
    fs: Iterable[Future[Any]], timeout: float | None = None, return_when: str = concurrent.futures.ALL_COMPLETED
) -> DoneAndNotDone:
    """Stands in for ``concurrent.futures.wait``.

    Raises:
        ValueError: if ``return_when`` is none of the three that there are.
    """
    futures = list(dict.fromkeys(fs))
    if len(futures) == 1 and return_when in _ALL:  # as the SDK does for its checkpoints: it is the same for all three
        futures[0]._event.wait(timeout)
    elif not _is_enough(futures, return_when):
        enough = Event()

        def done(future: Future[Any]) -> None:
            if _is_enough(futures, return_when):
                enough.set()

        for future in futures:
            if not future.done():
                future.add_done_callback(done)
        enough.wait(timeout)
    finished = {future for future in futures if future.done()}
    return DoneAndNotDone(finished, set(futures) - finished)


def _is_enough(futures: list[Future[Any]], return_when: str) -> bool:
    finished = [future for future in futures if future.done()]
    if len(finished) == len(futures):
        return True
    if return_when == concurrent.futures.FIRST_COMPLETED:
        return bool(finished)
    if return_when == concurrent.futures.FIRST_EXCEPTION:
        return any(not future.cancelled() and future.exception() is not None for future in finished)
    if return_when != concurrent.futures.ALL_COMPLETED:
        raise ValueError(f"Invalid return condition: {return_when!r}")
    return False
