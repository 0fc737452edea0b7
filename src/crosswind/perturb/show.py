"""Perturbations at a glance: a sentence in ten scripts under five of them, with the edits marked.

No model, no file and no network: it is what one sees of Crosswind before any training.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crosswind.data.languages import name_of
from crosswind.errors import UserError
from crosswind.perturb.noise import numbered, perturb_passages
from crosswind.perturb.passage import Passage
from crosswind.perturb.pieces import Keep, Piece
from crosswind.perturb.spec import Spec, TextScope, parse_spec

SHOWN_SPECS = ("keyboard:0.15", "swap:0.15", "word-order:0.4", "homoglyph:0.3", "diacritics:1")
"""What is shown, each at a severity that lets one see it in a sentence."""

# The same everyday sentence, in the language that most readers of each script know.
_SAMPLES: Mapping[str, str] = {
    "de": "Der kleine Junge liest im Garten ein schönes Buch über große Flüsse.",
    "ru": "Маленький мальчик ещё читает в саду книгу о больших реках.",
    "el": "Το μικρό αγόρι διαβάζει στον κήπο ένα βιβλίο για μεγάλα ποτάμια.",
    "ar": "الوَلَدُ الصغيرُ يقرأ في الحديقة كتابًا عن الأنهار الكبيرة.",
    "he": "הילד הקטן קורא בגינה סֵפֶר על נהרות גדולים.",
    "hi": "छोटा लड़का बगीचे में बड़ी नदियों के बारे में किताब पढ़ता है।",
    "ta": "சிறுவன் தோட்டத்தில் பெரிய ஆறுகள் பற்றிய புத்தகம் படிக்கிறான்.",
    "th": "เด็กชายตัวเล็กอ่านหนังสือเกี่ยวกับแม่น้ำสายใหญ่ในสวน",
    "ko": "어린 소년이 정원에서 큰 강에 관한 책을 읽는다.",
    "zh": "小男孩在花园里读一本关于大河的书。",
    "en": "The little boy is reading a book about great rivers in the garden.",
    "sw": "Mvulana mdogo anasoma kitabu kuhusu mito mikubwa katika bustani.",
    "tr": "Küçük çocuk bahçede büyük ırmaklar hakkında bir kitap okuyor.",
    "vi": "Cậu bé đang đọc trong vườn một cuốn sách về những con sông lớn.",
}
_TEN = ("de", "ru", "el", "ar", "he", "hi", "ta", "th", "ko", "zh")
_DRAWS = 20  # of which the first that changes something is shown

Marked = tuple[tuple[str, bool], ...]
"""A text in runs, each with whether it is an edit: new, or moved from elsewhere."""


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text of a language, and beside each perturbation what it becomes, or why it has nothing to change there."""

    language: str
    text: str
    outcomes: tuple[tuple[str, Marked | str], ...]


def shown_texts(
    text: str | None = None, languages: Sequence[str] = (), specs: Sequence[str] = SHOWN_SPECS
) -> Iterator[ShownText]:
    """`text` in each of `languages` (English if none is named), or a sample of each (of ten scripts if none is).

    Raises a `UserError` for a language without a sample where no text is given.
    """
    parsed = [parse_spec(spec, severity=0.2, where="SPEC") for spec in specs]
    for language in languages or (_TEN if text is None else ("en",)):
        if text is None and language not in _SAMPLES:
            raise UserError(
                f"there is no sample in {name_of(language)} ({language})",
                hint=f"give a text, or one of {', '.join(_SAMPLES)}",
            )
        shown = _SAMPLES[language] if text is None else text
        outcomes = tuple((_label(spec), _outcome(shown, language, spec)) for spec in parsed)
        yield ShownText(language, shown, outcomes)


def lines_of(shown: ShownText, *, colour: bool) -> Iterator[str]:
    """What the terminal prints of a text: edits in reverse video, without `colour` in angle brackets."""
    start, end = ("\x1b[7m", "\x1b[27m") if colour else ("‹", "›")
    yield f"{name_of(shown.language)} ({shown.language})"
    width = max((len(label) for label, _ in shown.outcomes), default=0)
    yield f"  {'':{width}}  {shown.text}"
    for label, outcome in shown.outcomes:
        if isinstance(outcome, str):
            yield f"  {label:{width}}  n/a: {outcome}"
        else:
            yield f"  {label:{width}}  " + "".join(f"{start}{run}{end}" if edit else run for run, edit in outcome)


def _label(spec: Spec) -> str:
    return "+".join(atom.identity for atom in spec.atoms)


def _outcome(text: str, language: str, spec: Spec) -> Marked | str:
    scope = TextScope(language)
    reason = spec.applies(scope)
    if reason is not None:
        return reason
    passage = Passage.line(text, language, "shown")
    prepared = {(atom, language, passage.kind): atom.prepare(scope) for atom in spec.atoms}
    atoms = list(numbered(spec.atoms))
    for draw in range(1, _DRAWS + 1):
        (written,) = perturb_passages([passage], atoms, draw_number=draw, prepared=prepared).written
        if written is not None:
            runs = itertools.groupby(_marked(text, written.rewrite.pieces), key=lambda run: run[1])
            return tuple(("".join(part for part, _ in parts), edit) for edit, parts in runs)
    return f"nothing of this text was changed in {_DRAWS} draws"


def _marked(text: str, pieces: Sequence[Piece]) -> Iterator[tuple[str, bool]]:
    """The runs of the rewritten text; what was moved forward of what followed it is an edit, as is what is new."""
    done = 0
    for i, piece in enumerate(pieces):
        if not isinstance(piece, Keep):
            if piece.text:
                yield piece.text, True
            continue
        later = [p.start for p in pieces[i + 1 :] if isinstance(p, Keep)]
        moved = piece.start < done or any(start < piece.start for start in later)
        done = max(done, piece.end)
        yield text[piece.start : piece.end], moved
