"""A victim behind an address: a server that answers in JSON.

A request is `POST` with `{"task": …, "kind": …, "examples": [{"id": …, "language": …, …}]}`; an example has the texts
of its kind (`first`, `second`; `context`, `question`, `choices`; `words`; `question`, `context`; `query`). The answer
is `{"predictions": […]}`, a record an example in their order, or each with the `id` of its example
(`victim.PredictingVictim` says what it holds).
"""

from __future__ import annotations

import base64
import datetime
import email.utils
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from crosswind.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggingExample,
    kind_of,
)
from crosswind.errors import UserError
from crosswind.run.step import digest

REQUEST_EXAMPLES = 16  # examples of a request
ANSWER_TIMEOUT = 60.0  # seconds that an answer may take
RETRIES = 4
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_LARGEST = 64 * 2**20  # bytes of an answer
_PIECE = 2**16  # bytes that are read at once
_SHORTEST_SECRET = 4  # characters: shorter parts of a query (`v=1`) stand in other words as well
_LONGEST_PAUSE = 300.0  # seconds that a server may ask to wait for


class _Staying(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: another host would be sent the user and the texts, and a POST would become a GET."""

    def http_error_302(self, *given: Any, **named: Any) -> None:
        """None: the redirect itself is the answer, wherever it leads."""

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


_OPENER = urllib.request.build_opener(_Staying)


class Endpoint:
    """Predictions of examples from `url`, at most `rate` requests a second (0: as fast as they are answered).

    A request that fails for a while (no connection, no answer in `timeout` seconds, a server that is busy or has
    failed, an answer that breaks off) is sent again up to `retries` times, after `wait`, twice that, … seconds or as
    long as the server asks (`Retry-After`, RFC 9110 §10.2.3: seconds, or a date, compared with `now`), at most five
    minutes. Raises a `UserError` for an address that cannot be reached and for an answer that is none; no
    user, password, query or fragment of the address stands in it, also where the server repeats it.
    """

    def __init__(
        self,
        url: str,
        task: str,
        *,
        batch: int = REQUEST_EXAMPLES,
        rate: float = 0.0,
        retries: int = RETRIES,
        wait: float = 1.0,
        timeout: float = ANSWER_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url, self._authorization = _without_user(url)
        self.name, self._secrets = address_shown(url), _secrets_of(url)
        self.task, self.batch, self.rate = task, batch, rate
        self.retries, self.wait, self.timeout = retries, wait, timeout
        self._clock, self._now, self._sleep = clock, now, sleep
        self._next = 0.0  # when the next request may be sent
        self.requests = 0

    def __call__(self, examples: Sequence[Example]) -> list[Mapping[str, Any]]:
        """A record an example, in order."""
        given: list[Mapping[str, Any]] = []
        for start in range(0, len(examples), self.batch):
            part = examples[start : start + self.batch]
            answer = self._ask(part)
            records = answer.get("predictions") if isinstance(answer, Mapping) else None
            if not isinstance(records, list) or len(records) != len(part):
                count = len(records) if isinstance(records, list) else "no"
                raise self._error(f"answers with {count} predictions for {len(part)} examples")
            given += records
        return given

    def _ask(self, examples: Sequence[Example]) -> Any:
        body = {"task": self.task, "kind": kind_of(examples[0]), "examples": [as_record(e) for e in examples]}
        data = json.dumps(body, ensure_ascii=False).encode()
        fault = ""
        for attempt in range(self.retries + 1):
            self._wait_for_turn()
            self.requests += 1
            pause = self.wait * 2**attempt
            try:
                headers = {"Content-Type": "application/json", "Accept": "application/json", **self._authorization}
                request = urllib.request.Request(self.url, data=data, headers=headers)
                with _OPENER.open(request, timeout=self.timeout) as answer:
                    text = self._body(answer)
            except urllib.error.HTTPError as error:
                fault = f"answers {error.code} {error.reason}"
                if error.code in _MOVED:
                    raise self._error(f"{fault}{self._elsewhere(error.headers.get('Location'))}") from None
                if error.code not in _BUSY:
                    raise self._error(fault) from None
                pause = self._pause(error.headers.get("Retry-After", ""), pause)
            except (http.client.InvalidURL, ValueError) as error:
                # What is wrong with an address is said with the address in it.
                why = type(error).__name__ if self._secrets else error
                hint = "http://HOST:PORT/PATH in ASCII"
                raise UserError(f"no address ({why})", where=self.name, hint=hint) from None
            except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
                fault = f"cannot be reached ({getattr(error, 'reason', error)})"
            except http.client.HTTPException as error:
                fault = f"answers with what is no whole HTTP answer ({type(error).__name__})"
            else:
                return self._read(text)
            if attempt < self.retries:
                self._sleep(pause)
        raise self._error(f"{fault}, {self.retries + 1} times in a row")

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        """The bytes of an answer. `TimeoutError` where they trickle in for longer than an answer may take."""
        latest = self._clock() + self.timeout
        parts: list[bytes] = []
        size = 0
        while size <= _LARGEST and (part := answer.read1(_PIECE)):
            parts.append(part)
            size += len(part)
            if self._clock() > latest:
                raise TimeoutError(f"no whole answer in {self.timeout:g} seconds")
        if answer.length and size <= _LARGEST:
            raise http.client.IncompleteRead(b"", answer.length)
        text = b"".join(parts)
        # Where neither a length nor chunks say how much is to come, a closed connection ends every answer.
        if answer.length is None and not answer.chunked and size <= _LARGEST and _breaks_off(text):
            raise http.client.IncompleteRead(b"")
        return text

    def _read(self, text: bytes) -> Any:
        if len(text) > _LARGEST:
            raise self._error(f"answers with more than {_LARGEST >> 20} MiB")
        try:
            # JSON has no NaN; Python's reader would take it, and what is done with it must say so.
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            beginning = self._without_secrets(text[:_PIECE].decode(errors="replace"))[:60]
            raise self._error(f"answers with what is no JSON ({beginning!r})") from error

    def _wait_for_turn(self) -> None:
        if not self.rate:
            return
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
            now = self._clock()
        self._next = max(now, self._next) + 1 / self.rate

    def _pause(self, asked: str, usual: float) -> float:
        """The seconds that a server asks to wait, as a number or a date; `usual` where it says neither."""
        if asked.isdecimal():
            return min(float(asked), _LONGEST_PAUSE)
        try:
            date = email.utils.parsedate_to_datetime(asked)
            if date.tzinfo is None:  # HTTP dates are in UTC
                date = date.replace(tzinfo=datetime.UTC)
            return min(max(0.0, date.timestamp() - self._now()), _LONGEST_PAUSE)
        except (ValueError, TypeError, IndexError, OverflowError):
            return usual

    def _elsewhere(self, location: str | None) -> str:
        """Where a redirect leads, without what may be secret there."""
        try:
            where = _bare(urllib.parse.urljoin(self.url, location)) if location else ""
        except ValueError:
            where = ""
        return f": it is at {where}; name that one" if where else " and does not say where it is"

    def _without_secrets(self, text: str) -> str:
        """A text without the secrets of the address."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    def _error(self, what: str) -> UserError:
        hint = 'it answers POST with {"predictions": [a record an example]}; what is finished is kept, run it again'
        return UserError(f"the model {self._without_secrets(what)}", where=self.name, hint=hint)


def _breaks_off(text: bytes) -> bool:
    """Whether a text begins as a JSON object and does not end as one; nothing at all does not either."""
    if text.strip() and not text.lstrip().startswith(b"{"):
        return False
    try:
        json.loads(text)
    except RecursionError:
        return False
    except ValueError:
        return True
    return False


def is_address(model: str) -> bool:
    """Whether a model is named by an address: `http://…` or `https://…`."""
    return model.lower().startswith(("http://", "https://"))


def address_shown(url: str) -> str:
    """What results call an address: a user, a password and a query, which may hold a key, are left out.

    In their place stands a hash of the whole, by which two such addresses are told apart.
    """
    shown = _bare(url)
    return shown if shown == url else f"{shown}#{digest(url)[:8]}"


def _bare(url: str) -> str:
    """An address without user, password, query and fragment."""
    scheme, _, rest = re.split("[?#]", url, maxsplit=1)[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _secrets_of(url: str) -> tuple[str, ...]:
    """What of an address no text may hold, the longest first: what `_bare` leaves out, whole and in its parts."""
    _, _, rest = url.partition("://")
    user, _, _ = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")
    tail = "".join(re.split("([?#])", rest, maxsplit=1)[2:])
    parts = [user, *user.split(":"), tail]
    parts += [value or name for name, _, value in (part.partition("=") for part in re.split("[#&;]", tail))]
    known = {form for part in parts for form in (part, urllib.parse.unquote(part), urllib.parse.unquote_plus(part))}
    return tuple(sorted((s for s in known if len(s) >= _SHORTEST_SECRET), key=lambda s: (-len(s), s)))


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    """An address without the user in it, and the header that the user is sent in."""
    try:
        parts = urllib.parse.urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError:  # said when it is asked
        return url, {}
    if user is None:
        return url, {}
    both = ":".join(urllib.parse.unquote(part or "") for part in (user, password))
    host = parts.netloc.rpartition("@")[2]
    header = {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
    return urllib.parse.urlunsplit(parts._replace(netloc=host)), header


def as_record(example: Example) -> dict[str, Any]:
    """An example as a request holds it: its id, its language and the texts of its kind, no gold answer."""
    record: dict[str, Any] = {"id": example.id, "language": example.language}
    match example:
        case PairExample():
            return record | {"first": example.first, "second": example.second}
        case ChoiceExample():
            texts = {"context": example.context, "question": example.question}
            return record | texts | {"choices": list(example.choices)}
        case TaggingExample():
            return record | {"words": list(example.words)}
        case SpanExample():
            return record | {"question": example.question, "context": example.context}
        case QueryExample():
            return record | {"query": example.query}
        case _:
            assert_never(example)
